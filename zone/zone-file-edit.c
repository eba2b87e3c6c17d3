/* Changing a zone file as text: all lines but the one that is meant stay as they are, byte for
 * byte. GKeyFile would keep the comments, but move the empty lines. */
#include "config.h"

#include "zone/zone-file.h"

#include <string.h>

const char *
bz_zone_file_value (const BzZoneFile *file, const char *group, const char *key)
{
  g_autofree char *name = g_strconcat (group, "\n", key, NULL);

  return g_hash_table_lookup (file->values, name);
}

char *
bz_zone_file_text (const BzZoneFile *file)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();

  for (guint i = 0; i < file->order->len; i++)
    {
      const char *name = g_ptr_array_index (file->order, i);
      g_auto (GStrv) parts = g_strsplit (name, "\n", 2);
      g_key_file_set_string (keys, parts[0], parts[1], g_hash_table_lookup (file->values, name));
    }
  return g_key_file_to_data (keys, NULL, NULL);
}

/* The group that a line begins, or NULL; owned by the caller. */
static char *
group_of (const char *line)
{
  g_autofree char *text = g_strstrip (g_strdup (line));
  gsize length = strlen (text);

  return length >= 2 && text[0] == '[' && text[length - 1] == ']' ? g_strndup (text + 1, length - 2)
                                                                  : NULL;
}

static gboolean
is_key (const char *line, const char *key)
{
  const char *equals = strchr (line, '=');

  if (equals == NULL)
    return FALSE;
  g_autofree char *name = g_strstrip (g_strndup (line, equals - line));
  return g_str_equal (name, key);
}

static gboolean
is_blank (const char *line)
{
  return strspn (line, " \t\r") == strlen (line);
}

/* Where a key stands: `at` its last line (G_MAXUINT: none); `end` after the last line of its
 * group that is not empty (G_MAXUINT: there is no such group). */
static void
find (const GPtrArray *lines, const char *group, const char *key, guint *at, guint *end)
{
  gboolean inside = FALSE;

  *at = *end = G_MAXUINT;
  for (guint i = 0; i < lines->len; i++)
    {
      const char *line = g_ptr_array_index (lines, i);
      g_autofree char *begun = group_of (line);

      if (begun != NULL)
        inside = g_str_equal (begun, group);
      if (inside && !is_blank (line))
        *end = i + 1;
      if (inside && begun == NULL && is_key (line, key))
        *at = i;
    }
}

static void
put_line (GPtrArray *lines, const char *group, const char *key, const char *line)
{
  guint at, end;

  find (lines, group, key, &at, &end);
  if (at != G_MAXUINT)
    {
      g_free (lines->pdata[at]);
      lines->pdata[at] = g_strdup (line);
      return;
    }
  if (end == G_MAXUINT)
    {
      if (lines->len > 0 && !is_blank (g_ptr_array_index (lines, lines->len - 1)))
        g_ptr_array_add (lines, g_strdup (""));
      g_ptr_array_add (lines, g_strdup_printf ("[%s]", group));
      end = lines->len;
    }
  g_ptr_array_insert (lines, (int) end, g_strdup (line));
}

/* All lines of the key; and the group's own when nothing is left in it, with an empty line before
 * it. */
static void
take_out (GPtrArray *lines, const char *group, const char *key)
{
  guint at, end, groups = 0;

  for (find (lines, group, key, &at, &end); at != G_MAXUINT; find (lines, group, key, &at, &end))
    g_ptr_array_remove_index (lines, at);
  for (guint i = 0; i < lines->len; i++)
    {
      g_autofree char *begun = group_of (g_ptr_array_index (lines, i));
      groups += begun != NULL && g_str_equal (begun, group);
    }
  g_autofree char *last = groups == 1 && end != G_MAXUINT && end > 0
                              ? group_of (g_ptr_array_index (lines, end - 1))
                              : NULL;
  if (last == NULL)
    return;
  g_ptr_array_remove_index (lines, end - 1);
  if (end >= 2 && is_blank (g_ptr_array_index (lines, end - 2)))
    g_ptr_array_remove_index (lines, end - 2);
}

/* "key=value" with what a key file escapes. Owned by the caller. */
static char *
setting_line (const char *group, const char *key, const char *value)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();

  g_key_file_set_string (keys, group, key, value);
  g_autofree char *raw = g_key_file_get_value (keys, group, key, NULL);
  return g_strconcat (key, "=", raw, NULL);
}

char *
bz_zone_file_edit (const char *data, gsize length, const char *group, const char *key,
                   const char *value)
{
  g_autofree char *text = g_strndup (data, length);
  g_auto (GStrv) parts = g_strsplit (text, "\n", -1);
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);

  for (char **part = parts; *part != NULL; part++)
    g_ptr_array_add (lines, g_strdup (*part));
  /* What follows the last newline is no line. */
  if (lines->len > 0 && ((char *) g_ptr_array_index (lines, lines->len - 1))[0] == '\0')
    g_ptr_array_remove_index (lines, lines->len - 1);
  if (value != NULL)
    {
      g_autofree char *line = setting_line (group, key, value);
      put_line (lines, group, key, line);
    }
  else
    take_out (lines, group, key);
  g_ptr_array_add (lines, g_strdup (""));
  g_ptr_array_add (lines, NULL);
  return g_strjoinv ("\n", (char **) lines->pdata);
}
