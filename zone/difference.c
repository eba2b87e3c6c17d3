/* Facts: on an overlay a file that nobody changed is the file of the same layer, however many trees
 * lie on it: inode number and change time are the same then, and it need not be read. Times of
 * modification alone are no difference. Limits: extended attributes are not compared. */
#include "config.h"

#include "zone/difference.h"

#include "brand/base/error.h"
#include "installer/beneath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 65536

typedef struct {
  int then, now;
  BzChangeFunc tell;
  gpointer data;
  GPtrArray *todo; /* of paths of directories that both have */
  char *buffers[2];
} Difference;

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* NULL with error; names sorted. */
static GPtrArray *
names_in (int fd, const char *path, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  int copy = openat (fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = copy >= 0 ? fdopendir (copy) : NULL;
  struct dirent *entry;

  if (dir == NULL)
    {
      bz_fail_errno (error, errno, NULL, "reading %s of the zone", path);
      return NULL;
    }
  while ((entry = readdir (dir)) != NULL)
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      g_ptr_array_add (names, g_strdup (entry->d_name));
  closedir (dir);
  g_ptr_array_sort (names, compare_names);
  return g_steal_pointer (&names);
}

static gssize
read_piece (int fd, char *buffer)
{
  gsize done = 0;

  while (done < PIECE)
    {
      gssize size = read (fd, buffer + done, PIECE - done);
      if (size < 0 && errno == EINTR)
        continue;
      if (size < 0)
        return -1;
      if (size == 0)
        break;
      done += (gsize) size;
    }
  return (gssize) done;
}

/* Unreadable ones count as different. */
static gboolean
same_contents (Difference *difference, int then, int now, const char *name)
{
  const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  int fds[2] = { openat (then, name, flags), openat (now, name, flags) };
  gboolean same = fds[0] >= 0 && fds[1] >= 0;
  gssize sizes[2] = { 1, 1 };

  while (same && sizes[0] > 0)
    {
      sizes[0] = read_piece (fds[0], difference->buffers[0]);
      sizes[1] = read_piece (fds[1], difference->buffers[1]);
      same = sizes[0] >= 0 && sizes[0] == sizes[1]
             && memcmp (difference->buffers[0], difference->buffers[1], (gsize) sizes[0]) == 0;
    }
  for (int i = 0; i < 2; i++)
    if (fds[i] >= 0)
      close (fds[i]);
  return same;
}

static gboolean
same_link (int then, int now, const char *name)
{
  char a[PATH_MAX], b[PATH_MAX];
  ssize_t size = readlinkat (then, name, a, sizeof a);

  return size >= 0 && readlinkat (now, name, b, sizeof b) == size
         && memcmp (a, b, (gsize) size) == 0;
}

static gboolean
is_untouched (const struct stat *then, const struct stat *now)
{
  return then->st_ino == now->st_ino && then->st_ctim.tv_sec == now->st_ctim.tv_sec
         && then->st_ctim.tv_nsec == now->st_ctim.tv_nsec && then->st_size == now->st_size;
}

static gboolean
is_same (Difference *difference, int then, int now, const char *name, const struct stat *before,
         const struct stat *after)
{
  if (before->st_mode != after->st_mode || before->st_uid != after->st_uid
      || before->st_gid != after->st_gid)
    return FALSE;
  if (S_ISCHR (after->st_mode) || S_ISBLK (after->st_mode))
    return before->st_rdev == after->st_rdev;
  if (S_ISLNK (after->st_mode))
    return same_link (then, now, name);
  if (!S_ISREG (after->st_mode) || is_untouched (before, after))
    return TRUE;
  return before->st_size == after->st_size && same_contents (difference, then, now, name);
}

/* One name that at least one of both has. */
static void
look_at (Difference *difference, int then, int now, const char *directory, const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  struct stat before, after;
  gboolean was = fstatat (then, name, &before, AT_SYMLINK_NOFOLLOW) == 0;
  gboolean is = fstatat (now, name, &after, AT_SYMLINK_NOFOLLOW) == 0;

  if (was && is && !is_same (difference, then, now, name, &before, &after))
    difference->tell (BZ_CHANGED, path, difference->data);
  else if (was != is)
    difference->tell (was ? BZ_DELETED : BZ_ADDED, path, difference->data);
  if (was && is && S_ISDIR (before.st_mode) && S_ISDIR (after.st_mode))
    g_ptr_array_add (difference->todo, g_steal_pointer (&path));
}

static gboolean
compare_directory (Difference *difference, const char *path, GError **error)
{
  int then = bz_beneath_open (difference->then, path + 1, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                              BZ_BENEATH_NO_LINKS);
  int now = bz_beneath_open (difference->now, path + 1, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                             BZ_BENEATH_NO_LINKS);
  g_autoptr (GPtrArray) olds = NULL, news = NULL;
  guint old = 0, new = 0;

  if (then < 0 || now < 0)
    bz_fail_errno (error, errno, NULL, "reading %s of the zone", path);
  else if ((olds = names_in (then, path, error)) != NULL)
    news = names_in (now, path, error);
  while (news != NULL && (old < olds->len || new < news->len))
    {
      const char *a = old < olds->len ? g_ptr_array_index (olds, old) : NULL;
      const char *b = new < news->len ? g_ptr_array_index (news, new) : NULL;
      int order = a == NULL ? 1 : b == NULL ? -1 : strcmp (a, b);

      const char *name = order <= 0 ? a : b;

      if (name != NULL)
        look_at (difference, then, now, path, name);
      old += order <= 0;
      new += order >= 0;
    }
  if (then >= 0)
    close (then);
  if (now >= 0)
    close (now);
  return news != NULL;
}

gboolean
bz_difference (int then, int now, BzChangeFunc tell, gpointer data, GError **error)
{
  g_autoptr (GPtrArray) todo = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *first = g_malloc (PIECE);
  g_autofree char *second = g_malloc (PIECE);
  Difference difference = { then, now, tell, data, todo, { first, second } };
  gboolean good = TRUE;

  g_ptr_array_add (todo, g_strdup ("/"));
  while (good && todo->len > 0)
    {
      g_autofree char *path = g_ptr_array_steal_index_fast (todo, todo->len - 1);
      good = compare_directory (&difference, path, error);
    }
  return good;
}
