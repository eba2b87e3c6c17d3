/* Problem: a tree is whatever an archive held, or what a zone made of it: links that
 * lead out, FIFOs and devices under the names of release files, files without end.
 *
 * Facts: openat2(2) with RESOLVE_IN_ROOT (Linux 5.6) takes the tree for the root, for absolute
 * links and ".." too. Opening a device may act on it, and opening a FIFO may wait; O_PATH does
 * neither.
 *
 * Choice: open with O_PATH, look at what it is, and reopen that very inode through /proc/self/fd.
 * Nothing is mapped: a file that is truncated while it is read then gives less, not SIGBUS. */
#include "config.h"

#include "brand/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST_NAMES 4096

static int
open_in_tree (int tree_fd, const char *path, guint64 flags)
{
  struct open_how how = { .flags = flags | O_CLOEXEC,
                          .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

  return (int) syscall (SYS_openat2, tree_fd, path, &how, sizeof how);
}

static int
open_regular (int tree_fd, const char *path)
{
  int at = open_in_tree (tree_fd, path, O_PATH);
  struct stat status;
  char proc[64];
  int fd = -1;

  if (at < 0)
    return -1;
  if (fstat (at, &status) == 0 && S_ISREG (status.st_mode))
    {
      snprintf (proc, sizeof proc, "/proc/self/fd/%d", at);
      fd = open (proc, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
  close (at);
  return fd;
}

char *
bz_tree_link (int tree_fd, const char *path)
{
  int at = open_in_tree (tree_fd, path, O_PATH | O_NOFOLLOW);
  char target[PATH_MAX];
  gssize length = at < 0 ? -1 : readlinkat (at, "", target, sizeof target);

  if (at >= 0)
    close (at);
  return length < 0 ? NULL : g_strndup (target, (gsize) length);
}

gboolean
bz_tree_read (int tree_fd, const char *path, gsize limit, GBytes **bytes)
{
  int fd = open_regular (tree_fd, path);
  struct stat status;

  if (fd < 0)
    return FALSE;
  if (fstat (fd, &status) != 0)
    {
      close (fd);
      return FALSE;
    }

  /* The size is a hint: files grow, and those of some file systems say 0. */
  gsize room =
      status.st_size > 0 && (guint64) status.st_size < limit ? (gsize) status.st_size : limit;
  guint8 *buffer = g_malloc (MAX (room, 1));
  gsize length = 0;
  gssize got = 0;

  while (length < room
         && ((got = read (fd, buffer + length, room - length)) > 0 || (got < 0 && errno == EINTR)))
    length += got > 0 ? (gsize) got : 0;
  close (fd);
  if (got < 0)
    {
      g_free (buffer);
      return FALSE;
    }
  *bytes = g_bytes_new_take (buffer, length);
  return TRUE;
}

gboolean
bz_tree_has_file (int tree_fd, const char *path)
{
  int fd = open_in_tree (tree_fd, path, O_PATH);
  struct stat status;

  if (fd < 0)
    return FALSE;
  gboolean is = fstat (fd, &status) == 0 && !S_ISDIR (status.st_mode);
  close (fd);
  return is;
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

char **
bz_tree_list (int tree_fd, const char *path)
{
  int fd = open_in_tree (tree_fd, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  DIR *dir = fd >= 0 ? fdopendir (fd) : NULL;
  struct dirent *entry;

  if (dir == NULL)
    {
      if (fd >= 0)
        close (fd);
      return NULL;
    }

  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  while (names->len < MOST_NAMES && (entry = readdir (dir)) != NULL)
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      g_ptr_array_add (names, g_strdup (entry->d_name));
  closedir (dir);
  g_ptr_array_sort (names, by_name);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}
