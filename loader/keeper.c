#include "config.h"

#include "loader/keeper-private.h"

#include "brand/base/error.h"
#include "loader/kernel.h"
#include "loader/log-bound.h"
#include "loader/login-id.h"
#include "loader/processors.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* --- the zone's first process, while it lives --- */

static gboolean
on_init_message (gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  BzKeeper *keeper = data;
  g_autoptr (BzMessage) message = bz_message_receive (fd, NULL, NULL);
  gint32 status;

  if (message == NULL)
    return G_SOURCE_REMOVE;
  if (g_variant_dict_lookup (message->body, "status", "i", &status))
    {
      keeper->command_ended = TRUE;
      keeper->command_status = status;
    }
  return G_SOURCE_CONTINUE;
}

static gboolean
on_init_end (gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  BzKeeper *keeper = data;

  g_main_loop_quit (keeper->loop);
  return G_SOURCE_REMOVE;
}

/* reboot(2) inside a pid namespace kills its first process: SIGHUP for a restart, SIGINT for halt
 * and power off (Linux 3.4). */
static int
how_it_ended (int status)
{
  if (WIFSIGNALED (status) && WTERMSIG (status) == SIGINT)
    return BZ_END_HALTED;
  if (WIFSIGNALED (status) && WTERMSIG (status) == SIGHUP)
    return BZ_END_REBOOTED;
  return BZ_END_COMMAND;
}

static void
reap_init (BzKeeper *keeper, int *how)
{
  int status = 0;

  while (waitpid (keeper->init, &status, 0) < 0 && errno == EINTR)
    ;
  if (keeper->console != NULL)
    {
      *how = how_it_ended (status);
      keeper->command_status = *how == BZ_END_COMMAND ? status : 0;
      return;
    }
  /* Its last words may still be in the socket. */
  if (!keeper->command_ended)
    on_init_message (keeper->init_socket, G_IO_IN, keeper);
  *how = keeper->command_ended ? BZ_END_COMMAND : how_it_ended (status);
  if (!keeper->command_ended)
    keeper->command_status = *how == BZ_END_COMMAND ? status : 0;
}

/* --- the keeper's own surroundings --- */

/* A caller may block signals or ignore SIGCHLD (statuses of children would be lost), be
 * in a directory that is to be unmounted, or have an umask that would hide the zone's mount points
 * from its users. */
static void
forget_the_caller (void)
{
  sigset_t none;

  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
  signal (SIGCHLD, SIG_DFL);
  umask (022);
  (void) !chdir ("/");
}

/* An init gives what it starts a priority of its own (upstart: 0), and ends with EACCES what it
 * can't: raising it again takes a capability of the host. So a zone that boots does not keep that
 * of nice(1) or of a batch job; a command does. Refused to plain users. */
static void
forget_the_priority (void)
{
  if (getpriority (PRIO_PROCESS, 0) > 0)
    (void) !setpriority (PRIO_PROCESS, 0, 0);
}

static void
ignore_the_terminal (void)
{
  setsid ();
  signal (SIGPIPE, SIG_IGN);
  signal (SIGHUP, SIG_IGN);
  signal (SIGINT, SIG_IGN);
  signal (SIGQUIT, SIG_IGN);
  signal (SIGTERM, SIG_IGN); /* a zone ends by `brandzone stop`, not by a stray kill */
}

void
bz_keeper_drop_streams (const BzKeeper *keeper)
{
  g_autofree char *log = g_build_filename (keeper->partition->run_dir, "log", NULL);
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);
  int errors = open (log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

  dup2 (null, 0);
  dup2 (null, 1);
  dup2 (errors >= 0 ? errors : null, 2);
  bz_log_bound ();
  if (null > 2)
    close (null);
  if (errors > 2)
    close (errors);
}

/* --- from start to end --- */

static void
say_start (BzKeeper *keeper)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *when = g_date_time_format_iso8601 (now);

  bz_console_say (keeper->console, "zone %s starts, %s", keeper->partition->name, when);
}

/* For an init that manages cgroups. */
static gboolean
give_cgroups (BzKeeper *keeper, GError **error)
{
  const BzPartition *partition = keeper->partition;

  return (partition->cgroup_view != BZ_CGROUPS_NAMED
          || bz_cgroup_add_named (keeper->cgroup, partition->cgroup_name, partition->name,
                                  partition->run_dir, error))
         && bz_cgroup_delegate (keeper->cgroup, partition, error);
}

static gboolean
begin (BzKeeper *keeper, GError **error)
{
  GVariantDict body;

  if (keeper->console != NULL)
    say_start (keeper);
  if (!bz_processors_bind (keeper->partition->settings, error)
      || !bz_cgroup_limit (keeper->cgroup, keeper->partition->settings, error)
      || !give_cgroups (keeper, error) || !bz_keeper_open_control (keeper, error) || !bz_keeper_start (keeper, error))
    return FALSE;
  keeper->started = g_get_real_time () / G_USEC_PER_SEC;
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "init", "i", (gint32) keeper->init);
  /* An owner that has gone already is no reason to end the zone. */
  bz_message_send (keeper->owner, "started", g_variant_dict_end (&body), &keeper->terminal,
                   keeper->terminal >= 0 ? 1 : 0, NULL);
  return TRUE;
}

static int
keep (BzKeeper *keeper)
{
  int how;

  if (keeper->console == NULL)
    g_unix_fd_add (keeper->init_socket, G_IO_IN | G_IO_HUP, on_init_message, keeper);
  g_unix_fd_add (keeper->init_pidfd, G_IO_IN, on_init_end, keeper);
  g_main_loop_run (keeper->loop);
  reap_init (keeper, &how);
  return how;
}

#define REBOOTS_MAX 5
#define REBOOTS_APART (5 * G_USEC_PER_SEC)

/* An init that comes to nothing but a reboot would keep a CPU busy for ever. */
static gboolean
reboots_for_ever (BzKeeper *keeper)
{
  gint64 now = g_get_monotonic_time ();

  keeper->reboots = now - keeper->rebooted > REBOOTS_APART ? 1 : keeper->reboots + 1;
  keeper->rebooted = now;
  return keeper->reboots > REBOOTS_MAX;
}

/* A reboot inside starts a zone that boots again, with the configuration that it has. */
static gboolean
start_again (BzKeeper *keeper, int how)
{
  g_autoptr (GError) error = NULL;

  if (keeper->console == NULL || how != BZ_END_REBOOTED || keeper->stopping)
    return FALSE;
  bz_console_disconnect (keeper->console);
  if (reboots_for_ever (keeper))
    {
      bz_console_say (keeper->console, "it reboots again and again: the zone ends");
      return FALSE;
    }
  bz_keeper_forget_zone (keeper);
  bz_cgroup_reset (keeper->cgroup);
  say_start (keeper);
  if (bz_keeper_start (keeper, &error))
    return TRUE;
  keeper->init = 0;
  bz_console_say (keeper->console, "%s", error->message);
  return FALSE;
}

static void
keep_until_the_end (BzKeeper *keeper, int *how)
{
  keeper->loop = g_main_loop_new (NULL, FALSE);
  bz_keeper_serve (keeper);
  do
    *how = keep (keeper);
  while (start_again (keeper, *how));
}

static void
release_locks (const BzKeeper *keeper)
{
  for (guint i = 0; i < BZ_LOCKS; i++)
    if (keeper->partition->lock_fds[i] >= 0)
      close (keeper->partition->lock_fds[i]);
}

#define HIERARCHY_TRIES 200

/* The owner learns of the end last: when its connection closes, the name is free again. */
static void
finish (BzKeeper *keeper, int how)
{
  static const char *const ends[] = { [BZ_END_COMMAND] = "ended: its init died",
                                      [BZ_END_HALTED] = "halted",
                                      [BZ_END_REBOOTED] = "halted" };
  GVariantDict body;

  bz_keeper_stop_supervisor (keeper);
  bz_keeper_drop_loops (keeper);
  g_clear_pointer (&keeper->network, bz_network_detach);
  if (keeper->console != NULL)
    {
      /* Without the patience it was killed; without children it had halted. */
      if (keeper->stopping && how == BZ_END_COMMAND && keeper->alone > 0)
        how = BZ_END_HALTED;
      bz_console_disconnect (keeper->console);
      bz_console_say (keeper->console, "zone %s %s", keeper->partition->name,
                      keeper->stopping && how == BZ_END_COMMAND ? "was killed" : ends[how]);
      bz_console_free (keeper->console);
    }
  /* They hold the zone's mounts, and one of those may be a cgroup hierarchy. */
  g_clear_pointer (&keeper->pins, bz_message_free);
  bz_namespaces_close (keeper->namespaces);
  g_auto (GStrv) hierarchies = bz_cgroup_hierarchies (keeper->cgroup);
  bz_cgroup_remove (keeper->cgroup);
  bz_keeper_close_control (keeper);
  release_locks (keeper);
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "status", "i", (gint32) keeper->command_status);
  g_variant_dict_insert (&body, "how", "i", (gint32) how);
  g_variant_dict_insert (&body, "stopped", "b", keeper->stopping);
  if (keeper->owner >= 0)
    bz_message_send (keeper->owner, "ended", g_variant_dict_end (&body), &keeper->journal,
                     keeper->journal >= 0 ? 1 : 0, NULL);
  else
    g_variant_dict_clear (&body);
  /* Nobody waits for this. */
  if (keeper->owner >= 0)
    close (keeper->owner);
  keeper->owner = -1;
  bz_cgroup_end_hierarchies (hierarchies, HIERARCHY_TRIES);
}

/* An installed zone's lock is ours: who is in its cgroups has lost his keeper. Throw-away zones have
 * a run directory of another name, by the number of a process, which another may have had. */
static BzCgroup *
make_cgroup (const BzPartition *partition)
{
  g_autofree char *base = g_path_get_basename (partition->run_dir);
  BzCgroup *cgroup = bz_cgroup_create (partition->name, partition->run_dir);

  if (g_str_equal (base, partition->name))
    bz_cgroup_end_named (partition->name, partition->run_dir);
  if (!g_str_equal (base, partition->name) || !bz_cgroup_kill (cgroup))
    return cgroup;
  bz_cgroup_remove (cgroup);
  return bz_cgroup_create (partition->name, partition->run_dir);
}

static BzKeeper
new_keeper (const BzKeeperOptions *options)
{
  BzKeeper keeper = { .partition = options->partition,
                      .options = options,
                      .clients = g_array_new (FALSE, FALSE, sizeof (int)),
                      .refresher = -1,
                      .control = -1,
                      .owner = options->owner,
                      .init_pidfd = -1,
                      .init_socket = -1,
                      .terminal = -1,
                      .supervisor_pidfd = -1,
                      .supervisor_socket = -1,
                      .journal = -1 };

  for (guint i = 0; i < BZ_LOOP_LISTENERS; i++)
    keeper.listeners[i].fd = -1;
  for (guint i = 0; i < BZ_NAMESPACE_COUNT; i++)
    keeper.namespaces[i] = -1;
  return keeper;
}

int
bz_keeper_go_on (const BzKeeperOptions *options, GVariantDict *left, int answer)
{
  g_autoptr (GError) error = NULL;
  BzKeeper keeper = new_keeper (options);
  int how = BZ_END_COMMAND;

  gboolean good = bz_keeper_take (&keeper, left, &error);
  if (answer >= 0) /* a trial: nothing was done, and nothing of it is ours */
    return (good ? bz_message_send (answer, "refresh", NULL, NULL, 0, NULL)
                 : bz_message_send_error (answer, error, NULL))
               ? 0
               : BZ_EXIT_BRANDZONE;
  prctl (PR_SET_NAME, "bz-keeper");
  bz_log_bound ();
  if (!good)
    {
      g_printerr ("brandzone: %s: %s\n", keeper.partition->name, error->message);
      return BZ_EXIT_BRANDZONE;
    }
  /* One of this program takes its place. */
  if (keeper.supervisor != 0)
    bz_pidfd_send_signal (keeper.supervisor_pidfd, SIGKILL);
  else
    bz_keeper_say_refreshed (&keeper);
  keep_until_the_end (&keeper, &how);
  finish (&keeper, how);
  return 0;
}

int
bz_keeper_main (const BzKeeperOptions *options)
{
  g_autoptr (GError) error = NULL;
  BzKeeper keeper = new_keeper (options);
  int how = BZ_END_COMMAND;

  forget_the_caller ();
  if (options->partition->boot)
    forget_the_priority ();
  ignore_the_terminal ();
  bz_login_id_unset ();
  prctl (PR_SET_NAME, "bz-keeper");
  keeper.cgroup = options->partition->no_cgroup
                      ? bz_cgroup_none ()
                      : make_cgroup (options->partition);
  if (options->partition->boot)
    keeper.console = bz_console_new (options->partition->console_log);
  if (!begin (&keeper, &error))
    {
      if (keeper.console != NULL)
        bz_console_say (keeper.console, "%s", error->message);
      bz_console_free (keeper.console);
      bz_cgroup_remove (keeper.cgroup);
      bz_keeper_close_control (&keeper);
      release_locks (&keeper);
      bz_message_send_error (keeper.owner, error, NULL);
      return BZ_EXIT_BRANDZONE;
    }
  keep_until_the_end (&keeper, &how);
  finish (&keeper, how);
  return 0;
}
