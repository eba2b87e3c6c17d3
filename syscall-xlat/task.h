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
  guint n_groups; /* the first 64: more are not honoured */
  guint64 capabilities;
  guint32 umask;
} BzTaskCredentials;
int bz_task_credentials (pid_t tid, BzTaskCredentials *credentials);
gboolean bz_task_parse_credentials (const char *text, BzTaskCredentials *credentials);

/* Work on a file below the task's root, done by a short-lived process (task-file.c). */
int bz_task_file_read (pid_t tid, const char *path, void *buffer, gsize size, gsize *length,
                       guint budget_ms);
int bz_task_file_write (pid_t tid, const char *path, const void *buffer, gsize length,
                        guint budget_ms);

/* Owners and nodes (task-owner.c). */
int bz_task_own (pid_t tid, const BzPlace *place, gboolean take, guint budget_ms);
int bz_task_make_placeholder (pid_t tid, const BzPlace *place, guint mode, guint budget_ms);
