/* Copying between a zone and the host.
 *
 * Problem: the tree belongs to the zone's root, who may be hostile, and may run while it is
 * copied: every name in it may be a link to the host's files, or become one between two looks.
 * Choice: the two paths that the user named are resolved with openat2's RESOLVE_IN_ROOT
 * on the zone's side, so that a link to /etc/shadow is the zone's own. From there on
 * only single names are opened, never following a link, below directories that are held open.
 * What is made is made anew (O_EXCL): a file of the zone is never written through, for it may be a
 * hard link or a link. What comes out of a zone is not set-uid.
 * Limits: owners, extended attributes and hard links are not kept; directories are at most 200
 * deep. */
#include "config.h"

#include "zone/cp.h"

#include "brand/base/error.h"
#include "installer/beneath.h"
#include "zone/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 200
#define PIECE (256 * 1024)

static gboolean
fail (int saved_errno, const char *what, const char *name, GError **error)
{
  g_autofree char *safe = bz_text_safe (name);
  const char *hint = saved_errno == EXDEV    ? "it lies on another file system than the zone's tree"
                     : saved_errno == ENOENT ? "is the name right?"
                                             : NULL;

  return bz_fail_errno (error, saved_errno, hint, "%s %s", what, safe);
}

static int
open_end (const BzCopyEnd *end, const char *path, int flags)
{
  if (end->root < 0)
    return open (path, flags | O_CLOEXEC);
  return bz_beneath_open (end->root, path, flags, 0, BZ_BENEATH_AS_ROOT);
}

static gboolean copy_entry (BzCopy *copy, int from, const char *name, int to, const char *as,
                            guint depth, GError **error);

/* --- files --- */

static gboolean
write_all (int fd, const char *data, gsize size)
{
  while (size > 0)
    {
      gssize n = write (fd, data, size);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      data += n;
      size -= (gsize) n;
    }
  return TRUE;
}

static gboolean
copy_data (BzCopy *copy, int in, int out, const char *name, GError **error)
{
  g_autofree char *buffer = g_malloc (PIECE);
  gssize n;

  while ((n = read (in, buffer, PIECE)) != 0)
    {
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return fail (errno, "reading", name, error);
      if (!write_all (out, buffer, (gsize) n))
        return fail (errno, "writing", name, error);
      copy->bytes += (guint64) n;
    }
  return TRUE;
}

/* Owner first: changing it takes set-uid bits away, and mode bits would open the file too soon. */
static gboolean
finish (const BzCopy *copy, int fd, const struct stat *st, const char *name, GError **error)
{
  struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, st->st_mtim };

  if ((copy->uid != (uid_t) -1 || copy->gid != (gid_t) -1)
      && fchown (fd, copy->uid, copy->gid) != 0)
    return fail (errno, "giving an owner to", name, error);
  if (fchmod (fd, st->st_mode & (S_ISDIR (st->st_mode) ? 01777 : 0777)) != 0)
    return fail (errno, "giving permissions to", name, error);
  (void) !futimens (fd, times);
  return TRUE;
}

/* A name that nobody uses; renamed to its own when it is complete. */
static int
make_partial (int to, char partial[32], GError **error)
{
  for (guint tries = 0; tries < 100; tries++)
    {
      g_snprintf (partial, 32, ".bz-cp-%08x", g_random_int ());
      int fd = openat (to, partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
      if (fd >= 0)
        return fd;
      if (errno != EEXIST)
        break;
    }
  fail (errno, "making a file in the target's directory for", partial, error);
  return -1;
}

/* A device, a pipe or a socket is not replaced by a file: /dev/null is the host's. A link itself is. */
static gboolean
is_replaceable (int to, const char *as, GError **error)
{
  struct stat st;

  if (fstatat (to, as, &st, AT_SYMLINK_NOFOLLOW) != 0 || S_ISREG (st.st_mode) || S_ISLNK (st.st_mode)
      || S_ISDIR (st.st_mode))
    return TRUE;
  g_autofree char *safe = bz_text_safe (as);
  return bz_fail (error, BZ_ERROR_STATE, "it is a device, a pipe or a socket",
                  "remove it first, or choose another name", "replacing %s", safe);
}

static gboolean
copy_file (BzCopy *copy, int in, const struct stat *st, int to, const char *as, GError **error)
{
  char partial[32];

  if (!is_replaceable (to, as, error))
    return FALSE;
  int out = make_partial (to, partial, error);

  if (out < 0)
    return FALSE;
  gboolean good = copy_data (copy, in, out, as, error) && finish (copy, out, st, as, error);
  if (close (out) != 0 && good)
    good = fail (errno, "writing", as, error);
  if (good && renameat (to, partial, to, as) != 0)
    good = fail (errno, "replacing", as, error);
  if (good)
    copy->files++;
  else
    unlinkat (to, partial, 0);
  return good;
}

static gboolean
copy_link (BzCopy *copy, int from, const char *name, int to, const char *as, GError **error)
{
  char target[PATH_MAX + 1];
  gssize length = readlinkat (from, name, target, PATH_MAX);
  struct stat st;

  if (length < 0)
    return fail (errno, "reading", name, error);
  target[length] = '\0';
  if (fstatat (to, as, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR (st.st_mode))
    return fail (EISDIR, "replacing", as, error);
  if (unlinkat (to, as, 0) != 0 && errno != ENOENT)
    return fail (errno, "replacing", as, error);
  if (symlinkat (target, to, as) != 0)
    return fail (errno, "making", as, error);
  if (copy->uid != (uid_t) -1 || copy->gid != (gid_t) -1)
    (void) !fchownat (to, as, copy->uid, copy->gid, AT_SYMLINK_NOFOLLOW);
  copy->files++;
  return TRUE;
}

/* --- directories --- */

/* The directory that is copied to, made if need be. */
static int
enter_target (int to, const char *as, gboolean *made, GError **error)
{
  *made = mkdirat (to, as, 0700) == 0;
  if (!*made && errno != EEXIST)
    {
      fail (errno, "making", as, error);
      return -1;
    }
  int fd = openat (to, as, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    fail (errno, "entering", as, error);
  return fd;
}

/* Takes `in`. */
static gboolean
copy_contents (BzCopy *copy, int in, int out, guint depth, GError **error)
{
  DIR *dir = fdopendir (in);
  struct dirent *entry;
  gboolean good = TRUE;

  if (dir == NULL)
    {
      int saved = errno;
      close (in);
      return fail (saved, "reading", "a directory", error);
    }
  while (good && (entry = readdir (dir)) != NULL)
    {
      if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
        good = copy_entry (copy, dirfd (dir), entry->d_name, out, entry->d_name, depth, error);
    }
  closedir (dir);
  return good;
}

/* Who comes to the target while he reads the source would copy what he has just made, for ever. */
static gboolean
is_target (const BzCopy *copy, const struct stat *st)
{
  return st->st_dev == copy->target_dev && st->st_ino == copy->target_ino;
}

/* Takes `in`. */
static gboolean
copy_directory (BzCopy *copy, int in, const struct stat *st, int to, const char *as, guint depth,
                GError **error)
{
  gboolean made = FALSE;
  int out = -1;

  if (depth == DEPTH_MAX)
    fail (ELOOP, "copying", as, error);
  else if (is_target (copy, st))
    bz_fail (error, BZ_ERROR_USAGE, "it would be copied into itself", "choose another target",
             "copying %s", as);
  else
    out = enter_target (to, as, &made, error);
  if (out < 0)
    {
      close (in);
      return FALSE;
    }
  gboolean good = copy_contents (copy, in, out, depth + 1, error)
                  && (!made || finish (copy, out, st, as, error));
  close (out);
  if (good)
    copy->files++;
  return good;
}

static gboolean
copy_entry (BzCopy *copy, int from, const char *name, int to, const char *as, guint depth,
            GError **error)
{
  struct stat st;

  if (fstatat (from, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return depth > 0 && errno == ENOENT ? TRUE : fail (errno, "reading", name, error);
  if (S_ISLNK (st.st_mode))
    return copy_link (copy, from, name, to, as, error);
  if (!S_ISREG (st.st_mode) && !S_ISDIR (st.st_mode))
    {
      copy->left_out++;
      return TRUE;
    }
  int in = openat (from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  /* It may be another thing by now. */
  if (in < 0 || fstat (in, &st) != 0 || (!S_ISREG (st.st_mode) && !S_ISDIR (st.st_mode)))
    {
      int saved = in < 0 ? errno : ESTALE;
      if (in >= 0)
        close (in);
      return fail (saved, "reading", name, error);
    }
  if (S_ISDIR (st.st_mode))
    return copy_directory (copy, in, &st, to, as, depth, error);
  gboolean good = copy_file (copy, in, &st, to, as, error);
  close (in);
  return good;
}

/* --- the two paths --- */

/* The directory and the last name of `path`, so that links on the way are followed and the last
 * name is not. "" for a path that ends in "/", "." or "..": then the directory itself is meant. */
static int
open_parent (const BzCopyEnd *end, char **name, GError **error)
{
  const char *slash = strrchr (end->path, '/');
  const char *last = slash != NULL ? slash + 1 : end->path;
  g_autofree char *parent = NULL;

  if (*last == '\0' || strcmp (last, ".") == 0 || strcmp (last, "..") == 0)
    {
      parent = g_strdup (end->path);
      *name = g_strdup ("");
    }
  else
    {
      parent = slash == NULL        ? g_strdup (".")
               : slash == end->path ? g_strdup ("/")
                                    : g_strndup (end->path, slash - end->path);
      *name = g_strdup (last);
    }
  int fd = open_end (end, parent, O_RDONLY | O_DIRECTORY);
  if (fd < 0)
    fail (errno, end->root >= 0 ? "opening in the zone" : "opening", parent, error);
  return fd;
}

/* The target as a directory and a name in it. source: its name, "" for "all that is in it". */
static int
choose_target (const BzCopy *copy, const char *source, char **name, GError **error)
{
  int inside = open_end (&copy->to, copy->to.path, O_RDONLY | O_DIRECTORY);

  if (inside >= 0)
    {
      *name = g_strdup (source);
      return inside;
    }
  int parent = open_parent (&copy->to, name, error);
  if (parent >= 0 && **name == '\0')
    {
      close (parent);
      parent = -1;
      fail (ENOTDIR, "copying to", copy->to.path, error);
    }
  return parent;
}

/* All of the open directory `in` into the target, which is made if it is not there. */
static gboolean
copy_all_inside (BzCopy *copy, int in, int to, const char *as, GError **error)
{
  struct stat st;
  int fd = openat (in, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0 || fstat (fd, &st) != 0)
    return fail (errno, "reading", copy->from.path, error);
  if (*as != '\0')
    return copy_directory (copy, fd, &st, to, as, 0, error);
  return copy_contents (copy, fd, to, 1, error);
}

gboolean
bz_copy (BzCopy *copy, GError **error)
{
  g_autofree char *source = NULL;
  g_autofree char *as = NULL;
  int from = open_parent (&copy->from, &source, error);
  gboolean good = FALSE;

  if (from < 0)
    return FALSE;
  int to = choose_target (copy, source, &as, error);
  struct stat st;
  if (to >= 0 && fstat (to, &st) == 0)
    {
      copy->target_dev = st.st_dev;
      copy->target_ino = st.st_ino;
    }
  if (to >= 0)
    {
      good = *source == '\0' ? copy_all_inside (copy, from, to, as, error)
                             : copy_entry (copy, from, source, to, as, 0, error);
      close (to);
    }
  close (from);
  return good;
}
