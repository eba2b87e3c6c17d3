/* The keeper's side of the supervisor: starting it, starting it again, giving it listeners. */
#include "config.h"

#include "loader/keeper-private.h"

#include "brand/base/error.h"
#include "loader/kernel.h"
#include "loader/shadow/broker.h"
#include "loader/supervisor.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static gboolean on_listener_end (gint fd, GIOCondition condition, gpointer data);
static gboolean on_supervisor_death (gint fd, GIOCondition condition, gpointer data);

gboolean
bz_keeper_serve_supervisor (BzKeeper *keeper)
{
  gboolean ended;
  g_autoptr (BzMessage) message = bz_message_receive (keeper->supervisor_socket, &ended, NULL);

  if (message != NULL && strcmp (message->kind, "image") == 0
      && keeper->partition->shadow_dir != NULL)
    bz_broker_serve (message, keeper->partition, keeper->namespaces[BZ_NAMESPACE_USER]);
  else if (message != NULL && strcmp (message->kind, "loops") == 0)
    bz_keeper_serve_loops (keeper, message);
  else if (message != NULL && strcmp (message->kind, "node") == 0)
    bz_keeper_serve_node (message);
  else if (message != NULL)
    bz_keeper_serve_mount (keeper, message);
  return !ended; /* what could not be read is asked for again, or answered by its limit of time */
}

/* The supervisor asks for a file to be examined. */
static gboolean
on_supervisor_request (gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  BzKeeper *keeper = data;

  if (bz_keeper_serve_supervisor (keeper))
    return G_SOURCE_CONTINUE;
  keeper->request_source = 0; /* it died: on_supervisor_death sees to that */
  return G_SOURCE_REMOVE;
}

/* That it fails is of no concern: only a supervisor that is dying takes nothing, and its successor
 * is sent every listener again. */
static void
send_listener (BzKeeper *keeper, guint index)
{
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "index", "u", index);
  bz_message_send (keeper->supervisor_socket, "listener", g_variant_dict_end (&body),
                   &keeper->listeners[index].fd, 1, NULL);
}

gboolean
bz_keeper_start_supervisor (BzKeeper *keeper, GError **error)
{
  int pair[2];

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make a socket pair");
  keeper->supervisor = bz_clone (0, &keeper->supervisor_pidfd, -1);
  if (keeper->supervisor == 0)
    bz_supervisor_main (&(BzSupervisor){
        .plan = keeper->partition->plan,
        .journal = keeper->journal,
        .socket = pair[1],
        .namespaces = keeper->namespaces,
        .nodes = geteuid () == 0,
        .rewrites = keeper->partition->shadow_dir != NULL,
    });
  int saved = errno;
  close (pair[1]);
  if (keeper->supervisor < 0)
    {
      close (pair[0]);
      keeper->supervisor = 0;
      return bz_fail_errno (error, saved, NULL, "cannot start the supervisor");
    }
  keeper->supervisor_socket = pair[0];
  keeper->supervisor_source =
      g_unix_fd_add (keeper->supervisor_pidfd, G_IO_IN, on_supervisor_death, keeper);
  keeper->request_source =
      g_unix_fd_add (keeper->supervisor_socket, G_IO_IN, on_supervisor_request, keeper);
  for (guint i = 0; i < BZ_LOOP_LISTENERS; i++)
    if (keeper->listeners[i].fd >= 0)
      send_listener (keeper, i);
  return TRUE;
}

void
bz_keeper_adopt_supervisor (BzKeeper *keeper, const int *listeners)
{
  for (guint i = 0; i < BZ_LOOP_LISTENERS; i++)
    if ((keeper->listeners[i].fd = listeners[i]) >= 0)
      keeper->listeners[i].source =
          g_unix_fd_add (listeners[i], G_IO_HUP, on_listener_end, keeper);
  keeper->supervisor_source =
      g_unix_fd_add (keeper->supervisor_pidfd, G_IO_IN, on_supervisor_death, keeper);
  keeper->request_source =
      g_unix_fd_add (keeper->supervisor_socket, G_IO_IN, on_supervisor_request, keeper);
}

/* Forgets a supervisor that has ended or is told to. Returns its wait status. */
static int
forget_supervisor (BzKeeper *keeper)
{
  int status = 0;

  while (waitpid (keeper->supervisor, &status, 0) < 0 && errno == EINTR)
    ;
  if (keeper->supervisor_source != 0)
    g_source_remove (keeper->supervisor_source);
  if (keeper->request_source != 0)
    g_source_remove (keeper->request_source);
  keeper->supervisor_source = keeper->request_source = 0;
  close (keeper->supervisor_pidfd);
  close (keeper->supervisor_socket);
  keeper->supervisor = 0;
  return status;
}

#define FAILURES_MAX 10
#define FAILURES_APART (10 * G_USEC_PER_SEC)

/* Being killed from outside is no failure; crashing on the same call again and again is. */
static gboolean
fails_for_ever (BzKeeper *keeper, int status)
{
  gint64 now = g_get_monotonic_time ();

  if (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL)
    return FALSE;
  if (now - keeper->supervisor_failed > FAILURES_APART)
    keeper->supervisor_failures = 0;
  keeper->supervisor_failed = now;
  return ++keeper->supervisor_failures > FAILURES_MAX;
}

void
bz_keeper_replace_supervisor (BzKeeper *keeper)
{
  g_autoptr (GError) error = NULL;
  int status = forget_supervisor (keeper);

  if (fails_for_ever (keeper, status))
    bz_fail (&error, BZ_ERROR_FAILED, "its supervisor dies again and again",
             "please report it, with the log of the zone", "the zone ends");
  else if (bz_keeper_start_supervisor (keeper, &error))
    {
      bz_keeper_say_refreshed (keeper);
      return;
    }
  /* Without a supervisor tasks would wait for ever in their calls: better no zone than that one. */
  g_printerr ("brandzone: %s: %s\n", keeper->partition->name, error->message);
  bz_pidfd_send_signal (keeper->init_pidfd, SIGKILL);
}

static gboolean
on_supervisor_death (gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  BzKeeper *keeper = data;

  keeper->supervisor_source = 0; /* it is removed by returning */
  bz_keeper_replace_supervisor (keeper);
  return G_SOURCE_REMOVE;
}

void
bz_keeper_stop_supervisor (BzKeeper *keeper)
{
  if (keeper->supervisor == 0)
    return;
  bz_pidfd_send_signal (keeper->supervisor_pidfd, SIGKILL);
  forget_supervisor (keeper);
}

/* --- listeners --- */

static gboolean
on_listener_end (gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  BzKeeper *keeper = data;
  GVariantDict body;

  for (guint i = 0; i < BZ_LOOP_LISTENERS; i++)
    {
      if (keeper->listeners[i].fd != fd)
        continue;
      close (fd);
      keeper->listeners[i].fd = -1;
      g_variant_dict_init (&body, NULL);
      g_variant_dict_insert (&body, "index", "u", i);
      bz_message_send (keeper->supervisor_socket, "remove", g_variant_dict_end (&body), NULL, 0,
                       NULL);
    }
  return G_SOURCE_REMOVE;
}

void
bz_keeper_close_listeners (BzKeeper *keeper)
{
  for (guint i = 0; i < BZ_LOOP_LISTENERS; i++)
    {
      BzKeptListener *kept = &keeper->listeners[i];
      if (kept->fd < 0)
        continue;
      g_source_remove (kept->source);
      close (kept->fd);
      kept->fd = -1;
    }
}

gboolean
bz_keeper_add_listener (BzKeeper *keeper, int listener, GError **error)
{
  for (guint i = 0; i < BZ_LOOP_LISTENERS; i++)
    {
      BzKeptListener *kept = &keeper->listeners[i];
      if (kept->fd >= 0)
        continue;
      kept->fd = listener;
      /* POLLHUP comes when no task has the filter any more (Linux 5.9); asking for
       * nothing else, the keeper is not woken by notifications. */
      kept->source = g_unix_fd_add (listener, G_IO_HUP, on_listener_end, keeper);
      send_listener (keeper, i);
      return TRUE;
    }
  close (listener);
  return bz_fail (error, BZ_ERROR_STATE, "too many programs have joined it",
                  "end some of them first", "cannot join the zone");
}
