#include "config.h"

#include "loader/console-log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct BzConsoleLog {
  char *path;
  int fd; /* -1: nothing is kept */
  gsize size;
};

static int
open_file (const char *path)
{
  return open (path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
}

BzConsoleLog *
bz_console_log_open (const char *path)
{
  BzConsoleLog *log = g_new0 (BzConsoleLog, 1);
  struct stat st;

  log->path = g_strdup (path);
  log->fd = path != NULL ? open_file (path) : -1;
  if (log->fd >= 0 && fstat (log->fd, &st) == 0)
    log->size = (gsize) st.st_size;
  return log;
}

static void
rotate (BzConsoleLog *log)
{
  g_autofree char *old = g_strconcat (log->path, ".1", NULL);

  close (log->fd);
  (void) !rename (log->path, old);
  log->fd = open_file (log->path);
  log->size = 0;
}

void
bz_console_log_append (BzConsoleLog *log, const char *text, gsize length)
{
  if (log->fd >= 0 && log->size + length > BZ_CONSOLE_LOG_MAX)
    rotate (log);
  if (log->fd < 0 || length == 0)
    return;
  /* A full disk costs the log, not the zone. */
  if (write (log->fd, text, length) > 0)
    log->size += length;
}

void
bz_console_log_close (BzConsoleLog *log)
{
  if (log == NULL)
    return;
  if (log->fd >= 0)
    close (log->fd);
  g_free (log->path);
  g_free (log);
}

static void
read_whole (const char *path, GString *text)
{
  int fd = open (path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  char bytes[8192];
  ssize_t got;
  gsize total = 0;

  while (fd >= 0 && total < 2 * BZ_CONSOLE_LOG_MAX && (got = read (fd, bytes, sizeof bytes)) > 0)
    {
      g_string_append_len (text, bytes, got);
      total += (gsize) got;
    }
  if (fd >= 0)
    close (fd);
}

GString *
bz_console_log_tail (const char *path, gsize bytes)
{
  GString *text = g_string_new (NULL);
  g_autofree char *old = g_strconcat (path, ".1", NULL);

  read_whole (old, text);
  read_whole (path, text);
  if (text->len > bytes)
    {
      gsize cut = text->len - bytes;
      const char *line = memchr (text->str + cut, '\n', bytes);
      g_string_erase (text, 0, line != NULL ? line + 1 - text->str : (gssize) cut);
    }
  return text;
}
