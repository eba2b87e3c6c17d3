/* Removing a tree.
 *
 * Problem: the tree comes from an archive or was lived in: directories without permissions,
 * ten thousand levels, links to the host, mounts that somebody left, names that change while
 * we work.
 * Choice: one descriptor walks down and up again (".."), and every step up is compared with the
 * device and inode noted on the way down; when they differ the directory was moved and the
 * walk begins again at the top. A directory is read again after each child: what was in front is
 * gone by then. What can't be removed is remembered by name per level, so that the walk ends.
 * Limits: the immutable flag is reported, never cleared: somebody set it on purpose. */
#include "config.h"

#include "installer/remove.h"

#include "brand/base/error.h"
#include "installer/beneath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESTARTS_MAX 1000

typedef struct {
  dev_t device;
  ino_t inode;
  char *name;        /* in its parent */
  GHashTable *stuck; /* names that can't be removed; NULL: none */
} Level;

typedef struct {
  GArray *levels; /* of Level; the last is the one that `fd` is open on */
  int fd;
  guint64 left, immutable, mounts;
  char *first_left;
  int first_errno;
} Walk;

static void
level_clear (gpointer data)
{
  Level *level = data;

  g_free (level->name);
  g_clear_pointer (&level->stuck, g_hash_table_unref);
}

static Level *
top (Walk *walk)
{
  return &g_array_index (walk->levels, Level, walk->levels->len - 1);
}

static char *
path_of (Walk *walk, const char *name)
{
  GString *path = g_string_new (NULL);

  for (guint i = 1; i < walk->levels->len && path->len < 4096; i++)
    g_string_append_printf (path, "%s/", g_array_index (walk->levels, Level, i).name);
  g_string_append (path, name);
  return g_string_free (path, FALSE);
}

static gboolean
is_immutable (int dir_fd, const char *name)
{
  int flags = 0, fd;
  gboolean immutable = FALSE;

  fd = openat (dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
  if (fd < 0)
    return FALSE;
  if (ioctl (fd, FS_IOC_GETFLAGS, &flags) == 0)
    immutable = (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)) != 0;
  close (fd);
  return immutable;
}

/* Remembers that `name` of the current level stays. */
static void
leave (Walk *walk, const char *name, int saved_errno)
{
  Level *level = top (walk);

  if (level->stuck == NULL)
    level->stuck = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_add (level->stuck, g_strdup (name));
  if (saved_errno == ENOTEMPTY && walk->left > 0)
    return; /* its content was counted already */
  walk->left++;
  if (saved_errno == EPERM && (is_immutable (walk->fd, name) || is_immutable (walk->fd, ".")))
    walk->immutable++;
  if (saved_errno == EXDEV || saved_errno == EBUSY)
    walk->mounts++;
  if (walk->first_left == NULL)
    {
      walk->first_left = path_of (walk, name);
      walk->first_errno = saved_errno;
    }
}

/* Opens the directory `name`, with the permissions that emptying it needs where we can give them.
 */
static int
open_directory (int dir_fd, const char *name)
{
  struct stat st;
  int fd =
      bz_beneath_open (dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, BZ_BENEATH_NO_LINKS);

  if (fd < 0 && errno == EACCES)
    {
      char link[64];
      int path_fd =
          bz_beneath_open (dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, BZ_BENEATH_NO_LINKS);

      if (path_fd < 0)
        return -1;
      /* Through the descriptor, so that a link put there meanwhile is not followed. */
      g_snprintf (link, sizeof link, "/proc/self/fd/%d", path_fd);
      int result = chmod (link, 0700);
      close (path_fd);
      if (result < 0)
        {
          errno = EACCES;
          return -1;
        }
      fd = bz_beneath_open (dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                            BZ_BENEATH_NO_LINKS);
    }
  if (fd >= 0 && fstat (fd, &st) == 0 && (st.st_mode & 0700) != 0700 && fchmod (fd, 0700) < 0)
    errno = 0; /* the unlink below tells it if it mattered */
  return fd;
}

static gboolean
push (Walk *walk, int fd, const char *name)
{
  struct stat st;

  if (fstat (fd, &st) < 0)
    return FALSE;
  Level level = { .device = st.st_dev, .inode = st.st_ino, .name = g_strdup (name) };
  g_array_append_val (walk->levels, level);
  if (walk->fd >= 0)
    close (walk->fd);
  walk->fd = fd;
  return TRUE;
}

static gboolean
is_directory (int fd, const struct dirent *entry)
{
  struct stat st;

  if (entry->d_type != DT_UNKNOWN)
    return entry->d_type == DT_DIR;
  return fstatat (fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR (st.st_mode);
}

/* Unlinks everything in the current directory up to the first subdirectory that is not stuck.
 * Returns its name (owned by the caller), or NULL when nothing more is to do here. */
static char *
clear_until_directory (Walk *walk)
{
  int copy = openat (walk->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = copy < 0 ? NULL : fdopendir (copy);
  struct dirent *entry;
  char *child = NULL;

  if (dir == NULL)
    {
      if (copy >= 0)
        close (copy);
      return NULL;
    }
  while (child == NULL && (entry = readdir (dir)) != NULL)
    {
      Level *level = top (walk);

      if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
        continue;
      if (level->stuck != NULL && g_hash_table_contains (level->stuck, entry->d_name))
        continue;
      if (is_directory (walk->fd, entry))
        child = g_strdup (entry->d_name);
      else if (unlinkat (walk->fd, entry->d_name, 0) < 0 && errno != ENOENT)
        {
          if (errno == EISDIR)
            child = g_strdup (entry->d_name);
          else
            leave (walk, entry->d_name, errno);
        }
    }
  closedir (dir);
  return child;
}

/* Steps up to the parent and removes the directory just emptied. FALSE: it is no longer where it
 * was. */
static gboolean
go_up (Walk *walk)
{
  Level *parent = &g_array_index (walk->levels, Level, walk->levels->len - 2);
  g_autofree char *name = g_steal_pointer (&top (walk)->name);
  struct stat st;
  int fd = openat (walk->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return FALSE;
  if (fstat (fd, &st) < 0 || st.st_dev != parent->device || st.st_ino != parent->inode)
    {
      close (fd);
      return FALSE;
    }
  close (walk->fd);
  walk->fd = fd;
  g_array_set_size (walk->levels, walk->levels->len - 1);
  if (unlinkat (fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
    leave (walk, name, errno);
  return TRUE;
}

/* Empties the directory that `walk` was begun on. FALSE: something moved, begin again. */
static gboolean
empty_tree (Walk *walk)
{
  for (;;)
    {
      g_autofree char *child = clear_until_directory (walk);

      if (child != NULL)
        {
          int fd = open_directory (walk->fd, child);
          int saved = errno;

          if (fd < 0 && (saved == ENOENT || saved == ENOTDIR || saved == ELOOP))
            continue; /* changed meanwhile: look again */
          if (fd < 0 || !push (walk, fd, child))
            {
              /* An empty one needs no reading. */
              if (unlinkat (walk->fd, child, AT_REMOVEDIR) < 0 && errno != ENOENT)
                leave (walk, child, saved);
            }
        }
      else if (walk->levels->len == 1)
        return TRUE;
      else if (!go_up (walk))
        return FALSE;
    }
}

static gboolean
fail_left (Walk *walk, const char *label, GError **error)
{
  g_autofree char *more = walk->left > 1
                              ? g_strdup_printf (" and %" G_GUINT64_FORMAT " more", walk->left - 1)
                              : g_strdup ("");

  if (walk->mounts > 0)
    return bz_fail (error, BZ_ERROR_FAILED, "a file system is mounted there",
                    "unmount it and remove again", "removing %s: %s%s", label, walk->first_left, more);
  if (walk->immutable > 0)
    return bz_fail (error, BZ_ERROR_PERMISSION, "it has the immutable or append-only flag",
                    "chattr -R -i -a, then remove again", "removing %s: %s%s", label, walk->first_left, more);
  return bz_fail_errno (error, walk->first_errno, NULL, "removing %s: %s%s", label, walk->first_left, more);
}

gboolean
bz_remove_at (int dir_fd, const char *name, const char *label, GError **error)
{
  gboolean done = FALSE;
  Walk walk = { .fd = -1 };

  for (int tries = 0; tries < RESTARTS_MAX && !done; tries++)
    {
      int fd;

      if (unlinkat (dir_fd, name, 0) == 0 || errno == ENOENT)
        return TRUE;
      if (errno != EISDIR && errno != EPERM && errno != EACCES)
        return bz_fail_errno (error, errno, NULL, "removing %s", label);
      fd = open_directory (dir_fd, name);
      if (fd < 0 && errno == ENOENT)
        return TRUE;
      if (fd < 0 && errno == EXDEV)
        return bz_fail (error, BZ_ERROR_FAILED, "a file system is mounted there",
                        "unmount it and remove again", "removing %s", label);
      if (fd < 0)
        return bz_fail_errno (error, errno, NULL, "removing %s", label);

      g_clear_pointer (&walk.first_left, g_free);
      walk = (Walk){ .fd = -1, .levels = g_array_new (FALSE, FALSE, sizeof (Level)) };
      g_array_set_clear_func (walk.levels, level_clear);
      done = push (&walk, fd, name) && empty_tree (&walk);
      close (walk.fd);
      g_array_unref (walk.levels);
    }

  g_autofree char *first_left G_GNUC_UNUSED = walk.first_left; /* owned until the end */
  if (!done)
    return bz_fail (error, BZ_ERROR_FAILED, "somebody keeps moving its directories",
                    "stop what works in it", "removing %s", label);
  if (walk.left > 0)
    return fail_left (&walk, label, error);
  if (unlinkat (dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
    return bz_fail_errno (error, errno, NULL, "removing %s", label);
  return TRUE;
}
