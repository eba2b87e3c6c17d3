/* Copying a tree exactly, while who writes to it goes on.
 *
 * Problem: a running zone is to stand still for milliseconds, and a copy takes seconds. Choice: the
 * first pass copies while the zone goes on, the second, for which it stands still, looks at every
 * entry again and copies what has changed. A file is the same if its inode is the one that was
 * copied and its ctime is older than the first pass: ctime can't be set, and an inode number that is
 * used again has a new one. Pages that a program has mapped change ctime when they are first
 * written after they went to the disk, so the file system is synced before the first pass.
 *
 * Exact means: what overlayfs keeps in a layer too (whiteouts are device nodes 0:0, the rest
 * attributes), hard links, holes, sockets, times; but no access times of directories. Attributes of
 * links and of nodes are left out: nothing that brandzone lets into a tree has any.
 *
 * Paths that are longer than PATH_MAX can't be copied. A clock that is set back while the first pass
 * runs can hide a change. */
#include "config.h"

#include "zone/tree-copy-pass.h"

#include "brand/base/error.h"
#include "installer/remove.h"
#include "loader/kernel.h"
#include "zone/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define PIECE (1024 * 1024)
#define XATTR_MAX (64 * 1024)

struct _BzCopyPass {
  char *from_name, *to_name;
  int from, to; /* the directories */
  dev_t device; /* a zone can make subvolumes of its own, which count their inodes anew */
  gboolean share, must_share, shared, moving;
  guint passes;
  struct timespec began; /* the pass before */
  GHashTable *copies;    /* inode of a copy -> inode that it was made of */
  GHashTable *links;     /* inode with several names -> path of the first copy, in this pass */
  GPtrArray *todo;       /* paths of directories */
  char *buffer;
};

/* A directory that is being copied. */
typedef struct {
  BzCopyPass *pass;
  const char *path;
  int from, to;
  struct stat st;
} Place;

static gpointer
inode_key (ino_t inode)
{
  return (gpointer) (guintptr) inode; /* 64 bits on what brandzone runs on */
}

/* A path of a tree may be longer than a page of text. */
#define TOLD_MAX 1000

static gboolean
fail_at (const BzCopyPass *pass, const char *path, const char *what, GError **error)
{
  int saved = errno;
  g_autofree char *whole = g_build_filename (pass->from_name, path, NULL);
  g_autofree char *safe = bz_text_safe (whole);

  if (strlen (safe) <= TOLD_MAX)
    return bz_fail_errno (error, saved, NULL, "%s %s", what, safe);
  g_autofree char *begin = g_strndup (safe, TOLD_MAX);
  g_autofree char *told = g_utf8_make_valid (begin, -1); /* it may end within a letter */
  return bz_fail_errno (error, saved, NULL, "%s %s...", what, told);
}

/* What is gone or has become something else while the first pass looks: the second will see. */
static gboolean
left_for_later (const BzCopyPass *pass)
{
  return pass->moving
         && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ESTALE
             || errno == EAGAIN || errno == ENXIO || errno == EISDIR);
}

static gboolean
is_before (const struct timespec *a, const struct timespec *b)
{
  return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* Whether the copy of an earlier pass is still one. */
static gboolean
is_current (const BzCopyPass *pass, const struct stat *source, const struct stat *copy)
{
  return pass->passes > 0 && source->st_dev == pass->device
         && (source->st_mode & S_IFMT) == (copy->st_mode & S_IFMT)
         && g_hash_table_lookup (pass->copies, inode_key (copy->st_ino))
                == inode_key (source->st_ino)
         && is_before (&source->st_ctim, &pass->began);
}

static void
remember (BzCopyPass *pass, int dir, const char *name, const struct stat *source)
{
  struct stat st;

  if (fstatat (dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
    g_hash_table_insert (pass->copies, inode_key (st.st_ino), inode_key (source->st_ino));
}

/* --- what a file is besides its data --- */

/* What the host's security modules keep on a file they keep on its copy by themselves. */
static gboolean
is_host_own (const char *name)
{
  return g_str_has_prefix (name, "security.") && strcmp (name, "security.capability") != 0;
}

static gboolean
copy_xattrs (BzCopyPass *pass, int from, int to, const char *path, GError **error)
{
  g_autofree char *names = g_malloc (XATTR_MAX), *value = g_malloc (XATTR_MAX);
  ssize_t size = flistxattr (from, names, XATTR_MAX);

  if (size < 0)
    return errno == EOPNOTSUPP || left_for_later (pass)
           || fail_at (pass, path, "reading the attributes of", error);
  for (ssize_t at = 0; at < size; at += (ssize_t) strlen (names + at) + 1)
    {
      if (is_host_own (names + at))
        continue;
      ssize_t length = fgetxattr (from, names + at, value, XATTR_MAX);
      if (length < 0 && errno == ENODATA)
        continue;
      if (length < 0 || fsetxattr (to, names + at, value, (size_t) length, 0) != 0)
        return fail_at (pass, path, "copying the attributes of", error);
    }
  return TRUE;
}

/* Attributes that only the copy of an earlier pass has. */
static void
drop_xattrs (int from, int to)
{
  g_autofree char *names = g_malloc (XATTR_MAX);
  ssize_t size = flistxattr (to, names, XATTR_MAX);

  for (ssize_t at = 0; at < size; at += (ssize_t) strlen (names + at) + 1)
    if (!is_host_own (names + at) && fgetxattr (from, names + at, NULL, 0) < 0 && errno == ENODATA)
      fremovexattr (to, names + at);
}

/* chown clears set-id bits and capabilities, so it comes first; the times last. */
static gboolean
finish (BzCopyPass *pass, int from, int to, const struct stat *st, const char *path, GError **error)
{
  struct timespec times[2] = { st->st_atim, st->st_mtim };

  if (fchown (to, st->st_uid, st->st_gid) != 0)
    return fail_at (pass, path, "copying the owner of", error);
  if (!copy_xattrs (pass, from, to, path, error))
    return FALSE;
  if (fchmod (to, st->st_mode & 07777) != 0 || futimens (to, times) != 0)
    return fail_at (pass, path, "copying the mode and times of", error);
  return TRUE;
}

/* --- files --- */

static gboolean
copy_range (BzCopyPass *pass, int from, int to, off_t at, off_t end)
{
  while (at < end)
    {
      ssize_t size = pread (from, pass->buffer, MIN (PIECE, (size_t) (end - at)), at);
      ssize_t done = size > 0 ? pwrite (to, pass->buffer, (size_t) size, at) : size;

      if (done < 0 && errno == EINTR)
        continue;
      if (done < 0)
        return FALSE;
      if (size == 0)
        return TRUE; /* it became shorter meanwhile */
      at += done;
    }
  return TRUE;
}

static gboolean
copy_parts (BzCopyPass *pass, int from, int to, off_t size)
{
  for (off_t data = 0, hole; data < size; data = hole)
    {
      data = lseek (from, data, SEEK_DATA);
      if (data < 0 && errno == ENXIO)
        break; /* only a hole is left */
      hole = data < 0 ? size : lseek (from, data, SEEK_HOLE);
      data = MAX (data, 0);
      hole = hole < 0 ? size : MIN (hole, size);
      if (!copy_range (pass, from, to, data, hole))
        return FALSE;
    }
  return ftruncate (to, size) == 0;
}

static gboolean
copy_data (BzCopyPass *pass, int from, int to, off_t size, const char *path, GError **error)
{
  if (size == 0)
    return TRUE;
  if (pass->share && ioctl (to, FICLONE, from) == 0)
    return TRUE;
  if (pass->must_share)
    return fail_at (pass, path, "sharing the blocks of", error);
  pass->shared = FALSE;
  return copy_parts (pass, from, to, size) || fail_at (pass, path, "copying", error);
}

static gboolean
copy_file (const Place *place, const char *name, const char *path, GError **error)
{
  BzCopyPass *pass = place->pass;
  int from = openat (place->from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat st;

  if (from < 0)
    return left_for_later (pass) || fail_at (pass, path, "opening", error);
  if (fstat (from, &st) != 0 || !S_ISREG (st.st_mode))
    {
      close (from);
      errno = ESTALE;
      return left_for_later (pass) || fail_at (pass, path, "opening", error);
    }
  int to = openat (place->to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  gboolean good = to >= 0 || fail_at (pass, path, "making the copy of", error);
  good = good && copy_data (pass, from, to, st.st_size, path, error)
         && finish (pass, from, to, &st, path, error);
  close (from);
  if (to >= 0)
    close (to);
  if (good)
    remember (pass, place->to, name, &st);
  return good;
}

static gboolean
copy_link (const Place *place, const char *name, const struct stat *st)
{
  char target[PATH_MAX];
  ssize_t size = readlinkat (place->from, name, target, sizeof target - 1);

  if (size < 0)
    return FALSE;
  target[size] = '\0';
  return symlinkat (target, place->to, name) == 0
         && fchownat (place->to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) == 0;
}

static gboolean
make_node (const Place *place, const char *name, const struct stat *st)
{
  return mknodat (place->to, name, st->st_mode & S_IFMT, st->st_rdev) == 0
         && fchownat (place->to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) == 0
         && fchmodat (place->to, name, st->st_mode & 07777, 0) == 0;
}

/* Links, devices (whiteouts are such), pipes and sockets. */
static gboolean
copy_special (const Place *place, const char *name, const char *path, const struct stat *st,
              GError **error)
{
  struct timespec times[2] = { st->st_atim, st->st_mtim };

  if (!(S_ISLNK (st->st_mode) ? copy_link : make_node) (place, name, st)
      || utimensat (place->to, name, times, AT_SYMLINK_NOFOLLOW) != 0)
    return left_for_later (place->pass) || fail_at (place->pass, path, "copying", error);
  remember (place->pass, place->to, name, st);
  return TRUE;
}

/* --- directories --- */

static gboolean
make_directory (const Place *place, const char *name, const char *path, const struct stat *st,
                GError **error)
{
  if (mkdirat (place->to, name, 0700) != 0)
    return fail_at (place->pass, path, "making the copy of", error);
  remember (place->pass, place->to, name, st);
  return TRUE;
}

/* Another name of what has been copied. *done: it was. */
static gboolean
copy_name (const Place *place, const char *name, const char *path, const struct stat *st,
           gboolean *done, GError **error)
{
  const char *first = st->st_dev == place->pass->device
                          ? g_hash_table_lookup (place->pass->links, inode_key (st->st_ino))
                          : NULL;

  *done = first != NULL && linkat (place->pass->to, first, place->to, name, 0) == 0;
  return first == NULL || *done
         || fail_at (place->pass, path, "making another name of", error);
}

static void
note_name (BzCopyPass *pass, const struct stat *st, const char *path)
{
  if (!S_ISDIR (st->st_mode) && st->st_nlink > 1 && st->st_dev == pass->device
      && !g_hash_table_contains (pass->links, inode_key (st->st_ino)))
    g_hash_table_insert (pass->links, inode_key (st->st_ino), g_strdup (path));
}

static gboolean
copy_new (const Place *place, const char *name, const char *path, const struct stat *st,
          GError **error)
{
  gboolean done = FALSE;

  if (S_ISDIR (st->st_mode))
    return make_directory (place, name, path, st, error);
  if (st->st_nlink > 1 && (!copy_name (place, name, path, st, &done, error) || done))
    return done;
  return S_ISREG (st->st_mode) ? copy_file (place, name, path, error)
                               : copy_special (place, name, path, st, error);
}

/* A directory that is the one that was copied stays, whatever was done in it. */
static gboolean
is_same_directory (const BzCopyPass *pass, const struct stat *st, const struct stat *copy)
{
  return S_ISDIR (st->st_mode) && S_ISDIR (copy->st_mode) && st->st_dev == pass->device
         && g_hash_table_lookup (pass->copies, inode_key (copy->st_ino)) == inode_key (st->st_ino);
}

static gboolean
copy_entry (const Place *place, const char *name, GError **error)
{
  BzCopyPass *pass = place->pass;
  g_autofree char *path =
      *place->path == '\0' ? g_strdup (name) : g_strdup_printf ("%s/%s", place->path, name);
  struct stat st, copy;

  if (fstatat (place->from, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return left_for_later (pass) || fail_at (pass, path, "looking at", error);
  gboolean there = pass->passes > 0 && fstatat (place->to, name, &copy, AT_SYMLINK_NOFOLLOW) == 0;
  gboolean keep = there && (is_same_directory (pass, &st, &copy) || is_current (pass, &st, &copy));
  if (there && !keep && !bz_remove_at (place->to, name, path, error))
    return FALSE;
  if (!keep && !copy_new (place, name, path, &st, error))
    return FALSE;
  note_name (pass, &st, path);
  if (S_ISDIR (st.st_mode))
    g_ptr_array_add (pass->todo, g_strdup (path));
  return TRUE;
}

/* A path without links in the tree, or -1. */
static int
open_directory (int dir, const char *path)
{
  return bz_openat2 (dir, *path == '\0' ? "." : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
                     BZ_RESOLVE_BENEATH | BZ_RESOLVE_NO_SYMLINKS | BZ_RESOLVE_NO_XDEV);
}

static gboolean
is_dot (const char *name)
{
  return strcmp (name, ".") == 0 || strcmp (name, "..") == 0;
}

/* Calls `function` with each name of the directory. */
static gboolean
for_each (const Place *place, int fd,
          gboolean (*function) (const Place *place, const char *name, GError **error),
          GError **error)
{
  int again = openat (fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = again >= 0 ? fdopendir (again) : NULL;
  struct dirent *entry;
  gboolean good = TRUE;

  if (dir == NULL)
    {
      if (again >= 0)
        close (again);
      return fail_at (place->pass, place->path, "reading", error);
    }
  for (errno = 0; good && (entry = readdir (dir)) != NULL; errno = 0)
    good = is_dot (entry->d_name) || function (place, entry->d_name, error);
  if (good && errno != 0)
    good = fail_at (place->pass, place->path, "reading", error);
  closedir (dir);
  return good;
}

static gboolean
remove_if_gone (const Place *place, const char *name, GError **error)
{
  struct stat st;

  if (fstatat (place->from, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
    return TRUE;
  return bz_remove_at (place->to, name, name, error);
}

static gboolean
fill_directory (const Place *place, GError **error)
{
  BzCopyPass *pass = place->pass;

  if (pass->passes > 0 && !for_each (place, place->to, remove_if_gone, error))
    return FALSE;
  if (!for_each (place, place->from, copy_entry, error))
    return FALSE;
  if (pass->passes > 0)
    drop_xattrs (place->from, place->to);
  return finish (pass, place->from, place->to, &place->st, place->path, error);
}

static gboolean
copy_directory (BzCopyPass *pass, const char *path, GError **error)
{
  Place place = { .pass = pass, .path = path };

  place.from = open_directory (pass->from, path);
  if (place.from < 0)
    return left_for_later (pass) || fail_at (pass, path, "opening", error);
  place.to = open_directory (pass->to, path);
  gboolean good = (place.to >= 0 && fstat (place.from, &place.st) == 0)
                      ? fill_directory (&place, error)
                      : fail_at (pass, path, "opening the copy of", error);
  close (place.from);
  if (place.to >= 0)
    close (place.to);
  return good;
}

gboolean
bz_copy_pass_run (BzCopyPass *pass, gboolean moving, GError **error)
{
  struct timespec now;
  gboolean good = TRUE;

  pass->moving = moving;
  if (moving && syncfs (pass->from) != 0)
    return fail_at (pass, "", "writing to its disk", error);
  /* As coarse as the kernel's own stamps; the resolution of some file systems is a second or two. */
  clock_gettime (CLOCK_REALTIME_COARSE, &now);
  now.tv_sec -= 2;
  g_hash_table_remove_all (pass->links);
  g_ptr_array_add (pass->todo, g_strdup (""));
  while (good && pass->todo->len > 0)
    {
      g_autofree char *path = g_ptr_array_steal_index_fast (pass->todo, pass->todo->len - 1);
      good = copy_directory (pass, path, error);
    }
  if (pass->passes == 0)
    pass->began = now;
  pass->passes++;
  return good;
}

gboolean
bz_copy_pass_shared (const BzCopyPass *pass)
{
  return pass->share && pass->shared;
}

BzCopyPass *
bz_copy_pass_new (const char *from, const char *to, gboolean share, gboolean must_share,
                  GError **error)
{
  g_autoptr (BzCopyPass) pass = g_new0 (BzCopyPass, 1);
  struct stat st;

  pass->from_name = g_strdup (from);
  pass->to_name = g_strdup (to);
  pass->share = pass->shared = share;
  pass->must_share = must_share;
  pass->to = -1;
  pass->copies = g_hash_table_new (NULL, NULL);
  pass->links = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  pass->todo = g_ptr_array_new_with_free_func (g_free);
  pass->buffer = g_malloc (PIECE);
  pass->from = open (from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (pass->from < 0 || fstat (pass->from, &st) != 0)
    {
      bz_fail_errno (error, errno, NULL, "opening %s", from);
      return NULL;
    }
  pass->device = st.st_dev;
  if (mkdir (to, 0700) != 0 || (pass->to = open (to, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
    bz_fail_errno (error, errno, NULL, "making %s", to);
  return pass->to >= 0 ? g_steal_pointer (&pass) : NULL;
}

void
bz_copy_pass_free (BzCopyPass *pass)
{
  if (pass == NULL)
    return;
  if (pass->from >= 0)
    close (pass->from);
  if (pass->to >= 0)
    close (pass->to);
  g_free (pass->from_name);
  g_free (pass->to_name);
  g_hash_table_unref (pass->copies);
  g_hash_table_unref (pass->links);
  g_ptr_array_unref (pass->todo);
  g_free (pass->buffer);
  g_free (pass);
}
