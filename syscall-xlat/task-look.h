/* Looking at files as a task does: its root, its working directory, its descriptors, its
 * permissions (task-look.c). */
#pragma once

#include "brand/base/owner-record.h"

#include <glib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vfs.h>

/* All return 0 or a positive errno. An error says only that this look found nothing: the handler
 * lets the kernel have the call, which knows the task's own errno. */

/* alike: every task of the zone has had the zone's root directory and user namespace so far.
 *
 * statx(2) of `path` as the task resolves it, from its descriptor `directory` or AT_FDCWD; of the
 * descriptor itself where path is NULL. flags: AT_SYMLINK_NOFOLLOW and the like. owner: gets what is
 * remembered of a regular file or directory, or NULL. */
int bz_task_status (pid_t tid, gboolean alike, int directory, const char *path, guint flags,
                    guint mask, struct statx *status, BzOwner *owner);

/* statfs(2) of `path`, or of the descriptor `number` where it is NULL. */
int bz_task_file_system (pid_t tid, gboolean alike, int number, const char *path,
                         struct statfs *answer);

/* What getdents64(2) reads at the place where an open directory of the task stands, and moves it
 * on.
 */
typedef struct {
  const guint8 *bytes; /* valid until this thread's next look */
  gsize length;
  guint64 device; /* of the directory: major << 32 | minor */
} BzTaskEntries;

#define BZ_TASK_ENTRIES_MAX 32768
int bz_task_read_directory (int fd, gsize size, BzTaskEntries *entries);

/* Where an open directory stands; and putting it elsewhere, as a 32-bit task does it. */
int bz_task_tell (int fd, guint64 *place);
int bz_task_seek (int fd, guint64 place);

/* A duplicate of the task's descriptor by a pidfd that is kept for the next time. */
int bz_task_look_fd (pid_t tid, int number, int *fd);

/* This thread gives back what it has taken on to look: its root directory and ids are the
 * supervisor's again. To be called before anything else is done in a thread that may have looked.
 */
void bz_task_look_back (void);

/* A new thread starts with what its creator had taken on: gives that back; and at its end closes
 * what it has kept. */
void bz_task_look_begin (void);
void bz_task_look_end (void);
void bz_task_directory_end (void); /* task-directory.c's part of it */
