/* Locking the flags of mounts.
 *
 * Problem: the zone's root holds CAP_SYS_ADMIN over the zone's mount namespace. `mount -o
 * remount,bind,dev /` would bring the device nodes of its tree to life (a node of the
 * host's disk among them), and `remount,bind,rw` would open a read-only volume.
 *
 * Facts: the kernel locks a mount's flags (MNT_LOCK_NODEV and its like, Linux 3.17)
 * when a mount namespace is copied for another, less privileged user namespace, and
 * only then; clones and moves of a locked mount keep the locks.
 *
 * Choice: a child mounts them in a namespace of its own, makes a copy of that
 * namespace for another user namespace (the zone's, or one below it), and clones them there.
 *
 * Limits: the access time's flags are locked as well: a zone can't change / to noatime. */
#include "config.h"

#include "loader/mount-lock.h"

#include "brand/base/error.h"
#include "loader/kernel.h"
#include "loader/message.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define STAGE "/tmp"

static char *
place (guint index)
{
  return g_strdup_printf (STAGE "/%u", index);
}

static gboolean
make_place (const char *path, int mount_fd)
{
  struct stat st;

  if (fstat (mount_fd, &st) != 0)
    return FALSE;
  if (S_ISDIR (st.st_mode))
    return mkdir (path, 0755) == 0;
  int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

static gboolean
mount_all (const int *fds, guint count)
{
  if (unshare (CLONE_NEWNS) != 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
      || mount ("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,inode32") != 0)
    return FALSE;
  for (guint i = 0; i < count; i++)
    {
      g_autofree char *path = place (i);
      if (fds[i] >= 0
          && (!make_place (path, fds[i])
              || bz_move_mount (fds[i], "", AT_FDCWD, path, BZ_MOVE_MOUNT_F_EMPTY_PATH) != 0))
        return FALSE;
    }
  return TRUE;
}

static gboolean
copy_namespace (int userns_fd)
{
  if (userns_fd < 0)
    return unshare (CLONE_NEWUSER | CLONE_NEWNS) == 0;
  return setns (userns_fd, CLONE_NEWUSER) == 0 && unshare (CLONE_NEWNS) == 0;
}

static gboolean
send_copies (const int *fds, guint count, int socket)
{
  for (guint i = 0; i < count; i++)
    {
      g_autofree char *path = place (i);
      if (fds[i] < 0)
        continue;
      int copy = bz_open_tree (AT_FDCWD, path, BZ_OPEN_TREE_CLONE | O_CLOEXEC | BZ_AT_RECURSIVE);
      if (copy < 0)
        return FALSE;
      gboolean sent = bz_message_send (socket, "mount", NULL, &copy, 1, NULL);
      close (copy);
      if (!sent)
        return FALSE;
    }
  return TRUE;
}

static G_GNUC_NORETURN void
be_locker (const int *fds, guint count, int userns_fd, int socket)
{
  g_autoptr (GError) error = NULL;

  prctl (PR_SET_DUMPABLE, 0); /* it enters a namespace of the zone with what its parent holds */
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  umask (022);
  if (mount_all (fds, count) && copy_namespace (userns_fd) && send_copies (fds, count, socket))
    _exit (0);
  bz_fail_errno (&error, errno, NULL, "cannot lock the zone's mounts");
  bz_message_send_error (socket, error, NULL);
  _exit (1);
}

static gboolean
receive_copies (int *fds, guint count, int socket, GError **error)
{
  for (guint i = 0; i < count; i++)
    {
      if (fds[i] < 0)
        continue;
      g_autoptr (BzMessage) message = bz_message_receive (socket, NULL, error);
      if (message == NULL || !bz_message_check (message, error))
        return FALSE;
      close (fds[i]);
      fds[i] = bz_message_take_fd (message, 0);
    }
  return TRUE;
}

gboolean
bz_mounts_lock (int *fds, guint count, int userns_fd, GError **error)
{
  int pair[2];

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make a socket pair");
  pid_t child = fork ();
  if (child == 0)
    be_locker (fds, count, userns_fd, pair[1]);
  int saved = errno;
  close (pair[1]);
  gboolean good = child > 0 ? receive_copies (fds, count, pair[0], error)
                            : bz_fail_errno (error, saved, NULL, "cannot fork");
  close (pair[0]);
  while (child > 0 && waitpid (child, NULL, 0) < 0 && errno == EINTR)
    ;
  return good;
}
