/* sched_getaffinity(2) into a mask that is shorter than the host's (catalogue row O6,
 * affinity=fit).
 *
 * The kernel answers EINVAL where the caller's mask has not a bit for each processor that the host
 * may ever have; runtimes of 2005 pass 32 or 1024 bits and then see no processor at all. The answer
 * has as many bits as the task has processors, and as fit: their own where these fit, the lowest
 * free ones for the others. sched_setaffinity(2) takes short masks by itself, of the host's
 * numbers. Another process than the caller is the kernel's to answer: its number is the zone's. */
#include "config.h"

#include "syscall-xlat/calls/affinity-guest.h"
#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/remote.h"

#include <sys/syscall.h>
#include <unistd.h>

#define HOST_MASK 2048 /* bytes: 16384 processors; Linux 6.12 has 8192 */

/* (pid, length, mask) */
BzVerdict
bz_call_sched_getaffinity (BzCall *call)
{
  guint8 host[HOST_MASK], guest[HOST_MASK];
  gsize length = (guint32) call->args[1];

  if ((guint32) call->args[0] != 0 || length == 0 || length % bz_call_word (call) != 0
      || length >= sizeof host)
    return bz_continue ();
  long got = syscall (SYS_sched_getaffinity, call->tid, sizeof host, host);
  if (got < 0 || (gsize) got <= length)
    return bz_continue ();
  bz_affinity_fit (host, (gsize) got, guest, length);
  int failed = bz_call_write (call, call->args[2], guest, length);
  return failed != 0 ? bz_errno (failed) : bz_value ((gint64) length);
}
