#include "config.h"

#include "brand/release.h"

/* Reads digits into *number and moves *text behind them. FALSE if there are none or too many. */
static gboolean
read_number (const char **text, guint64 limit, guint64 *number)
{
  const char *at = *text;
  guint64 value = 0;

  if (!g_ascii_isdigit (*at))
    return FALSE;
  for (; g_ascii_isdigit (*at); at++)
    {
      value = value * 10 + (guint64) (*at - '0');
      if (value > limit)
        return FALSE;
    }
  *text = at;
  *number = value;
  return TRUE;
}

gboolean
bz_release_parse (const char *text, BzRelease *release)
{
  guint64 major, minor, patch = 0;

  if (text == NULL || !read_number (&text, G_MAXUINT16, &major) || *text != '.')
    return FALSE;
  text++;
  if (!read_number (&text, G_MAXUINT16, &minor))
    return FALSE;
  if (text[0] == '.' && g_ascii_isdigit (text[1]))
    {
      text++;
      if (!read_number (&text, G_MAXUINT16, &patch))
        return FALSE;
    }
  *release = BZ_RELEASE (major, minor, patch);
  return TRUE;
}
