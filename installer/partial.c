#include "config.h"

#include "installer/partial.h"

#include "brand/base/error.h"
#include "installer/beneath.h"
#include "installer/remove.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static gboolean
open_parent (const char *target, BzPartial *partial, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (target);

  *partial = (BzPartial){ .parent_fd = -1, .fd = -1 };
  partial->target = g_strdup (target);
  partial->name = g_path_get_basename (target);
  partial->partial_name = g_strdup_printf ("%s.partial", partial->name);
  if (!g_path_is_absolute (target) || strcmp (partial->name, "/") == 0
      || strcmp (partial->name, ".") == 0 || strcmp (partial->name, "..") == 0)
    return bz_fail (error, BZ_ERROR_USAGE, "it is not an absolute path of a new directory", NULL,
                    "target %s", target);
  partial->parent_fd = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (partial->parent_fd < 0)
    return bz_fail_errno (error, errno, NULL, "opening %s", parent);
  return TRUE;
}

static void
partial_free (BzPartial *partial)
{
  if (partial->fd >= 0)
    close (partial->fd);
  if (partial->parent_fd >= 0)
    close (partial->parent_fd);
  g_free (partial->target);
  g_free (partial->name);
  g_free (partial->partial_name);
  *partial = (BzPartial){ .parent_fd = -1, .fd = -1 };
}

/* Opens and locks what is there. FALSE without an error: there is nothing. */
static gboolean
lock_existing (BzPartial *partial, GError **error)
{
  partial->fd = bz_beneath_open (partial->parent_fd, partial->partial_name,
                                 O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, BZ_BENEATH_NO_LINKS);
  if (partial->fd < 0)
    return errno == ENOENT
               ? FALSE
               : bz_fail_errno (error, errno, NULL, "opening %s.partial", partial->target);
  if (flock (partial->fd, LOCK_EX | LOCK_NB) == 0)
    return TRUE;
  if (errno != EWOULDBLOCK)
    return bz_fail_errno (error, errno, NULL, "locking %s.partial", partial->target);
  return bz_fail (error, BZ_ERROR_LOCKED, "another brandzone installs it", "wait for it",
                  "target %s", partial->target);
}

static gboolean
remove_rest (BzPartial *partial, GError **error)
{
  g_autofree char *label = g_strdup_printf ("%s.partial", partial->target);

  return bz_remove_at (partial->parent_fd, partial->partial_name, label, error);
}

gboolean
bz_partial_clear (const char *target, GError **error)
{
  g_autoptr (GError) failure = NULL;
  BzPartial partial;
  gboolean ok = open_parent (target, &partial, &failure);

  if (ok)
    {
      if (lock_existing (&partial, &failure))
        ok = remove_rest (&partial, error);
      else if (failure != NULL)
        {
          ok = FALSE;
          g_propagate_error (error, g_steal_pointer (&failure));
        }
    }
  else
    g_propagate_error (error, g_steal_pointer (&failure));
  partial_free (&partial);
  return ok;
}

static gboolean
fail_begin (BzPartial *partial)
{
  partial_free (partial);
  return FALSE;
}

/* On btrfs the tree becomes a subvolume, which can be cloned in no time (zone/copy-way.c). */
static int
make_tree_directory (int dir, const char *name)
{
  struct btrfs_ioctl_vol_args args = { 0 };
  struct statfs fs;

  g_strlcpy (args.name, name, sizeof args.name);
  if (fstatfs (dir, &fs) == 0 && (guint32) fs.f_type == (guint32) BTRFS_SUPER_MAGIC
      && ioctl (dir, BTRFS_IOC_SUBVOL_CREATE, &args) == 0)
    return 0;
  return mkdirat (dir, name, 0755);
}

gboolean
bz_partial_begin (const char *target, BzPartial *partial, GError **error)
{
  struct stat st;

  if (!open_parent (target, partial, error))
    return fail_begin (partial);
  if (fstatat (partial->parent_fd, partial->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
    {
      bz_fail (error, BZ_ERROR_STATE, "it exists already", "choose another name, or remove it",
               "target %s", target);
      return fail_begin (partial);
    }
  if (!bz_partial_clear (target, error))
    return fail_begin (partial);
  if (mkdirat (partial->parent_fd, partial->partial_name, 0700) < 0)
    {
      if (errno == EEXIST)
        bz_fail (error, BZ_ERROR_LOCKED, "another brandzone installs it", "wait for it",
                 "target %s", target);
      else
        bz_fail_errno (error, errno, NULL, "making %s.partial", target);
      return fail_begin (partial);
    }
  if (!lock_existing (partial, error))
    {
      if (error != NULL && *error == NULL)
        bz_fail (error, BZ_ERROR_LOCKED, "another brandzone removed it", "try again", "target %s",
                 target);
      return fail_begin (partial);
    }
  if (make_tree_directory (partial->fd, "root") < 0)
    {
      bz_fail_errno (error, errno, NULL, "making %s.partial/root", target);
      bz_partial_end (partial, NULL);
      return FALSE;
    }
  return TRUE;
}

gboolean
bz_partial_commit (BzPartial *partial, const char *subdirectory, const char *list, GError **error)
{
  g_autofree char *from =
      g_build_filename ("root", *subdirectory == '\0' ? NULL : subdirectory, NULL);

  /* The data first: a name that survives a power cut must not lead to empty files. */
  if (!partial->synced && syncfs (partial->fd) < 0)
    return bz_fail_errno (error, errno, NULL, "writing %s to its disk", partial->target);
  if (list != NULL && renameat (partial->fd, BZ_PARTIAL_LIST, partial->parent_fd, list) < 0)
    return bz_fail_errno (error, errno, NULL, "renaming the list of %s", partial->target);
  if (renameat2 (partial->fd, from, partial->parent_fd, partial->name, RENAME_NOREPLACE) < 0)
    {
      if (errno == EEXIST)
        return bz_fail (error, BZ_ERROR_STATE, "it exists already", "choose another name",
                        "target %s", partial->target);
      return bz_fail_errno (error, errno, NULL, "renaming the new tree to %s", partial->target);
    }
  if (fsync (partial->parent_fd) < 0)
    return bz_fail_errno (error, errno, NULL, "writing %s to its disk", partial->target);
  return TRUE;
}

gboolean
bz_partial_end (BzPartial *partial, GError **error)
{
  gboolean ok = partial->fd < 0 || remove_rest (partial, error);

  partial_free (partial);
  return ok;
}
