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
 * Facts: setns(2) into a pid namespace holds for children only. One filter chain has one listener,
 * so the program installs the zone's filter itself and its listener goes to the zone's keeper.
 * Until it executes, the program is a fork of the caller in a namespace whose root may be hostile:
 * it is not dumpable, and everything it holds is close-on-exec. */
#include "config.h"

#include "brand/base/error.h"
#include "loader/attend.h"
#include "loader/cgroup.h"
#include "loader/client.h"
#include "loader/direct.h"
#include "loader/kernel.h"
#include "loader/launch.h"
#include "loader/listener.h"
#include "loader/loader.h"
#include "loader/namespaces.h"
#include "loader/partition-data.h"
#include "loader/processors.h"
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

typedef struct {
  BzPartition *partition;
  const BzCommand *command;
  int namespaces[BZ_NAMESPACE_COUNT];
  int unified;
  int tasks[BZ_MESSAGE_FDS];
  guint task_count;
  int socket; /* to the caller */
} Joiner;

/* --- in the zone --- */

static gboolean
enter (const Joiner *joiner, GError **error)
{
  prctl (PR_SET_DUMPABLE, 0);
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
  const Joiner *joiner;
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
become_program (const Joiner *joiner)
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
be_joiner (const Joiner *joiner)
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
learn_zone (int connection, Joiner *joiner, BzMessage **answer, GError **error)
{
  gboolean unified = FALSE;
  guint32 set = 0;
  guint next = 1;

  *answer = bz_client_ask (connection, "join", NULL, NULL, 0, error);
  if (*answer == NULL)
    return FALSE;
  g_variant_dict_lookup ((*answer)->body, "namespaces", "u", &set);
  for (guint i = 0; i < BZ_NAMESPACE_COUNT; i++)
    joiner->namespaces[i] =
        (set & (1u << i)) != 0 && next < (*answer)->fd_count ? (*answer)->fds[next++] : -1;
  g_variant_dict_lookup ((*answer)->body, "unified", "b", &unified);
  joiner->unified = unified && (*answer)->fd_count > next ? (*answer)->fds[next++] : -1;
  while (next < (*answer)->fd_count)
    joiner->tasks[joiner->task_count++] = (*answer)->fds[next++];
  joiner->partition = map_spec ((*answer)->fds[0], error);
  return joiner->partition != NULL;
}

typedef struct {
  pid_t pid;
  int pidfd;
  int terminal; /* or -1 */
  BzEnd *end;
} Joined;

/* The two messages "pid" (of the joiner) and "ready" (of the program) come in any order. */
static gboolean
await_ready (int socket, int connection, Joined *joined, GError **error)
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

static void
forward (int sig, gpointer data)
{
  const Joined *joined = data;

  bz_pidfd_send_signal (joined->pidfd, sig);
}

static gboolean
on_program_end (gpointer data)
{
  Joined *joined = data;

  return waitpid (joined->pid, &joined->end->wait_status, WNOHANG) != 0;
}

static gboolean
attend_program (const BzCommand *command, Joined *joined, GError **error)
{
  gboolean detached = FALSE;

  if (command->direct)
    return bz_direct_attend (joined->pid, joined->end, error);
  joined->pidfd = bz_pidfd_open (joined->pid);
  if (joined->pidfd < 0)
    return bz_fail_errno (error, errno, NULL, "cannot watch the program");
  BzAttend attend = { .end_fd = joined->pidfd,
                      .terminal = joined->terminal,
                      .interactive = command->interactive,
                      .forward = forward,
                      .on_news = on_program_end,
                      .data = joined };
  gboolean good = bz_attend (&attend, &detached, error);
  if (detached)
    joined->end->how = BZ_END_DETACHED;
  close (joined->pidfd);
  return good;
}

static gboolean
join (int connection, Joiner *joiner, int socket, Joined *joined, GError **error)
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
  gboolean ready = await_ready (socket, connection, joined, error);
  while (waitpid (pid, NULL, 0) < 0 && errno == EINTR)
    ;
  return ready && await_exec (socket, error) && attend_program (joiner->command, joined, error);
}

gboolean
bz_loader_exec (const char *run_dir, const BzCommand *command, BzEnd *end, GError **error)
{
  g_autoptr (BzMessage) answer = NULL;
  Joiner joiner = { .command = command, .unified = -1, .socket = -1 };
  Joined joined = { .pidfd = -1, .terminal = -1, .end = end };
  int pair[2];
  int connection = bz_client_connect (run_dir, error);

  *end = (BzEnd){ 0 };
  signal (SIGCHLD, SIG_DFL); /* a caller that ignores it would have us lose the program's status */
  if (connection < 0)
    return FALSE;
  gboolean good = learn_zone (connection, &joiner, &answer, error);
  if (good && socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    good = bz_fail_errno (error, errno, NULL, "cannot make a socket pair");
  if (good)
    {
      sigset_t saved_mask;

      joiner.socket = pair[1];
      bz_attend_hold_signals (&saved_mask);
      good = join (connection, &joiner, pair[0], &joined, error);
      sigprocmask (SIG_SETMASK, &saved_mask, NULL);
      close (pair[0]);
      if (joiner.socket >= 0)
        close (joiner.socket);
    }
  if (joined.terminal >= 0)
    close (joined.terminal);
  bz_partition_free (joiner.partition);
  close (connection);
  return good;
}
