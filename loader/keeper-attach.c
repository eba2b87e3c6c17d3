/* Coming back to the terminal of a command that somebody detached from.
 *
 * Problem: a pty that nobody reads stops its writers after some kilobytes; who comes back wants to
 * see what was said meanwhile, and the end and exit status of the command as if he had stayed.
 *
 * Choice: while nobody is attached the keeper reads the terminal and keeps the last text, without
 * the sequences that a terminal would answer (console-text.c). Who attaches becomes the zone's
 * owner: one at a time. A full-screen program draws anew when its window changes, so the window
 * is made one row smaller first; the client sets its real size. */
#include "config.h"

#include "loader/keeper-private.h"

#include "brand/base/error.h"
#include "loader/console-text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TEXT_MAX (32 * 1024)

struct BzUnwatched {
  GString *text;
  BzTextFilter filter;
  guint source; /* 0: the terminal has come to its end */
};

static gboolean
on_output (gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  struct BzUnwatched *unwatched = data;
  char bytes[4096], text[sizeof bytes + 1];
  ssize_t got = read (fd, bytes, sizeof bytes);

  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;
  if (got <= 0)
    {
      unwatched->source = 0;
      return G_SOURCE_REMOVE;
    }
  gsize length = bz_text_filter (&unwatched->filter, bytes, (gsize) got, text);
  g_string_append_len (unwatched->text, text, (gssize) length);
  if (unwatched->text->len > TEXT_MAX)
    g_string_erase (unwatched->text, 0, (gssize) (unwatched->text->len - TEXT_MAX));
  return G_SOURCE_CONTINUE;
}

void
bz_keeper_unwatch (BzKeeper *keeper)
{
  if (keeper->terminal < 0 || keeper->unwatched != NULL)
    return;
  keeper->unwatched = g_new0 (struct BzUnwatched, 1);
  keeper->unwatched->text = g_string_new (NULL);
  fcntl (keeper->terminal, F_SETFL, O_RDWR | O_NONBLOCK);
  keeper->unwatched->source =
      g_unix_fd_add (keeper->terminal, G_IO_IN, on_output, keeper->unwatched);
}

void
bz_keeper_leave_unwatched (const BzKeeper *keeper, BzHandOver *left)
{
  if (keeper->unwatched != NULL)
    g_variant_dict_insert_value (
        &left->values, "unwatched",
        g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, keeper->unwatched->text->str,
                                   keeper->unwatched->text->len, 1));
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
  g_string_append_len (keeper->unwatched->text, bytes, (gssize) length);
}

static void
ask_to_redraw (int terminal)
{
  struct winsize size;

  if (ioctl (terminal, TIOCGWINSZ, &size) != 0 || size.ws_row < 2)
    return;
  size.ws_row--;
  ioctl (terminal, TIOCSWINSZ, &size);
}

gboolean
bz_keeper_answer_attach (BzKeeper *keeper, int client, BzMessage *message, GError **error)
{
  struct BzUnwatched *unwatched = keeper->unwatched;
  GVariantDict body;

  if (keeper->terminal < 0)
    return bz_fail (error, BZ_ERROR_STATE, "its command has no terminal",
                    "join it with `brandzone exec -it`", "cannot attach to zone %s",
                    keeper->partition->name);
  if (unwatched == NULL || keeper->owner >= 0)
    return bz_fail (error, BZ_ERROR_STATE, "somebody is attached to it",
                    "join it with `brandzone exec -it`", "cannot attach to zone %s",
                    keeper->partition->name);
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert_value (&body, "text",
                               g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, unwatched->text->str,
                                                          unwatched->text->len, 1));
  ask_to_redraw (keeper->terminal);
  if (!bz_message_send (client, message->kind, g_variant_dict_end (&body), &keeper->terminal, 1,
                        error))
    return FALSE;
  if (unwatched->source != 0)
    g_source_remove (unwatched->source);
  g_string_free (unwatched->text, TRUE);
  g_clear_pointer (&keeper->unwatched, g_free);
  keeper->owner = client;
  return TRUE;
}
