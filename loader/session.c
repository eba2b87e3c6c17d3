/* What joins a zone on a terminal, and stays when its user's terminal goes.
 *
 * Problem: `exec` and `login` are the parents of what they start, and have its terminal: who leaves
 * them, or loses the line, hangs it up.
 * Facts: only a parent learns an exit status. A joining program takes over what its parent is: limits,
 * nice value, audit session; the zone's keeper has others, and its zone's first process is its own child.
 * Choice: a process between the two holds the session: a fork of the command line's, in a
 * session of its own, that joins the zone, keeps the terminal's master and the last text while nobody is
 * attached, and waits for the end. The keeper only knows who holds which session, and hands on
 * the connections of those that come back. It is refreshed without them noticing.
 * A session that ends while nobody is there keeps its text and exit status until somebody has come for it.
 * Limits: BZ_SESSIONS_MAX of them; who comes after is hung up when he leaves. They end with the zone. */
#include "config.h"

#include "loader/session.h"

#include "brand/base/error.h"
#include "loader/attend.h"
#include "loader/client.h"
#include "loader/kept-text.h"
#include "loader/kernel.h"
#include "loader/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

typedef struct {
  guint number;   /* 0: it cannot be come back to */
  int keeper;     /* -1: it has gone, or forgets this session */
  int client;     /* who is attached, or -1 */
  BzJoined joined;
  int slave;      /* held, so that login(1) may close the terminal and open it again; or -1 */
  gboolean open;  /* more may come from the terminal */
  gboolean ended;
  int status;
  BzKeptText kept;
} Session;

/* --- the process that holds it --- */

static void
tell_keeper (const Session *session)
{
  GVariantDict body;

  if (session->keeper < 0 || session->number == 0)
    return;
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "attached", "b", session->client >= 0);
  g_variant_dict_insert (&body, "ended", "b", session->ended);
  g_variant_dict_insert (&body, "status", "i", (gint32) session->status);
  bz_message_send (session->keeper, "session-state", g_variant_dict_end (&body), NULL, 0, NULL);
}

static void
forget_keeper (Session *session)
{
  if (session->keeper >= 0)
    close (session->keeper);
  session->keeper = -1;
}

/* What a line does that goes dead. Stays until the program has ended: it is its parent. */
static void
hang_up (Session *session)
{
  if (session->slave >= 0)
    close (session->slave);
  close (session->joined.terminal);
  session->slave = session->joined.terminal = -1;
  session->open = FALSE;
  session->number = 0;
  forget_keeper (session);
}

static void
tell_end (const Session *session)
{
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "status", "i", (gint32) session->status);
  bz_message_send (session->client, "ended", g_variant_dict_end (&body), NULL, 0, NULL);
}

/* A pty holds no more than some kilobytes; what still runs in the background may go on writing. */
static void
take_last_words (Session *session)
{
  for (guint i = 0; i < 16 && session->open; i++)
    {
      errno = 0;
      session->open = bz_kept_text_read (&session->kept, session->joined.terminal) && errno != EAGAIN;
    }
  session->open = FALSE;
}

/* The program has ended. Returns whether somebody may yet come for its status. */
static gboolean
take_end (Session *session)
{
  if (waitpid (session->joined.pid, &session->status, WNOHANG) == 0)
    return TRUE;
  session->ended = TRUE;
  if (session->client >= 0)
    {
      tell_end (session);
      return FALSE;
    }
  take_last_words (session);
  tell_keeper (session);
  return session->keeper >= 0 && session->number != 0;
}

static void
lose_client (Session *session)
{
  close (session->client);
  session->client = -1;
  if (session->number == 0)
    {
      hang_up (session);
      return;
    }
  /* The client may have been killed and have left it as it liked. */
  fcntl (session->joined.terminal, F_SETFL, O_RDWR | O_NONBLOCK);
  session->open = TRUE;
  tell_keeper (session);
}

static void
serve_client (Session *session)
{
  g_autoptr (BzMessage) message = bz_message_receive (session->client, NULL, NULL);
  gint32 sig = 0;

  if (message == NULL)
    lose_client (session);
  else if (strcmp (message->kind, "signal") == 0
           && g_variant_dict_lookup (message->body, "signal", "i", &sig) && sig > 0 && sig < NSIG)
    bz_pidfd_send_signal (session->joined.pidfd, sig);
}

static void
refuse (int client)
{
  g_autoptr (GError) error = NULL;

  bz_fail (&error, BZ_ERROR_STATE, "somebody is attached to it",
           "join the zone with `brandzone exec -it`", "cannot attach to the session");
  bz_message_send_error (client, error, NULL);
  close (client);
}

static void
take_client (Session *session, int client)
{
  GVariantDict body;

  if (client < 0)
    return;
  if (session->client >= 0)
    {
      refuse (client);
      return;
    }
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert_value (&body, "text", bz_kept_text_to_variant (&session->kept));
  if (!session->ended)
    bz_terminal_ask_to_redraw (session->joined.terminal);
  if (!bz_message_send (client, "attach", g_variant_dict_end (&body), &session->joined.terminal,
                        session->ended ? 0 : 1, NULL))
    {
      close (client);
      return;
    }
  g_string_truncate (session->kept.text, 0);
  session->client = client;
  tell_keeper (session);
}

/* FALSE: nobody will come any more, and nothing is left to wait for. */
static gboolean
serve_keeper (Session *session)
{
  g_autoptr (BzMessage) message = bz_message_receive (session->keeper, NULL, NULL);

  if (message == NULL)
    {
      forget_keeper (session);
      return !session->ended;
    }
  if (strcmp (message->kind, "attach") == 0)
    take_client (session, bz_message_take_fd (message, 0));
  else if (strcmp (message->kind, "hang-up") == 0 && session->client < 0)
    hang_up (session);
  if (session->ended && session->client >= 0)
    tell_end (session);
  return !session->ended || (session->client < 0 && session->keeper >= 0);
}

/* Whoever is attached is looked at first: who left him may be the one who comes next. */
static void
hold (Session *session)
{
  gboolean more = TRUE;

  while (more)
    {
      struct pollfd fds[] = {
        { session->keeper, POLLIN, 0 },
        { session->client, POLLIN, 0 },
        { session->client < 0 && session->open ? session->joined.terminal : -1, POLLIN, 0 },
        { session->ended ? -1 : session->joined.pidfd, POLLIN, 0 },
      };
      if (poll (fds, G_N_ELEMENTS (fds), -1) < 0)
        continue; /* EINTR */
      if (fds[1].revents != 0)
        serve_client (session);
      if (fds[2].revents != 0)
        session->open = bz_kept_text_read (&session->kept, session->joined.terminal);
      if (fds[3].revents != 0)
        more = take_end (session);
      if (more && fds[0].revents != 0 && session->keeper >= 0)
        more = serve_keeper (session);
    }
}

/* The descriptors that stay become 3 and up; the caller's streams are its own. */
static void
drop_others (int **kept, guint count)
{
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);

  for (guint i = 0; i < count; i++)
    if (*kept[i] >= 0)
      *kept[i] = fcntl (*kept[i], F_DUPFD_CLOEXEC, 64);
  for (int i = 0; i < 3; i++)
    dup2 (null, i);
  int next = 3;
  for (guint i = 0; i < count; i++)
    if (*kept[i] >= 0)
      {
        dup3 (*kept[i], next, O_CLOEXEC);
        *kept[i] = next++;
      }
  bz_close_range ((unsigned) next, ~0U, 0);
}

/* Refused by a keeper that knows no sessions, or has no room: then it cannot be come back to. */
static void
tell_name (Session *session, const BzCommand *command)
{
  g_autofree char *words = g_strjoinv (" ", command->argv);
  guint32 number = 0;
  guint pts = 0;
  GVariantDict body;

  ioctl (session->joined.terminal, TIOCGPTN, &pts);
  g_autofree char *terminal = g_strdup_printf ("pts/%u", pts);
  g_autofree char *valid = g_utf8_make_valid (words, (gssize) MIN (strlen (words), 120));
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "command", "s", valid);
  g_variant_dict_insert (&body, "terminal", "s", terminal);
  g_autoptr (BzMessage) answer =
      bz_client_ask (session->keeper, "session", g_variant_dict_end (&body), NULL, 0, NULL);
  if (answer != NULL)
    g_variant_dict_lookup (answer->body, "number", "u", &number);
  session->number = number;
}

static gboolean
tell_started (const Session *session)
{
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "session", "u", (guint32) session->number);
  return bz_message_send (session->client, "started", g_variant_dict_end (&body),
                          &session->joined.terminal, 1, NULL);
}

static G_GNUC_NORETURN void
be_holder (BzJoin *join, const BzCommand *command, int client)
{
  g_autoptr (GError) error = NULL;
  Session session = { .client = client, .slave = -1 };
  int *kept[] = { &session.keeper, &session.client, &session.joined.pidfd, &session.joined.terminal,
                  &session.slave };

  setsid ();
  prctl (PR_SET_NAME, "bz-session");
  if (chdir ("/") != 0 || !bz_join_start (join, &session.joined, &error))
    {
      if (error == NULL)
        bz_fail_errno (&error, errno, NULL, "cannot enter /");
      bz_message_send_error (client, error, NULL);
      _exit (BZ_EXIT_BRANDZONE);
    }
  session.keeper = bz_join_take_connection (join);
  bz_join_free (join);
  session.slave = ioctl (session.joined.terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  drop_others (kept, G_N_ELEMENTS (kept));
  signal (SIGPIPE, SIG_IGN);
  bz_kept_text_init (&session.kept);
  tell_name (&session, command);
  if (!tell_started (&session))
    lose_client (&session);
  else
    tell_keeper (&session);
  hold (&session);
  _exit (0);
}

/* --- who is attached --- */

static gboolean
attend_started (BzOwner *owner, GError **error)
{
  g_autoptr (BzMessage) started = bz_owner_await_started (owner->connection, error);
  guint32 number = 0;

  if (started == NULL)
    return FALSE;
  int terminal = bz_message_take_fd (started, 0);
  g_variant_dict_lookup (started->body, "session", "u", &number);
  owner->session = number;
  gboolean good = bz_owner_attend (owner, terminal, TRUE, error);
  if (terminal >= 0)
    close (terminal);
  return good;
}

gboolean
bz_session_run (BzJoin *join, const BzCommand *command, BzEnd *end, GError **error)
{
  BzOwner owner = { .end = end };
  int pair[2];

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    {
      bz_fail_errno (error, errno, NULL, "cannot make a socket pair");
      bz_join_free (join);
      return FALSE;
    }
  pid_t pid = fork ();
  int saved = errno;
  if (pid == 0)
    {
      close (pair[0]);
      be_holder (join, command, pair[1]);
    }
  close (pair[1]);
  bz_join_free (join);
  owner.connection = pair[0];
  gboolean good = pid > 0 ? attend_started (&owner, error)
                          : bz_fail_errno (error, saved, NULL, "cannot fork");
  close (pair[0]);
  while (pid > 0 && owner.ended && waitpid (pid, NULL, 0) < 0 && errno == EINTR)
    ;
  return good;
}

/* The request about a session; its answer has the connection to who holds it, if any. */
static BzMessage *
ask_for (const char *run_dir, const char *kind, guint session, GError **error)
{
  int connection = bz_client_connect (run_dir, error);
  GVariantDict body;

  if (connection < 0)
    return NULL;
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "session", "u", (guint32) session);
  BzMessage *answer =
      bz_client_ask (connection, kind, g_variant_dict_end (&body), NULL, 0, error);
  close (connection);
  return answer;
}

gboolean
bz_loader_attach_session (const char *run_dir, guint session, BzEnd *end, GError **error)
{
  BzOwner owner = { .end = end, .session = session };
  g_autoptr (BzMessage) answer = ask_for (run_dir, "attach", session, error);
  sigset_t saved_mask;

  *end = (BzEnd){ 0 };
  if (answer == NULL)
    return FALSE;
  owner.connection = bz_message_take_fd (answer, 0);
  g_autoptr (BzMessage) attached = bz_message_receive (owner.connection, NULL, error);
  gboolean good = attached != NULL && bz_message_check (attached, error);
  if (good)
    {
      int terminal = bz_message_take_fd (attached, 0);
      bz_owner_show_text (attached);
      bz_attend_hold_signals (&saved_mask);
      good = bz_owner_attend (&owner, terminal, TRUE, error);
      sigprocmask (SIG_SETMASK, &saved_mask, NULL);
      if (terminal >= 0)
        close (terminal);
    }
  if (owner.connection >= 0)
    close (owner.connection);
  return good;
}

gboolean
bz_loader_hang_up_session (const char *run_dir, guint session, GError **error)
{
  g_autoptr (BzMessage) answer = ask_for (run_dir, "hang-up", session, error);

  return answer != NULL;
}

static void
free_session (gpointer data)
{
  BzSession *session = data;

  g_free (session->command);
  g_free (session->terminal);
  g_free (session);
}

static BzSession *
parse_session (GVariant *values)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (values);
  BzSession *session = g_new0 (BzSession, 1);
  guint32 number = 0;
  gint32 status = 0;

  g_variant_dict_lookup (&dict, "number", "u", &number);
  g_variant_dict_lookup (&dict, "command", "s", &session->command);
  g_variant_dict_lookup (&dict, "terminal", "s", &session->terminal);
  g_variant_dict_lookup (&dict, "started", "x", &session->started);
  g_variant_dict_lookup (&dict, "attached", "b", &session->attached);
  g_variant_dict_lookup (&dict, "ended", "b", &session->ended);
  g_variant_dict_lookup (&dict, "status", "i", &status);
  session->number = number;
  session->end.wait_status = status;
  return session;
}

GPtrArray *
bz_loader_sessions (const char *run_dir, GError **error)
{
  g_autoptr (GPtrArray) sessions = g_ptr_array_new_with_free_func (free_session);
  g_autoptr (BzMessage) answer = ask_for (run_dir, "sessions", 0, error);
  GVariantIter iter;
  GVariant *values;

  if (answer == NULL)
    return NULL;
  g_autoptr (GVariant) list =
      g_variant_dict_lookup_value (answer->body, "sessions", G_VARIANT_TYPE ("aa{sv}"));
  if (list == NULL)
    return g_steal_pointer (&sessions);
  g_variant_iter_init (&iter, list);
  while (g_variant_iter_loop (&iter, "@a{sv}", &values))
    g_ptr_array_add (sessions, parse_session (values));
  return g_steal_pointer (&sessions);
}
