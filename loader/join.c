/* Joining a running zone (`brandzone exec`).
 *
 *   caller                      joiner                        program
 *   "join" to the keeper
 *   fork, into the cgroup   ->  setns (all), root
 *                               clone (CLONE_PARENT)      ->  (inside the pid namespace,
 *                               exits                          a child of the caller)
 *                                                         <-  "ready" [+ listener] [+ pty]
 *   "listener" to the keeper;
 *   "go"                                                  ->  executes
 *
 * With a terminal that can be come back to, the caller here is the process that holds the session
 * (session.c), a child of the command line's.
 *
 * Facts: setns(2) into a pid namespace holds for children only. One filter chain has one listener,
 * so the program installs the zone's filter itself and its listener goes to the zone's keeper.
 * Until it executes, the program is a fork of the caller in a namespace whose root may be hostile:
 * it is not dumpable, and everything it holds is close-on-exec. */
#include "config.h"

#include "loader/join.h"

#include "brand/base/error.h"
#include "loader/attend.h"
#include "loader/cgroup.h"
#include "loader/client.h"
#include "loader/direct.h"
#include "loader/kernel.h"
#include "loader/launch.h"
#include "loader/listener.h"
#include "loader/loader.h"
#include "loader/login-id.h"
#include "loader/namespaces.h"
#include "loader/partition-data.h"
#include "loader/processors.h"
#include "loader/session.h"
#include "loader/terminals.h"
#include "loader/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct BzJoin {
  int connection;    /* to the keeper, or -1 */
  BzMessage *answer; /* of the keeper; has the descriptors below */
  BzPartition *partition;
  const BzCommand *command;
  int namespaces[BZ_NAMESPACE_COUNT];
  int unified;
  int tasks[BZ_MESSAGE_FDS];
  guint task_count;
  int socket; /* to the caller */
};

/* --- in the zone --- */

static gboolean
enter (const BzJoin *joiner, GError **error)
{
  prctl (PR_SET_DUMPABLE, 0);
  bz_login_id_unset ();
  bz_cgroup_enter (joiner->tasks, joiner->task_count);
  if (!bz_processors_bind (joiner->partition->settings, error))
    return FALSE;
  if (!bz_namespaces_enter (joiner->namespaces, BZ_NAMESPACES_ALL, error))
    return FALSE;
  int failed = bz_userns_become_root ();
  if (failed == 0)
    failed = bz_launch_bound_capabilities (joiner->partition->settings);
  prctl (PR_SET_DUMPABLE, 0);
  return failed == 0 || bz_fail_errno (error, failed, NULL, "cannot become the zone's root");
}

typedef struct {
  const BzJoin *joiner;
  int master; /* or -1 */
} Program;

/* "ready" carries the listener and the pty's master, as far as there are any. */
static gboolean
confine (gpointer data, GError **error)
{
  const Program *program = data;
  const BzPartition *partition = program->joiner->partition;
  g_autoptr (BzMessage) go = NULL;
  GVariantDict body;
  int fds[2];
  guint count = 0;

  if (g_bytes_get_size (partition->filter) > 0
      && (fds[count++] =
              bz_listener_install (partition->filter, partition->plan->wait_killable, error))
             < 0)
    return FALSE;
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "listener", "b", count > 0);
  g_variant_dict_insert (&body, "terminal", "b", program->master >= 0);
  if (program->master >= 0)
    fds[count++] = program->master;
  gboolean sent = bz_message_send (program->joiner->socket, "ready", g_variant_dict_end (&body),
                                   fds, count, error);
  for (guint i = 0; i < count; i++)
    close (fds[i]);
  if (sent)
    go = bz_message_receive (program->joiner->socket, NULL, error);
  return go != NULL;
}

static G_GNUC_NORETURN void
become_program (const BzJoin *joiner)
{
  Program program = { .joiner = joiner };
  BzLaunch launch = { .command = joiner->command,
                      .plan = joiner->partition->plan,
                      .terminal = joiner->command->terminal,
                      .alone = joiner->partition->idle,
                      .error_socket = joiner->socket,
                      .kept = { joiner->socket, -1 },
                      .confine = confine,
                      .data = &program };
  g_autoptr (GError) error = NULL;

  if (chdir ("/") != 0)
    bz_fail_errno (&error, errno, NULL, "cannot enter the zone's /");
  else if (bz_terminal_choose_stdio (joiner->command, launch.stdio, &program.master, &error))
    {
      launch.kept[1] = program.master;
      bz_launch (&launch);
    }
  bz_message_send_error (joiner->socket, error, NULL);
  _exit (BZ_EXIT_BRANDZONE);
}

static G_GNUC_NORETURN void
be_joiner (const BzJoin *joiner)
{
  g_autoptr (GError) error = NULL;
  GVariantDict body;

  if (!enter (joiner, &error))
    {
      bz_message_send_error (joiner->socket, error, NULL);
      _exit (BZ_EXIT_BRANDZONE);
    }
  pid_t pid = bz_clone (CLONE_PARENT, NULL, -1);
  if (pid == 0)
    become_program (joiner);
  if (pid < 0)
    {
      bz_fail_errno (&error, errno, NULL, "cannot fork in the zone");
      bz_message_send_error (joiner->socket, error, NULL);
      _exit (BZ_EXIT_BRANDZONE);
    }
  /* clone answers in this process's own pid namespace, the caller's. */
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "pid", "i", (gint32) pid);
  bz_message_send (joiner->socket, "pid", g_variant_dict_end (&body), NULL, 0, NULL);
  _exit (0);
}

/* --- in the caller --- */

static BzPartition *
map_spec (int fd, GError **error)
{
  struct stat st;
  g_autofree char *data = NULL;

  if (fd < 0 || fstat (fd, &st) != 0 || st.st_size <= 0 || st.st_size > 16 * 1024 * 1024
      || pread (fd, data = g_malloc ((gsize) st.st_size), (gsize) st.st_size, 0) != st.st_size)
    {
      bz_fail (error, BZ_ERROR_FAILED, "its keeper's answer is incomplete", NULL,
               "cannot join the zone");
      return NULL;
    }
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_steal_pointer (&data), (gsize) st.st_size);
  g_autoptr (GVariant) variant =
      g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, FALSE));
  return bz_partition_from_variant (variant, error);
}

static gboolean
learn_zone (BzJoin *joiner, GError **error)
{
  gboolean unified = FALSE;
  guint32 set = 0;
  guint next = 1;

  BzMessage *answer = joiner->answer =
      bz_client_ask (joiner->connection, "join", NULL, NULL, 0, error);
  if (answer == NULL)
    return FALSE;
  g_variant_dict_lookup (answer->body, "namespaces", "u", &set);
  for (guint i = 0; i < BZ_NAMESPACE_COUNT; i++)
    joiner->namespaces[i] =
        (set & (1u << i)) != 0 && next < answer->fd_count ? answer->fds[next++] : -1;
  g_variant_dict_lookup (answer->body, "unified", "b", &unified);
  joiner->unified = unified && answer->fd_count > next ? answer->fds[next++] : -1;
  while (next < answer->fd_count)
    joiner->tasks[joiner->task_count++] = answer->fds[next++];
  joiner->partition = map_spec (answer->fds[0], error);
  return joiner->partition != NULL;
}

/* The two messages "pid" (of the joiner) and "ready" (of the program) come in any order. */
static gboolean
await_ready (int socket, int connection, BzJoined *joined, GError **error)
{
  gboolean ready = FALSE;

  while (!ready || joined->pid == 0)
    {
      g_autoptr (BzMessage) message = bz_message_receive (socket, NULL, error);
      gboolean listener = FALSE, terminal = FALSE;
      gint32 pid;

      if (message == NULL || !bz_message_check (message, error))
        return FALSE;
      if (g_variant_dict_lookup (message->body, "pid", "i", &pid))
        {
          joined->pid = pid;
          continue;
        }
      g_variant_dict_lookup (message->body, "listener", "b", &listener);
      g_variant_dict_lookup (message->body, "terminal", "b", &terminal);
      if (terminal)
        joined->terminal = bz_message_take_fd (message, listener ? 1 : 0);
      if (listener)
        {
          g_autoptr (BzMessage) taken =
              bz_client_ask (connection, "listener", NULL, &message->fds[0], 1, error);
          if (taken == NULL)
            return FALSE;
        }
      ready = TRUE;
    }
  return TRUE;
}

static gboolean
await_exec (int socket, GError **error)
{
  gboolean ended;
  g_autoptr (BzMessage) message = NULL;

  if (!bz_message_send (socket, "go", NULL, NULL, 0, error))
    return FALSE;
  message = bz_message_receive (socket, &ended, NULL);
  return message == NULL || bz_message_check (message, error);
}

static gboolean
start (BzJoin *joiner, int socket, BzJoined *joined, GError **error)
{
  pid_t pid = bz_clone (0, NULL, joiner->unified);

  if (pid < 0 && joiner->unified >= 0)
    pid = bz_clone (0, NULL, -1); /* a frozen or threaded group, or one that is not ours to enter */
  if (pid == 0)
    be_joiner (joiner);
  if (pid < 0)
    return bz_fail_errno (error, errno, NULL, "cannot fork");
  close (joiner->socket);
  joiner->socket = -1;
  gboolean ready = await_ready (socket, joiner->connection, joined, error);
  while (waitpid (pid, NULL, 0) < 0 && errno == EINTR)
    ;
  return ready && await_exec (socket, error);
}

gboolean
bz_join_start (BzJoin *joiner, BzJoined *joined, GError **error)
{
  int pair[2];

  *joined = (BzJoined){ .pidfd = -1, .terminal = -1 };
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make a socket pair");
  joiner->socket = pair[1];
  gboolean good = start (joiner, pair[0], joined, error);
  close (pair[0]);
  if (joiner->socket >= 0)
    close (joiner->socket);
  joiner->socket = -1;
  if (good && (joined->pidfd = bz_pidfd_open (joined->pid)) < 0)
    good = bz_fail_errno (error, errno, NULL, "cannot watch the program");
  return good;
}

void
bz_joined_close (BzJoined *joined)
{
  if (joined->pidfd >= 0)
    close (joined->pidfd);
  if (joined->terminal >= 0)
    close (joined->terminal);
}

BzJoin *
bz_join_new (const char *run_dir, const BzCommand *command, GError **error)
{
  g_autoptr (BzJoin) joiner = g_new0 (BzJoin, 1);

  joiner->command = command;
  joiner->unified = joiner->socket = -1;
  joiner->connection = bz_client_connect (run_dir, error);
  return joiner->connection >= 0 && learn_zone (joiner, error) ? g_steal_pointer (&joiner) : NULL;
}

int
bz_join_take_connection (BzJoin *join)
{
  int connection = join->connection;

  join->connection = -1;
  return connection;
}

void
bz_join_free (BzJoin *join)
{
  if (join == NULL)
    return;
  if (join->connection >= 0)
    close (join->connection);
  bz_message_free (join->answer);
  bz_partition_free (join->partition);
  g_free (join);
}

/* --- waiting for it --- */

typedef struct {
  const BzJoined *joined;
  BzEnd *end;
} Waiting;

static void
forward (int sig, gpointer data)
{
  const Waiting *waiting = data;

  bz_pidfd_send_signal (waiting->joined->pidfd, sig);
}

static gboolean
on_program_end (gpointer data)
{
  const Waiting *waiting = data;

  return waitpid (waiting->joined->pid, &waiting->end->wait_status, WNOHANG) != 0;
}

static gboolean
attend_program (const BzCommand *command, const BzJoined *joined, BzEnd *end, GError **error)
{
  Waiting waiting = { joined, end };
  gboolean detached = FALSE;

  if (command->direct)
    return bz_direct_attend (joined->pid, end, error);
  BzAttend attend = { .end_fd = joined->pidfd,
                      .terminal = joined->terminal,
                      .interactive = command->interactive,
                      .forward = forward,
                      .on_news = on_program_end,
                      .data = &waiting };
  gboolean good = bz_attend (&attend, &detached, error);
  if (detached)
    end->how = BZ_END_DETACHED;
  return good;
}

gboolean
bz_loader_exec (const char *run_dir, const BzCommand *command, BzEnd *end, GError **error)
{
  g_autoptr (BzJoin) join = bz_join_new (run_dir, command, error);
  BzJoined joined;
  sigset_t saved_mask;

  *end = (BzEnd){ 0 };
  signal (SIGCHLD, SIG_DFL); /* a caller that ignores it would have us lose the program's status */
  if (join == NULL)
    return FALSE;
  bz_attend_hold_signals (&saved_mask);
  gboolean good = FALSE;
  if (command->kept)
    good = bz_session_run (g_steal_pointer (&join), command, end, error);
  else
    {
      good = bz_join_start (join, &joined, error)
             && attend_program (command, &joined, end, error);
      bz_joined_close (&joined);
    }
  sigprocmask (SIG_SETMASK, &saved_mask, NULL);
  return good;
}
