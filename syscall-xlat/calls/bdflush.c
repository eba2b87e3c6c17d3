/* bdflush(2) (catalogue row S3): update(8) of libc 5's time called it for the kernel's flushing of
 * buffers.
 *
 * The host flushes by itself: 0 and 1 (be the daemon; flush once) succeed. The parameters read
 * as 2.2's defaults, can be "set" within 2.2's bounds, and nothing remembers them: counted as
 * pretended. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/remote.h"

#include <errno.h>
#include <linux/capability.h>

#define HZ 100

static const struct {
  gint32 least, most, value;
} parameters[] = {
  { 0, 100, 40 },            /* percentage of dirty buffers that wakes the daemon */
  { 10, 5000, 500 },         /* buffers written in one go */
  { 5, 2000, 64 },           /* buffers got by one refill */
  { 25, 2000, 256 },         /* dirty buffers at which a refill wakes the daemon */
  { 0, 100, 15 },            /* percentage searched for clusters */
  { HZ, 600 * HZ, 30 * HZ }, /* age of a data buffer when it is written */
  { HZ, 600 * HZ, 5 * HZ },  /* age of a metadata buffer */
  { 1, 2047, 1884 },         /* decay of the load average */
  { 1, 5, 2 },               /* ratio of loads */
};

BzVerdict
bz_call_bdflush (BzCall *call)
{
  gint32 function = (gint32) call->args[0], data = (gint32) call->args[1];

  if (!bz_call_capable (call, CAP_SYS_ADMIN))
    return bz_errno (EPERM);
  if (function < 2)
    return bz_pretend (0);

  guint index = (guint) (function - 2) >> 1;
  if (index >= G_N_ELEMENTS (parameters))
    return bz_errno (EINVAL);
  if ((function & 1) == 0)
    {
      int failed = bz_call_write (call, call->args[1], &parameters[index].value, sizeof (gint32));
      return failed != 0 ? bz_errno (failed) : bz_value (0);
    }
  if (data < parameters[index].least || data > parameters[index].most)
    return bz_errno (EINVAL);
  return bz_pretend (0);
}
