/* stat(2) and its kin for 32-bit programs (catalogue row O1, fold-inodes=fold), and for all programs of
 * a zone with one id whose files' owners are remembered (row S15, owner-records=keep,
 * owner-record.h).
 *
 * The file is looked at as the task would. Most files need no answer of ours: their numbers and
 * times fit, or there is no such file, and the kernel has the call. That decision reads memory that
 * the kernel reads again; a task that changes the path in between gets the EOVERFLOW of a kernel
 * without this, and nothing that it may not have.
 *
 * stat64 has room for long numbers, yet is trapped too: the C library's plain stat() is made from
 * it (glibc 2.2 and later) and gives EOVERFLOW itself. Programs with large-file support then see
 * short numbers as well, the same ones in every call. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/calls/stat-guest.h"
#include "syscall-xlat/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define PATH_ROOM 4096
#define FIRST_READ 160 /* most paths are shorter: one read, little to copy */

/* Whether the path is there, whole, and not empty. */
static gboolean
read_path (BzCall *call, guint64 address, char path[PATH_ROOM])
{
  return bz_call_read_string (call, address, path, FIRST_READ) == 0
         || bz_call_read_string (call, address, path, PATH_ROOM) == 0;
}

static gboolean
folds (const BzCall *call)
{
  return call->abi == BZ_ABI_I386 && call->plan->quirk[BZ_QUIRK_FOLD_INODES] != 0;
}

/* Where an owner is remembered. */
static BzOwner *
wanted (const BzCall *call, BzOwner *owner)
{
  *owner = (BzOwner){ .known = FALSE };
  return call->plan->quirk[BZ_QUIRK_OWNER_RECORDS] != 0 ? owner : NULL;
}

static void
show_record (const BzOwner *owner, struct statx *status)
{
  status->stx_uid = owner->uid;
  status->stx_gid = owner->gid;
  if (owner->type == 0 || !S_ISREG (status->stx_mode))
    return;
  status->stx_mode = (guint16) (owner->type | (status->stx_mode & 07777));
  status->stx_rdev_major = owner->major;
  status->stx_rdev_minor = owner->minor;
  status->stx_size = status->stx_blocks = 0;
}

static BzVerdict
answer (BzCall *call, BzStatKind kind, struct statx *status, const BzOwner *owner, guint64 buffer)
{
  guint8 guest[BZ_STAT_LARGEST];
  guint64 device = (guint64) status->stx_dev_major << 32 | status->stx_dev_minor;
  guint64 inode = status->stx_ino;
  guint32 folded;

  if (!owner->known && !(folds (call) && bz_stat_differs (kind, status)))
    return bz_continue ();
  if (owner->known)
    show_record (owner, status);
  if (folds (call))
    {
      if (!bz_call_fold (call, device, BZ_FOLD_INODE, inode, &folded))
        return bz_errno (EOVERFLOW);
      inode = folded;
    }
  gsize length = bz_stat_fill (kind, status, inode, guest);
  if (length == 0)
    return bz_errno (EOVERFLOW);
  int failed = bz_call_write (call, buffer, guest, length);
  return failed != 0 ? bz_errno (failed) : bz_value (0);
}

static BzVerdict
of_path (BzCall *call, BzStatKind kind, int directory, guint64 address, guint flags, guint mask,
         guint64 buffer)
{
  char path[PATH_ROOM];
  struct statx status;
  BzOwner owner;

  if (!read_path (call, address, path) || (path[0] == '\0' && (flags & AT_EMPTY_PATH) == 0))
    return bz_continue ();
  /* AT_EMPTY_PATH of the working directory is that directory. */
  const char *what = path[0] != '\0' ? path : directory == AT_FDCWD ? "." : NULL;
  if (bz_call_status (call, directory, what, flags & ~(guint) AT_EMPTY_PATH, mask, &status,
                      wanted (call, &owner))
      != 0)
    return bz_continue ();
  return answer (call, kind, &status, &owner, buffer);
}

static BzVerdict
of_fd (BzCall *call, BzStatKind kind)
{
  struct statx status;
  BzOwner owner;

  if (bz_call_status (call, (int) call->args[0], NULL, AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &status,
                      wanted (call, &owner))
      != 0)
    return bz_continue ();
  return answer (call, kind, &status, &owner, call->args[1]);
}

/* stat(2) itself never mounts what is only looked at. */
static BzVerdict
of_name (BzCall *call, BzStatKind kind, guint flags)
{
  return of_path (call, kind, AT_FDCWD, call->args[0], flags | AT_NO_AUTOMOUNT, STATX_BASIC_STATS,
                  call->args[1]);
}

BzVerdict
bz_call_oldstat (BzCall *call)
{
  return of_name (call, BZ_STAT_OLD, 0);
}

BzVerdict
bz_call_oldlstat (BzCall *call)
{
  return of_name (call, BZ_STAT_OLD, AT_SYMLINK_NOFOLLOW);
}

BzVerdict
bz_call_oldfstat (BzCall *call)
{
  return of_fd (call, BZ_STAT_OLD);
}

BzVerdict
bz_call_stat (BzCall *call)
{
  return of_name (call, BZ_STAT_32, 0);
}

BzVerdict
bz_call_lstat (BzCall *call)
{
  return of_name (call, BZ_STAT_32, AT_SYMLINK_NOFOLLOW);
}

BzVerdict
bz_call_fstat (BzCall *call)
{
  return of_fd (call, BZ_STAT_32);
}

BzVerdict
bz_call_stat64 (BzCall *call)
{
  return of_name (call, BZ_STAT_64, 0);
}

BzVerdict
bz_call_lstat64 (BzCall *call)
{
  return of_name (call, BZ_STAT_64, AT_SYMLINK_NOFOLLOW);
}

BzVerdict
bz_call_fstat64 (BzCall *call)
{
  return of_fd (call, BZ_STAT_64);
}

BzVerdict
bz_call_stat_long (BzCall *call)
{
  return of_name (call, BZ_STAT_LONG, 0);
}

BzVerdict
bz_call_lstat_long (BzCall *call)
{
  return of_name (call, BZ_STAT_LONG, AT_SYMLINK_NOFOLLOW);
}

BzVerdict
bz_call_fstat_long (BzCall *call)
{
  return of_fd (call, BZ_STAT_LONG);
}

/* (directory, path, buffer, flags) */
static BzVerdict
of_directory (BzCall *call, BzStatKind kind)
{
  guint flags = (guint) call->args[3];

  if ((flags & ~(guint) (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)) != 0)
    return bz_continue ();
  return of_path (call, kind, (int) call->args[0], call->args[1], flags | AT_NO_AUTOMOUNT,
                  STATX_BASIC_STATS, call->args[2]);
}

BzVerdict
bz_call_fstatat64 (BzCall *call)
{
  return of_directory (call, BZ_STAT_64);
}

BzVerdict
bz_call_newfstatat (BzCall *call)
{
  return of_directory (call, BZ_STAT_LONG);
}

/* (directory, path, flags, mask, buffer) */
BzVerdict
bz_call_statx (BzCall *call)
{
  return of_path (call, BZ_STAT_X, (int) call->args[0], call->args[1], (guint) call->args[2],
                  (guint) call->args[3], call->args[4]);
}
