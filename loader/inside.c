/* The zone's first process: from an empty child to process 1, one of two.
 *
 * For `run` it stays brandzone's: it starts the command, reaps, tells the keeper of the end. It is
 * a fork of the keeper that never executes a file: its memory belongs to the initial user
 * namespace (mm->user_ns is set at exec), and with PR_SET_DUMPABLE 0 not even the zone's root
 * can look into it. It holds nothing of the host by then anyway.
 *
 * For `start` it becomes the distribution's init.
 * Problem: inits insist on being process 1, and a reaper of ours above one would be seen by ps,
 * by killall5 and by whoever reads /proc/1; but the duties of the stub have to go somewhere.
 * Choice: process 1 itself installs the filter and executes init, so nothing of ours stays in the
 * zone's pid namespace. Where the duties went:
 *   - its listener and the masters of its terminals are sent to the keeper before the exec;
 *   - reaping is init's; the end is the keeper's to see (its child's wait status: reboot(2) in a
 *     pid namespace ends process 1 by SIGHUP or SIGINT, Linux 3.4);
 *   - the end of the keeper is the zone's: PR_SET_PDEATHSIG outlives an execve without a change of
 *     ids, and SIGKILL from the parent's namespace reaches even a process 1;
 *   - signals come from the keeper (init has handlers for those that it wants, the kernel keeps
 *     others from it).
 * What SECURITY.md promises holds: until the exec the process is not dumpable and the only one of
 * its pid namespace (bz_launch lifts that for the supervisor, which has to find the new image, as
 * the last thing); all descriptors but the console are closed before a path of the zone is
 * resolved; the exec gives it a memory of the zone's own user namespace. Who joins later does so
 * through descriptors that the keeper holds, not through process 1. */
#include "config.h"

#include "loader/inside.h"

#include "brand/base/error.h"
#include "loader/cgroup.h"
#include "loader/kernel.h"
#include "loader/launch.h"
#include "loader/listener.h"
#include "loader/message.h"
#include "loader/namespaces.h"
#include "loader/terminals.h"
#include "loader/userns.h"
#include "loader/view.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

/* --- set-up --- */

static gboolean
expect (int socket, const char *kind, BzMessage **message, GError **error)
{
  g_autoptr (BzMessage) got = bz_message_receive (socket, NULL, error);

  if (got == NULL)
    return FALSE;
  if (strcmp (got->kind, kind) != 0)
    {
      bz_fail (error, BZ_ERROR_FAILED, "it is out of order", NULL,
               "cannot use the keeper's message \"%s\"", got->kind);
      return FALSE;
    }
  if (message != NULL)
    *message = g_steal_pointer (&got);
  return TRUE;
}

/* The keeper sends "prepared" once for the root and /dev, then once for each volume. */
static gboolean
receive_prepared (int socket, guint volumes, BzMounts *prepared, GError **error)
{
  g_autoptr (BzMessage) first = NULL;

  *prepared = (BzMounts){ .root = -1, .devices = -1 };
  if (!expect (socket, "prepared", &first, error))
    return FALSE;
  g_variant_dict_lookup (first->body, "resolv", "s", &prepared->resolv);
  if (!g_variant_dict_contains (first->body, "root"))
    return TRUE;
  prepared->root = bz_message_take_fd (first, 0);
  prepared->devices = bz_message_take_fd (first, 1);
  prepared->volumes = g_new (int, volumes + 1);
  for (guint i = 0; i < volumes; i++)
    {
      g_autoptr (BzMessage) next = NULL;
      if (!expect (socket, "prepared", &next, error))
        return FALSE;
      prepared->volumes[i] = bz_message_take_fd (next, 0);
    }
  return TRUE;
}

static gboolean
raise_loopback (GError **error)
{
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  gboolean good = fd >= 0 && ioctl (fd, SIOCSIFFLAGS, &request) == 0;
  int saved = errno;

  if (fd >= 0)
    close (fd);
  return good || bz_fail_errno (error, saved, NULL, "cannot raise the zone's loopback interface");
}

/* The kernel lets nobody open an ICMP socket in a new network; distributions of the last years have
 * ping without a set-uid bit and let everybody (systemd's sysctl, net.ipv4.ping_group_range). A
 * kernel without such sockets is no obstacle. */
static void
allow_ping (const BzPartition *partition)
{
  char text[32];
  guint32 ids = 0;

  for (guint i = 0; i < partition->gids->len; i++)
    ids += g_array_index (partition->gids, BzIdRange, i).count;
  g_snprintf (text, sizeof text, "0 %u\n", MAX (ids, 1) - 1);
  int fd = open ("/proc/sys/net/ipv4/ping_group_range", O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  (void) !write (fd, text, strlen (text));
  close (fd);
}

/* Row O4: programs that keep a process number in 16 bits. Kernels have a limit for each pid
 * namespace since 6.14, which its root sets; before, there is the host's alone, which is not a
 * zone's to set. */
static void
shorten_pids (const BzPlan *plan)
{
  if (plan->quirk[BZ_QUIRK_PIDS] == 0 || plan->host_release < BZ_RELEASE (6, 14, 0))
    return;
  int fd = open ("/proc/sys/kernel/pid_max", O_WRONLY | O_CLOEXEC);

  if (fd < 0)
    return;
  (void) !write (fd, "32768\n", 6);
  close (fd);
}

static gboolean
become_zone (BzInside *inside, GError **error)
{
  const BzPartition *partition = inside->partition;
  const char *hostname = partition->hostname != NULL ? partition->hostname : partition->name;
  BzMounts prepared;
  BzViews views = { .count = 0 };
  int failed;

  if (!receive_prepared (inside->socket, partition->volumes->len, &prepared, error))
    return FALSE;
  failed = bz_userns_become_root ();
  if (failed != 0)
    return bz_fail_errno (error, failed, NULL, "cannot become the zone's root");
  prctl (PR_SET_DUMPABLE, 0);
  prctl (PR_SET_PDEATHSIG, SIGKILL); /* changing ids cleared it */
  /* First into the cgroups, then the namespace: else its root would belong to nobody. */
  bz_cgroup_enter (inside->tasks, inside->task_count);
  if (unshare (CLONE_NEWCGROUP) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make a cgroup namespace");
  inside->cgroup_namespace = bz_namespaces_own_cgroup (error);
  if (inside->cgroup_namespace < 0)
    return FALSE;
  if (!bz_view_enter (partition, &prepared, &views, error)
      || (bz_views_wanted (partition->plan) && !bz_views_send (inside->socket, &views, error)))
    return FALSE;
  if (sethostname (hostname, strlen (hostname)) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot name the zone %s", hostname);
  if (partition->network != BZ_NETWORK_HOST && !raise_loopback (error))
    return FALSE;
  if (partition->network != BZ_NETWORK_HOST && partition->plan->quirk[BZ_QUIRK_PING] != 0)
    allow_ping (partition);
  shorten_pids (partition->plan);
  failed = bz_launch_bound_capabilities (partition->settings);
  if (failed != 0)
    return bz_fail_errno (error, failed, NULL, "cannot narrow the zone's capabilities");
  return TRUE;
}

/* --- the command --- */

/* In the command's process: installs the filter, gives its listener to the keeper, waits until the
 * supervisor answers. The first process itself stays without a filter: it is brandzone's, not the
 * brand's. */
static gboolean
confine (gpointer data, GError **error)
{
  const BzInside *inside = data;
  int listener = -1;

  if (g_bytes_get_size (inside->partition->filter) > 0
      && (listener = bz_listener_install (inside->partition->filter,
                                          inside->partition->plan->wait_killable, error))
             < 0)
    return FALSE;
  int fds[] = { inside->cgroup_namespace, listener };
  gboolean good = bz_message_send (inside->socket, "ready", NULL, fds, listener >= 0 ? 2 : 1, error)
                  && expect (inside->socket, "go", NULL, error);
  if (listener >= 0)
    close (listener);
  return good;
}

typedef struct {
  pid_t pid;
  int master; /* or -1 */
} Started;

/* Starts the command and waits until it was executed or failed to be. */
static gboolean
start_command (const BzInside *inside, Started *started, GError **error)
{
  const BzPartition *partition = inside->partition;
  BzLaunch launch = { .command = partition->command,
                      .plan = partition->plan,
                      .terminal = partition->command->terminal,
                      .alone = TRUE,
                      .kept = { inside->socket, inside->cgroup_namespace },
                      .confine = confine,
                      .data = (gpointer) inside };
  g_autoptr (BzMessage) problem = NULL;
  int pair[2];
  gboolean ended;

  if (!bz_terminal_choose_stdio (partition->command, launch.stdio, &started->master, error))
    return FALSE;
  if (started->master >= 0)
    bz_terminal_bind (launch.stdio[0], "/dev/console");
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make a socket pair");
  started->pid = fork ();
  if (started->pid == 0)
    {
      launch.error_socket = pair[1];
      bz_launch (&launch);
    }
  close (pair[1]);
  if (started->pid < 0)
    return bz_fail_errno (error, errno, NULL, "cannot fork in the zone");
  problem = bz_message_receive (pair[0], &ended, NULL);
  close (pair[0]);
  if (launch.stdio[0] > 2)
    close (launch.stdio[0]);
  return problem == NULL || bz_message_check (problem, error);
}

/* --- process 1 of a zone that boots --- */

/* Returns only when it could not be executed. */
static gboolean
become_init (const BzInside *inside, GError **error)
{
  BzLaunch launch = { .command = inside->partition->command,
                      .plan = inside->partition->plan,
                      .init = TRUE,
                      .alone = TRUE,
                      .error_socket = inside->socket,
                      .kept = { inside->socket, inside->cgroup_namespace },
                      .confine = confine,
                      .data = (gpointer) inside };
  guint terminals = CLAMP (inside->partition->terminals, 1, BZ_TERMINALS_MAX);
  int masters[BZ_TERMINALS_MAX], pins[BZ_PINS_MAX];

  if (!bz_terminals_make (terminals, masters, &launch.stdio[0], error)
      || !bz_message_send (inside->socket, "terminals", NULL, masters, terminals, error)
      || !bz_message_send (inside->socket, "pins", NULL, pins, bz_pins_open (pins), error))
    return FALSE;
  launch.stdio[1] = launch.stdio[2] = launch.stdio[0];
  bz_launch (&launch);
}

/* --- process 1 of any other --- */

/* An idle zone: what it runs joins it. */
static gboolean
start_nothing (const BzInside *inside, Started *started, GError **error)
{
  *started = (Started){ .master = -1 };
  return bz_message_send (inside->socket, "ready", NULL, &inside->cgroup_namespace, 1, error)
         && expect (inside->socket, "go", NULL, error);
}

/* Reaps what has ended. TRUE when the command is among it. */
static gboolean
reap (pid_t command, int *status)
{
  gboolean ended = FALSE;
  pid_t pid;
  int one;

  while ((pid = waitpid (-1, &one, WNOHANG)) > 0)
    if (pid == command)
      {
        *status = one;
        ended = TRUE;
      }
  return ended;
}

static void
obey (int socket, pid_t command)
{
  g_autoptr (BzMessage) message = bz_message_receive (socket, NULL, NULL);
  gint32 sig;

  if (message == NULL)
    _exit (BZ_EXIT_BRANDZONE); /* the keeper is gone, and with it the zone's life */
  if (command > 0 && strcmp (message->kind, "signal") == 0
      && g_variant_dict_lookup (message->body, "signal", "i", &sig) && sig > 0 && sig < NSIG)
    kill (command, sig);
}

static G_GNUC_NORETURN void
be_init (int socket, pid_t command)
{
  sigset_t mask;
  int status = 0;

  sigemptyset (&mask);
  sigaddset (&mask, SIGCHLD);
  sigprocmask (SIG_BLOCK, &mask, NULL);
  int children = signalfd (-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
  struct pollfd poll_fds[] = { { socket, POLLIN, 0 }, { children, POLLIN, 0 } };

  while (!reap (command, &status))
    {
      struct signalfd_siginfo info;

      if (poll (poll_fds, G_N_ELEMENTS (poll_fds), -1) < 0 && errno != EINTR)
        break;
      while (read (children, &info, sizeof info) > 0)
        ;
      if (poll_fds[0].revents != 0)
        obey (socket, command);
    }
  g_autoptr (GVariantDict) body = g_variant_dict_new (NULL);
  g_variant_dict_insert (body, "status", "i", status);
  bz_message_send (socket, "ended", g_variant_dict_end (body), NULL, 0, NULL);
  _exit (0);
}

/* What the set-up left open: mounts could not be unmounted, sockets would live on. Returns the
 * socket's new number. */
static int
keep_one_descriptor (int socket)
{
  int kept = socket;

  if (socket != 3 && dup3 (socket, 3, O_CLOEXEC) == 3)
    kept = 3;
  if (kept == 3)
    bz_close_range (4, ~0U, 0);
  return kept;
}

static void
drop_host_streams (void)
{
  int null = bz_terminal_open_null (O_RDWR, NULL);

  for (int fd = 0; fd < 3; fd++)
    if (null < 0)
      close (fd); /* the command has removed /dev/null already */
    else
      dup2 (null, fd);
  if (null > 2)
    close (null);
}

static void
retitle (const BzInside *inside)
{
  prctl (PR_SET_NAME, "init");
  if (inside->title_length > strlen ("init"))
    {
      memset (inside->title, 0, inside->title_length);
      memcpy (inside->title, "init", strlen ("init"));
    }
}

static gboolean
run (BzInside *inside, Started *started, GError **error)
{
  if (!become_zone (inside, error)
      || !(inside->partition->boot   ? become_init (inside, error)
           : inside->partition->idle ? start_nothing (inside, started, error)
                                     : start_command (inside, started, error)))
    return FALSE;
  retitle (inside);
  gboolean sent = bz_message_send (inside->socket, "started", NULL, &started->master,
                                   started->master >= 0 ? 1 : 0, error);
  drop_host_streams ();
  inside->socket = keep_one_descriptor (inside->socket);
  return sent;
}

void
bz_inside_main (BzInside *inside)
{
  g_autoptr (GError) error = NULL;
  Started started = { 0 };

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (!run (inside, &started, &error))
    {
      bz_message_send_error (inside->socket, error, NULL);
      _exit (BZ_EXIT_BRANDZONE);
    }
  be_init (inside->socket, started.pid);
}
