/* The place of a device node that the host's root makes for a task.
 *
 * Problem: nobody in a user namespace makes device nodes (task-owner.c), and who can is not to make
 * one where the task could make nothing.
 *
 * Choice: the child that has become the task (task-file.c) makes an empty file there, with the mode
 * of the node: the kernel says whether it may, with mknod(2)'s errors, and gives it its owner. Its
 * directory and the file itself are what the host's root gets to see of the place
 * (loader/keeper-nodes.c). */
#include "config.h"

#include "syscall-xlat/task-job.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct {
  BzJob job;
  const BzPlace *place;
  guint mode;
} NodeJob;

static int
open_path (int directory, const char *path, guint64 flags)
{
  struct open_how how = { .flags = O_PATH | O_CLOEXEC | flags, .resolve = RESOLVE_NO_MAGICLINKS };

  return (int) syscall (SYS_openat2, directory, path, &how, sizeof how);
}

/* The directory that the path's last name is in. */
static int
open_directory (const char *path, const char *name)
{
  char above[PATH_MAX] = ".";
  gsize length = (gsize) (name - path);

  if (length > 0)
    memcpy (above, path, length);
  above[MAX (length, 1)] = '\0';
  return open_path (AT_FDCWD, above, O_DIRECTORY);
}

static int
make_file (const BzJob *job, int root G_GNUC_UNUSED, BzJobAnswer *answer G_GNUC_UNUSED)
{
  const NodeJob *self = (const NodeJob *) job;
  const char *path = self->place->path, *slash = strrchr (path, '/');
  const char *name = slash != NULL ? slash + 1 : path;
  int fds[2] = { open_directory (path, name), -1 };

  if (fds[0] < 0)
    return errno;
  int file = openat (fds[0], name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                     self->mode & 07777);
  if (file < 0)
    return errno;
  close (file);
  fds[1] = open_path (fds[0], name, O_NOFOLLOW);
  int failed = fds[1] < 0 ? errno : bz_job_send_fds (fds, 2);
  if (failed != 0)
    unlinkat (fds[0], name, 0);
  return failed;
}

static int
remove_file (const BzJob *job, int root G_GNUC_UNUSED, BzJobAnswer *answer G_GNUC_UNUSED)
{
  const NodeJob *self = (const NodeJob *) job;

  return unlinkat (AT_FDCWD, self->place->path, 0) != 0 ? errno : 0;
}

int
bz_task_begin_node (BzTarget target, const BzPlace *place, guint mode, int fds[2], guint budget_ms)
{
  NodeJob self = { .job = { .target = target, .sends = TRUE, .work = make_file },
                   .place = place,
                   .mode = mode };
  BzJobAnswer answer = { 0 };
  int pair[2];

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return errno;
  self.job.socket = pair[1];
  int failed = bz_task_run_at (&self.job, place, &answer, budget_ms);
  if (failed == 0)
    failed = bz_job_receive_fds (pair[0], 2, fds);
  close (pair[0]);
  close (pair[1]);
  return failed;
}

void
bz_task_take_back (BzTarget target, const BzPlace *place, guint budget_ms)
{
  NodeJob self = { .job = { .target = target, .work = remove_file }, .place = place };
  BzJobAnswer answer = { 0 };

  bz_task_run_at (&self.job, place, &answer, budget_ms);
}
