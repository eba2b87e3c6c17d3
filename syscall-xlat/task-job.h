/* Work that a short-lived child does as a task (task-file.c). */
#pragma once

#include "syscall-xlat/task.h"

#define BZ_JOB_BYTES 4096
#define BZ_JOB_FD 1   /* where the child finds the job's descriptor */
#define BZ_JOB_TASK 2 /* and the task's directory in /proc */
#define BZ_JOB_SOCKET 3 /* and where it sends descriptors to */

typedef struct {
  int error; /* 0 or a positive errno */
  guint32 length;
  char bytes[BZ_JOB_BYTES];
} BzJobAnswer;

/* First member of each kind of job. */
typedef struct BzJob {
  BzTarget target;
  int fd;          /* of this process, for the child; -1: none */
  gboolean sends;  /* it has a socket, of this process */
  int socket;
  gboolean stands; /* the child's root directory is the task's, and its working directory fd,
                    * or the task's own */
  /* In the child, with the task's ids, capabilities and umask: only what is safe after a fork of a
   * process with threads. root is the task's. */
  int (*work) (const struct BzJob *job, int root, BzJobAnswer *answer);
  BzTaskCredentials credentials; /* filled by bz_task_run_job */
} BzJob;

/* 0, the answer's error, ETIMEDOUT, ESRCH (the task is another by now), or why the child could not be. */
int bz_task_run_job (BzJob *job, BzJobAnswer *answer, guint budget_ms);

/* The same where the place's path is one: an absolute one, or from its directory. task-owner.c. */
int bz_task_run_at (BzJob *job, const BzPlace *place, BzJobAnswer *answer, guint budget_ms);

/* In the child: one or two descriptors to whoever runs the job. In that process, once the job is done:
 * takes them. 0 or EIO. task-mount.c. */
int bz_job_send_fds (const int *fds, guint count);
int bz_job_receive_fds (int socket, guint count, int *fds);
