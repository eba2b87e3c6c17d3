/* What a task names in mount(2), opened as the task.
 *
 * Problem: the mount point and the image are paths of the task: they hold for its root, its working
 * directory and its mount namespace, and must not lead where the task itself may not go.
 *
 * Choice: the child that has become the task (task-file.c) opens both and sends the descriptors: they
 * go on meaning what they meant, in whatever process. A file that could do anything when it is
 * opened (a FIFO, a terminal) is looked at by O_PATH before. */
#include "config.h"

#include "syscall-xlat/task-job.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct {
  BzJob job;
  const char *place, *source;
  gboolean writes;
} MountJob;

static int
open_path (const char *path)
{
  struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };

  return (int) syscall (SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

/* Once more for reading, by the task's directory in the supervisor's /proc: the zone's own doesn't
 * know this process. */
static int
open_source (const MountJob *self, int *source)
{
  char name[32];
  struct stat status;
  int file = open_path (self->source);

  if (file < 0)
    return errno;
  if (fstat (file, &status) != 0)
    return errno;
  if (!S_ISREG (status.st_mode) && !S_ISBLK (status.st_mode))
    return ENOTBLK;
  g_snprintf (name, sizeof name, "../self/fd/%d", file);
  *source = openat (BZ_JOB_TASK, name,
                    (self->writes ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  return *source < 0 ? errno : 0;
}

int
bz_job_send_fds (const int *fds, guint count)
{
  union {
    char bytes[CMSG_SPACE (2 * sizeof (int))];
    struct cmsghdr header;
  } control = { .bytes = { 0 } };
  char one = 0;
  struct iovec part = { &one, 1 };
  struct msghdr message = { .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = CMSG_SPACE (count * sizeof (int)) };
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);

  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN (count * sizeof (int));
  memcpy (CMSG_DATA (header), fds, count * sizeof (int));
  return sendmsg (BZ_JOB_SOCKET, &message, MSG_NOSIGNAL) == 1 ? 0 : EIO;
}

static int
open_both (const BzJob *job, int root G_GNUC_UNUSED, BzJobAnswer *answer G_GNUC_UNUSED)
{
  const MountJob *self = (const MountJob *) job;
  int fds[2] = { open_path (self->place), -1 };

  if (fds[0] < 0)
    return errno;
  int failed = self->source != NULL ? open_source (self, &fds[1]) : 0;
  return failed != 0 ? failed : bz_job_send_fds (fds, self->source != NULL ? 2 : 1);
}

/* The child has sent before it answered. */
int
bz_job_receive_fds (int socket, guint count, int *fds)
{
  union {
    char bytes[CMSG_SPACE (2 * sizeof (int))];
    struct cmsghdr header;
  } control;
  char one;
  struct iovec part = { &one, 1 };
  struct msghdr message = { .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes };

  if (recvmsg (socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
    return EIO;
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  if (header == NULL || header->cmsg_type != SCM_RIGHTS
      || header->cmsg_len != CMSG_LEN (count * sizeof (int)))
    return EIO;
  memcpy (fds, CMSG_DATA (header), count * sizeof (int));
  return 0;
}

int
bz_task_open_mount (BzTarget target, const char *place, const char *source, gboolean writes,
                    int fds[2], guint budget_ms)
{
  MountJob self = { .job = { .target = target, .fd = -1, .stands = TRUE, .sends = TRUE, .work = open_both },
                    .place = place,
                    .source = source,
                    .writes = writes };
  BzJobAnswer answer = { 0 };
  int pair[2];

  fds[0] = fds[1] = -1;
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return errno;
  self.job.socket = pair[1];
  int failed = bz_task_run_job (&self.job, &answer, budget_ms);
  if (failed == 0)
    failed = bz_job_receive_fds (pair[0], source != NULL ? 2 : 1, fds);
  close (pair[0]);
  close (pair[1]);
  return failed;
}
