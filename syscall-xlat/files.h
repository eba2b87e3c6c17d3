/* A call's way to files of its target, looked at and read as the target would.
 *
 * An error of these says only that the look found nothing or was not possible: the handler lets the
 * kernel have the call, whose errno is the target's own. See task-look.c. */
#pragma once

#include "syscall-xlat/fold.h"
#include "brand/base/owner-record.h"
#include "syscall-xlat/remote.h"

#include <sys/stat.h>
#include <sys/vfs.h>

/* Entries as getdents64(2) gives them, of an open directory. */
typedef struct {
  const guint8 *bytes; /* valid until the next call of these functions */
  gsize length;
  guint64 device; /* of the directory, as bz_fold takes it */
  guint64 place;  /* where the first of them stands */
} BzDirectoryPart;

typedef struct BzFileClass {
  int (*status) (BzCall *call, int directory, const char *path, guint flags, guint mask,
                 struct statx *status, BzOwner *owner);
  int (*file_system) (BzCall *call, int number, const char *path, struct statfs *answer);
  int (*read_directory) (BzCall *call, int number, gsize size, BzDirectoryPart *part);
  int (*seek_directory) (BzCall *call, int number, guint64 place);
  gboolean (*fold) (BzCall *call, guint64 device, BzFoldKind kind, guint64 number, guint32 *folded);
  gboolean (*unfold) (BzCall *call, guint64 device, BzFoldKind kind, guint32 folded,
                      guint64 *number);
} BzFileClass;

/* The status of `path`, looked up from the target's descriptor `directory` or AT_FDCWD; of the
 * descriptor itself where path is NULL. owner: gets the one that is remembered, or NULL. */
int bz_call_status (BzCall *call, int directory, const char *path, guint flags, guint mask,
                    struct statx *status, BzOwner *owner);

/* Figures of the file system of `path`, or of the descriptor `number` where path is NULL. */
int bz_call_file_system (BzCall *call, int number, const char *path, struct statfs *answer);

/* Reads at most size bytes of entries and moves the descriptor on. When the call is answered again
 * by another supervisor, reading starts where it had started. */
int bz_call_read_directory (BzCall *call, int number, gsize size, BzDirectoryPart *part);
/* ENOTDIR: it is not a directory, and nothing was done. */
int bz_call_seek_directory (BzCall *call, int number, guint64 place);

/* See fold.h. */
gboolean bz_call_fold (BzCall *call, guint64 device, BzFoldKind kind, guint64 number,
                       guint32 *folded);
gboolean bz_call_unfold (BzCall *call, guint64 device, BzFoldKind kind, guint32 folded,
                         guint64 *number);

/* The worker's (worker-files.c). */
extern const BzFileClass bz_worker_files;
