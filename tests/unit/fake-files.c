#include "config.h"

#include "tests/unit/fake-files.h"

#include "tests/unit/fake-call.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static BzFakeFiles *
files_of (BzCall *call)
{
  return &((BzFake *) call->notifier)->files;
}

static BzFold *the_fold;

BzFold *
bz_fake_fold (void)
{
  if (the_fold == NULL)
    the_fold = mmap (NULL, sizeof *the_fold, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  else
    madvise (the_fold, sizeof *the_fold, MADV_DONTNEED);
  return the_fold;
}

static void
note_look (BzFakeFiles *files, int directory, const char *path, guint flags)
{
  files->looks++;
  files->directory = directory;
  files->flags = flags;
  g_strlcpy (files->path, path != NULL ? path : "", sizeof files->path);
}

static int
status (BzCall *call, int directory, const char *path, guint flags, guint mask G_GNUC_UNUSED,
        struct statx *answer, BzOwner *owner)
{
  BzFakeFiles *files = files_of (call);

  note_look (files, directory, path, flags);
  *answer = files->status;
  if (owner != NULL)
    *owner = files->owner;
  return files->error;
}

static int
file_system (BzCall *call, int number, const char *path, struct statfs *answer)
{
  BzFakeFiles *files = files_of (call);

  note_look (files, number, path, 0);
  *answer = files->file_system;
  return files->error;
}

static guint16
length_at (const BzFakeFiles *files, gsize at)
{
  guint16 length;

  memcpy (&length, files->entries + at + 16, sizeof length);
  return length;
}

static int
read_directory (BzCall *call, int number, gsize size, BzDirectoryPart *part)
{
  BzFakeFiles *files = files_of (call);

  note_look (files, number, NULL, 0);
  *part = (BzDirectoryPart){ .bytes = files->entries, .device = 7, .place = files->place };
  while (part->length + 19 < files->length
         && part->length + length_at (files, part->length) <= MIN (size, files->length))
    {
      if (length_at (files, part->length) == 0)
        break;
      part->length += length_at (files, part->length);
    }
  return files->error;
}

static int
seek_directory (BzCall *call, int number G_GNUC_UNUSED, guint64 place)
{
  files_of (call)->place = place;
  files_of (call)->seeks++;
  return 0;
}

static gboolean
fold (BzCall *call G_GNUC_UNUSED, guint64 device, BzFoldKind kind, guint64 number, guint32 *folded)
{
  return bz_fold (the_fold != NULL ? the_fold : bz_fake_fold (), device, kind, number, folded);
}

static gboolean
unfold (BzCall *call G_GNUC_UNUSED, guint64 device, BzFoldKind kind, guint32 folded,
        guint64 *number)
{
  return bz_unfold (the_fold != NULL ? the_fold : bz_fake_fold (), device, kind, folded, number);
}

const BzFileClass bz_fake_file_class = {
  .status = status,
  .file_system = file_system,
  .read_directory = read_directory,
  .seek_directory = seek_directory,
  .fold = fold,
  .unfold = unfold,
};

void
bz_fake_entry (BzFakeFiles *files, guint64 inode, guint64 offset, const char *name)
{
  guint16 length = (guint16) ((19 + strlen (name) + 1 + 7) & ~(gsize) 7);
  guint8 *at = files->entries + files->length;

  memset (at, 0, length);
  memcpy (at, &inode, 8);
  memcpy (at + 8, &offset, 8);
  memcpy (at + 16, &length, 2);
  at[18] = 8;
  memcpy (at + 19, name, strlen (name));
  files->length += length;
}
