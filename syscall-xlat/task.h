/* Facts of a task, read from the supervisor's own /proc.
 *
 * The supervisor lives outside the zone's pid namespace and sees the host's /proc; it has every
 * capability in the zone's user namespace, so ptrace's read check lets it see what it asks for
 * here. A thread id may be another task's by the time it is opened: the caller asks the kernel
 * whether the notification is still valid before it acts on an answer. */
#pragma once

#include "syscall-xlat/remote.h"

/* All return 0 or a positive errno. */
int bz_task_start_brk (pid_t tid, guint64 *value);
int bz_task_personality (pid_t tid, guint64 *value);
int bz_task_capabilities (pid_t tid, guint64 *value);
int bz_task_uts_names (pid_t tid, BzUtsNames *names);
int bz_own_uts_names (BzUtsNames *names); /* the supervisor's, which are the zone's */
int bz_task_name (pid_t tid, char name[16]); /* NUL-terminated */

/* A pidfd of the task: of the thread where the kernel has such (6.9), else of its process. -1 and
 * errno. */
int bz_task_open (pid_t tid);

/* A duplicate of the task's descriptor, by pidfd_getfd(2) (Linux 5.6). */
int bz_task_take_fd (pid_t tid, int number, int *fd);

/* A pidfd of the task's process, or -1 and errno. */
int bz_task_process (pid_t tid);

/* Pure parsers, for tests and fuzzers. text is NUL-terminated. */
gboolean bz_task_parse_stat_field (const char *text, guint field, guint64 *value);
gboolean bz_task_parse_status (const char *text, const char *key, guint base, guint64 *value);

typedef struct {
  guint32 uid, gid; /* the file system ids */
  guint32 groups[64];
  guint n_groups; /* 64: there may be more */
  guint64 capabilities;
  guint32 umask;
  gboolean nested; /* of a user namespace inside the zone's: no capabilities over the zone, and others of its own */
} BzTaskCredentials;
gboolean bz_task_parse_credentials (const char *text, BzTaskCredentials *credentials);

/* directory: an open /proc/TID, which stands for its task and not for the number. EIO too when the
 * task has more groups than are kept: one of them may be what a file denies something to. */
int bz_task_credentials (int directory, BzTaskCredentials *credentials);

/* For whom a short-lived process works (task-file.c). */
typedef struct {
  pid_t tid;
  /* Asked once all of the task is open that the work needs, and before its effect: FALSE: the
   * number is another task's by now. NULL: it can't be. */
  gboolean (*begin) (BzCall *call);
  BzCall *call;
} BzTarget;

/* Work on a file below the task's root. */
int bz_task_file_read (BzTarget target, const char *path, void *buffer, gsize size, gsize *length,
                       guint budget_ms);
int bz_task_file_write (BzTarget target, const char *path, const void *buffer, gsize length,
                        guint budget_ms);

/* The mount point `place` and the file `source` (NULL: none), opened by the task's own paths and
 * with its rights: fds[0], of O_PATH, and fds[1], of a regular file or block device; -1: none. They
 * are the caller's to close (task-mount.c). */
int bz_task_open_mount (BzTarget target, const char *place, const char *source, gboolean writes,
                        int fds[2], guint budget_ms);

/* The master of a pty of the task's own, unlocked, the caller's to close; ENOTSUP: the path leads to
 * something else (task-pty.c). */
int bz_task_open_master (BzTarget target, const char *path, guint flags, int *fd, guint budget_ms);

/* Owners and nodes (task-owner.c). */
int bz_task_own (BzTarget target, const BzPlace *place, const BzOwner *give, BzOwner *record,
                 guint budget_ms);
int bz_task_make_placeholder (BzTarget target, const BzPlace *place, guint mode, BzOwner *record,
                              guint budget_ms);
/* An empty file of the task's in the place of a node that others make for it: fds[0] is the directory that it is in,
 * fds[1] the file, both of O_PATH and the caller's to close. 0 or a positive errno. bz_task_take_back: removes it again. task-node.c. */
int bz_task_begin_node (BzTarget target, const BzPlace *place, guint mode, int fds[2], guint budget_ms);
void bz_task_take_back (BzTarget target, const BzPlace *place, guint budget_ms);
/* *reached: the answer is that of fchmodat(2), made as the task. */
int bz_task_change_mode (BzTarget target, const BzPlace *place, guint mode, gboolean *reached,
                         guint budget_ms);
