/* GKeyFile forgets where a key stood, and takes a key that comes twice without a
 * word. Who edits a brand file wants the line. So the lines are walked once before GKeyFile
 * parses them, which also makes a malformed line an error of ours. */
#include "config.h"

#include "brand/key-lines.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGEST (256 * 1024)

/* Reads a regular file without waiting for what only looks like one. */
static char *
read_text (const char *file, GError **error)
{
  int fd = open (file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    {
      bz_fail_errno (error, errno, NULL, "reading %s", file);
      return NULL;
    }

  struct stat status;
  g_autofree char *text = g_malloc (LARGEST + 2);
  gsize length = 0;
  gssize got = 0;

  if (fstat (fd, &status) != 0 || !S_ISREG (status.st_mode))
    {
      close (fd);
      bz_fail (error, BZ_ERROR_INPUT, "is not a regular file", NULL, "%s", file);
      return NULL;
    }
  while (length <= LARGEST
         && ((got = read (fd, text + length, LARGEST + 1 - length)) > 0
             || (got < 0 && errno == EINTR)))
    length += got > 0 ? (gsize) got : 0;

  int saved = errno;
  close (fd);
  if (got < 0)
    bz_fail_errno (error, saved, NULL, "reading %s", file);
  else if (length > LARGEST)
    bz_fail (error, BZ_ERROR_INPUT, "is larger than 256 KiB", NULL, "%s", file);
  else if (!g_utf8_validate (text, (gssize) length, NULL))
    bz_fail (error, BZ_ERROR_INPUT, "is not UTF-8 text", NULL, "%s", file);
  else
    {
      text[length] = '\0';
      return g_steal_pointer (&text);
    }
  return NULL;
}

static gboolean
fail_line (const BzKeyLines *lines, guint line, const char *why, GError **error)
{
  return bz_fail (error, BZ_ERROR_INPUT, why, "brandzone-brand(5) describes the format", "%s:%u",
                  lines->file, line);
}

/* Remembers the line under `name`, which it takes. FALSE if there was one already. */
static gboolean
remember (BzKeyLines *lines, char *name, guint line)
{
  return g_hash_table_insert (lines->lines, name, GUINT_TO_POINTER (line));
}

static gboolean
index_line (BzKeyLines *lines, char *text, guint line, char **group, GError **error)
{
  text = g_strstrip (text);
  if (*text == '\0' || *text == '#')
    return TRUE;
  if (*text == '[')
    {
      char *end = strchr (text, ']');

      if (end == NULL || end[1] != '\0' || end == text + 1)
        return fail_line (lines, line, "is no group ([Name])", error);
      g_free (*group);
      *group = g_strndup (text + 1, (gsize) (end - text - 1));
      return remember (lines, g_strdup (*group), line)
             || fail_line (lines, line, "the group comes a second time", error);
    }

  char *equals = strchr (text, '=');
  if (equals == NULL || equals == text)
    return fail_line (lines, line, "is neither a group, nor Key=value, nor a # comment", error);
  if (*group == NULL)
    return fail_line (lines, line, "a key stands before the first group", error);
  g_autofree char *key = g_strchomp (g_strndup (text, (gsize) (equals - text)));
  return remember (lines, g_strconcat (*group, "\n", key, NULL), line)
         || fail_line (lines, line, "the key comes a second time in its group", error);
}

static gboolean
index_text (BzKeyLines *lines, const char *text, GError **error)
{
  g_auto (GStrv) each = g_strsplit (text, "\n", -1);
  g_autofree char *group = NULL;

  for (guint i = 0; each[i] != NULL; i++)
    if (!index_line (lines, each[i], i + 1, &group, error))
      return FALSE;
  return TRUE;
}

BzKeyLines *
bz_key_lines_read (const char *file, GError **error)
{
  g_autofree char *text = read_text (file, error);
  if (text == NULL)
    return NULL;

  g_autoptr (BzKeyLines) lines = g_new0 (BzKeyLines, 1);
  g_autoptr (GError) problem = NULL;

  lines->file = g_strdup (file);
  lines->keys = g_key_file_new ();
  lines->lines = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!index_text (lines, text, error))
    return NULL;
  if (*text != '\0'
      && !g_key_file_load_from_data (lines->keys, text, strlen (text), G_KEY_FILE_NONE, &problem))
    {
      bz_fail (error, BZ_ERROR_INPUT, problem->message, NULL, "%s", file);
      return NULL;
    }
  return g_steal_pointer (&lines);
}

void
bz_key_lines_free (BzKeyLines *lines)
{
  if (lines == NULL)
    return;
  g_free (lines->file);
  g_key_file_free (lines->keys);
  g_hash_table_unref (lines->lines);
  g_free (lines);
}

guint
bz_key_lines_line (const BzKeyLines *lines, const char *group, const char *key)
{
  g_autofree char *name = key != NULL ? g_strconcat (group, "\n", key, NULL) : g_strdup (group);

  return GPOINTER_TO_UINT (g_hash_table_lookup (lines->lines, name));
}

char *
bz_key_lines_get (const BzKeyLines *lines, const char *group, const char *key)
{
  char *value = g_key_file_get_value (lines->keys, group, key, NULL);

  return value != NULL ? g_strstrip (value) : NULL;
}

gboolean
bz_key_lines_fail (const BzKeyLines *lines, const char *group, const char *key, const char *why,
                   const char *hint, GError **error)
{
  return bz_fail (error, BZ_ERROR_INPUT, why, hint, "%s:%u: [%s]%s%s", lines->file,
                  bz_key_lines_line (lines, group, key), group, key != NULL ? " " : "",
                  key != NULL ? key : "");
}
