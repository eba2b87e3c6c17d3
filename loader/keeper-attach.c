/* Coming back to the terminal of a command that somebody detached from.
 *
 * Problem: a pty that nobody reads stops its writers after some kilobytes; who comes back wants to
 * see what was said meanwhile, and the end and exit status of the command as if he had stayed.
 *
 * Choice: while nobody is attached the keeper reads the terminal and keeps the last text, without
 * the sequences that a terminal would answer (console-text.c). Who attaches becomes the zone's
 * owner: one at a time. The same for what joined the zone: session.c. */
#include "config.h"

#include "loader/keeper-private.h"

#include "brand/base/error.h"
#include "loader/kept-text.h"

#include <fcntl.h>
#include <glib-unix.h>

struct BzUnwatched {
  BzKeptText kept;
  guint source; /* 0: the terminal has come to its end */
};

static gboolean
on_output (gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  struct BzUnwatched *unwatched = data;

  if (bz_kept_text_read (&unwatched->kept, fd))
    return G_SOURCE_CONTINUE;
  unwatched->source = 0;
  return G_SOURCE_REMOVE;
}

void
bz_keeper_unwatch (BzKeeper *keeper)
{
  if (keeper->terminal < 0 || keeper->unwatched != NULL)
    return;
  keeper->unwatched = g_new0 (struct BzUnwatched, 1);
  bz_kept_text_init (&keeper->unwatched->kept);
  fcntl (keeper->terminal, F_SETFL, O_RDWR | O_NONBLOCK);
  keeper->unwatched->source =
      g_unix_fd_add (keeper->terminal, G_IO_IN, on_output, keeper->unwatched);
}

void
bz_keeper_leave_unwatched (const BzKeeper *keeper, BzHandOver *left)
{
  if (keeper->unwatched != NULL)
    g_variant_dict_insert_value (&left->values, "unwatched",
                                 bz_kept_text_to_variant (&keeper->unwatched->kept));
}

void
bz_keeper_take_unwatched (BzKeeper *keeper, GVariantDict *values)
{
  g_autoptr (GVariant) text = g_variant_dict_lookup_value (values, "unwatched", G_VARIANT_TYPE ("ay"));
  gsize length = 0;

  if (text == NULL || keeper->terminal < 0)
    return;
  const char *bytes = g_variant_get_fixed_array (text, &length, 1);
  bz_keeper_unwatch (keeper);
  g_string_append_len (keeper->unwatched->kept.text, bytes, (gssize) length);
}

gboolean
bz_keeper_answer_attach (BzKeeper *keeper, int client, BzMessage *message, GError **error)
{
  struct BzUnwatched *unwatched = keeper->unwatched;
  GVariantDict body;
  guint32 session;

  if (g_variant_dict_lookup (message->body, "session", "u", &session))
    return bz_keeper_attach_session (keeper, client, message, session, error);
  if (keeper->terminal < 0)
    return bz_fail (error, BZ_ERROR_STATE, "its command has no terminal",
                    "join it with `brandzone exec -it`", "cannot attach to zone %s",
                    keeper->partition->name);
  if (unwatched == NULL || keeper->owner >= 0)
    return bz_fail (error, BZ_ERROR_STATE, "somebody is attached to it",
                    "join it with `brandzone exec -it`", "cannot attach to zone %s",
                    keeper->partition->name);
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert_value (&body, "text", bz_kept_text_to_variant (&unwatched->kept));
  bz_terminal_ask_to_redraw (keeper->terminal);
  if (!bz_message_send (client, message->kind, g_variant_dict_end (&body), &keeper->terminal, 1,
                        error))
    return FALSE;
  if (unwatched->source != 0)
    g_source_remove (unwatched->source);
  bz_kept_text_clear (&unwatched->kept);
  g_clear_pointer (&keeper->unwatched, g_free);
  keeper->owner = client;
  return TRUE;
}
