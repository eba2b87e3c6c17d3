/* The keeper's sockets: the owner's connection and the control socket. */
#include "config.h"

#include "loader/keeper-private.h"

#include "brand/base/error.h"
#include "loader/kernel.h"
#include "loader/net/live.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

typedef gboolean (*Request) (BzKeeper *keeper, int client, BzMessage *message, GError **error);

/* --- requests --- */

static gboolean
answer_info (BzKeeper *keeper, int client, BzMessage *message, GError **error)
{
  g_auto (GVariantDict) body = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&body, "keeper", "i", (gint32) getpid ());
  g_variant_dict_insert (&body, "supervisor", "i", (gint32) keeper->supervisor);
  g_variant_dict_insert (&body, "init", "i", (gint32) keeper->init);
  g_variant_dict_insert (&body, "version", "s", PACKAGE_VERSION);
  g_variant_dict_insert (&body, "started", "x", keeper->started);
  g_variant_dict_insert (&body, "terminal", "b", keeper->terminal >= 0);
  g_variant_dict_insert (&body, "sessions", "u", (guint32) bz_keeper_left_sessions (keeper));
  g_variant_dict_insert (&body, "booted", "b", keeper->console != NULL);
  if (bz_network_addresses (keeper->network) != NULL)
    g_variant_dict_insert (&body, "addresses", "s", bz_network_addresses (keeper->network));
  return bz_message_send (client, message->kind, g_variant_dict_end (&body), NULL, 0, error);
}

static gboolean
answer_addresses (BzKeeper *keeper, int client, BzMessage *message, GError **error)
{
  g_autofree char *addresses = bz_network_live_addresses (keeper->namespaces);
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "addresses", "s", addresses);
  return bz_message_send (client, message->kind, g_variant_dict_end (&body), NULL, 0, error);
}

/* The journal's memory, reopened so that the client can only read. */
static int
open_journal_read_only (const BzKeeper *keeper)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", keeper->journal);

  return keeper->journal < 0 ? -1 : open (path, O_RDONLY | O_CLOEXEC);
}

static gboolean
answer_journal (BzKeeper *keeper, int client, BzMessage *message, GError **error)
{
  int fd = open_journal_read_only (keeper);

  if (fd < 0)
    return bz_fail (error, BZ_ERROR_STATE, "its brand needs no answers", NULL,
                    "cannot count the calls of zone %s", keeper->partition->name);
  gboolean sent = bz_message_send (client, message->kind, NULL, &fd, 1, error);
  close (fd);
  return sent;
}

static gboolean
answer_trace (BzKeeper *keeper, int client, BzMessage *message, GError **error)
{
  int pair[2];

  if (keeper->supervisor == 0)
    return bz_fail (error, BZ_ERROR_STATE, "its brand needs no answers", NULL,
                    "cannot trace the calls of zone %s", keeper->partition->name);
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make a socket pair");
  gboolean sent = bz_message_send (keeper->supervisor_socket, "subscribe", NULL, &pair[0], 1, error)
                  && bz_message_send (client, message->kind, NULL, &pair[1], 1, error);
  close (pair[0]);
  close (pair[1]);
  return sent;
}

/* The first process of a zone that stands still (frozen, or stopped from the host) takes none: what its
 * socket has no room for is lost, as a signal is that pends already. The keeper waits for nobody. */
void
bz_keeper_signal (BzKeeper *keeper, int sig)
{
  struct pollfd room = { .fd = keeper->init_socket, .events = POLLOUT };
  GVariantDict body;

  if (poll (&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0)
    return;
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "signal", "i", (gint32) sig);
  bz_message_send (keeper->init_socket, "signal", g_variant_dict_end (&body), NULL, 0, NULL);
}

static gboolean
answer_signal (BzKeeper *keeper, int client G_GNUC_UNUSED, BzMessage *message,
               GError **error G_GNUC_UNUSED)
{
  gint32 sig = 0;

  if (g_variant_dict_lookup (message->body, "signal", "i", &sig) && sig > 0 && sig < NSIG)
    bz_keeper_signal (keeper, sig);
  return TRUE;
}

static gboolean
answer_stop (BzKeeper *keeper, int client G_GNUC_UNUSED, BzMessage *message,
             GError **error G_GNUC_UNUSED)
{
  guint32 grace = 0;

  g_variant_dict_lookup (message->body, "grace", "u", &grace);
  bz_keeper_stop (keeper, grace);
  return TRUE; /* the client waits for the end of its connection */
}

/* --- the console --- */

static gboolean
answer_halt (BzKeeper *keeper, int client, BzMessage *message, GError **error)
{
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  if (keeper->console != NULL && keeper->partition->halt_command != NULL)
    g_variant_dict_insert_value (
        &body, "command",
        g_variant_new_bytestring_array ((const char *const *) keeper->partition->halt_command, -1));
  return bz_message_send (client, message->kind, g_variant_dict_end (&body), NULL, 0, error);
}

static gboolean
answer_console (BzKeeper *keeper, int client, BzMessage *message, GError **error)
{
  guint32 replay = 0, terminal = 1;
  gboolean plain = FALSE;

  if (keeper->console == NULL)
    return bz_fail (error, BZ_ERROR_STATE, "it runs a command and has not booted",
                    "start it with `brandzone start`", "cannot attach to the console of zone %s",
                    keeper->partition->name);
  g_variant_dict_lookup (message->body, "replay", "u", &replay);
  g_variant_dict_lookup (message->body, "plain", "b", &plain);
  g_variant_dict_lookup (message->body, "terminal", "u", &terminal);
  int fd = bz_console_join (keeper->console, terminal, replay, plain, error);
  if (fd < 0)
    return FALSE;
  gboolean sent = bz_message_send (client, message->kind, NULL, &fd, 1, error);
  close (fd);
  return sent;
}

static gboolean
answer_winsize (BzKeeper *keeper, int client G_GNUC_UNUSED, BzMessage *message,
                GError **error G_GNUC_UNUSED)
{
  guint32 rows = 0, columns = 0, terminal = 1;

  g_variant_dict_lookup (message->body, "rows", "u", &rows);
  g_variant_dict_lookup (message->body, "columns", "u", &columns);
  g_variant_dict_lookup (message->body, "terminal", "u", &terminal);
  if (keeper->console != NULL)
    bz_console_resize (keeper->console, terminal, rows, columns);
  return TRUE;
}

/* --- holding it still --- */

static gboolean
answer_freeze (BzKeeper *keeper, int client, BzMessage *message, GError **error)
{
  GVariantDict body;
  gboolean known = FALSE;

  if (keeper->stopping || !bz_cgroup_freeze (keeper->cgroup, TRUE))
    {
      g_autofree char *hint = g_strdup_printf (
          "stop it first: brandzone stop %s; `brandzone doctor` tells how it gets one, at cgroup",
          keeper->partition->name);
      return bz_fail (error, BZ_ERROR_HOST, "it has no cgroup that can be frozen", hint,
                      "cannot hold zone %s still", keeper->partition->name);
    }
  if (keeper->freezers == NULL)
    keeper->freezers = g_array_new (FALSE, FALSE, sizeof (int));
  for (guint i = 0; i < keeper->freezers->len; i++)
    known |= g_array_index (keeper->freezers, int, i) == client;
  if (!known)
    g_array_append_val (keeper->freezers, client);
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "frozen", "b", bz_cgroup_is_frozen (keeper->cgroup));
  return bz_message_send (client, message->kind, g_variant_dict_end (&body), NULL, 0, error);
}

/* The last one lets it go on. */
static void
end_freeze (BzKeeper *keeper, int client)
{
  guint before = keeper->freezers != NULL ? keeper->freezers->len : 0;

  for (guint i = 0; i < (keeper->freezers != NULL ? keeper->freezers->len : 0); i++)
    if (g_array_index (keeper->freezers, int, i) == client)
      g_array_remove_index_fast (keeper->freezers, i--);
  if (before > 0 && keeper->freezers->len == 0)
    bz_cgroup_freeze (keeper->cgroup, FALSE);
}

/* --- joining --- */

/* What a joining process needs: the partition, the namespaces, the cgroups. unified: a group of the
 * unified hierarchy. */
static gboolean
send_zone (BzKeeper *keeper, int client, BzMessage *message, int unified, GError **error)
{
  g_auto (GVariantDict) body = G_VARIANT_DICT_INIT (NULL);
  int fds[BZ_MESSAGE_FDS] = { keeper->options->spec };
  guint count = 1, tasks;
  const int *task_fds = bz_cgroup_tasks (keeper->cgroup, &tasks);
  guint32 set = 0;

  for (guint i = 0; i < BZ_NAMESPACE_COUNT; i++)
    if (keeper->namespaces[i] >= 0)
      {
        set |= 1u << i;
        fds[count++] = keeper->namespaces[i];
      }
  g_variant_dict_insert (&body, "namespaces", "u", set);
  g_variant_dict_insert (&body, "unified", "b", unified >= 0);
  if (unified >= 0)
    fds[count++] = unified;
  for (guint i = 0; i < tasks && count < BZ_MESSAGE_FDS; i++)
    fds[count++] = task_fds[i];
  return bz_message_send (client, message->kind, g_variant_dict_end (&body), fds, count, error);
}

static gboolean
answer_join (BzKeeper *keeper, int client, BzMessage *message, GError **error)
{
  int group = bz_cgroup_open_joined (keeper->cgroup, keeper->partition);
  gboolean good = send_zone (keeper, client, message,
                             group >= 0 ? group : bz_cgroup_unified (keeper->cgroup), error);

  if (group >= 0)
    close (group);
  return good;
}

static gboolean
answer_listener (BzKeeper *keeper, int client, BzMessage *message, GError **error)
{
  int listener = bz_message_take_fd (message, 0);

  if (listener >= 0 && keeper->supervisor == 0)
    {
      close (listener);
      return bz_fail (error, BZ_ERROR_STATE, "its brand needs no answers", NULL,
                      "cannot join the zone");
    }
  if (listener < 0)
    return bz_fail (error, BZ_ERROR_INPUT, "it brings no listener", NULL, "cannot join the zone");
  return bz_keeper_add_listener (keeper, listener, error)
         && bz_message_send (client, message->kind, NULL, NULL, 0, error);
}

static const struct {
  const char *kind;
  Request answer;
} requests[] = {
  { "info", answer_info },         { "addresses", answer_addresses },
         { "journal", answer_journal }, { "trace", answer_trace },
  { "signal", answer_signal },     { "stop", answer_stop },       { "join", answer_join },
  { "listener", answer_listener }, { "halt", answer_halt },       { "console", answer_console },
  { "winsize", answer_winsize },   { "attach", bz_keeper_answer_attach },
  { "freeze", answer_freeze },     { "refresh", bz_keeper_answer_refresh },
  { "session", bz_keeper_answer_session }, { "session-state", bz_keeper_note_session },
  { "sessions", bz_keeper_answer_sessions }, { "hang-up", bz_keeper_answer_hang_up },
  { "mount", bz_keeper_answer_give }, { "umount", bz_keeper_answer_take },
};

static void
answer (BzKeeper *keeper, int client, BzMessage *message)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (requests); i++)
    if (strcmp (message->kind, requests[i].kind) == 0)
      {
        if (!requests[i].answer (keeper, client, message, &error))
          bz_message_send_error (client, error, NULL);
        return;
      }
  bz_fail (&error, BZ_ERROR_INPUT, "this version does not know it",
           "restart the zone if brandzone was upgraded", "cannot answer \"%s\"", message->kind);
  bz_message_send_error (client, error, NULL);
}

/* --- connections --- */

static void
forget_client (BzKeeper *keeper, int fd)
{
  if (keeper->refresher == fd)
    keeper->refresher = -1;
  bz_keeper_forget_session (keeper, fd);
  for (guint i = 0; i < keeper->clients->len; i++)
    if (g_array_index (keeper->clients, int, i) == fd)
      {
        g_array_remove_index_fast (keeper->clients, i);
        return;
      }
}

static gboolean
on_client (gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  BzKeeper *keeper = data;
  g_autoptr (BzMessage) message = bz_message_receive (fd, NULL, NULL);

  if (message != NULL)
    {
      answer (keeper, fd, message);
      return G_SOURCE_CONTINUE;
    }
  if (fd == keeper->owner)
    {
      keeper->owner = -1;
      keeper->owner_source = 0;
      /* What stands in for a program ends with it, however that came about. */
      if (keeper->partition->idle)
        bz_pidfd_send_signal (keeper->init_pidfd, SIGKILL);
      bz_keeper_unwatch (keeper);
    }
  end_freeze (keeper, fd);
  forget_client (keeper, fd);
  close (fd);
  return G_SOURCE_REMOVE;
}

/* A client that does not read its answers may not stop the zone's keeper. */
static void
bound_waiting (int client)
{
  struct timeval second = { .tv_sec = 1 };

  setsockopt (client, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
  setsockopt (client, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
}

static gboolean
may_control (int client)
{
  struct ucred peer;
  socklen_t size = sizeof peer;

  return getsockopt (client, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0
         && (peer.uid == 0 || peer.uid == geteuid ());
}

/* Descriptors that clients leave to the zone: with none a message of the supervisor would lose those that it
 * brings, and a connection that can't be accepted stays in the queue and wakes the keeper for ever. */
#define DESCRIPTORS_LEFT 8

/* The lowest number that is free is given, so it tells how many are in use. */
static gboolean
is_one_too_many (const BzKeeper *keeper, int client)
{
  struct rlimit limit;

  return keeper->clients->len >= BZ_KEEPER_CLIENTS_MAX
         || (getrlimit (RLIMIT_NOFILE, &limit) == 0
             && (rlim_t) client + DESCRIPTORS_LEFT >= limit.rlim_cur);
}

static gboolean
on_connection (gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  BzKeeper *keeper = data;
  int client = accept4 (fd, NULL, NULL, SOCK_CLOEXEC);

  if (client < 0)
    return G_SOURCE_CONTINUE;
  if (!may_control (client) || is_one_too_many (keeper, client))
    {
      close (client);
      return G_SOURCE_CONTINUE;
    }
  bound_waiting (client);
  g_array_append_val (keeper->clients, client);
  g_unix_fd_add (client, G_IO_IN, on_client, data);
  return G_SOURCE_CONTINUE;
}

/* --- the socket --- */

static gboolean
make_run_dir (const char *path, GError **error)
{
  g_autofree char *control = g_build_filename (path, BZ_CONTROL_NAME, NULL);
  g_autofree char *parent = g_path_get_dirname (path);

  if (g_mkdir_with_parents (parent, 0711) != 0 || (mkdir (path, 0700) != 0 && errno != EEXIST))
    return bz_fail_errno (error, errno, NULL, "cannot make %s", path);
  /* A socket is left here only by a keeper that was killed: the zone's lock is ours. */
  if (unlink (control) != 0 && errno != ENOENT)
    return bz_fail_errno (error, errno, NULL, "cannot remove %s", control);
  return TRUE;
}

gboolean
bz_keeper_open_control (BzKeeper *keeper, GError **error)
{
  const char *run_dir = keeper->partition->run_dir;
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  if (!make_run_dir (run_dir, error))
    return FALSE;
  /* Run directories may be deeper than a socket's name is long: bind below the open directory. */
  int dir = open (run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
  g_snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" BZ_CONTROL_NAME, dir);
  keeper->control = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  gboolean good = dir >= 0 && keeper->control >= 0
                  && bind (keeper->control, (struct sockaddr *) &address, sizeof address) == 0
                  && listen (keeper->control, 16) == 0;
  int saved = errno;
  if (dir >= 0)
    close (dir);
  return good
         || bz_fail_errno (error, saved, NULL, "cannot open the control socket in %s", run_dir);
}

void
bz_keeper_serve (BzKeeper *keeper)
{
  gboolean owner_is_client = FALSE; /* who came back to a terminal */

  g_unix_fd_add (keeper->control, G_IO_IN, on_connection, keeper);
  for (guint i = 0; i < keeper->clients->len; i++) /* of the program before */
    {
      int client = g_array_index (keeper->clients, int, i);
      owner_is_client |= client == keeper->owner;
      g_unix_fd_add (client, G_IO_IN, on_client, keeper);
    }
  if (keeper->owner < 0 || owner_is_client)
    return;
  bound_waiting (keeper->owner);
  keeper->owner_source = g_unix_fd_add (keeper->owner, G_IO_IN, on_client, keeper);
}

void
bz_keeper_close_control (BzKeeper *keeper)
{
  g_autofree char *control = g_build_filename (keeper->partition->run_dir, BZ_CONTROL_NAME, NULL);
  g_autofree char *log = g_build_filename (keeper->partition->run_dir, "log", NULL);

  if (keeper->control >= 0)
    close (keeper->control);
  keeper->control = -1;
  unlink (control);
  unlink (log);
  rmdir (keeper->partition->run_dir);
}
