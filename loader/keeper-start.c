/* How a zone starts, seen from outside.
 *
 *   keeper                           first process of the zone
 *   clone3 (namespaces, cgroup)  ->
 *   writes the id maps, prepares
 *   mounts; "prepared" + fds     ->  becomes root, enters cgroups, mounts, pivots,
 *                                    drops capabilities, forks the command, which
 *                                    installs the filter
 *                                <-  "ready" [+ listener]      (from the command)
 *   starts the supervisor; "go"  ->  the command executes
 *                                <-  "started" [+ pty]         (from process 1)
 *
 * A zone with files that are served sends "views" before all else. A zone that boots sends
 * "terminals" (masters) and "pins" (what may not be unmounted) before "ready", and its first process
 * executes init itself: the end of its socket takes the place of "started".
 *
 * At any point "error" ends it. Until the end of the zone the first process has the keeper as the
 * parent whose death kills it: a zone without its keeper would have nobody to answer its calls. */
#include "config.h"

#include "loader/keeper-private.h"

#include "brand/base/error.h"
#include "loader/inside.h"
#include "loader/kernel.h"
#include "loader/prepare.h"
#include "loader/tune.h"
#include "loader/userns.h"
#include "loader/views.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

static gboolean
clone_init (BzKeeper *keeper, GError **error)
{
  const BzPartition *partition = keeper->partition;
  uint64_t flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC;
  BzInside inside = { .partition = partition,
                      .title = keeper->options->title,
                      .title_length = keeper->options->title_length };
  int pair[2];

  if (partition->network != BZ_NETWORK_HOST)
    flags |= CLONE_NEWNET;
  inside.tasks = bz_cgroup_tasks (keeper->cgroup, &inside.task_count);
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make a socket pair");
  inside.socket = pair[1];
  keeper->init = bz_clone (flags, &keeper->init_pidfd, bz_cgroup_unified (keeper->cgroup));
  /* The host may refuse the group (one of threads, or with controllers enabled): go without, unless
   * limits were asked for. */
  if (keeper->init < 0 && bz_cgroup_unified (keeper->cgroup) >= 0
      && partition->settings->memory == 0 && partition->settings->cpu_percent == 0
      && partition->settings->processes == 0)
    keeper->init = bz_clone (flags, &keeper->init_pidfd, -1);
  if (keeper->init == 0)
    {
      close (pair[0]);
      bz_inside_main (&inside);
    }
  int saved = errno;
  close (pair[1]);
  keeper->init_socket = pair[0];
  if (keeper->init < 0)
    {
      keeper->init = 0;
      return bz_fail_errno (error, saved, "see `brandzone doctor`, user-namespaces",
                            "cannot make the zone's namespaces");
    }
  return TRUE;
}

static gboolean
send_prepared (BzKeeper *keeper, const BzMounts *prepared, GError **error)
{
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  if (bz_network_resolv (keeper->network) != NULL)
    g_variant_dict_insert (&body, "resolv", "s", bz_network_resolv (keeper->network));
  if (prepared->root < 0)
    return bz_message_send (keeper->init_socket, "prepared", g_variant_dict_end (&body), NULL, 0,
                            error);
  int fds[] = { prepared->root, prepared->devices };
  g_variant_dict_insert (&body, "root", "b", TRUE);
  if (!bz_message_send (keeper->init_socket, "prepared", g_variant_dict_end (&body), fds,
                        prepared->devices >= 0 ? 2 : 1, error))
    return FALSE;
  for (guint i = 0; i < keeper->partition->volumes->len; i++)
    if (!bz_message_send (keeper->init_socket, "prepared", NULL, &prepared->volumes[i], 1, error))
      return FALSE;
  return TRUE;
}

static gboolean
map_and_prepare (BzKeeper *keeper, GError **error)
{
  const BzPartition *partition = keeper->partition;
  BzMounts prepared;

  if (!bz_namespaces_open (keeper->init, keeper->namespaces, error)
      || !bz_userns_write_maps (keeper->init, partition->uids, partition->gids, error))
    return FALSE;
  /* The host's own network namespace is nothing that the zone's root may enter; it is there
   * already. */
  if (partition->network == BZ_NETWORK_HOST)
    {
      close (keeper->namespaces[BZ_NAMESPACE_NET]);
      keeper->namespaces[BZ_NAMESPACE_NET] = -1;
    }
  if (!bz_tune (partition, keeper->namespaces, error))
    return FALSE;
  if (bz_network_attached (partition->network)
      && (keeper->network = bz_network_attach (partition, keeper->init,
                                               keeper->namespaces[BZ_NAMESPACE_NET], error))
             == NULL)
    return FALSE;
  gboolean good = bz_prepare (partition, keeper->namespaces[BZ_NAMESPACE_USER], &prepared, error);
  if (good)
    bz_keeper_make_loops (keeper, prepared.root, prepared.devices);
  good = good && send_prepared (keeper, &prepared, error);
  bz_mounts_close (&prepared, partition->volumes->len);
  return good;
}

/* Waits until the zone's first process has something to say. Its command may be in a call that the
 * supervisor needs the keeper for, or whose supervisor is killed meanwhile. */
static void
serve_until_news (BzKeeper *keeper)
{
  for (;;)
    {
      gboolean supervised = keeper->supervisor > 0;
      struct pollfd fds[] = { { keeper->init_socket, POLLIN, 0 },
                              { supervised ? keeper->supervisor_pidfd : -1, POLLIN, 0 },
                              { supervised ? keeper->supervisor_socket : -1, POLLIN, 0 } };

      if (poll (fds, G_N_ELEMENTS (fds), -1) < 0)
        continue;
      if (fds[0].revents != 0)
        return;
      if (fds[1].revents != 0)
        bz_keeper_replace_supervisor (keeper);
      else if (fds[2].revents != 0)
        bz_keeper_serve_supervisor (keeper);
    }
}

/* Waits for the zone's next step. A first process that dies without a word gets one here. */
static BzMessage *
await (BzKeeper *keeper, const char *kind, GError **error)
{
  g_autoptr (GError) problem = NULL;
  gboolean ended;

  serve_until_news (keeper);
  g_autoptr (BzMessage) message = bz_message_receive (keeper->init_socket, &ended, &problem);

  if (ended)
    {
      bz_fail (error, BZ_ERROR_FAILED, "its first process died", NULL, "cannot start the zone");
      return NULL;
    }
  if (message == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return NULL;
    }
  if (!bz_message_check (message, error))
    return NULL;
  if (strcmp (message->kind, kind) != 0)
    {
      bz_fail (error, BZ_ERROR_FAILED, "its first process is out of step", NULL,
               "cannot start the zone");
      return NULL;
    }
  return g_steal_pointer (&message);
}

/* An idle zone has its supervisor from the start: listeners come with what joins it. */
static gboolean
take_listener (BzKeeper *keeper, BzMessage *ready, GError **error)
{
  int listener = bz_message_take_fd (ready, 1);

  keeper->namespaces[BZ_NAMESPACE_CGROUP] = bz_message_take_fd (ready, 0);

  if (listener < 0
      && (!keeper->partition->idle || g_bytes_get_size (keeper->partition->filter) == 0))
    return TRUE;
  keeper->journal = bz_journal_create (error);
  if (keeper->journal < 0)
    {
      if (listener >= 0)
        close (listener);
      return FALSE;
    }
  return bz_keeper_start_supervisor (keeper, error)
         && (listener < 0 || bz_keeper_add_listener (keeper, listener, error));
}

/* An init that was executed has closed its socket; one that could not has sent an error first. */
static gboolean
await_init (BzKeeper *keeper, GError **error)
{
  siginfo_t end = { 0 };
  gboolean ended;

  serve_until_news (keeper);
  g_autoptr (BzMessage) message = bz_message_receive (keeper->init_socket, &ended, NULL);
  if (message != NULL && !bz_message_check (message, error))
    return FALSE;
  /* Killed before, it has sent nothing. One that has ended by itself, or by reboot(2), was there.
   */
  if (!ended
      || (waitid (P_PID, (id_t) keeper->init, &end, WEXITED | WNOHANG | WNOWAIT) == 0
          && end.si_pid != 0 && end.si_code != CLD_EXITED && end.si_status == SIGKILL))
    return bz_fail (error, BZ_ERROR_FAILED, "its init was killed at once", NULL,
                    "cannot start the zone");
  return TRUE;
}

static gboolean
connect_console (BzKeeper *keeper, GError **error)
{
  g_autoptr (BzMessage) terminals = await (keeper, "terminals", error);

  if (terminals == NULL || !bz_console_connect (keeper->console, terminals, error))
    return FALSE;
  keeper->pins = await (keeper, "pins", error);
  return keeper->pins != NULL;
}

static gboolean
serve_views (BzKeeper *keeper, GError **error)
{
  g_autoptr (BzMessage) views = NULL;

  if (!bz_views_wanted (keeper->partition->plan))
    return TRUE;
  views = await (keeper, "views", error);
  return views != NULL && bz_views_start (views, keeper->partition, error);
}

static gboolean
start (BzKeeper *keeper, GError **error)
{
  g_autoptr (BzMessage) ready = NULL, started = NULL;

  if (!clone_init (keeper, error))
    return FALSE;
  bz_keeper_drop_streams (keeper);
  if (!map_and_prepare (keeper, error) || !serve_views (keeper, error)
      || (keeper->console != NULL && !connect_console (keeper, error))
      || (ready = await (keeper, "ready", error)) == NULL || !take_listener (keeper, ready, error)
      || !bz_message_send (keeper->init_socket, "go", NULL, NULL, 0, error))
    return FALSE;
  if (keeper->console != NULL)
    return await_init (keeper, error);
  if ((started = await (keeper, "started", error)) == NULL)
    return FALSE;
  keeper->terminal = bz_message_take_fd (started, 0);
  return TRUE;
}

gboolean
bz_keeper_start (BzKeeper *keeper, GError **error)
{
  if (start (keeper, error))
    return TRUE;
  if (keeper->init > 0)
    {
      bz_pidfd_send_signal (keeper->init_pidfd, SIGKILL);
      while (waitpid (keeper->init, NULL, 0) < 0 && errno == EINTR)
        ;
      keeper->init = 0;
    }
  bz_keeper_stop_supervisor (keeper);
  g_clear_pointer (&keeper->network, bz_network_detach);
  return FALSE;
}

void
bz_keeper_forget_zone (BzKeeper *keeper)
{
  bz_keeper_stop_supervisor (keeper);
  g_clear_pointer (&keeper->network, bz_network_detach);
  bz_keeper_close_listeners (keeper);
  bz_keeper_drop_loops (keeper);
  g_clear_pointer (&keeper->pins, bz_message_free);
  bz_namespaces_close (keeper->namespaces);
  if (keeper->journal >= 0)
    close (keeper->journal);
  if (keeper->init_pidfd >= 0)
    close (keeper->init_pidfd);
  if (keeper->init_socket >= 0)
    close (keeper->init_socket);
  keeper->journal = keeper->init_pidfd = keeper->init_socket = -1;
}
