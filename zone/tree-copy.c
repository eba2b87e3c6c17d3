/* Copying a tree, in a process of its own.
 *
 * The worker copies in the user namespace of who owns the tree, and may be stopped: its caller holds
 * the zone still between two messages, so that a zone goes on after hold_limit_ms whatever the worker
 * does, and when the caller itself is killed (what holds it is a connection of the caller's). */
#include "config.h"

#include "zone/tree-copy.h"

#include "brand/base/error.h"
#include "loader/loader.h"
#include "loader/message.h"
#include "zone/tree-copy-pass.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the worker --- */

typedef struct {
  const BzTreeCopy *copy;
  int socket;
} Worker;

/* Waits for "go". */
static gboolean
meet (int socket, GError **error)
{
  if (!bz_message_send (socket, "ready", NULL, NULL, 0, error))
    return FALSE;
  g_autoptr (BzMessage) answer = bz_message_receive (socket, NULL, error);
  return answer != NULL;
}

static gboolean
copy_in_passes (const Worker *worker, gboolean *shared, GError **error)
{
  const BzTreeCopy *copy = worker->copy;
  gboolean must = copy->way == BZ_COPY_REFLINK;
  g_autoptr (BzCopyPass) pass =
      bz_copy_pass_new (copy->from, copy->to, must || copy->try_reflink, must, error);

  if (pass == NULL)
    return FALSE;
  if (copy->hold != NULL
      && (!bz_copy_pass_run (pass, TRUE, error) || !meet (worker->socket, error)))
    return FALSE;
  if (!bz_copy_pass_run (pass, FALSE, error))
    return FALSE;
  *shared = bz_copy_pass_shared (pass);
  return TRUE;
}

static int
work (gpointer data)
{
  const Worker *worker = data;
  g_autoptr (GError) problem = NULL;
  gboolean shared = FALSE;

  if (!copy_in_passes (worker, &shared, &problem))
    {
      bz_message_send_error (worker->socket, problem, NULL);
      return 1;
    }
  bz_message_send (worker->socket, shared ? "shared" : "copied", NULL, NULL, 0, NULL);
  return 0;
}

static void G_GNUC_NORETURN
be_worker (const Worker *worker, pid_t parent)
{
  const BzTreeCopy *copy = worker->copy;
  g_autoptr (GError) problem = NULL;
  int status;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (getppid () != parent)
    _exit (1);
  if (copy->uids == NULL)
    _exit (work ((gpointer) worker));
  if (!bz_userns_run (copy->uids, copy->gids, work, (gpointer) worker, &status, &problem))
    bz_message_send_error (worker->socket, problem, NULL);
  _exit (1);
}

/* --- its caller --- */

static gboolean
too_long (const BzTreeCopy *copy, GError **error)
{
  g_autofree char *why =
      g_strdup_printf ("it would stand still for more than %u ms", copy->hold_limit_ms);

  return bz_fail (error, BZ_ERROR_STATE, why, "stop the zone first, or allow more with --freeze-limit",
                  "copying %s", copy->from);
}

/* The worker's next message; NULL: error. held_since: 0, or when the zone was stopped. */
static BzMessage *
wait_for (const BzTreeCopy *copy, int socket, gint64 held_since, GError **error)
{
  struct pollfd polled = { socket, POLLIN, 0 };
  gint64 limit = held_since > 0 && copy->hold_limit_ms > 0
                     ? held_since + (gint64) copy->hold_limit_ms * 1000
                     : 0;

  for (;;)
    {
      gint64 left = limit > 0 ? (limit - g_get_monotonic_time ()) / 1000 : -1;
      if (limit > 0 && left <= 0)
        {
          too_long (copy, error);
          return NULL;
        }
      int count = poll (&polled, 1, (int) left);
      if (count > 0)
        break;
      if (count < 0 && errno != EINTR)
        {
          bz_fail_errno (error, errno, NULL, "copying %s", copy->from);
          return NULL;
        }
    }
  BzMessage *message = bz_message_receive (socket, NULL, error);
  if (message != NULL && !bz_message_check (message, error))
    g_clear_pointer (&message, bz_message_free);
  return message;
}

static gboolean
take_end (BzMessage *message, BzTreeCopied *copied)
{
  copied->shared = message != NULL && g_str_equal (message->kind, "shared");
  return message != NULL;
}

/* Between the worker's passes. */
static gboolean
hold_and_finish (const BzTreeCopy *copy, int socket, BzTreeCopied *copied, GError **error)
{
  g_autoptr (BzMessage) ready = wait_for (copy, socket, 0, error);

  if (ready == NULL)
    return FALSE;
  gint64 since = g_get_monotonic_time ();
  int held = copy->hold (copy->data, error);
  if (held < 0)
    return FALSE;
  gboolean done = bz_message_send (socket, "go", NULL, NULL, 0, error);
  g_autoptr (BzMessage) end = done ? wait_for (copy, socket, since, error) : NULL;
  close (held);
  copied->held_us = (guint64) (g_get_monotonic_time () - since);
  return take_end (end, copied);
}

static gboolean
copy_by_worker (const BzTreeCopy *copy, BzTreeCopied *copied, GError **error)
{
  pid_t parent = getpid ();
  int pair[2];

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return bz_fail_errno (error, errno, NULL, "copying %s", copy->from);
  pid_t child = fork ();
  if (child == 0)
    {
      close (pair[0]);
      be_worker (&(Worker){ copy, pair[1] }, parent);
    }
  close (pair[1]);
  gboolean done = child > 0 || bz_fail_errno (error, errno, NULL, "copying %s", copy->from);
  if (done && copy->hold != NULL)
    done = hold_and_finish (copy, pair[0], copied, error);
  else if (done)
    {
      g_autoptr (BzMessage) end = wait_for (copy, pair[0], 0, error);
      done = take_end (end, copied);
    }
  if (child > 0 && !done)
    kill (child, SIGKILL); /* and with it what it has started in a user namespace */
  while (child > 0 && waitpid (child, NULL, 0) < 0 && errno == EINTR)
    ;
  close (pair[0]);
  return done;
}

static gboolean
snapshot (const BzTreeCopy *copy, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (copy->to);
  g_autofree char *name = g_path_get_basename (copy->to);
  struct btrfs_ioctl_vol_args_v2 args = { 0 };
  int from = open (copy->from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int to = from >= 0 ? open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  gboolean good;

  args.fd = from;
  g_strlcpy (args.name, name, sizeof args.name);
  good = (to >= 0 && ioctl (to, BTRFS_IOC_SNAP_CREATE_V2, &args) == 0)
         || bz_fail_errno (error, errno, NULL, "making a snapshot of %s", copy->from);
  if (to >= 0)
    close (to);
  if (from >= 0)
    close (from);
  return good;
}

static gboolean
copy_by_snapshot (const BzTreeCopy *copy, BzTreeCopied *copied, GError **error)
{
  gint64 since = g_get_monotonic_time ();
  int held = -1;

  copied->shared = TRUE;
  if (copy->hold != NULL && (held = copy->hold (copy->data, error)) < 0)
    return FALSE;
  gboolean done = snapshot (copy, error);
  if (held >= 0)
    {
      close (held);
      copied->held_us = (guint64) (g_get_monotonic_time () - since);
    }
  return done;
}

gboolean
bz_tree_copy (const BzTreeCopy *copy, BzTreeCopied *copied, GError **error)
{
  *copied = (BzTreeCopied){ 0 };
  return copy->way == BZ_COPY_BTRFS ? copy_by_snapshot (copy, copied, error)
                                    : copy_by_worker (copy, copied, error);
}
