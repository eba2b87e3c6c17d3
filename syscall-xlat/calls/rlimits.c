/* Raising a hard limit (catalogue row S13).
 *
 * That takes CAP_SYS_RESOURCE over the host, which the root of a zone does not have. sudo, su with
 * pam_limits and daemons' start scripts ask for it, and some stop at EPERM. A task that has the
 * capability in the zone is told that it worked, which is counted as pretended: the hard limit
 * stays, the soft one is set as near to the wanted one as the hard one allows, which the task could
 * do itself. getrlimit(2) tells the truth. Everything else continues. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/remote.h"

#include <linux/capability.h>
#include <sys/resource.h>

/* i386's setrlimit(2) has 32 bits, all of them set: no limit. */
static guint64
widen (guint32 limit)
{
  return limit == G_MAXUINT32 ? RLIM64_INFINITY : limit;
}

/* tell_old: an address, or 0: nobody asks for them. */
static BzVerdict
raise_limit (BzCall *call, guint32 resource, guint64 soft, guint64 hard, guint64 tell_old)
{
  guint64 old[2];

  if (resource >= RLIM_NLIMITS || soft > hard || !bz_call_capable (call, CAP_SYS_RESOURCE)
      || bz_call_raise_limit (call, (int) resource, soft, hard, old) != 0)
    return bz_continue ();
  int failed = tell_old != 0 ? bz_call_write (call, tell_old, old, sizeof old) : 0;
  return failed != 0 ? bz_errno (failed) : bz_pretend (0);
}

BzVerdict
bz_call_setrlimit (BzCall *call)
{
  guint64 limits[2];
  guint32 narrow[2];

  if (call->abi != BZ_ABI_I386)
    {
      if (bz_call_read (call, call->args[1], limits, sizeof limits) != 0)
        return bz_continue ();
    }
  else
    {
      if (bz_call_read (call, call->args[1], narrow, sizeof narrow) != 0)
        return bz_continue ();
      limits[0] = widen (narrow[0]);
      limits[1] = widen (narrow[1]);
    }
  return raise_limit (call, (guint32) call->args[0], limits[0], limits[1], 0);
}

/* (pid, resource, new, old). Another process's limits are left to the kernel. */
BzVerdict
bz_call_prlimit64 (BzCall *call)
{
  guint64 limits[2];

  if ((guint32) call->args[0] != 0 || bz_call_read (call, call->args[2], limits, sizeof limits) != 0)
    return bz_continue ();
  return raise_limit (call, (guint32) call->args[1], limits[0], limits[1], call->args[3]);
}
