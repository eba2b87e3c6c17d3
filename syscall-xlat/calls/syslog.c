/* syslog(2) (catalogue row S22): an empty kernel log of the zone's own.
 *
 * Errors as in 2.4's kernel/printk.c: everything but reading all of it (3; from 2.6 also its size,
 * 10) is for CAP_SYS_ADMIN. The level for the console is accepted: nothing is ever printed there.
 * A read that waits for a message (2) would wait for ever. It is answered EINTR after a second:
 * klogd looks after its signals and reads again, so it neither spins nor can't be ended. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/remote.h"

#include <errno.h>
#include <linux/capability.h>

enum {
  LOG_CLOSE,
  LOG_OPEN,
  LOG_READ,
  LOG_READ_ALL,
  LOG_READ_CLEAR,
  LOG_CLEAR,
  LOG_CONSOLE_OFF,
  LOG_CONSOLE_ON,
  LOG_CONSOLE_LEVEL,
  LOG_SIZE_UNREAD,
  LOG_SIZE_BUFFER
};

#define LOG_BUFFER_SIZE 16384
#define WAIT_MS 1000

static gboolean
knows (const BzPlan *plan, guint32 type)
{
  if (type == LOG_SIZE_BUFFER)
    return plan->release_number >= BZ_RELEASE (2, 6, 6);
  if (type == LOG_SIZE_UNREAD)
    return plan->release_number >= BZ_RELEASE (2, 4, 10);
  return type < LOG_SIZE_UNREAD;
}

static gboolean
is_open_to_all (const BzPlan *plan, guint32 type)
{
  return type == LOG_READ_ALL
         || (type == LOG_SIZE_BUFFER && plan->release_number >= BZ_RELEASE (2, 6, 6));
}

BzVerdict
bz_call_syslog (BzCall *call)
{
  guint32 type = (guint32) call->args[0];
  guint64 buffer = call->args[1];
  gint32 length = (gint32) call->args[2];

  if (!is_open_to_all (call->plan, type) && !bz_call_capable (call, CAP_SYS_ADMIN))
    return bz_errno (EPERM);
  if (!knows (call->plan, type))
    return bz_errno (EINVAL);
  switch (type)
    {
    case LOG_READ:
    case LOG_READ_ALL:
    case LOG_READ_CLEAR:
      if (buffer == 0 || length < 0)
        return bz_errno (EINVAL);
      return type == LOG_READ && length > 0 ? bz_deferred (WAIT_MS, EINTR) : bz_value (0);
    case LOG_CONSOLE_LEVEL:
      return length < 1 || length > 8 ? bz_errno (EINVAL) : bz_pretend (0);
    case LOG_CONSOLE_OFF:
    case LOG_CONSOLE_ON:
      return bz_pretend (0);
    case LOG_SIZE_BUFFER:
      return bz_value (LOG_BUFFER_SIZE);
    default:
      return bz_value (0);
    }
}
