/* Calls that are newer than the host's kernel (catalogue row S7).
 *
 * Problem: a userland may be newer than the kernel. What the kernel lacks is ENOSYS, from which C
 * libraries go on; programs that make the call themselves may not.
 *
 * Choice: where an older call does exactly the same, it is made in the task's name. Of the calls
 * from Linux 5.15 to 6.12 that is one: fchmodat2(2) without flags (6.6) is fchmodat(2). The reasons
 * why the others are not stand in their rows of the tables; nearly all concern memory or waiting, in
 * which nobody can stand in for a task. The rows' condition leaves calls with flags to the kernel,
 * so that what C libraries do first costs no notification.
 *
 * Limits: the child that makes the call is no process of the zone: paths of /proc/self, and the
 * links to them in /dev, are left to the kernel's ENOSYS, and so is a task in a user namespace inside
 * the zone's. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/remote.h"

#include <errno.h>
#include <limits.h>

static gboolean
may_be_of_process (const char *path)
{
  return g_str_has_prefix (path, "/proc/") || g_str_has_prefix (path, "/dev/fd")
         || g_str_has_prefix (path, "/dev/std");
}

/* (directory, path, mode, flags) */
BzVerdict
bz_call_fchmodat2 (BzCall *call)
{
  char path[PATH_MAX];
  BzPlace place = { .directory = (int) call->args[0], .path = path, .follow = TRUE };
  gboolean reached = FALSE;
  int failed = bz_call_read_string (call, call->args[1], path, sizeof path);

  if (failed != 0)
    return bz_errno (failed);
  if ((guint32) call->args[3] != 0 || may_be_of_process (path))
    return bz_continue ();
  failed = bz_call_change_mode (call, &place, (guint32) call->args[2] & 07777, &reached);
  /* What the kernel says of the descriptor is found out before. */
  if (!reached && failed != EBADF && failed != ENOTDIR)
    return bz_continue ();
  return failed == 0 ? bz_value (0) : bz_errno (failed);
}
