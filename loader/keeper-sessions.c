/* The sessions of a zone: who holds which. What a session is, and the protocol: session.c. */
#include "config.h"

#include "loader/keeper-private.h"

#include "brand/base/error.h"
#include "loader/session.h"

#include <errno.h>
#include <sys/socket.h>

typedef struct {
  int fd; /* connection of who holds it: one of the keeper's clients */
  guint number;
  char *command, *terminal;
  gint64 started;
  gboolean attached, ended;
  gint32 status;
} Session;

static void
free_session (gpointer data)
{
  Session *session = data;

  g_free (session->command);
  g_free (session->terminal);
  g_free (session);
}

static guint
count (const BzKeeper *keeper)
{
  return keeper->sessions != NULL ? keeper->sessions->len : 0;
}

static Session *
by_number (const BzKeeper *keeper, guint number)
{
  for (guint i = 0; i < count (keeper); i++)
    {
      Session *session = g_ptr_array_index (keeper->sessions, i);
      if (session->number == number)
        return session;
    }
  return NULL;
}

static Session *
by_fd (const BzKeeper *keeper, int fd)
{
  for (guint i = 0; i < count (keeper); i++)
    {
      Session *session = g_ptr_array_index (keeper->sessions, i);
      if (session->fd == fd)
        return session;
    }
  return NULL;
}

static Session *
add (BzKeeper *keeper, int fd, guint number)
{
  Session *session = g_new0 (Session, 1);

  if (keeper->sessions == NULL)
    keeper->sessions = g_ptr_array_new_with_free_func (free_session);
  session->fd = fd;
  session->number = number;
  g_ptr_array_add (keeper->sessions, session);
  return session;
}

void
bz_keeper_forget_session (BzKeeper *keeper, int fd)
{
  Session *session = by_fd (keeper, fd);

  if (session != NULL)
    g_ptr_array_remove (keeper->sessions, session);
}

guint
bz_keeper_left_sessions (const BzKeeper *keeper)
{
  guint left = 0;

  for (guint i = 0; i < count (keeper); i++)
    left += !((const Session *) g_ptr_array_index (keeper->sessions, i))->attached;
  return left;
}

/* The oldest of those that wait for nothing but somebody who asks for their status makes room. Who holds
 * it hears that it has gone. */
static gboolean
make_room (BzKeeper *keeper)
{
  if (count (keeper) < BZ_SESSIONS_MAX)
    return TRUE;
  for (guint i = 0; i < count (keeper); i++)
    {
      const Session *session = g_ptr_array_index (keeper->sessions, i);
      if (!session->ended)
        continue;
      bz_message_send (session->fd, "hang-up", NULL, NULL, 0, NULL);
      g_ptr_array_remove_index (keeper->sessions, i);
      return TRUE;
    }
  return FALSE;
}

/* --- of who holds one --- */

gboolean
bz_keeper_answer_session (BzKeeper *keeper, int client, BzMessage *message, GError **error)
{
  guint number = 1;
  GVariantDict body;

  if (by_fd (keeper, client) != NULL || !make_room (keeper))
    return bz_fail (error, BZ_ERROR_STATE, "it has as many as there may be",
                    "come back to some of them and end them: brandzone show",
                    "cannot keep the session");
  while (by_number (keeper, number) != NULL)
    number++;
  Session *session = add (keeper, client, number);
  g_variant_dict_lookup (message->body, "command", "s", &session->command);
  g_variant_dict_lookup (message->body, "terminal", "s", &session->terminal);
  session->started = g_get_real_time () / G_USEC_PER_SEC;
  session->attached = TRUE;
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "number", "u", (guint32) number);
  return bz_message_send (client, message->kind, g_variant_dict_end (&body), NULL, 0, error);
}

gboolean
bz_keeper_note_session (BzKeeper *keeper, int client, BzMessage *message,
                        GError **error G_GNUC_UNUSED)
{
  Session *session = by_fd (keeper, client);

  if (session == NULL)
    return TRUE;
  g_variant_dict_lookup (message->body, "attached", "b", &session->attached);
  g_variant_dict_lookup (message->body, "ended", "b", &session->ended);
  g_variant_dict_lookup (message->body, "status", "i", &session->status);
  return TRUE;
}

/* --- of others --- */

static gboolean
no_session (const BzKeeper *keeper, guint number, GError **error)
{
  return bz_fail (error, BZ_ERROR_STATE, "it has no such session", "see brandzone show, Sessions",
                  "cannot find session %u of zone %s", number, keeper->partition->name);
}

gboolean
bz_keeper_attach_session (BzKeeper *keeper, int client, BzMessage *message, guint number,
                          GError **error)
{
  const Session *session = by_number (keeper, number);
  int pair[2];

  if (session == NULL)
    return no_session (keeper, number, error);
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make a socket pair");
  gboolean sent = bz_message_send (session->fd, "attach", NULL, &pair[0], 1, error)
                  && bz_message_send (client, message->kind, NULL, &pair[1], 1, error);
  close (pair[0]);
  close (pair[1]);
  return sent;
}

gboolean
bz_keeper_answer_hang_up (BzKeeper *keeper, int client, BzMessage *message, GError **error)
{
  guint32 number = 0;

  g_variant_dict_lookup (message->body, "session", "u", &number);
  const Session *session = by_number (keeper, number);
  if (session == NULL)
    return no_session (keeper, number, error);
  if (session->attached)
    return bz_fail (error, BZ_ERROR_STATE, "somebody is attached to it", "let him leave it first",
                    "cannot hang up session %u of zone %s", number, keeper->partition->name);
  return bz_message_send (session->fd, "hang-up", NULL, NULL, 0, error)
         && bz_message_send (client, message->kind, NULL, NULL, 0, error);
}

/* with_fds: for the next program, which has them, too. */
static GVariant *
to_variant (const BzKeeper *keeper, gboolean with_fds)
{
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < count (keeper); i++)
    {
      const Session *session = g_ptr_array_index (keeper->sessions, i);
      g_auto (GVariantDict) one = G_VARIANT_DICT_INIT (NULL);

      if (with_fds)
        g_variant_dict_insert (&one, "fd", "i", (gint32) session->fd);
      g_variant_dict_insert (&one, "number", "u", (guint32) session->number);
      g_variant_dict_insert (&one, "command", "s", session->command != NULL ? session->command : "");
      g_variant_dict_insert (&one, "terminal", "s",
                             session->terminal != NULL ? session->terminal : "");
      g_variant_dict_insert (&one, "started", "x", session->started);
      g_variant_dict_insert (&one, "attached", "b", session->attached);
      g_variant_dict_insert (&one, "ended", "b", session->ended);
      g_variant_dict_insert (&one, "status", "i", session->status);
      g_variant_builder_add_value (&list, g_variant_dict_end (&one));
    }
  return g_variant_builder_end (&list);
}

gboolean
bz_keeper_answer_sessions (BzKeeper *keeper, int client, BzMessage *message, GError **error)
{
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert_value (&body, "sessions", to_variant (keeper, FALSE));
  return bz_message_send (client, message->kind, g_variant_dict_end (&body), NULL, 0, error);
}

/* --- for the next program --- */

void
bz_keeper_leave_sessions (const BzKeeper *keeper, BzHandOver *left)
{
  g_variant_dict_insert_value (&left->values, "sessions", to_variant (keeper, TRUE));
}

static void
take (BzKeeper *keeper, GVariant *values)
{
  g_auto (GVariantDict) one = G_VARIANT_DICT_INIT (values);
  guint32 number = 0;
  gint32 fd = -1;

  g_variant_dict_lookup (&one, "fd", "i", &fd);
  g_variant_dict_lookup (&one, "number", "u", &number);
  Session *session = add (keeper, fd, number);
  g_variant_dict_lookup (&one, "command", "s", &session->command);
  g_variant_dict_lookup (&one, "terminal", "s", &session->terminal);
  g_variant_dict_lookup (&one, "started", "x", &session->started);
  g_variant_dict_lookup (&one, "attached", "b", &session->attached);
  g_variant_dict_lookup (&one, "ended", "b", &session->ended);
  g_variant_dict_lookup (&one, "status", "i", &session->status);
}

void
bz_keeper_take_sessions (BzKeeper *keeper, GVariantDict *values)
{
  g_autoptr (GVariant) list =
      g_variant_dict_lookup_value (values, "sessions", G_VARIANT_TYPE ("aa{sv}"));
  GVariantIter iter;
  GVariant *one;

  if (list == NULL) /* of a program that had none */
    return;
  g_variant_iter_init (&iter, list);
  while (g_variant_iter_loop (&iter, "@a{sv}", &one))
    take (keeper, one);
}
