#include "config.h"

#include "loader/owner.h"

#include "brand/base/error.h"
#include "loader/attend.h"

#include <string.h>
#include <unistd.h>

static void
forward (int sig, gpointer data)
{
  BzOwner *owner = data;
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "signal", "i", (gint32) sig);
  bz_message_send (owner->connection, "signal", g_variant_dict_end (&body), NULL, 0, NULL);
}

static void
take_end (BzOwner *owner, BzMessage *message)
{
  gint32 status = 0, how = BZ_END_COMMAND;
  int journal = bz_message_take_fd (message, 0);

  g_variant_dict_lookup (message->body, "status", "i", &status);
  g_variant_dict_lookup (message->body, "how", "i", &how);
  g_variant_dict_lookup (message->body, "stopped", "b", &owner->end->stopped);
  owner->end->wait_status = status;
  owner->end->how = how;
  owner->ended = TRUE;
  if (journal >= 0 && owner->on_end != NULL)
    owner->on_end (journal, owner->data);
  if (journal >= 0)
    close (journal);
}

/* The caller's terminal may be in raw mode. */
static void
print_note (BzMessage *message)
{
  const char *text;

  if (g_variant_dict_lookup (message->body, "text", "&s", &text))
    g_printerr ("brandzone: %s%s", text, isatty (2) ? "\r\n" : "\n");
}

/* A command may make itself heard before the keeper has told that it runs. */
BzMessage *
bz_owner_await_started (int connection, GError **error)
{
  for (;;)
    {
      g_autoptr (BzMessage) message = bz_message_receive (connection, NULL, error);

      if (message == NULL || !bz_message_check (message, error))
        return NULL;
      if (strcmp (message->kind, "note") != 0)
        return g_steal_pointer (&message);
      print_note (message);
    }
}

gboolean
bz_owner_on_news (gpointer data)
{
  BzOwner *owner = data;
  gboolean closed;
  g_autoptr (BzMessage) message = bz_message_receive (owner->connection, &closed, NULL);

  if (message != NULL && strcmp (message->kind, "ended") == 0)
    take_end (owner, message);
  else if (message != NULL && strcmp (message->kind, "note") == 0)
    print_note (message);
  else if (message == NULL && !owner->ended && owner->session != 0)
    bz_fail (&owner->problem, BZ_ERROR_FAILED, "the process that held it died",
             "see the system's log for why", "lost session %u", owner->session);
  else if (message == NULL && !owner->ended)
    bz_fail (&owner->problem, BZ_ERROR_FAILED, "its keeper died, and the zone with it",
             "see the system's log for why", "lost the zone");
  return message == NULL;
}

gboolean
bz_owner_attend (BzOwner *owner, int terminal, gboolean interactive, GError **error)
{
  BzAttend attend = { .end_fd = owner->connection,
                      .terminal = terminal,
                      .interactive = interactive,
                      .stays = owner->session != 0,
                      .forward = forward,
                      .on_news = bz_owner_on_news,
                      .data = owner };
  gboolean detached = FALSE;

  if (!bz_attend (&attend, &detached, error))
    return FALSE;
  if (detached)
    owner->end->how = BZ_END_DETACHED;
  owner->end->session = owner->session;
  if (owner->problem == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&owner->problem));
  return FALSE;
}

/* What was said while nobody was there. */
void
bz_owner_show_text (const BzMessage *answer)
{
  g_autoptr (GVariant) text =
      g_variant_dict_lookup_value (answer->body, "text", G_VARIANT_TYPE ("ay"));
  gsize length = 0, at = 0;
  const char *bytes = text != NULL ? g_variant_get_fixed_array (text, &length, 1) : NULL;
  ssize_t written;

  while (at < length && (written = write (1, bytes + at, length - at)) > 0)
    at += (gsize) written;
}
