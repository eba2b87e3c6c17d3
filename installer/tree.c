/* Writing a tree.
 *
 * Problem: names, links and types come from whoever made the archive: "..", a link that an earlier
 * entry made followed by an entry through it, a hard link to a file of the host, the same name five
 * times. Choice: every parent directory is opened below the tree's root by the kernel's own rules
 * (installer/beneath.h), the last component is made with O_EXCL, mknodat, symlinkat, linkat, which
 * never follow. The root directory lies in a directory of mode 0700, so nobody else races with us.
 * Plain archives may not write through links at all. Upper layers of images may ("lib/x" where
 * a lower layer has lib -> usr/lib): there links are followed with the tree as "/".
 * Directories get their time, and a mode that would lock us out, when all is written.
 * Limits: one parent descriptor is kept, archives being in order; a shuffled one costs an openat2
 * per file. */
#include "config.h"

#include "installer/tree.h"

#include "brand/base/error.h"
#include "installer/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SPACE_HINT "make room on the file system, or install elsewhere"

static void
node_free (gpointer data)
{
  bz_node_clear (data);
  g_free (data);
}

BzTree *
bz_tree_new (BzJob *job, int fd, guint32 id_shift)
{
  BzTree *tree = g_new0 (BzTree, 1);

  tree->job = job;
  tree->fd = fd;
  tree->id_shift = id_shift;
  tree->parent_fd = -1;
  tree->directories = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, node_free);
  return tree;
}

static void
forget_parent (BzTree *tree)
{
  g_clear_pointer (&tree->parent_path, g_free);
  if (tree->parent_fd >= 0)
    close (tree->parent_fd);
  tree->parent_fd = -1;
}

void
bz_tree_free (BzTree *tree)
{
  forget_parent (tree);
  g_free (tree->name);
  g_hash_table_unref (tree->directories);
  g_clear_pointer (&tree->made, g_hash_table_unref);
  g_free (tree);
}

char *
bz_tree_clean_path (const char *path, gboolean *absolute, GError **error)
{
  GString *clean = g_string_sized_new (strlen (path) + 1);

  *absolute = path[0] == '/';
  while (*path != '\0')
    {
      gsize length = strcspn (path, "/");

      if (length > NAME_MAX || (length == 2 && memcmp (path, "..", 2) == 0))
        {
          g_string_free (clean, TRUE);
          bz_fail (error, BZ_ERROR_INPUT,
                   length == 2 ? "the name leads out of the tree"
                               : "a name is longer than 255 bytes",
                   "this source is damaged or hostile: don't use it", "entry %.200s", path);
          return NULL;
        }
      if (length > 0 && !(length == 1 && path[0] == '.'))
        {
          if (clean->len > 0)
            g_string_append_c (clean, '/');
          g_string_append_len (clean, path, (gssize) length);
        }
      path += length;
      while (*path == '/')
        path++;
    }
  return g_string_free (clean, FALSE);
}

static gboolean
fail_through_link (const char *path, int saved_errno, GError **error)
{
  if (saved_errno == ELOOP || saved_errno == EXDEV)
    return bz_fail (error, BZ_ERROR_INPUT,
                    "it goes through a symbolic link that the source made before",
                    "this source is damaged or hostile: don't use it", "entry %.200s", path);
  return bz_fail_errno (error, saved_errno,
                        saved_errno == ENOSPC || saved_errno == EDQUOT ? SPACE_HINT : NULL,
                        "making %.200s", path);
}

/* Makes the directory `path` and what is missing above it. */
static gboolean
make_parents (BzTree *tree, const char *path, GError **error)
{
  g_autofree char *part = g_strdup (path);
  int at = bz_beneath_open (tree->fd, "", O_PATH | O_DIRECTORY, 0, BZ_BENEATH_NO_LINKS);
  char *start = part;

  while (at >= 0 && start != NULL)
    {
      char *slash = strchr (start, '/');
      int next;

      if (slash != NULL)
        *slash = '\0';
      /* From the root each time where links count, so that they mean what they mean in the tree. */
      const char *name = tree->parents == BZ_BENEATH_AS_ROOT ? part : start;
      int base = tree->parents == BZ_BENEATH_AS_ROOT ? tree->fd : at;
      next = bz_beneath_open (base, name, O_PATH | O_DIRECTORY, 0, tree->parents);
      if (next < 0 && errno == ENOTDIR)
        {
          if (unlinkat (at, start, 0) == 0)
            errno = ENOENT; /* a file where the later entry wants a directory: the later one wins */
        }
      if (next < 0 && errno == ENOENT && (mkdirat (at, start, 0755) == 0 || errno == EEXIST))
        next = bz_beneath_open (base, name, O_PATH | O_DIRECTORY, 0, tree->parents);
      int saved = errno;
      close (at);
      at = next;
      errno = saved;
      if (slash != NULL)
        *slash = '/';
      start = slash == NULL ? NULL : slash + 1;
    }
  if (at < 0)
    return fail_through_link (path, errno, error);
  close (at);
  return TRUE;
}

/* Opens the parent of `path` (kept for the next) and sets tree->name. */
static gboolean
enter_parent (BzTree *tree, const char *path, GError **error)
{
  const char *slash = strrchr (path, '/');
  g_autofree char *parent =
      slash == NULL ? g_strdup ("") : g_strndup (path, (gsize) (slash - path));

  g_free (tree->name);
  tree->name = g_strdup (slash == NULL ? path : slash + 1);
  if (tree->parent_fd >= 0 && strcmp (tree->parent_path, parent) == 0)
    return TRUE;
  forget_parent (tree);
  tree->parent_fd = bz_beneath_open (tree->fd, parent, O_PATH | O_DIRECTORY, 0, tree->parents);
  if (tree->parent_fd < 0 && (errno == ENOENT || errno == ENOTDIR))
    {
      if (!make_parents (tree, parent, error))
        return FALSE;
      tree->parent_fd = bz_beneath_open (tree->fd, parent, O_PATH | O_DIRECTORY, 0, tree->parents);
    }
  if (tree->parent_fd < 0)
    return fail_through_link (path, errno, error);
  tree->parent_path = g_steal_pointer (&parent);
  return TRUE;
}

/* The path, and the directories above it, belong to this layer. */
static void
remember_made (BzTree *tree, const char *path)
{
  g_autofree char *part = g_strdup (path);

  while (g_hash_table_add (tree->made, g_strdup (part)))
    {
      char *slash = strrchr (part, '/');
      if (slash == NULL)
        break;
      *slash = '\0';
    }
}

/* Everything that makes a name begins here. */
static gboolean
begin (BzTree *tree, const char *path, GError **error)
{
  if (*path == '\0')
    return bz_fail (error, BZ_ERROR_INPUT, "the root of the tree is not a directory", NULL,
                    "unpacking the source");
  if (!bz_job_count_file (tree->job, error) || !enter_parent (tree, path, error))
    return FALSE;
  if (tree->made != NULL)
    remember_made (tree, path);
  return TRUE;
}

/* Takes away what has the name already. */
static gboolean
replace (BzTree *tree, const char *path, GError **error)
{
  if (unlinkat (tree->parent_fd, tree->name, 0) == 0)
    return TRUE;
  if (!bz_remove_at (tree->parent_fd, tree->name, path, error))
    return FALSE;
  g_hash_table_remove (tree->directories, path);
  return TRUE;
}

static gboolean
fail_make (int saved_errno, const char *path, GError **error)
{
  if (saved_errno == EILSEQ || saved_errno == ENAMETOOLONG || saved_errno == EINVAL)
    return bz_fail (error, BZ_ERROR_INPUT, "this file system does not take such a name",
                    "install to another file system", "making %.200s", path);
  if (saved_errno == EMLINK)
    return bz_fail (error, BZ_ERROR_INPUT, "this file system gives a file no more names than it has",
                    "install to another file system", "making %.200s", path);
  return bz_fail_errno (error, saved_errno,
                        saved_errno == ENOSPC || saved_errno == EDQUOT ? SPACE_HINT : NULL,
                        "making %.200s", path);
}

static void
remember_directory (BzTree *tree, const char *path, const BzNode *node)
{
  BzNode *copy = g_new0 (BzNode, 1);

  *copy = *node;
  copy->xattrs = NULL; /* set already */
  g_hash_table_replace (tree->directories, g_strdup (path), copy);
}

/* Package managers take a link to a directory for one: /bin of a package is /usr/bin then. */
static gboolean
is_kept_link (BzTree *tree, const char *path)
{
  int fd = tree->keep_links
               ? bz_beneath_open (tree->fd, path, O_PATH | O_DIRECTORY, 0, BZ_BENEATH_AS_ROOT)
               : -1;

  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

gboolean
bz_tree_directory (BzTree *tree, const char *path, const BzNode *node, GError **error)
{
  BzNode now = *node;
  struct stat st;
  gboolean ok;
  int fd;

  if (*path == '\0')
    fd = bz_beneath_open (tree->fd, "", O_RDONLY | O_DIRECTORY, 0, BZ_BENEATH_NO_LINKS);
  else
    {
      if (!begin (tree, path, error))
        return FALSE;
      if (mkdirat (tree->parent_fd, tree->name, 0700) < 0)
        {
          if (errno != EEXIST)
            return fail_make (errno, path, error);
          if (fstatat (tree->parent_fd, tree->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return fail_make (errno, path, error);
          if (S_ISLNK (st.st_mode) && is_kept_link (tree, path))
            return TRUE;
          if (!S_ISDIR (st.st_mode)
              && (!replace (tree, path, error)
                  || (mkdirat (tree->parent_fd, tree->name, 0700) < 0
                      && !fail_make (errno, path, error))))
            return FALSE;
        }
      fd = openat (tree->parent_fd, tree->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
  if (fd < 0)
    return fail_make (errno, path, error);
  /* Until the end we must be able to work in it; the time would not last either. */
  now.mode |= 0700;
  now.mtime.tv_nsec = UTIME_OMIT;
  ok = bz_tree_set_attributes (tree, fd, -1, NULL, *path == '\0' ? "/" : path, &now, error);
  close (fd);
  remember_directory (tree, path, node);
  return ok;
}

gboolean
bz_tree_symlink (BzTree *tree, const char *path, const char *target, const BzNode *node,
                 GError **error)
{
  BzNode link = *node;

  if (!begin (tree, path, error))
    return FALSE;
  if (symlinkat (target, tree->parent_fd, tree->name) < 0
      && (errno != EEXIST || !replace (tree, path, error)
          || symlinkat (target, tree->parent_fd, tree->name) < 0))
    return (error != NULL && *error != NULL) ? FALSE : fail_make (errno, path, error);
  link.mode = S_IFLNK | 0777;
  return bz_tree_set_attributes (tree, -1, tree->parent_fd, tree->name, path, &link, error);
}

gboolean
bz_tree_link (BzTree *tree, const char *path, const char *to, gboolean *missing, GError **error)
{
  int fd;

  *missing = FALSE;
  if (strcmp (path, to) == 0)
    return TRUE; /* a file that is a link to itself: tar takes it as done */
  if (*to != '\0' && !enter_parent (tree, to, error))
    return FALSE;
  fd = *to == '\0' ? -1 : openat (tree->parent_fd, tree->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    {
      *missing = TRUE;
      return bz_fail (error, BZ_ERROR_INPUT, "the file it links to is not in the tree",
                      "this source is damaged or hostile: don't use it",
                      "hard link %.200s to %.200s", path, to);
    }

  struct stat st;
  if (fstat (fd, &st) == 0 && S_ISDIR (st.st_mode))
    {
      close (fd);
      return bz_fail (error, BZ_ERROR_INPUT, "a directory can't have two names",
                      "this source is damaged or hostile: don't use it",
                      "hard link %.200s to %.200s", path, to);
    }
  g_autofree char *source = g_strdup (tree->name);
  int source_dir = fcntl (tree->parent_fd, F_DUPFD_CLOEXEC, 3);
  gboolean ok = begin (tree, path, error);
  int failed = ok && linkat (source_dir, source, tree->parent_fd, tree->name, 0) < 0 ? errno : 0;
  if (failed == EEXIST)
    {
      ok = replace (tree, path, error);
      failed = ok && linkat (source_dir, source, tree->parent_fd, tree->name, 0) < 0 ? errno : 0;
    }
  if (failed != 0)
    ok = fail_make (failed, path, error);
  close (source_dir);
  close (fd);
  return ok;
}

gboolean
bz_tree_special (BzTree *tree, const char *path, const BzNode *node, GError **error)
{
  mode_t type = node->mode & S_IFMT;

  if (type == S_IFSOCK)
    {
      bz_job_tally (tree->job, "socket left out", "sockets left out", path);
      return TRUE;
    }
  if (!begin (tree, path, error))
    return FALSE;
  if (mknodat (tree->parent_fd, tree->name, type | 0600, node->device) < 0)
    {
      if (errno == EEXIST
          && (!replace (tree, path, error)
              || mknodat (tree->parent_fd, tree->name, type | 0600, node->device) == 0))
        return (error != NULL && *error != NULL)
                   ? FALSE
                   : bz_tree_set_attributes (tree, -1, tree->parent_fd, tree->name, path, node,
                                             error);
      if (errno != EPERM && errno != EACCES)
        return fail_make (errno, path, error);
      tree->job->files--;
      bz_job_tally (tree->job, "device node left out: a plain user can't make it",
                    "device nodes left out: a plain user can't make them", path);
      return TRUE;
    }
  return bz_tree_set_attributes (tree, -1, tree->parent_fd, tree->name, path, node, error);
}

int
bz_tree_file_open (BzTree *tree, const char *path, GError **error)
{
  const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  int fd;

  if (!begin (tree, path, error))
    return -1;
  fd = openat (tree->parent_fd, tree->name, flags, 0600);
  if (fd < 0 && errno == EEXIST)
    {
      if (!replace (tree, path, error))
        return -1;
      fd = openat (tree->parent_fd, tree->name, flags, 0600);
    }
  if (fd < 0)
    fail_make (errno, path, error);
  return fd;
}

int
bz_tree_file_reopen (BzTree *tree, const char *path, GError **error)
{
  struct stat st;
  int fd;

  if (!enter_parent (tree, path, error))
    return -1;
  /* Looked at first: opening a device or a FIFO would do something. Nobody else works here. */
  if (fstatat (tree->parent_fd, tree->name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG (st.st_mode))
    {
      bz_fail (error, BZ_ERROR_INPUT, "it brings data for what is not a file", NULL,
               "hard link %.200s", path);
      return -1;
    }
  fd = openat (tree->parent_fd, tree->name, O_RDWR | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    fail_make (errno, path, error);
  return fd;
}

gboolean
bz_tree_file_write (BzTree *tree, int fd, const char *path, const void *data, gsize size,
                    guint64 offset, GError **error)
{
  const char *at = data;

  if (offset > G_MAXINT64 - size)
    return bz_fail (error, BZ_ERROR_INPUT, "its size makes no sense", NULL, "file %.200s", path);
  if (!bz_job_count_bytes (tree->job, size, error) || !bz_job_step (tree->job, error))
    return FALSE;
  while (size > 0)
    {
      gssize written = pwrite (fd, at, size, (off_t) offset);

      if (written < 0 && errno == EINTR)
        continue;
      if (written < 0)
        return fail_make (errno == EFBIG ? EINVAL : errno, path, error);
      at += written;
      size -= (gsize) written;
      offset += (guint64) written;
    }
  return TRUE;
}

gboolean
bz_tree_file_close (BzTree *tree, int fd, const char *path, guint64 size, const BzNode *node,
                    GError **error)
{
  gboolean ok = TRUE;
  struct stat st;

  if (fstat (fd, &st) < 0)
    ok = fail_make (errno, path, error);
  else if (size > (guint64) st.st_size && (size > G_MAXINT64 || ftruncate (fd, (off_t) size) < 0))
    ok = bz_fail (error, BZ_ERROR_INPUT, "this file system does not take a file of its size", NULL,
                  "making %.200s", path);
  if (ok && node != NULL)
    ok = bz_tree_set_attributes (tree, fd, -1, NULL, path, node, error);
  if (close (fd) < 0 && ok)
    ok = fail_make (errno, path, error);
  return ok;
}

static int
deepest_first (gconstpointer a, gconstpointer b)
{
  return -strcmp (*(char *const *) a, *(char *const *) b);
}

gboolean
bz_tree_finish (BzTree *tree, GError **error)
{
  guint count;
  g_autofree char **paths = (char **) g_hash_table_get_keys_as_array (tree->directories, &count);

  forget_parent (tree);
  qsort (paths, count, sizeof *paths, deepest_first);
  for (guint i = 0; i < count; i++)
    {
      const BzNode *node = g_hash_table_lookup (tree->directories, paths[i]);
      struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, node->mtime };
      int fd;

      if (!bz_job_step (tree->job, error))
        return FALSE;
      /* Gone, or something else now: a later entry won. */
      fd = bz_beneath_open (tree->fd, paths[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                            tree->parents);
      if (fd < 0)
        continue;
      if (node->mtime.tv_nsec != UTIME_OMIT && futimens (fd, times) < 0)
        bz_job_tally (tree->job, "time that this file system can't keep",
                      "times that this file system can't keep", paths[i]);
      if ((node->mode & 0700) != 0700 && fchmod (fd, node->mode & 07777) < 0)
        {
          int saved = errno;
          close (fd);
          return bz_fail_errno (error, saved, NULL, "setting the mode of %s", paths[i]);
        }
      close (fd);
    }
  g_hash_table_remove_all (tree->directories);
  return TRUE;
}
