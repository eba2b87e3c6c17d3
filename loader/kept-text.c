#include "config.h"

#include "loader/kept-text.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TEXT_MAX (32 * 1024)

void
bz_kept_text_init (BzKeptText *kept)
{
  *kept = (BzKeptText){ .text = g_string_new (NULL) };
}

void
bz_kept_text_clear (BzKeptText *kept)
{
  g_string_free (kept->text, TRUE);
  kept->text = NULL;
}

gboolean
bz_kept_text_read (BzKeptText *kept, int terminal)
{
  char bytes[4096], text[sizeof bytes + 1];
  ssize_t got = read (terminal, bytes, sizeof bytes);

  if (got <= 0)
    return got < 0 && (errno == EAGAIN || errno == EINTR);
  gsize length = bz_text_filter (&kept->filter, bytes, (gsize) got, text);
  g_string_append_len (kept->text, text, (gssize) length);
  if (kept->text->len > TEXT_MAX)
    g_string_erase (kept->text, 0, (gssize) (kept->text->len - TEXT_MAX));
  return TRUE;
}

GVariant *
bz_kept_text_to_variant (const BzKeptText *kept)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, kept->text->str, kept->text->len, 1);
}

void
bz_terminal_ask_to_redraw (int terminal)
{
  struct winsize size;

  if (ioctl (terminal, TIOCGWINSZ, &size) != 0 || size.ws_row < 2)
    return;
  size.ws_row--;
  ioctl (terminal, TIOCSWINSZ, &size);
}
