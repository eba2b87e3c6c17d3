/* chown(2), chmod(2) and utime(2) where the zone's root is not root (catalogue row S15).
 *
 * Two things that package managers do fail in zones:
 *   - /proc, /sys and the nodes bound into /dev belong to the host: rpm sets owner, mode and times
 *     of these directories when a package holds them;
 *   - a zone with one id can't give a file to anybody but its root (EINVAL).
 * In both cases a task that has the capability in the zone (CAP_CHOWN, CAP_FOWNER) is told that it
 * worked, and that is counted as pretended. Files that should have got another owner are given to
 * the zone's root by the task itself, which fails where it may not do that, and takes set-user-id
 * bits away as chown(2) does. Nothing remembers the wanted owner: stat(2) would have to be answered
 * for that.
 *
 * Everything else continues: what a range of ids can hold is the kernel's, and so are all errors.
 * The look at the path's first bytes tells the mounts: 1 us more than the notification. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/remote.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <string.h>

#define UNCHANGED G_MAXUINT32

/* Whether it can name one of the mounts that the loader has made: /proc, /sys, a node of /dev. */
static gboolean
may_be_mount (const char *path)
{
  static const char *const mounts[] = { "/proc", "/sys" };

  for (guint i = 0; i < G_N_ELEMENTS (mounts); i++)
    {
      gsize length = strlen (mounts[i]);
      const char *rest = path + length;

      if (strncmp (path, mounts[i], length) == 0 && rest[strspn (rest, "/.")] == '\0')
        return TRUE;
    }
  return g_str_has_prefix (path, "/dev/");
}

/* An id of the call that the zone doesn't have. i386's older calls have 16 bits, and -1 in them. */
static gboolean
is_lacking (const BzCall *call, guint64 id)
{
  gboolean narrow = call->abi == BZ_ABI_I386 && !g_str_has_suffix (call->row->name, "32")
                    && !g_str_has_suffix (call->row->name, "at");
  guint32 number = narrow ? (guint16) id : (guint32) id;

  if (call->plan->ids != 1 || number == UNCHANGED || (narrow && number == G_MAXUINT16))
    return FALSE;
  return number != 0;
}

static BzVerdict
own (BzCall *call, const BzPlace *place, gboolean take, int capability)
{
  if (!bz_call_capable (call, capability))
    return bz_continue ();
  return bz_call_own (call, place, take) == 0 ? bz_pretend (0) : bz_continue ();
}

static BzVerdict
change_owner (BzCall *call, BzPlace place, guint64 address, guint64 uid, guint64 gid)
{
  char path[PATH_MAX];
  gboolean take = is_lacking (call, uid) || is_lacking (call, gid);

  if (bz_call_read_string (call, address, path, sizeof path) != 0
      || (!take && !may_be_mount (path)))
    return bz_continue ();
  if (path[0] != '\0')
    place.path = path;
  else if (!place.follow || place.directory == AT_FDCWD)
    return bz_continue ();
  return own (call, &place, take, CAP_CHOWN);
}

BzVerdict
bz_call_chown (BzCall *call)
{
  BzPlace place = { .directory = AT_FDCWD, .follow = TRUE };

  return change_owner (call, place, call->args[0], call->args[1], call->args[2]);
}

BzVerdict
bz_call_lchown (BzCall *call)
{
  BzPlace place = { .directory = AT_FDCWD };

  return change_owner (call, place, call->args[0], call->args[1], call->args[2]);
}

BzVerdict
bz_call_fchownat (BzCall *call)
{
  guint32 flags = (guint32) call->args[4];
  BzPlace place = { .directory = (int) call->args[0],
                    .follow = (flags & AT_SYMLINK_NOFOLLOW) == 0 };

  if ((flags & ~(guint32) (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0)
    return bz_continue ();
  if ((flags & AT_EMPTY_PATH) != 0)
    place.follow = TRUE;
  return change_owner (call, place, call->args[1], call->args[2], call->args[3]);
}

BzVerdict
bz_call_fchown (BzCall *call)
{
  BzPlace place = { .directory = (int) call->args[0] };

  if (!is_lacking (call, call->args[1]) && !is_lacking (call, call->args[2]))
    return bz_continue ();
  return own (call, &place, TRUE, CAP_CHOWN);
}

/* Of the loader's mounts only: absolute paths, which need no look at a descriptor. */
static BzVerdict
change_attributes (BzCall *call, guint64 address)
{
  char path[PATH_MAX];
  BzPlace place = { .directory = AT_FDCWD, .path = path, .follow = TRUE };

  if (bz_call_read_string (call, address, path, sizeof path) != 0 || !may_be_mount (path))
    return bz_continue ();
  return own (call, &place, FALSE, CAP_FOWNER);
}

BzVerdict
bz_call_chmod (BzCall *call)
{
  return change_attributes (call, call->args[0]);
}

BzVerdict
bz_call_fchmodat (BzCall *call)
{
  return change_attributes (call, call->args[1]);
}

BzVerdict
bz_call_utime (BzCall *call)
{
  return change_attributes (call, call->args[0]);
}

BzVerdict
bz_call_utimensat (BzCall *call)
{
  return change_attributes (call, call->args[1]);
}
