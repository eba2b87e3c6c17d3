/* chown(2), chmod(2) and utime(2) where the zone's root is not root (catalogue row S15).
 *
 * Two things that package managers do fail in zones:
 *   - /proc, /sys and the nodes bound into /dev belong to the host: rpm sets owner, mode and times
 *     of these directories when a package holds them;
 *   - a zone with one id can't give a file to anybody but its root (EINVAL), one with many to nobody above its range
 *     (nfsnobody of 64-bit Enterprise Linux is 4294967294).
 * In both cases a task that has the capability in the zone (CAP_CHOWN, CAP_FOWNER) is told that it
 * worked, and that is counted as pretended. Files that should have got another owner are given to
 * the zone's root by the task itself, which fails where it may not do that, and takes set-user-id
 * bits away as chown(2) does. The wanted owner is remembered only where the plan says so
 * (owner-records=keep), because stat(2) has to be answered to show it; then every chown(2) of such a
 * task is carried out here, also one that gives a file back, and what was remembered is no pretence.
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

/* Whether the path's last name is this one; what follows it may be "/" and "/.". */
static gboolean
ends_in (const char *path, const char *name)
{
  gsize end = strlen (path), length = strlen (name);

  while (end > 0 && (path[end - 1] == '/' || (path[end - 1] == '.' && end > 1 && path[end - 2] == '/')))
    end--;
  return end >= length && strncmp (path + end - length, name, length) == 0
         && (end == length || path[end - length - 1] == '/');
}

/* Whether it can name one of the mounts that the loader has made: /proc, /sys, a node of /dev. tar and cpio name them
 * from the root: proc, ./dev/null. */
static gboolean
may_be_mount (const char *path)
{
  const char *start = path;

  while (start[0] == '/' || (start[0] == '.' && start[1] == '/'))
    start++;
  return g_str_has_prefix (start, "dev/") || ends_in (path, "proc") || ends_in (path, "sys");
}

/* An id of the call. i386's older calls have 16 bits, and -1 in them. */
static guint32
id_of (const BzCall *call, guint64 id)
{
  gboolean narrow = call->abi == BZ_ABI_I386 && !g_str_has_suffix (call->row->name, "32")
                    && !g_str_has_suffix (call->row->name, "at");

  if (!narrow)
    return (guint32) id;
  return (guint16) id == G_MAXUINT16 ? BZ_OWNER_UNCHANGED : (guint16) id;
}

static gboolean
is_beyond (const BzCall *call, guint32 id)
{
  return id != BZ_OWNER_UNCHANGED && id >= call->plan->ids;
}

/* Whether the zone doesn't have one of them, or, with one id, has to be told what is remembered no longer. given: whose the
 * file becomes. */
static gboolean
is_ours (const BzCall *call, const BzOwner *wanted, BzOwner *given)
{
  gboolean keeps = call->plan->quirk[BZ_QUIRK_OWNER_RECORDS] != 0;

  *given = (BzOwner){ 0 };
  if (call->plan->ids == 1)
    return (wanted->uid != BZ_OWNER_UNCHANGED && (keeps || wanted->uid != 0))
           || (wanted->gid != BZ_OWNER_UNCHANGED && (keeps || wanted->gid != 0));
  given->uid = is_beyond (call, wanted->uid) ? 0 : wanted->uid;
  given->gid = is_beyond (call, wanted->gid) ? 0 : wanted->gid;
  return given->uid != wanted->uid || given->gid != wanted->gid;
}

/* given: NULL: to nobody, only what the loader has mounted is meant. */
static BzVerdict
own (BzCall *call, const BzPlace *place, const BzOwner *given, BzOwner *wanted, int capability)
{
  gboolean keeps = given != NULL && call->plan->ids == 1 && call->plan->quirk[BZ_QUIRK_OWNER_RECORDS] != 0;

  if (!bz_call_capable (call, capability) || bz_call_own (call, place, given, keeps ? wanted : NULL) != 0)
    return bz_continue ();
  return keeps && wanted->known ? bz_value (0) : bz_pretend (0);
}

/* An empty path, where it is allowed, is the descriptor, also one of a link, or the working directory. */
static gboolean
take_path (BzPlace *place, const char *path, gboolean may_be_empty)
{
  if (path[0] != '\0')
    {
      place->path = path;
      return TRUE;
    }
  if (place->directory == AT_FDCWD)
    place->path = ".";
  place->follow = TRUE;
  return may_be_empty;
}

static BzVerdict
change_owner (BzCall *call, BzPlace place, gboolean may_be_empty, guint64 address, guint64 uid, guint64 gid)
{
  char path[PATH_MAX];
  BzOwner wanted = { .uid = id_of (call, uid), .gid = id_of (call, gid) };
  BzOwner given;
  gboolean take = is_ours (call, &wanted, &given);

  if (bz_call_read_string (call, address, path, sizeof path) != 0
      || (!take && !may_be_mount (path)) || !take_path (&place, path, may_be_empty))
    return bz_continue ();
  return own (call, &place, take ? &given : NULL, &wanted, CAP_CHOWN);
}

BzVerdict
bz_call_chown (BzCall *call)
{
  BzPlace place = { .directory = AT_FDCWD, .follow = TRUE };

  return change_owner (call, place, FALSE, call->args[0], call->args[1], call->args[2]);
}

BzVerdict
bz_call_lchown (BzCall *call)
{
  BzPlace place = { .directory = AT_FDCWD };

  return change_owner (call, place, FALSE, call->args[0], call->args[1], call->args[2]);
}

BzVerdict
bz_call_fchownat (BzCall *call)
{
  guint32 flags = (guint32) call->args[4];
  BzPlace place = { .directory = (int) call->args[0],
                    .follow = (flags & AT_SYMLINK_NOFOLLOW) == 0 };

  if ((flags & ~(guint32) (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0)
    return bz_continue ();
  return change_owner (call, place, (flags & AT_EMPTY_PATH) != 0, call->args[1], call->args[2], call->args[3]);
}

BzVerdict
bz_call_fchown (BzCall *call)
{
  BzPlace place = { .directory = (int) call->args[0] };
  BzOwner wanted = { .uid = id_of (call, call->args[1]), .gid = id_of (call, call->args[2]) };

  BzOwner given;

  return is_ours (call, &wanted, &given) ? own (call, &place, &given, &wanted, CAP_CHOWN) : bz_continue ();
}

/* Of the loader's mounts only. */
static BzVerdict
change_attributes (BzCall *call, int directory, guint64 address)
{
  char path[PATH_MAX];
  BzPlace place = { .directory = directory, .path = path, .follow = TRUE };

  if (bz_call_read_string (call, address, path, sizeof path) != 0 || !may_be_mount (path))
    return bz_continue ();
  return own (call, &place, NULL, NULL, CAP_FOWNER);
}

BzVerdict
bz_call_chmod (BzCall *call)
{
  return change_attributes (call, AT_FDCWD, call->args[0]);
}

BzVerdict
bz_call_fchmodat (BzCall *call)
{
  return change_attributes (call, (int) call->args[0], call->args[1]);
}

BzVerdict
bz_call_utime (BzCall *call)
{
  return change_attributes (call, AT_FDCWD, call->args[0]);
}

BzVerdict
bz_call_utimensat (BzCall *call)
{
  return change_attributes (call, (int) call->args[0], call->args[1]);
}
