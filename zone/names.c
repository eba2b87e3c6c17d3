#include "config.h"

#include "zone/names.h"

#include "brand/base/error.h"

#include <string.h>

static gboolean
is_first (char c)
{
  return g_ascii_islower (c) || g_ascii_isdigit (c);
}

gboolean
bz_name_valid (const char *name)
{
  if (name == NULL || !is_first (name[0]))
    return FALSE;

  gsize length = strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789_.-");
  return name[length] == '\0' && length <= BZ_NAME_MAX;
}

gboolean
bz_name_check (const char *name, GError **error)
{
  if (bz_name_valid (name))
    return TRUE;

  g_autofree char *safe = bz_text_safe (name);
  if (strlen (name) > BZ_NAME_MAX)
    return bz_fail (error, BZ_ERROR_USAGE, "it is longer than 63 characters",
                    "choose a shorter name", "the zone name %.40s...", safe);
  return bz_fail (error, BZ_ERROR_USAGE, "it is not a name that a zone can have",
                  "use a to z, 0 to 9, '_', '.' and '-', beginning with a letter or digit",
                  "the zone name '%s'", safe);
}

char *
bz_name_from_path (const char *path)
{
  g_autofree char *base = g_path_get_basename (path);
  g_autofree char *lower = g_ascii_strdown (base, -1);
  GString *name = g_string_new (NULL);

  for (const char *p = lower; *p != '\0' && name->len < BZ_NAME_MAX; p++)
    {
      if (is_first (*p) || (name->len > 0 && strchr ("_.-", *p) != NULL))
        g_string_append_c (name, *p);
    }
  if (name->len == 0)
    g_string_assign (name, "image");
  return g_string_free (name, FALSE);
}

/* Damerau's distance in its restricted form. Three rows suffice. */
guint
bz_name_distance (const char *a, const char *b)
{
  gsize m = strlen (a), n = strlen (b);
  g_autofree guint *before = g_new0 (guint, n + 1);
  g_autofree guint *last = g_new (guint, n + 1);
  g_autofree guint *row = g_new (guint, n + 1);

  for (gsize j = 0; j <= n; j++)
    last[j] = j;
  for (gsize i = 1; i <= m; i++)
    {
      row[0] = i;
      for (gsize j = 1; j <= n; j++)
        {
          guint change = last[j - 1] + (a[i - 1] != b[j - 1]);
          row[j] = MIN (change, MIN (last[j], row[j - 1]) + 1);
          if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
            row[j] = MIN (row[j], before[j - 2] + 1);
        }
      guint *spare = before;
      before = last;
      last = row;
      row = spare;
      /* The automatic pointers keep naming the same three blocks: they are only permuted. */
    }
  return last[n];
}

const char *
bz_name_nearest (const char *typed, const char *const *candidates)
{
  const char *nearest = NULL, *longer = NULL;
  gsize length = strlen (typed);
  guint best = MAX (1, length / 3) + 1;

  /* Nobody types a name of a hundred letters wrong; the distance is quadratic. */
  if (length == 0 || length > 2 * BZ_NAME_MAX)
    return NULL;
  for (gsize i = 0; candidates != NULL && candidates[i] != NULL; i++)
    {
      if (strlen (candidates[i]) > 2 * BZ_NAME_MAX)
        continue;
      guint distance = bz_name_distance (typed, candidates[i]);
      if (distance < best && distance < strlen (candidates[i]))
        {
          best = distance;
          nearest = candidates[i];
        }
      if (longer == NULL && length >= 3 && g_str_has_prefix (candidates[i], typed))
        longer = candidates[i];
    }
  return nearest != NULL ? nearest : longer;
}

/* g_unichar_isprint refuses marks that change the order or the visibility of what follows, too: a
 * file name must not be able to look like another one. */
char *
bz_text_safe (const char *text)
{
  GString *safe = g_string_new (NULL);
  const char *end = text + strlen (text);

  while (text < end)
    {
      gunichar c = g_utf8_get_char_validated (text, end - text);

      if (c == (gunichar) -1 || c == (gunichar) -2)
        {
          g_string_append_printf (safe, "\\x%02x", (guchar) *text++);
          continue;
        }
      if (c < 0x20 || (c >= 0x7f && c < 0xa0))
        g_string_append_printf (safe, "\\x%02x", c);
      else if (!g_unichar_isprint (c))
        g_string_append_printf (safe, "\\u{%x}", c);
      else
        g_string_append_unichar (safe, c);
      text = g_utf8_next_char (text);
    }
  return g_string_free (safe, FALSE);
}

char *
bz_text_quoted (const char *text)
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "_@%+=:,./-";
  g_autofree char *safe = bz_text_safe (text);

  if (safe[0] != '\0' && safe[strspn (safe, plain)] == '\0')
    return g_steal_pointer (&safe);
  return g_shell_quote (safe);
}
