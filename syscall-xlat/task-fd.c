/* Descriptors of a task.
 *
 * Facts: pidfd_open(2) wants the process; a single thread only from Linux 6.9 (PIDFD_THREAD).
 * Threads share their descriptors unless they were cloned otherwise, which no thread library does:
 * before 6.9 the process's serve. */
#include "config.h"

#include "syscall-xlat/task.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

static int
open_process (pid_t tid)
{
  char path[48], text[4096];
  guint64 tgid;

  g_snprintf (path, sizeof path, "/proc/%d/status", (int) tid);
  int file = open (path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return -1;
  gssize got = read (file, text, sizeof text - 1);
  close (file);
  text[MAX (got, 0)] = '\0';
  if (!bz_task_parse_status (text, "\nTgid:", 10, &tgid))
    {
      errno = ESRCH;
      return -1;
    }
  return (int) syscall (SYS_pidfd_open, (pid_t) tgid, 0);
}

/* Asked with a thread that lives: for one that has died the kernel's answer may be EINVAL, too. */
static gboolean
opens_threads (void)
{
  static _Atomic int answer; /* 0: not known yet; 1: yes; -1: pidfds are of processes only */
  int known = atomic_load (&answer);

  if (known != 0)
    return known > 0;
  int fd = (int) syscall (SYS_pidfd_open, syscall (SYS_gettid), PIDFD_THREAD);
  if (fd < 0 && errno != EINVAL)
    return TRUE; /* no descriptor is left, say: nothing is learned from that */
  atomic_store (&answer, fd >= 0 ? 1 : -1);
  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

int
bz_task_open (pid_t tid)
{
  if (opens_threads ())
    return (int) syscall (SYS_pidfd_open, tid, PIDFD_THREAD);
  int fd = (int) syscall (SYS_pidfd_open, tid, 0);
  /* EINVAL (ENOENT from 6.9): not the leader of its process. */
  return fd >= 0 || (errno != EINVAL && errno != ENOENT) ? fd : open_process (tid);
}

int
bz_task_take_fd (pid_t tid, int number, int *fd)
{
  int task = bz_task_open (tid);

  if (task < 0)
    return errno;
  *fd = (int) syscall (SYS_pidfd_getfd, task, number, 0);
  int failed = *fd < 0 ? errno : 0;
  close (task);
  return failed;
}

int
bz_task_process (pid_t tid)
{
  return open_process (tid);
}
