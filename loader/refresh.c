/* Asking a zone's keeper to go on with the program that is installed now. */
#include "config.h"

#include "brand/base/error.h"
#include "brand/base/libexec.h"
#include "loader/client.h"
#include "loader/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_SECONDS 60

gboolean
bz_loader_refresh (const char *run_dir, char **version, GError **error)
{
  const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
  g_autofree char *path = bz_libexec_program (BZ_KEEPER_PROGRAM);
  g_autoptr (BzMessage) answer = NULL;
  int program = open (path, O_PATH | O_CLOEXEC);

  if (program < 0)
    return bz_fail_errno (error, errno, "is brandzone installed completely?", "cannot open %s",
                          path);
  int connection = bz_client_connect (run_dir, error);
  if (connection >= 0)
    {
      setsockopt (connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      answer = bz_client_ask (connection, "refresh", NULL, &program, 1, error);
      close (connection);
    }
  close (program);
  if (answer == NULL)
    return FALSE;
  *version = NULL;
  g_variant_dict_lookup (answer->body, "version", "s", version);
  return TRUE;
}

/* By what they hold: a plain user's keeper runs from a copy in memory. */
static gboolean
are_the_same (int a, int b)
{
  static const gsize size = 64 * 1024;
  g_autofree char *left = g_malloc (size), *right = g_malloc (size);

  for (off_t at = 0;; at += (off_t) size)
    {
      ssize_t one = pread (a, left, size, at), other = pread (b, right, size, at);
      if (one < 0 || one != other || memcmp (left, right, (gsize) one) != 0)
        return FALSE;
      if (one < (ssize_t) size)
        return TRUE;
    }
}

gboolean
bz_loader_is_current (pid_t keeper)
{
  g_autofree char *path = bz_libexec_program (BZ_KEEPER_PROGRAM);
  g_autofree char *link = g_strdup_printf ("/proc/%d/exe", (int) keeper);
  int installed = open (path, O_RDONLY | O_CLOEXEC), running = open (link, O_RDONLY | O_CLOEXEC);
  struct stat a, b;
  gboolean same = installed < 0 || running < 0 || fstat (installed, &a) != 0
                  || fstat (running, &b) != 0
                  || (a.st_dev == b.st_dev && a.st_ino == b.st_ino)
                  || (a.st_size == b.st_size && are_the_same (installed, running));

  if (installed >= 0)
    close (installed);
  if (running >= 0)
    close (running);
  return same;
}
