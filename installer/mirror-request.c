#include "config.h"

#include "installer/mirror-request.h"

#include <limits.h>
#include <string.h>

void
bz_mirror_request_clear (BzMirrorRequest *request)
{
  g_clear_pointer (&request->path, g_free);
}

/* Components without ".", ".." and empty ones; NULL: it leads out, or is no name. */
static char *
clean_path (const char *raw)
{
  g_autofree char *plain = g_uri_unescape_string (raw, NULL);
  g_autoptr (GString) clean = g_string_new (NULL);

  if (plain == NULL || plain[0] != '/')
    return NULL;
  g_auto (GStrv) parts = g_strsplit (plain, "/", -1);
  for (char **part = parts; *part != NULL; part++)
    {
      if (**part == '\0' || strcmp (*part, ".") == 0)
        continue;
      if (strcmp (*part, "..") == 0 || strlen (*part) > NAME_MAX)
        return NULL;
      g_string_append_printf (clean, "%s%s", clean->len > 0 ? "/" : "", *part);
    }
  return g_string_free (g_steal_pointer (&clean), FALSE);
}

/* "bytes=5-" and "bytes=5-9"; all else is taken as not said, which HTTP allows. */
static void
parse_range (const char *value, BzMirrorRequest *request)
{
  guint64 from, to = G_MAXUINT64;
  char *end;

  value += strspn (value, " \t");
  if (g_ascii_strncasecmp (value, "bytes=", 6) != 0 || !g_ascii_isdigit (value[6]))
    return;
  from = g_ascii_strtoull (value + 6, &end, 10);
  if (*end++ != '-')
    return;
  if (g_ascii_isdigit (*end))
    to = g_ascii_strtoull (end, &end, 10);
  if (*end != '\0' || to < from || from == G_MAXUINT64)
    return;
  request->range = TRUE;
  request->from = from;
  request->to = to;
}

static int
parse_line (const char *line, BzMirrorRequest *request)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 4);

  if (g_strv_length (words) != 3 || !g_str_has_prefix (words[2], "HTTP/1."))
    return 400;
  request->head = strcmp (words[0], "HEAD") == 0;
  if (!request->head && strcmp (words[0], "GET") != 0)
    return 405;
  /* Clients that take it for a proxy send the whole address. */
  char *target = words[1];
  if (g_ascii_strncasecmp (target, "http://", 7) == 0)
    {
      target = strchr (target + 7, '/');
      if (target == NULL)
        return 400;
    }
  target[strcspn (target, "?#")] = '\0';
  request->directory = g_str_has_suffix (target, "/");
  request->path = clean_path (target);
  return request->path == NULL ? 400 : 0;
}

int
bz_mirror_request_parse (const char *head, gsize size, BzMirrorRequest *request)
{
  *request = (BzMirrorRequest){ 0 };
  if (size > BZ_MIRROR_HEAD_MAX)
    return 431;
  if (memchr (head, '\0', size) != NULL)
    return 400;
  g_autofree char *text = g_strndup (head, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    g_strchomp (*line);
  int status = lines[0] == NULL ? 400 : parse_line (lines[0], request);
  for (char **line = lines; status == 0 && *line != NULL && **line != '\0'; line++)
    if (g_ascii_strncasecmp (*line, "range:", 6) == 0)
      parse_range (*line + 6, request);
  return status;
}
