#include "config.h"

#include "syscall-xlat/files.h"

int
bz_call_status (BzCall *call, int directory, const char *path, guint flags, guint mask,
                struct statx *status, BzOwner *owner)
{
  return call->notifier->class->files->status (call, directory, path, flags, mask, status, owner);
}

int
bz_call_file_system (BzCall *call, int number, const char *path, struct statfs *answer)
{
  return call->notifier->class->files->file_system (call, number, path, answer);
}

int
bz_call_read_directory (BzCall *call, int number, gsize size, BzDirectoryPart *part)
{
  return call->notifier->class->files->read_directory (call, number, size, part);
}

int
bz_call_seek_directory (BzCall *call, int number, guint64 place)
{
  return call->notifier->class->files->seek_directory (call, number, place);
}

gboolean
bz_call_fold (BzCall *call, guint64 device, BzFoldKind kind, guint64 number, guint32 *folded)
{
  return call->notifier->class->files->fold (call, device, kind, number, folded);
}

gboolean
bz_call_unfold (BzCall *call, guint64 device, BzFoldKind kind, guint32 folded, guint64 *number)
{
  return call->notifier->class->files->unfold (call, device, kind, folded, number);
}
