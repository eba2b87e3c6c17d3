/* Owners that can't be set, nodes that can't be made, and modes by a call that the host lacks, as the task would.
 *
 * Problem: a zone's root is not root over everything that it sees. The mounts of /proc and /sys and
 * the nodes that are bound into a plain user's /dev belong to the host; a zone with one id has no
 * other owner to give a file to; and nobody in a user namespace makes device nodes. rpm, tar and
 * cpio stop at that.
 *
 * Choice: a child that has become the task (task-file.c) looks at the file by the task's own path.
 * What it does to the file is what the task could do itself: give it to the zone's root, or make a
 * character device of number 0:0, which any user namespace may since Linux 5.8 (overlay file
 * systems' whiteouts are such).
 *
 * Where owners are remembered (owner-record.h), the wanted one is written to the file, or taken away
 * when it is the zone's root again: by the child, with the task's capabilities, as the task itself could.
 *
 * Limit: links of /proc that lead to open files (/proc/self/fd/3) are not followed. */
#include "config.h"

#include "syscall-xlat/task-job.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

typedef struct {
  BzJob job;
  const BzPlace *place;
  const BzOwner *give; /* NULL: what is not the loader's stays */
  const BzOwner *record;
  guint mode;
} OwnerJob;

static int
open_place (const BzPlace *place)
{
  struct open_how how = {
    .flags = O_PATH | O_CLOEXEC | (place->follow ? 0 : O_NOFOLLOW),
    .resolve = RESOLVE_NO_MAGICLINKS,
  };

  return place->path == NULL ? BZ_JOB_FD
                             : (int) syscall (SYS_openat2, AT_FDCWD, place->path, &how, sizeof how);
}

/* The root of a mount of proc or sysfs, or a node that is bound, and the host's: the zone's own
 * terminals are bound too, and login gives them to who logs in. An owner whom the zone doesn't have
 * is shown as one that it may have, so the kernel is asked whether the task may set what is set. */
static gboolean
is_loaders (int file)
{
  struct statx status;
  struct statfs system;

  if (statx (file, "", AT_EMPTY_PATH, STATX_TYPE | STATX_UID | STATX_GID, &status) != 0
      || (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0 || fstatfs (file, &system) != 0)
    return FALSE;
  if (system.f_type != PROC_SUPER_MAGIC && system.f_type != SYSFS_MAGIC
      && !S_ISCHR (status.stx_mode))
    return FALSE;
  return fchownat (file, "", status.stx_uid, status.stx_gid, AT_EMPTY_PATH) != 0;
}

static int
give (const OwnerJob *self, int file)
{
  uid_t uid = self->give->uid;
  gid_t gid = self->give->gid;

  /* fchown(2) refuses what was opened by O_PATH, as it refuses it the task. */
  if (self->place->path == NULL && !self->place->follow)
    return fchown (file, uid, gid) != 0 ? errno : 0;
  return fchownat (file, "", uid, gid, AT_EMPTY_PATH) != 0 ? errno : 0;
}

/* A number that is not changed stays what is remembered, or the zone's root's. */
static void
complete (int file, BzOwner *owner)
{
  char text[BZ_OWNER_ROOM];
  BzOwner before = { 0 };
  gssize length = fgetxattr (file, BZ_OWNER_ATTRIBUTE, text, sizeof text);

  if (length > 0)
    bz_owner_parse (text, (gsize) length, &before);
  if (owner->uid == BZ_OWNER_UNCHANGED)
    owner->uid = before.uid;
  if (owner->gid == BZ_OWNER_UNCHANGED)
    owner->gid = before.gid;
  owner->type = before.type;
  owner->major = before.major;
  owner->minor = before.minor;
}

/* Whether it is written. The place is opened once more, for O_PATH can't write attributes; what
 * could do anything when it is opened has none. */
static gboolean
remember (const OwnerJob *self, int file)
{
  struct stat status;
  BzOwner owner = *self->record;
  char text[BZ_OWNER_ROOM], name[32];

  if (fstat (file, &status) != 0 || (!S_ISREG (status.st_mode) && !S_ISDIR (status.st_mode)))
    return FALSE;
  /* By the task's directory in the supervisor's /proc: the zone's own doesn't know this process. */
  g_snprintf (name, sizeof name, "../self/fd/%d", file);
  int again = openat (BZ_JOB_TASK, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (again < 0)
    return FALSE;
  complete (again, &owner);
  gsize length = bz_owner_format (&owner, text);
  if (owner.uid == 0 && owner.gid == 0 && owner.type == 0)
    return fremovexattr (again, BZ_OWNER_ATTRIBUTE) == 0 || errno == ENODATA;
  return fsetxattr (again, BZ_OWNER_ATTRIBUTE, text, length, 0) == 0;
}

static int
own (const BzJob *job, int root G_GNUC_UNUSED, BzJobAnswer *answer)
{
  const OwnerJob *self = (const OwnerJob *) job;
  int file = open_place (self->place);

  if (file < 0)
    return errno;
  if (is_loaders (file))
    return 0;
  if (self->give == NULL)
    return ENOTSUP;
  int failed = give (self, file);
  if (failed == 0 && self->record != NULL)
    {
      answer->bytes[0] = remember (self, file);
      answer->length = 1;
    }
  return failed;
}

/* An empty file with the record. FALSE: there is none, or none that keeps it; errno is EEXIST where
 * the name is taken. */
static gboolean
make_recorded (const OwnerJob *self)
{
  char text[BZ_OWNER_ROOM];
  gsize length = bz_owner_format (self->record, text);
  int file = openat (AT_FDCWD, self->place->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
                     self->mode & 07777);

  if (file < 0)
    return FALSE;
  gboolean kept = fsetxattr (file, BZ_OWNER_ATTRIBUTE, text, length, 0) == 0;
  close (file);
  if (!kept)
    unlinkat (AT_FDCWD, self->place->path, 0);
  return kept;
}

static int
make_node (const BzJob *job, int root G_GNUC_UNUSED, BzJobAnswer *answer)
{
  const OwnerJob *self = (const OwnerJob *) job;

  if (self->record != NULL && make_recorded (self))
    {
      answer->bytes[0] = TRUE;
      answer->length = 1;
      return 0;
    }
  return mknodat (AT_FDCWD, self->place->path, S_IFCHR | (self->mode & 07777), 0) != 0 ? errno : 0;
}

/* By the plain call: the C library's function would make the one that the host lacks, or look at /proc. */
static int
change_mode (const BzJob *job, int root G_GNUC_UNUSED, BzJobAnswer *answer)
{
  const OwnerJob *self = (const OwnerJob *) job;

  if (job->credentials.nested)
    return ENOTSUP;
  answer->length = 1;
  return syscall (SYS_fchmodat, AT_FDCWD, self->place->path, self->mode) != 0 ? errno : 0;
}

int
bz_task_run_at (BzJob *job, const BzPlace *place, BzJobAnswer *answer, guint budget_ms)
{
  gboolean absolute = place->path != NULL && place->path[0] == '/';
  int failed = 0;

  job->fd = -1;
  job->stands = place->path != NULL;
  if (place->directory != AT_FDCWD && !absolute)
    failed = bz_task_take_fd (job->target.tid, place->directory, &job->fd);
  if (failed == 0)
    failed = bz_task_run_job (job, answer, budget_ms);
  if (job->fd >= 0)
    close (job->fd);
  return failed;
}

int
bz_task_own (BzTarget target, const BzPlace *place, const BzOwner *give, BzOwner *record,
             guint budget_ms)
{
  OwnerJob self = {
    .job = { .target = target, .work = own }, .place = place, .give = give, .record = record
  };
  BzJobAnswer answer = { 0 };
  int failed = bz_task_run_at (&self.job, place, &answer, budget_ms);

  if (record != NULL)
    record->known = failed == 0 && answer.length == 1 && answer.bytes[0] != 0;
  return failed;
}

int
bz_task_make_placeholder (BzTarget target, const BzPlace *place, guint mode, BzOwner *record,
                          guint budget_ms)
{
  OwnerJob self = { .job = { .target = target, .work = make_node },
                    .place = place,
                    .record = record,
                    .mode = mode };
  BzJobAnswer answer = { 0 };
  int failed = bz_task_run_at (&self.job, place, &answer, budget_ms);

  if (record != NULL)
    record->known = failed == 0 && answer.length == 1 && answer.bytes[0] != 0;
  return failed;
}

int
bz_task_change_mode (BzTarget target, const BzPlace *place, guint mode, gboolean *reached,
                     guint budget_ms)
{
  OwnerJob self = {
    .job = { .target = target, .work = change_mode }, .place = place, .mode = mode
  };
  BzJobAnswer answer = { 0 };
  int failed = bz_task_run_at (&self.job, place, &answer, budget_ms);

  *reached = answer.length == 1;
  return failed;
}
