#include "config.h"

#include "brand/range.h"

#include <string.h>

/* Reads up to three numbers; what is absent becomes `filler`. *end gets the first character not
 * read. */
static gboolean
parse (const char *text, guint64 filler, BzRelease *version, const char **end)
{
  guint64 part[3] = { filler, filler, filler };

  for (guint i = 0; i < G_N_ELEMENTS (part); i++)
    {
      guint64 value = 0;

      if (!g_ascii_isdigit (*text))
        return FALSE;
      for (; g_ascii_isdigit (*text); text++)
        {
          value = value * 10 + (guint64) (*text - '0');
          if (value > G_MAXUINT16)
            return FALSE;
        }
      part[i] = value;
      if (text[0] != '.' || !g_ascii_isdigit (text[1]))
        break;
      if (i + 1 < G_N_ELEMENTS (part))
        text++;
    }
  *version = BZ_RELEASE (part[0], part[1], part[2]);
  *end = text;
  return TRUE;
}

gboolean
bz_version_parse (const char *text, BzRelease *version)
{
  const char *end;

  return text != NULL && parse (text, 0, version, &end);
}

gboolean
bz_range_parse (const char *text, BzRange *range)
{
  const char *dots = strstr (text, "..");
  const char *end = text;
  BzRange result = { .low = 0, .high = G_MAXUINT64, .set = TRUE };

  if (dots == NULL)
    {
      if (!parse (text, 0, &result.low, &end) || *end != '\0')
        return FALSE;
      parse (text, G_MAXUINT16, &result.high, &end);
    }
  else
    {
      if (dots != text && (!parse (text, 0, &result.low, &end) || end != dots))
        return FALSE;
      if (dots[2] != '\0' && (!parse (dots + 2, G_MAXUINT16, &result.high, &end) || *end != '\0'))
        return FALSE;
      if (dots == text && dots[2] == '\0')
        return FALSE;
    }
  if (result.low > result.high)
    return FALSE;
  *range = result;
  return TRUE;
}

gboolean
bz_range_holds (const BzRange *range, BzRelease version)
{
  return !range->set || (range->low <= version && version <= range->high);
}
