/* Volumes that a running zone is given, or that are taken from it.
 *
 * Facts: what open_tree(2) has cloned belongs to no mount namespace, and move_mount(2) puts it into that
 * of its caller. Mounts of another, more privileged namespace can be cloned only in a copy of it.
 *
 * Choice: a child does what a start does, in the same order: for a zone of root the clone with the
 * zone's ids is made outside and its restrictions are locked (prepare.c, mount-lock.c); for a plain
 * user's it is made in a copy of the user's mounts that belongs to the zone's user namespace. Then it
 * enters the zone's mount namespace, as the zone's root, and puts the volume in place: links of the
 * zone lead nowhere else. The keeper waits for it, at most some seconds.
 *
 * The list of the zone's volumes follows, so that a reboot inside finds them as they are. */
#include "config.h"

#include "loader/keeper-private.h"

#include "brand/base/error.h"
#include "loader/kernel.h"
#include "loader/mount-lock.h"
#include "loader/prepare.h"
#include "loader/userns.h"
#include "loader/view.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#define PATIENCE_SECONDS 5

typedef gboolean (*Change) (const BzKeeper *keeper, const BzVolume *volume, GError **error);

/* --- in the child --- */

static gboolean
enter_user (const BzKeeper *keeper, GError **error)
{
  return setns (keeper->namespaces[BZ_NAMESPACE_USER], CLONE_NEWUSER) == 0
         || bz_fail_errno (error, errno, NULL, "cannot enter the zone's user namespace");
}

/* Into the zone's mounts, as its root. */
static gboolean
enter_mounts (const BzKeeper *keeper, GError **error)
{
  if (setns (keeper->namespaces[BZ_NAMESPACE_MOUNT], CLONE_NEWNS) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot enter the zone's mount namespace");
  int failed = bz_userns_become_root ();
  prctl (PR_SET_DUMPABLE, 0);
  return failed == 0 || bz_fail_errno (error, failed, NULL, "cannot become the zone's root");
}

/* The volume as a detached mount, or -1. Afterwards the child is in the zone's user namespace. */
static int
open_volume (const BzKeeper *keeper, const BzVolume *volume, GError **error)
{
  int userns = keeper->namespaces[BZ_NAMESPACE_USER];

  if (geteuid () == 0)
    {
      int fd = bz_prepare_volume (volume, userns, error);
      if (fd >= 0 && (!bz_mounts_lock (&fd, 1, userns, error) || !enter_user (keeper, error)))
        return -1;
      return fd;
    }
  if (!enter_user (keeper, error))
    return -1;
  if (unshare (CLONE_NEWNS) != 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    {
      bz_fail_errno (error, errno, NULL, "cannot copy the user's mounts");
      return -1;
    }
  return bz_view_open_volume (volume, error);
}

static gboolean
give (const BzKeeper *keeper, const BzVolume *volume, GError **error)
{
  int fd = open_volume (keeper, volume, error);

  if (fd < 0 || !enter_mounts (keeper, error))
    return FALSE;
  int root = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return root >= 0 ? bz_view_attach_volume (volume, fd, root, error)
                   : bz_fail_errno (error, errno, NULL, "cannot open the zone's root directory");
}

static gboolean
take (const BzKeeper *keeper, const BzVolume *volume, GError **error)
{
  if (!enter_user (keeper, error) || !enter_mounts (keeper, error))
    return FALSE;
  return umount2 (volume->target, UMOUNT_NOFOLLOW) == 0
         || bz_fail_errno (error, errno,
                           errno == EBUSY ? "a program of the zone uses it" : NULL,
                           "cannot unmount %s of the zone", volume->target);
}

static G_GNUC_NORETURN void
be_child (const BzKeeper *keeper, Change change, const BzVolume *volume, int socket)
{
  struct itimerval limit = { .it_value = { .tv_sec = PATIENCE_SECONDS } };
  g_autoptr (GError) error = NULL;

  prctl (PR_SET_DUMPABLE, 0);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  signal (SIGALRM, SIG_DFL);
  setitimer (ITIMER_REAL, &limit, NULL);
  umask (022);
  if (change (keeper, volume, &error))
    bz_message_send (socket, "done", NULL, NULL, 0, NULL);
  else
    bz_message_send_error (socket, error, NULL);
  _exit (0);
}

/* --- in the keeper --- */

static gboolean
run_child (const BzKeeper *keeper, Change change, const BzVolume *volume, GError **error)
{
  g_autoptr (BzMessage) answer = NULL;
  gboolean ended = FALSE;
  int pair[2];

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make a socket pair");
  pid_t child = fork ();
  if (child == 0)
    be_child (keeper, change, volume, pair[1]);
  int saved = errno;
  close (pair[1]);
  if (child > 0)
    answer = bz_message_receive (pair[0], &ended, NULL);
  close (pair[0]);
  while (child > 0 && waitpid (child, NULL, 0) < 0 && errno == EINTR)
    ;
  if (child < 0)
    return bz_fail_errno (error, saved, NULL, "cannot fork");
  if (answer == NULL)
    return bz_fail (error, BZ_ERROR_FAILED, "its file system does not answer", NULL, "cannot use %s",
                    volume->source != NULL ? volume->source : volume->target);
  return bz_message_check (answer, error);
}

static int
find_volume (const BzKeeper *keeper, const char *target)
{
  const GPtrArray *volumes = keeper->partition->volumes;

  for (guint i = volumes->len; i-- > 0;)
    if (strcmp (((BzVolume *) g_ptr_array_index (volumes, i))->target, target) == 0)
      return (int) i;
  return -1;
}

gboolean
bz_keeper_answer_give (BzKeeper *keeper, int client, BzMessage *message, GError **error)
{
  const char *source = NULL, *target = NULL;
  gboolean read_only = FALSE;

  g_variant_dict_lookup (message->body, "source", "^&ay", &source);
  g_variant_dict_lookup (message->body, "target", "^&ay", &target);
  g_variant_dict_lookup (message->body, "read-only", "b", &read_only);
  if (source == NULL || target == NULL || source[0] != '/' || target[0] != '/')
    return bz_fail (error, BZ_ERROR_INPUT, "a path is missing", NULL, "cannot mount in the zone");
  if (find_volume (keeper, target) >= 0)
    return bz_fail (error, BZ_ERROR_STATE, "something is mounted there by brandzone",
                    "unmount it first, or choose another place", "cannot mount on %s of the zone", target);
  BzVolume *volume = bz_volume_new (source, target, read_only);
  if (!run_child (keeper, give, volume, error))
    {
      bz_volume_free (volume);
      return FALSE;
    }
  g_ptr_array_add (keeper->partition->volumes, volume);
  return bz_message_send (client, message->kind, NULL, NULL, 0, error);
}

gboolean
bz_keeper_answer_take (BzKeeper *keeper, int client, BzMessage *message, GError **error)
{
  const char *target = NULL;

  g_variant_dict_lookup (message->body, "target", "^&ay", &target);
  int index = target != NULL ? find_volume (keeper, target) : -1;
  if (index < 0)
    return bz_fail (error, BZ_ERROR_INPUT, "nothing is mounted there by brandzone",
                    "what the zone has mounted itself, its own umount(8) ends",
                    "cannot unmount %s of the zone", target != NULL ? target : "?");
  if (!run_child (keeper, take, g_ptr_array_index (keeper->partition->volumes, (guint) index), error))
    return FALSE;
  g_ptr_array_remove_index (keeper->partition->volumes, (guint) index);
  return bz_message_send (client, message->kind, NULL, NULL, 0, error);
}
