/* The console of a zone that boots: somebody always reads it.
 *
 * Facts: a pty whose master nobody reads blocks its writers after some kilobytes: an init that
 * says much would stop in the middle of a boot. A master whose slaves are all closed gives EIO and
 * a hang-up that does not end (inits open their console only while they write), and vhangup(2),
 * which every getty and login call, makes what was open before useless for writing but counts as
 * open all the same.
 *
 * Choice: the keeper holds each terminal open from both ends and reads all of it. The console's
 * text goes to the log; clients see the console or another terminal. A client that does not read loses
 * bytes; nobody waits for it. */
#include "config.h"

#include "loader/keeper-console.h"

#include "brand/base/error.h"
#include "loader/console-log.h"
#include "loader/console-text.h"
#include "loader/terminals.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 32
#define CLIENT_BUFFER (1024 * 1024)

typedef struct {
  BzConsole *console;
  gboolean first; /* the console itself */
  int master, slave;
  guint source;
} Terminal;

typedef struct {
  BzConsole *console;
  Terminal *terminal;
  int fd;
  gboolean plain;
  guint source;
} Client;

struct BzConsole {
  char *path;
  BzConsoleLog *log;
  BzTextFilter filter;
  Terminal terminals[BZ_TERMINALS_MAX];
  GPtrArray *clients; /* of Client */
};

static void
free_client (gpointer data)
{
  Client *client = data;

  if (client->source != 0)
    g_source_remove (client->source);
  close (client->fd);
  g_free (client);
}

BzConsole *
bz_console_new (const char *log)
{
  BzConsole *console = g_new0 (BzConsole, 1);

  console->path = g_strdup (log);
  console->log = bz_console_log_open (log);
  console->clients = g_ptr_array_new_with_free_func (free_client);
  for (guint i = 0; i < BZ_TERMINALS_MAX; i++)
    console->terminals[i] =
        (Terminal){ .console = console, .first = i == 0, .master = -1, .slave = -1 };
  return console;
}

/* --- from the zone --- */

static void
tell_clients (const Terminal *terminal, const char *bytes, gsize length, const char *text,
              gsize text_length)
{
  const GPtrArray *clients = terminal->console->clients;

  for (guint i = 0; i < clients->len; i++)
    {
      const Client *client = g_ptr_array_index (clients, i);
      if (client->terminal != terminal)
        continue;
      (void) !send (client->fd, client->plain ? text : bytes, client->plain ? text_length : length,
                    MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

/* What the console says. */
static void
publish (BzConsole *console, const char *bytes, gsize length)
{
  g_autofree char *text = g_malloc (length + 1);
  gsize text_length = bz_text_filter (&console->filter, bytes, length, text);

  bz_console_log_append (console->log, text, text_length);
  tell_clients (&console->terminals[0], bytes, length, text, text_length);
}

static gboolean
on_output (gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  Terminal *terminal = data;
  char bytes[4096];
  ssize_t got = read (fd, bytes, sizeof bytes);

  if (got > 0 && terminal->first)
    publish (terminal->console, bytes, (gsize) got);
  else if (got > 0)
    tell_clients (terminal, bytes, (gsize) got, NULL, 0);
  if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
    return G_SOURCE_CONTINUE;
  terminal->source = 0; /* the other side is gone although it is held: nothing more can come */
  return G_SOURCE_REMOVE;
}

gboolean
bz_console_connect (BzConsole *console, BzMessage *terminals, GError **error)
{
  if (terminals->fd_count == 0 || terminals->fd_count > BZ_TERMINALS_MAX)
    return bz_fail (error, BZ_ERROR_FAILED, "it has no terminals", NULL, "cannot start the zone");
  console->filter = (BzTextFilter){ 0 };
  for (guint i = 0; i < terminals->fd_count; i++)
    {
      Terminal *terminal = &console->terminals[i];
      terminal->master = bz_message_take_fd (terminals, i);
      fcntl (terminal->master, F_SETFL, O_RDWR | O_NONBLOCK);
      /* Linux 4.13; without it the terminal is read as long as the zone has it open. */
      terminal->slave = ioctl (terminal->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
      terminal->source = g_unix_fd_add (terminal->master, G_IO_IN, on_output, terminal);
    }
  return TRUE;
}

void
bz_console_disconnect (BzConsole *console)
{
  for (guint i = 0; i < BZ_TERMINALS_MAX; i++)
    {
      Terminal *terminal = &console->terminals[i];
      if (terminal->source != 0)
        g_source_remove (terminal->source);
      terminal->source = 0;
      if (terminal->slave >= 0)
        close (terminal->slave);
      /* The last words; they are few: a pty holds no more than some kilobytes. */
      while (terminal->first && terminal->master >= 0)
        {
          char bytes[4096];
          ssize_t got = read (terminal->master, bytes, sizeof bytes);
          if (got <= 0)
            break;
          publish (console, bytes, (gsize) got);
        }
      if (terminal->master >= 0)
        close (terminal->master);
      terminal->slave = terminal->master = -1;
    }
}

void
bz_console_say (BzConsole *console, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *line = g_strdup_printf ("\r\nbrandzone: %s\r\n", text);
  publish (console, line, strlen (line));
}

/* --- clients --- */

static gboolean
on_input (gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  Client *client = data;
  int master = client->terminal->master;
  char bytes[1024];
  ssize_t got = recv (fd, bytes, sizeof bytes, MSG_DONTWAIT);

  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;
  if (got <= 0)
    {
      client->source = 0; /* removed by returning */
      g_ptr_array_remove_fast (client->console->clients, client);
      return G_SOURCE_REMOVE;
    }
  /* What a full terminal has no room for is lost, as on a serial line. */
  if (!client->plain && master >= 0)
    (void) !write (master, bytes, (gsize) got);
  return G_SOURCE_CONTINUE;
}

static void
replay_log (const BzConsole *console, int fd, guint bytes)
{
  if (console->path == NULL || bytes == 0)
    return;
  g_autoptr (GString) text = bz_console_log_tail (console->path, bytes);
  (void) !send (fd, text->str, text->len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
add_client (BzConsole *console, int fd, guint terminal, gboolean plain)
{
  Client *client = g_new0 (Client, 1);

  *client = (Client){ .console = console,
                      .terminal = &console->terminals[terminal - 1],
                      .fd = fd,
                      .plain = plain };
  client->source = g_unix_fd_add (fd, G_IO_IN, on_input, client);
  g_ptr_array_add (console->clients, client);
}

int
bz_console_join (BzConsole *console, guint terminal, guint replay, gboolean plain, GError **error)
{
  const int room = CLIENT_BUFFER;
  int pair[2];

  if (terminal == 0 || terminal > BZ_TERMINALS_MAX || console->terminals[terminal - 1].master < 0)
    {
      bz_fail (error, BZ_ERROR_STATE, "the zone has no such terminal",
               "leave --terminal out for its console", "cannot attach to /dev/tty%u", terminal);
      return -1;
    }
  if (console->clients->len >= CLIENTS_MAX)
    {
      bz_fail (error, BZ_ERROR_STATE, "too many are attached to it", "detach some of them first",
               "cannot attach to the console");
      return -1;
    }
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    {
      bz_fail_errno (error, errno, NULL, "cannot make a socket pair");
      return -1;
    }
  setsockopt (pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  if (terminal == 1)
    replay_log (console, pair[0], MIN (replay, BZ_CONSOLE_LOG_MAX / 2));
  add_client (console, pair[0], terminal, plain && terminal == 1);
  return pair[1];
}

void
bz_console_resize (BzConsole *console, guint terminal, guint rows, guint columns)
{
  struct winsize size = { .ws_row = (unsigned short) MIN (rows, 1000),
                          .ws_col = (unsigned short) MIN (columns, 1000) };

  if (terminal > 0 && terminal <= BZ_TERMINALS_MAX && console->terminals[terminal - 1].master >= 0
      && rows > 0 && columns > 0)
    ioctl (console->terminals[terminal - 1].master, TIOCSWINSZ, &size);
}

/* --- for the next program --- */

void
bz_console_leave (const BzConsole *console, BzHandOver *left)
{
  int masters[BZ_TERMINALS_MAX], slaves[BZ_TERMINALS_MAX];
  GVariantBuilder clients;

  for (guint i = 0; i < BZ_TERMINALS_MAX; i++)
    {
      masters[i] = console->terminals[i].master;
      slaves[i] = console->terminals[i].slave;
    }
  bz_hand_over_fds (left, "console-masters", masters, BZ_TERMINALS_MAX);
  bz_hand_over_fds (left, "console-slaves", slaves, BZ_TERMINALS_MAX);
  g_variant_dict_insert (&left->values, "console-filter", "u", (guint32) console->filter.state);
  g_variant_builder_init (&clients, G_VARIANT_TYPE ("a(iub)"));
  for (guint i = 0; i < console->clients->len; i++)
    {
      const Client *client = g_ptr_array_index (console->clients, i);
      g_variant_builder_add (&clients, "(iub)", (gint32) client->fd,
                             (guint32) (client->terminal - console->terminals) + 1, client->plain);
      g_array_append_val (left->fds, client->fd);
    }
  g_variant_dict_insert_value (&left->values, "console-clients", g_variant_builder_end (&clients));
}

static void
take_terminals (BzConsole *console, GVariantDict *values, gboolean *bad)
{
  int masters[BZ_TERMINALS_MAX], slaves[BZ_TERMINALS_MAX];

  bz_hand_over_take_fds (values, "console-masters", masters, BZ_TERMINALS_MAX, bad);
  bz_hand_over_take_fds (values, "console-slaves", slaves, BZ_TERMINALS_MAX, bad);
  for (guint i = 0; i < BZ_TERMINALS_MAX && !*bad; i++)
    {
      Terminal *terminal = &console->terminals[i];
      terminal->master = masters[i];
      terminal->slave = slaves[i];
      if (terminal->master >= 0)
        terminal->source = g_unix_fd_add (terminal->master, G_IO_IN, on_output, terminal);
    }
}

gboolean
bz_console_take (BzConsole *console, GVariantDict *values)
{
  g_autoptr (GVariant) clients =
      g_variant_dict_lookup_value (values, "console-clients", G_VARIANT_TYPE ("a(iub)"));
  guint32 filter = BZ_TEXT_PLAIN, terminal;
  gboolean plain, bad = clients == NULL;
  GVariantIter iter;
  gint32 fd;

  g_variant_dict_lookup (values, "console-filter", "u", &filter);
  console->filter.state = filter <= BZ_TEXT_STRING ? filter : BZ_TEXT_PLAIN;
  take_terminals (console, values, &bad);
  if (bad)
    return FALSE;
  g_variant_iter_init (&iter, clients);
  while (g_variant_iter_next (&iter, "(iub)", &fd, &terminal, &plain))
    if (fcntl (fd, F_SETFD, FD_CLOEXEC) != 0 || terminal == 0 || terminal > BZ_TERMINALS_MAX)
      bad = TRUE;
    else
      add_client (console, fd, terminal, plain);
  return !bad;
}

void
bz_console_free (BzConsole *console)
{
  if (console == NULL)
    return;
  bz_console_disconnect (console);
  g_ptr_array_unref (console->clients);
  bz_console_log_close (console->log);
  g_free (console->path);
  g_free (console);
}
