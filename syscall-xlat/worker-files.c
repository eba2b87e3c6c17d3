/* The files of a worker's target, for its handlers. */
#include "config.h"

#include "syscall-xlat/files.h"
#include "syscall-xlat/loop-data.h"
#include "syscall-xlat/task-look.h"

#include <errno.h>
#include <unistd.h>

static BzWorker *
worker_of (BzCall *call)
{
  return (BzWorker *) call->notifier;
}

/* Whether each task has the zone's root directory and user namespace: where the plan traps the
 * calls that change them, and nobody has made one. */
static gboolean
all_alike (BzCall *call)
{
  const guint8 *quirk = call->plan->quirk;

  return (quirk[BZ_QUIRK_FOLD_INODES] != 0 || quirk[BZ_QUIRK_OWNER_RECORDS] != 0
          || quirk[BZ_QUIRK_VSYSCALL] != 0)
         && !bz_call_has_happened (call, BZ_EVER_ROOT);
}

static int
status (BzCall *call, int directory, const char *path, guint flags, guint mask,
        struct statx *answer, BzOwner *owner)
{
  return bz_task_status (call->tid, all_alike (call), directory, path, flags, mask, answer, owner);
}

static int
file_system (BzCall *call, int number, const char *path, struct statfs *answer)
{
  return bz_task_file_system (call->tid, all_alike (call), number, path, answer);
}

/* Where reading starts is put down before it: a successor that finds the call in its slot reads the
 * same entries again, not the next ones. FALSE: the call is somebody else's by now, and so is what
 * is put down in the slot. A directory without places (a FUSE server's) stands at 0. */
static gboolean
note_place (BzWorker *worker, int fd, guint64 *place, int *failed)
{
  BzSlot *slot = bz_lane_slot (worker->loop, worker->lane, worker->seat);

  *place = 0;
  *failed = bz_task_tell (fd, place);
  pthread_mutex_lock (&worker->loop->lock);
  gboolean mine = atomic_load (&worker->phase) == BZ_PHASE_HANDLING;
  gboolean again = mine && slot->noted != 0;
  if (again)
    *place = slot->note;
  else if (mine && *failed == 0)
    {
      slot->note = *place;
      atomic_signal_fence (memory_order_seq_cst);
      slot->noted = 1;
    }
  pthread_mutex_unlock (&worker->loop->lock);
  if (again)
    *failed = bz_task_seek (fd, *place);
  return mine;
}

static int
read_directory (BzCall *call, int number, gsize size, BzDirectoryPart *part)
{
  BzTaskEntries entries;
  int fd, failed = bz_task_look_fd (call->tid, number, &fd);

  if (failed != 0)
    return failed;
  if (!bz_call_begin (call) || !note_place (worker_of (call), fd, &part->place, &failed))
    failed = ESRCH;
  /* What can't be sought is no directory, and reading it tells so. */
  if (failed == 0 || failed == ESPIPE)
    failed = bz_task_read_directory (fd, size, &entries);
  close (fd);
  if (failed == 0)
    {
      part->bytes = entries.bytes;
      part->length = entries.length;
      part->device = entries.device;
    }
  return failed;
}

static int
seek_directory (BzCall *call, int number, guint64 place)
{
  struct stat status;
  int fd, failed = bz_task_look_fd (call->tid, number, &fd);

  if (failed != 0)
    return failed;
  if (fstat (fd, &status) != 0 || !S_ISDIR (status.st_mode))
    failed = ENOTDIR;
  else if (!bz_call_begin (call))
    failed = ESRCH;
  else
    failed = bz_task_seek (fd, place);
  close (fd);
  return failed;
}

static gboolean
fold (BzCall *call, guint64 device, BzFoldKind kind, guint64 number, guint32 *folded)
{
  return bz_fold (&worker_of (call)->loop->journal->memory->fold, device, kind, number, folded);
}

static gboolean
unfold (BzCall *call, guint64 device, BzFoldKind kind, guint32 folded, guint64 *number)
{
  return bz_unfold (&worker_of (call)->loop->journal->memory->fold, device, kind, folded, number);
}

const BzFileClass bz_worker_files = {
  .status = status,
  .file_system = file_system,
  .read_directory = read_directory,
  .seek_directory = seek_directory,
  .fold = fold,
  .unfold = unfold,
};
