/* mount(2) of proc where a proc is (catalogue row B14), and of what a zone can't mount (B12).
 *
 * Start scripts mount proc on /proc, whether it is there or not. Until Linux 5.8 all mounts of proc
 * in a pid namespace were one file system, and mounting it where it was already said EBUSY; mount(8)
 * tells so and the boot goes on. Today it is mounted a second time: over the files that tell the
 * brand's release, which then tell the host's.
 *
 * Anywhere else, also in a directory that a task has made its root, proc is mounted as ever.
 *
 * File systems on disks and servers are not mounted in a user namespace. Where the zone was allowed to
 * have some (mounts=ask), the loader is asked (mounter.h); else the kernel refuses, and why is told
 * once. Who could not mount anything in the zone is not told, nor asked for. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/calls/nfs-guest.h"
#include "syscall-xlat/files.h"
#include "syscall-xlat/mounter.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>

enum { SOURCE_ARG, TARGET_ARG, TYPE_ARG, FLAGS_ARG, DATA_ARG };

#define PAGE 4096

/* Only the root of a proc can have another proc on it and be found by such a name. */
static gboolean
is_named_proc (const char *target)
{
  gsize length = strlen (target);

  while (length > 0 && (target[length - 1] == '/' || target[length - 1] == '.'))
    length--;
  return length >= 4 && strncmp (target + length - 4, "proc", 4) == 0;
}

static BzVerdict
mount_proc (BzCall *call)
{
  char target[PATH_MAX];
  struct statfs there;

  if (call->plan->quirk[BZ_QUIRK_PROC_MOUNT] == 0
      || bz_call_read_string (call, call->args[TARGET_ARG], target, sizeof target) != 0
      || !is_named_proc (target) || bz_call_file_system (call, -1, target, &there) != 0
      || there.f_type != PROC_SUPER_MAGIC)
    return bz_continue ();
  return bz_errno (EBUSY);
}

/* The options are text, or NFS's structure of old. Owned by the caller; NULL: unreadable. */
static char *
read_options (BzCall *call, const BzFileSystem *system)
{
  g_autofree char *text = g_malloc0 (PAGE);
  guint8 data[BZ_NFS_DATA_MAX];
  guint64 address = call->args[DATA_ARG];
  gsize length = 348; /* version 1's; what later ones have behind it is not needed */

  if (address == 0)
    return g_strdup ("");
  if (system->kind == BZ_FILE_SYSTEM_NETWORK && bz_call_read (call, address, data, length) == 0
      && bz_nfs_is_binary (data, length))
    {
      GString *options = g_string_new (NULL);
      gboolean known = bz_nfs_options (data, length, options);
      return g_string_free (options, !known);
    }
  return bz_call_read_string (call, address, text, PAGE) == 0 ? g_steal_pointer (&text) : NULL;
}

static BzVerdict
ask (BzCall *call, const BzFileSystem *system)
{
  char source[PATH_MAX], target[PATH_MAX];
  g_autofree char *options = read_options (call, system);
  BzMountRequest request = { .system = system,
                             .source = source,
                             .target = target,
                             .options = options,
                             .flags = call->args[FLAGS_ARG] };

  /* The kernel's own errors. */
  if (options == NULL || call->args[SOURCE_ARG] == 0
      || bz_call_read_string (call, call->args[SOURCE_ARG], source, sizeof source) != 0
      || bz_call_read_string (call, call->args[TARGET_ARG], target, sizeof target) != 0)
    return bz_continue ();
  if ((request.flags & MS_MGC_MSK) == MS_MGC_VAL)
    request.flags &= ~(guint64) MS_MGC_MSK;
  int failed = call->mounter->class->mount (call->mounter, call, &request);
  if (failed == BZ_MOUNT_NOT_OURS)
    return bz_continue ();
  return failed != 0 ? bz_errno (failed) : bz_value (0);
}

BzVerdict
bz_call_mount (BzCall *call)
{
  char type[32];
  const BzFileSystem *system;

  if (bz_call_read_string (call, call->args[TYPE_ARG], type, sizeof type) != 0)
    return bz_continue ();
  if (strcmp (type, "proc") == 0)
    return mount_proc (call);
  if (call->plan->quirk[BZ_QUIRK_MOUNTS] == BZ_MOUNTS_HOST || call->mounter == NULL
      || (system = bz_file_system_lookup (type)) == NULL || !bz_call_capable (call, CAP_SYS_ADMIN))
    return bz_continue ();
  if (call->plan->quirk[BZ_QUIRK_MOUNTS] == BZ_MOUNTS_ASK)
    return ask (call, system);
  call->mounter->class->refuse (call->mounter, system);
  return bz_continue ();
}
