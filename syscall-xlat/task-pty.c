/* A pty's master, opened as a task that knows nothing of unlocking it (calls/ptys.c): by a child that has
 * become the task (task-file.c), so that the slave is the task's. */
#include "config.h"

#include "syscall-xlat/task-job.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

typedef struct {
  BzJob job;
  const char *path;
  int flags;
} PtyJob;

/* ENOTSUP: it is another file. */
static int
check_master (int file)
{
  struct stat status;
  struct statfs system;

  if (fstat (file, &status) != 0 || fstatfs (file, &system) != 0)
    return errno;
  return system.f_type == DEVPTS_SUPER_MAGIC && S_ISCHR (status.st_mode)
                 && status.st_rdev == makedev (5, 2)
             ? 0
             : ENOTSUP;
}

static int
open_master (const BzJob *job, int root G_GNUC_UNUSED, BzJobAnswer *answer G_GNUC_UNUSED)
{
  const PtyJob *self = (const PtyJob *) job;
  struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };
  int file = (int) syscall (SYS_openat2, AT_FDCWD, self->path, &how, sizeof how);
  int locked = 0;
  char name[32];

  if (file < 0)
    return errno;
  int failed = check_master (file);
  if (failed != 0)
    return failed;
  /* By the task's directory in the supervisor's /proc: the zone's own doesn't know this process. */
  g_snprintf (name, sizeof name, "../self/fd/%d", file);
  int master = openat (BZ_JOB_TASK, name, O_RDWR | O_NOCTTY | (self->flags & O_NONBLOCK) | O_CLOEXEC);
  if (master < 0 || ioctl (master, TIOCSPTLCK, &locked) != 0)
    return errno;
  return bz_job_send_fds (&master, 1);
}

int
bz_task_open_master (BzTarget target, const char *path, guint flags, int *fd, guint budget_ms)
{
  PtyJob self = { .job = { .target = target, .fd = -1, .stands = TRUE, .sends = TRUE, .work = open_master },
                  .path = path,
                  .flags = (int) flags };
  BzJobAnswer answer = { 0 };
  int pair[2];

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return errno;
  self.job.socket = pair[1];
  int failed = bz_task_run_job (&self.job, &answer, budget_ms);
  if (failed == 0)
    failed = bz_job_receive_fds (pair[0], 1, fd);
  close (pair[0]);
  close (pair[1]);
  return failed;
}
