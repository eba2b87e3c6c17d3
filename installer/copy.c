/* A directory as the source.
 *
 * Facts: the source may be in use, and may be hostile: a file may become a link between looking and
 * opening. FICLONE shares blocks where the file system can; copy_file_range copies in the kernel;
 * SEEK_DATA finds holes. Choice: everything is opened below the source without following links;
 * file systems mounted in it are not entered; directories wait in a list of paths, so depth costs
 * no stack. Limits: attributes of symbolic links and access times are not copied. */
#include "config.h"

#include "installer/install.h"

#include "brand/base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PIECE (4 * 1024 * 1024)

typedef struct {
  BzInstall *install;
  GPtrArray *todo;   /* paths of directories */
  GHashTable *links; /* "device:inode" -> path */
  dev_t own_device;  /* TARGET.partial, which may lie in the source */
  ino_t own_inode;
} Copy;

static gboolean
fail_read (Copy *copy, const char *path, int saved_errno, GError **error)
{
  const char *hint = saved_errno == EACCES
                         ? "install it as a user who may read all of it, or from an archive"
                         : NULL;

  return bz_fail_errno (error, saved_errno, hint, "reading %s/%s", copy->install->args->source,
                        path);
}

static void
take_xattrs (int fd, BzNode *node)
{
  gssize size = flistxattr (fd, NULL, 0);
  g_autofree char *names = size > 0 ? g_malloc ((gsize) size) : NULL;

  size = size > 0 ? flistxattr (fd, names, (gsize) size) : 0;
  for (gssize at = 0; at < size; at += (gssize) strlen (names + at) + 1)
    {
      g_autofree char *value = NULL;
      gssize length;

      /* What the host's own security modules keep there is the host's. */
      if (g_str_has_prefix (names + at, "security.")
          && strcmp (names + at, "security.capability") != 0)
        continue;
      length = fgetxattr (fd, names + at, NULL, 0);
      if (length < 0)
        continue;
      value = g_malloc ((gsize) length + 1);
      length = fgetxattr (fd, names + at, value, (gsize) length);
      if (length >= 0)
        bz_node_add_xattr (node, names + at, value, (gsize) length);
    }
}

static void
describe (const struct stat *st, int fd, BzNode *node)
{
  bz_node_init (node);
  node->mode = st->st_mode;
  node->uid = st->st_uid;
  node->gid = st->st_gid;
  node->device = st->st_rdev;
  node->mtime = st->st_mtim;
  if (fd >= 0)
    take_xattrs (fd, node);
}

/* Copies [at, end) by the cheapest means that works. */
static gboolean
copy_range (Copy *copy, int from, int to, off_t at, off_t end, const char *path, GError **error)
{
  BzTree *tree = copy->install->tree;
  gboolean in_kernel = TRUE;
  g_autofree char *buffer = NULL;

  while (at < end)
    {
      gsize want = MIN ((gsize) (end - at), PIECE);
      off_t in = at, out = at;
      gssize size = -1;

      if (in_kernel)
        {
          if (!bz_job_count_bytes (copy->install->job, want, error)
              || !bz_job_step (copy->install->job, error))
            return FALSE;
          size = copy_file_range (from, &in, to, &out, want, 0);
          if (size < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO))
            return bz_fail_errno (error, errno, NULL, "making %s", path);
          in_kernel = size > 0;
        }
      if (size <= 0)
        {
          buffer = buffer == NULL ? g_malloc (PIECE) : buffer;
          size = pread (from, buffer, want, at);
          if (size < 0)
            return fail_read (copy, path, errno, error);
          if (size == 0)
            return TRUE; /* it became shorter meanwhile */
          if (!bz_tree_file_write (tree, to, path, buffer, (gsize) size, (guint64) at, error))
            return FALSE;
        }
      at += size;
    }
  return TRUE;
}

static gboolean
copy_data (Copy *copy, int from, int to, off_t size, const char *path, GError **error)
{
  off_t data = 0;

  if (size > 0 && ioctl (to, FICLONE, from) == 0)
    return TRUE;
  while (data < size)
    {
      off_t hole;

      data = lseek (from, data, SEEK_DATA);
      if (data < 0 && errno == ENXIO)
        return TRUE; /* only a hole is left */
      if (data < 0)
        return copy_range (copy, from, to, 0, size, path, error);
      hole = lseek (from, data, SEEK_HOLE);
      if (hole < 0)
        hole = size;
      if (!copy_range (copy, from, to, data, MIN (hole, size), path, error))
        return FALSE;
      data = hole;
    }
  return TRUE;
}

static gboolean
copy_file (Copy *copy, int dir_fd, const char *name, const char *path, GError **error)
{
  BzTree *tree = copy->install->tree;
  int from = openat (dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  g_auto (BzNode) node = { 0 };
  struct stat st;
  int to;

  if (from < 0)
    return fail_read (copy, path, errno, error);
  if (fstat (from, &st) < 0 || !S_ISREG (st.st_mode))
    {
      close (from);
      return fail_read (copy, path, ESTALE, error);
    }
  describe (&st, from, &node);
  to = bz_tree_file_open (tree, path, error);
  gboolean ok = to >= 0 && copy_data (copy, from, to, st.st_size, path, error);
  close (from);
  if (to >= 0 && !ok)
    close (to);
  return ok && bz_tree_file_close (tree, to, path, (guint64) st.st_size, &node, error);
}

static gboolean
copy_symlink (Copy *copy, int dir_fd, const char *name, const char *path, const BzNode *node,
              GError **error)
{
  char target[PATH_MAX + 1];
  gssize size = readlinkat (dir_fd, name, target, sizeof target - 1);

  if (size < 0)
    return fail_read (copy, path, errno, error);
  target[size] = '\0';
  return bz_tree_symlink (copy->install->tree, path, target, node, error);
}

/* A link to what could not be made here (a device) is left out as that was. */
static gboolean
copy_link (BzTree *tree, const char *path, const char *first, GError **error)
{
  g_autoptr (GError) failure = NULL;
  gboolean missing;

  if (bz_tree_link (tree, path, first, &missing, &failure))
    return TRUE;
  if (missing)
    {
      bz_job_tally (tree->job, "hard link to something left out, left out too",
                    "hard links to something left out, left out too", path);
      return TRUE;
    }
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
copy_entry (Copy *copy, int dir_fd, const char *name, const char *path, GError **error)
{
  BzTree *tree = copy->install->tree;
  g_auto (BzNode) node = { 0 };
  struct stat st;

  if (fstatat (dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? TRUE : fail_read (copy, path, errno, error);
  if (S_ISDIR (st.st_mode))
    {
      g_ptr_array_add (copy->todo, g_strdup (path));
      return TRUE;
    }
  if (st.st_nlink > 1)
    {
      char key[64];
      g_snprintf (key, sizeof key, "%" G_GINT64_MODIFIER "x:%" G_GINT64_MODIFIER "x",
                  (guint64) st.st_dev, (guint64) st.st_ino);
      const char *first = g_hash_table_lookup (copy->links, key);

      if (first != NULL)
        return copy_link (tree, path, first, error);
      if (!S_ISSOCK (st.st_mode))
        g_hash_table_insert (copy->links, g_strdup (key), g_strdup (path));
    }
  if (S_ISREG (st.st_mode))
    return copy_file (copy, dir_fd, name, path, error);
  describe (&st, -1, &node);
  if (S_ISLNK (st.st_mode))
    return copy_symlink (copy, dir_fd, name, path, &node, error);
  return bz_tree_special (tree, path, &node, error);
}

/* Makes the directory `path` and what is in it but for its directories, which join the list. */
static gboolean
copy_directory (Copy *copy, const char *path, GError **error)
{
  int fd = bz_beneath_open (copy->install->source_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                            BZ_BENEATH_NO_LINKS);
  g_auto (BzNode) node = { 0 };
  struct dirent *entry;
  struct stat st;
  gboolean ok = TRUE;
  DIR *dir;

  if (fd < 0 && errno == EXDEV)
    {
      BzNode plain = { .mode = S_IFDIR | 0755, .mtime.tv_nsec = UTIME_OMIT };

      bz_job_tally (copy->install->job, "file system mounted in the source left empty",
                    "file systems mounted in the source left empty", path);
      return bz_tree_directory (copy->install->tree, path, &plain, error);
    }
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
    return TRUE; /* changed meanwhile */
  if (fd < 0)
    return fail_read (copy, path, errno, error);
  if (fstat (fd, &st) < 0 || (dir = fdopendir (fd)) == NULL)
    {
      int saved = errno;
      close (fd);
      return fail_read (copy, path, saved, error);
    }
  if (st.st_dev == copy->own_device && st.st_ino == copy->own_inode)
    {
      closedir (dir);
      return TRUE;
    }
  describe (&st, fd, &node);
  ok = bz_tree_directory (copy->install->tree, path, &node, error);
  while (ok && (entry = readdir (dir)) != NULL)
    {
      g_autofree char *child = NULL;

      if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
        continue;
      child =
          *path == '\0' ? g_strdup (entry->d_name) : g_strdup_printf ("%s/%s", path, entry->d_name);
      ok = copy_entry (copy, fd, entry->d_name, child, error);
    }
  closedir (dir);
  return ok;
}

gboolean
bz_install_directory (BzInstall *install, GError **error)
{
  Copy copy = { .install = install };
  struct stat st;
  gboolean ok = TRUE;

  if (fstat (install->partial->fd, &st) < 0)
    return bz_fail_errno (error, errno, NULL, "making %s", install->args->target);
  copy.own_device = st.st_dev;
  copy.own_inode = st.st_ino;
  copy.todo = g_ptr_array_new_with_free_func (g_free);
  copy.links = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_ptr_array_add (copy.todo, g_strdup (""));
  while (ok && copy.todo->len > 0)
    {
      g_autofree char *path = g_ptr_array_steal_index_fast (copy.todo, copy.todo->len - 1);
      ok = copy_directory (&copy, path, error);
    }
  g_ptr_array_unref (copy.todo);
  g_hash_table_unref (copy.links);
  return ok;
}
