/* Reading directories by 32-bit programs (catalogue row O2, fold-inodes=fold).
 *
 * The supervisor reads with a duplicate of the task's descriptor, which has the same place in the
 * directory, and writes the entries in the form of the call, with inode numbers and places that
 * fit (fold.h). If not all that was read has room, the directory is put back behind the last
 * entry that had.
 *
 * A place that was folded comes back by lseek(2) or _llseek(2), which are trapped for such numbers
 * only, and is unfolded if it is one of that directory's file system. Limit: telling the place by
 * lseek (fd, 0, SEEK_CUR) gives the file system's own number; C libraries remember what they read.
 */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/calls/stat-guest.h"
#include "syscall-xlat/files.h"

#include <errno.h>
#include <unistd.h>

#define ROOM 32768        /* what C libraries ask for at most */
#define LONGEST_ENTRY 280 /* of getdents64: 19 bytes, a name of 255, NUL, padding */

typedef struct {
  BzEntriesKind kind;
  gsize size;     /* of the task's buffer */
  gsize filled;   /* of it */
  guint64 behind; /* the place behind the last entry in it */
  guint32 here;   /* the same, folded: where the next entry stands */
  gboolean whole; /* every entry that was read is in it */
  int failed;
} Output;

/* FALSE: it has no room, or its numbers have no short form. */
static gboolean
take_entry (BzCall *call, guint64 device, BzEntry *entry, guint8 *out, Output *output)
{
  guint32 inode, offset;
  guint64 behind = entry->offset;

  if (output->filled + bz_entry_size (output->kind, entry) > output->size)
    {
      output->failed = EINVAL;
      return FALSE;
    }
  if (!bz_call_fold (call, device, BZ_FOLD_INODE, entry->inode, &inode)
      || !bz_call_fold (call, device, BZ_FOLD_OFFSET, entry->offset, &offset))
    {
      output->failed = EOVERFLOW;
      return FALSE;
    }
  entry->inode = inode;
  entry->offset = offset;
  bz_entry_fill (output->kind, entry, output->here, out + output->filled);
  output->filled += bz_entry_size (output->kind, entry);
  output->behind = behind;
  output->here = offset;
  return TRUE;
}

static void
take_entries (BzCall *call, const BzDirectoryPart *part, guint8 *out, Output *output)
{
  gsize at = 0;
  BzEntry entry;

  output->behind = part->place;
  if (!bz_call_fold (call, part->device, BZ_FOLD_OFFSET, part->place, &output->here))
    {
      output->failed = EOVERFLOW;
      return;
    }
  while (at < part->length && bz_entry_parse (part->bytes + at, part->length - at, &entry))
    {
      if ((output->kind == BZ_ENTRIES_OLD && at > 0)
          || !take_entry (call, part->device, &entry, out, output))
        return;
      at += entry.length;
    }
  output->whole = at >= part->length;
}

static BzVerdict
read_entries (BzCall *call, BzEntriesKind kind, gsize size)
{
  guint8 out[ROOM];
  int number = (int) call->args[0];
  Output output = { .kind = kind, .size = MIN (size, sizeof out) };
  BzDirectoryPart part;
  int failed =
      bz_call_read_directory (call, number, MAX (output.size, (gsize) LONGEST_ENTRY), &part);

  if (failed != 0)
    return bz_errno (failed);
  take_entries (call, &part, out, &output);
  failed =
      output.filled == 0 ? output.failed : bz_call_write (call, call->args[1], out, output.filled);
  if (failed != 0 || !output.whole)
    {
      int back = bz_call_seek_directory (call, number, failed != 0 ? part.place : output.behind);
      failed = failed != 0 ? failed : back;
    }
  if (failed != 0)
    return bz_errno (failed);
  return bz_value (kind == BZ_ENTRIES_OLD ? output.filled > 0 : (gint64) output.filled);
}

/* (fd, buffer, ignored): one entry; 1, or 0 at the end. */
BzVerdict
bz_call_readdir (BzCall *call)
{
  return read_entries (call, BZ_ENTRIES_OLD, LONGEST_ENTRY);
}

BzVerdict
bz_call_getdents (BzCall *call)
{
  return read_entries (call, BZ_ENTRIES_32, (guint32) call->args[2]);
}

BzVerdict
bz_call_getdents64 (BzCall *call)
{
  return read_entries (call, BZ_ENTRIES_64, (guint32) call->args[2]);
}

/* 0: the directory was put there. */
static int
seek_to_folded (BzCall *call, guint32 folded)
{
  int number = (int) call->args[0];
  struct statx status;
  guint64 place;

  if (bz_call_status (call, number, NULL, 0, STATX_TYPE, &status, NULL) != 0 || !S_ISDIR (status.stx_mode)
      || !bz_call_unfold (call, (guint64) status.stx_dev_major << 32 | status.stx_dev_minor,
                          BZ_FOLD_OFFSET, folded, &place))
    return ENOTDIR;
  return bz_call_seek_directory (call, number, place);
}

/* (fd, offset, whence) */
BzVerdict
bz_call_lseek (BzCall *call)
{
  guint32 wanted = (guint32) call->args[1];

  if ((guint32) call->args[2] != SEEK_SET || seek_to_folded (call, wanted) != 0)
    return bz_continue ();
  return bz_value (wanted);
}

/* (fd, high, low, result, whence) */
BzVerdict
bz_call_llseek (BzCall *call)
{
  guint32 wanted = (guint32) call->args[2];
  gint64 result = wanted;

  if ((guint32) call->args[1] != 0 || (guint32) call->args[4] != SEEK_SET
      || seek_to_folded (call, wanted) != 0)
    return bz_continue ();
  int failed = bz_call_write (call, call->args[3], &result, sizeof result);
  return failed != 0 ? bz_errno (failed) : bz_value (0);
}
