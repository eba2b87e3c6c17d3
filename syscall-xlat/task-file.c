/* Files of a task, read and written as the task.
 *
 * Problem: a file under the task's root can be anything that the zone put there: a FIFO, a file of
 * a FUSE server that never answers, a link. An open(2) that waits for a FUSE server can't be killed
 * once the server has read the request: a supervisor with such a thread could not even die, and its
 * keeper would wait for it.
 *
 * Choice: a short-lived child process does it. It closes every descriptor but its pipe and the
 * task's directory in /proc, takes the task's ids and capabilities for good (nothing to give back,
 * nothing half way), opens with RESOLVE_IN_ROOT, O_NONBLOCK and O_NOCTTY, wants a regular file of
 * at most the given size, and writes what it found to the pipe. If it has not answered within the
 * budget it is killed, and if it can't be killed yet, it is nobody's concern: its reaper reaps it
 * when it ends.
 * It dies with its supervisor's thread.
 *
 * Cost: about 0.3 ms. Only _sysctl(2) of names that the plan doesn't answer comes here, and what
 * task-owner.c does. */
#include "config.h"

#include "syscall-xlat/task-job.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  BzJob job;
  const char *path;
  const void *new_value; /* NULL: read */
  gsize new_length;
  gsize limit;
} FileJob;

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static int
take_credentials (const BzTaskCredentials *credentials)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct own[2], set[2];
  gid_t groups[G_N_ELEMENTS (credentials->groups)];

  for (guint i = 0; i < credentials->n_groups; i++)
    groups[i] = credentials->groups[i];
  /* Where the zone's map has one id only, setgroups is denied, and there is nothing to take. */
  if (syscall (SYS_setgroups, credentials->n_groups, groups) != 0 && errno != EPERM)
    return errno;
  if (prctl (PR_SET_KEEPCAPS, 1) != 0
      || syscall (SYS_setresgid, credentials->gid, credentials->gid, credentials->gid) != 0
      || syscall (SYS_setresuid, credentials->uid, credentials->uid, credentials->uid) != 0
      || syscall (SYS_capget, &header, own) != 0)
    return errno;
  for (int i = 0; i < 2; i++)
    {
      guint32 wanted = (guint32) (credentials->capabilities >> (32 * i)) & own[i].permitted;

      set[i] = (struct __user_cap_data_struct){ .effective = wanted, .permitted = wanted };
    }
  return syscall (SYS_capset, &header, set) != 0 ? errno : 0;
}

static int
open_below (int root, const char *path, gboolean writing)
{
  struct open_how how = {
    .flags = (writing ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
  };

  return (int) syscall (SYS_openat2, root, path, &how, sizeof how);
}

static int
transfer (const FileJob *job, int file, BzJobAnswer *answer)
{
  struct stat status;

  if (fstat (file, &status) != 0)
    return errno;
  if (!S_ISREG (status.st_mode))
    return EINVAL;
  if (job->new_value != NULL)
    {
      gssize put = write (file, job->new_value, job->new_length);

      if (put < 0)
        return errno;
      return (gsize) put == job->new_length ? 0 : EINVAL;
    }
  while (answer->length < job->limit)
    {
      gssize got = read (file, answer->bytes + answer->length, job->limit - answer->length);

      if (got < 0)
        return errno;
      if (got == 0)
        break;
      answer->length += (guint32) got;
    }
  return 0;
}

static int
read_or_write (const BzJob *job, int root, BzJobAnswer *answer)
{
  const FileJob *self = (const FileJob *) job;
  int file = open_below (root, self->path, self->new_value != NULL);

  return file < 0 ? errno : transfer (self, file, answer);
}

/* The task's root becomes the child's, and where the task stands its working directory. */
static int
stand_as_task (const BzJob *job, int root)
{
  int start = BZ_JOB_FD;

  if (job->fd < 0)
    start = openat (BZ_JOB_TASK, "cwd", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return start < 0 || fchdir (root) != 0 || chroot (".") != 0 || fchdir (start) != 0 ? errno : 0;
}

/* In the child: only calls that are safe after a fork of a process with threads. */
static int
work (const BzJob *job, BzJobAnswer *answer)
{
  int failed = 0;
  int root = openat (BZ_JOB_TASK, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

  if (root < 0)
    return errno;
  if (job->stands)
    failed = stand_as_task (job, root);
  umask ((mode_t) job->credentials.umask);
  if (failed == 0)
    failed = take_credentials (&job->credentials);
  return failed != 0 ? failed : job->work (job, root, answer);
}

static void
child_main (const BzJob *job, int task, int pipe_fd)
{
  BzJobAnswer answer = { 0 };
  int socket = job->sends ? fcntl (job->socket, F_DUPFD, BZ_JOB_SOCKET + 1) : -1;
  unsigned last = job->sends ? BZ_JOB_SOCKET : BZ_JOB_TASK;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  prctl (PR_SET_DUMPABLE, 0);
  /* The listeners must not live on in a child that waits. */
  dup2 (pipe_fd, STDIN_FILENO);
  if (job->fd >= 0)
    dup2 (job->fd, BZ_JOB_FD);
  else
    close (BZ_JOB_FD);
  dup2 (task, BZ_JOB_TASK);
  if (job->sends)
    dup2 (socket, BZ_JOB_SOCKET);
  syscall (SYS_close_range, last + 1U, ~0U, 0U);
  answer.error = work (job, &answer);
  gssize put = write (STDIN_FILENO, &answer, G_STRUCT_OFFSET (BzJobAnswer, bytes) + answer.length);
  _exit (put > 0 ? 0 : 1);
}

static gint64
now_ms (void)
{
  return g_get_monotonic_time () / 1000;
}

/* The answer is at most a pipe buffer long and written at once. */
static int
wait_for_answer (int pipe_fd, BzJobAnswer *answer, guint budget_ms)
{
  gint64 end = now_ms () + budget_ms;

  for (;;)
    {
      struct pollfd ready = { .fd = pipe_fd, .events = POLLIN };
      gint64 left = end - now_ms ();

      if (left <= 0)
        return ETIMEDOUT;
      if (poll (&ready, 1, (int) left) <= 0)
        continue;
      gssize got = read (pipe_fd, answer, sizeof *answer);
      if (got < (gssize) G_STRUCT_OFFSET (BzJobAnswer, bytes)
          || (gsize) got != (gsize) G_STRUCT_OFFSET (BzJobAnswer, bytes) + answer->length)
        return EIO;
      return answer->error;
    }
}

/* Reaps the child if it is dead soon; one in an uninterruptible wait is left to whoever reaps for
 * the supervisor. */
static void
end_child (pid_t child)
{
  const struct timespec step = { .tv_nsec = 1000000 };

  kill (child, SIGKILL);
  for (int tries = 0; tries < 100; tries++)
    {
      if (waitpid (child, NULL, WNOHANG) != 0)
        return;
      nanosleep (&step, NULL);
    }
}

static int
run_child (const BzJob *job, int task, BzJobAnswer *answer, guint budget_ms)
{
  int ends[2], failed;

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return errno;
  pid_t child = fork ();
  if (child == 0)
    child_main (job, task, ends[1]);
  failed = child < 0 ? errno : 0;
  close (ends[1]);
  if (failed == 0)
    {
      failed = wait_for_answer (ends[0], answer, budget_ms);
      end_child (child);
    }
  close (ends[0]);
  return failed;
}

/* The directory stands for the task that has the number now; if the call is still to be answered
 * then, that is the one that has made it. */
int
bz_task_run_job (BzJob *job, BzJobAnswer *answer, guint budget_ms)
{
  const BzTarget *target = &job->target;
  char path[32];

  g_snprintf (path, sizeof path, "/proc/%d", (int) target->tid);
  int task = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (task < 0)
    return errno;
  int failed = bz_task_credentials (task, &job->credentials);
  if (failed == 0 && target->begin != NULL && !target->begin (target->call))
    failed = ESRCH;
  if (failed == 0)
    failed = run_child (job, task, answer, budget_ms);
  close (task);
  return failed;
}

int
bz_task_file_read (BzTarget target, const char *path, void *buffer, gsize size, gsize *length,
                   guint budget_ms)
{
  FileJob job = { .job = { .target = target, .fd = -1, .work = read_or_write },
                  .path = path,
                  .limit = MIN (size, (gsize) BZ_JOB_BYTES) };
  BzJobAnswer answer = { 0 };
  int failed = bz_task_run_job (&job.job, &answer, budget_ms);

  if (failed != 0)
    return failed;
  *length = MIN (answer.length, size);
  memcpy (buffer, answer.bytes, *length);
  return 0;
}

int
bz_task_file_write (BzTarget target, const char *path, const void *buffer, gsize length,
                    guint budget_ms)
{
  FileJob job = { .job = { .target = target, .fd = -1, .work = read_or_write },
                  .path = path,
                  .new_value = buffer,
                  .new_length = length };
  BzJobAnswer answer = { 0 };

  return bz_task_run_job (&job.job, &answer, budget_ms);
}
