/* mount(2) of proc where a proc is (catalogue row B14).
 *
 * Start scripts mount proc on /proc, whether it is there or not. Until Linux 5.8 all mounts of proc
 * in a pid namespace were one file system, and mounting it where it was already said EBUSY; mount(8)
 * tells so and the boot goes on. Today it is mounted a second time: over the files that tell the
 * brand's release, which then tell the host's.
 *
 * Anywhere else, also in a directory that a task has made its root, proc is mounted as ever. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/files.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>

#define TARGET_ARG 1
#define TYPE_ARG 2

/* Only the root of a proc can have another proc on it and be found by such a name. */
static gboolean
is_named_proc (const char *target)
{
  gsize length = strlen (target);

  while (length > 0 && (target[length - 1] == '/' || target[length - 1] == '.'))
    length--;
  return length >= 4 && strncmp (target + length - 4, "proc", 4) == 0;
}

BzVerdict
bz_call_mount (BzCall *call)
{
  char type[8], target[PATH_MAX];
  struct statfs there;

  if (bz_call_read_string (call, call->args[TYPE_ARG], type, sizeof type) != 0
      || strcmp (type, "proc") != 0
      || bz_call_read_string (call, call->args[TARGET_ARG], target, sizeof target) != 0
      || !is_named_proc (target) || bz_call_file_system (call, -1, target, &there) != 0
      || there.f_type != PROC_SUPER_MAGIC)
    return bz_continue ();
  return bz_errno (EBUSY);
}
