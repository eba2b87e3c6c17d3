/* Ways of copying a tree, and which of them a place has.
 *
 * Facts: a btrfs snapshot takes no time, but only a subvolume can be taken one of: install makes a
 * tree a subvolume where it can. Overlayfs takes no time either, on every file system, but what lies
 * on it knows it: hard links part when they are written to, a plain user's directories of the layer
 * below can't be renamed (FAILURES P2). FICLONE (btrfs, xfs, bcachefs) takes time for each file, no
 * space, and leaves no trace. So the choice is, in this order: btrfs, overlay, reflink, copy. */
#include "config.h"

#include "zone/copy-way.h"

#include "brand/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SUBVOLUME_INODE 256 /* BTRFS_FIRST_FREE_OBJECTID: only roots of subvolumes have it */
#ifndef BTRFS_SUPER_MAGIC
#define BTRFS_SUPER_MAGIC 0x9123683E
#endif
#define XFS_MAGIC 0x58465342

static const char *const names[] = {
  [BZ_COPY_AUTO] = "auto",
  [BZ_COPY_OVERLAY] = "overlay",
  [BZ_COPY_BTRFS] = "btrfs",
  [BZ_COPY_REFLINK] = "reflink",
  [BZ_COPY_PLAIN] = "copy",
};

const char *
bz_copy_way_name (BzCopyWay way)
{
  return names[way];
}

gboolean
bz_copy_way_lookup (const char *name, BzCopyWay *way)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (name, names[i]))
      {
        *way = (BzCopyWay) i;
        return TRUE;
      }
  return FALSE;
}

static gboolean
can_reflink (const char *directory)
{
  static const char block[4096] = "x";
  int from = open (directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  int to = from >= 0 ? open (directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
  gboolean can = to >= 0 && write (from, block, sizeof block) == (ssize_t) sizeof block
                 && ioctl (to, FICLONE, from) == 0;

  if (to >= 0)
    close (to);
  if (from >= 0)
    close (from);
  return can;
}

static const char *
type_name (const struct statfs *fs)
{
  switch ((guint32) fs->f_type)
    {
    case (guint32) BTRFS_SUPER_MAGIC:
      return "btrfs";
    case XFS_MAGIC:
      return "xfs";
    case EXT4_SUPER_MAGIC:
      return "ext4";
    case TMPFS_MAGIC:
      return "tmpfs";
    case OVERLAYFS_SUPER_MAGIC:
      return "overlay";
    case NFS_SUPER_MAGIC:
      return "nfs";
    default:
      return NULL;
    }
}

void
bz_copy_ways_probe (const char *directory, BzCopyWays *ways)
{
  struct statfs fs = { 0 };
  const char *type = statfs (directory, &fs) == 0 ? type_name (&fs) : NULL;

  if (type != NULL)
    g_strlcpy (ways->type, type, sizeof ways->type);
  else
    g_snprintf (ways->type, sizeof ways->type, "0x%x", (guint32) fs.f_type);
  ways->btrfs = (guint32) fs.f_type == (guint32) BTRFS_SUPER_MAGIC;
  ways->reflink = can_reflink (directory);
}

gboolean
bz_copy_is_subvolume (const char *tree)
{
  struct statfs fs;
  struct stat st;

  return lstat (tree, &st) == 0 && S_ISDIR (st.st_mode) && st.st_ino == SUBVOLUME_INODE
         && statfs (tree, &fs) == 0 && (guint32) fs.f_type == (guint32) BTRFS_SUPER_MAGIC;
}

static gboolean
lacks (const char *why, const char *hint, BzCopyWay way, const char *tree, GError **error)
{
  return bz_fail (error, BZ_ERROR_HOST, why, hint, "copying %s by %s", tree, names[way]);
}

gboolean
bz_copy_way_choose (BzCopyWay wanted, const char *tree, gboolean overlay, BzCopyWay *way,
                    GError **error)
{
  g_autofree char *parent = g_path_get_dirname (tree);
  gboolean subvolume = bz_copy_is_subvolume (tree);
  BzCopyWays ways;

  bz_copy_ways_probe (parent, &ways);
  if (wanted == BZ_COPY_OVERLAY && !overlay)
    return lacks ("this host has no overlay file system", "choose --storage=auto", wanted, tree,
                  error);
  if (wanted == BZ_COPY_REFLINK && !ways.reflink)
    return lacks ("its file system can't share blocks between files", "choose --storage=auto",
                  wanted, tree, error);
  if (wanted == BZ_COPY_BTRFS && !subvolume)
    return lacks (ways.btrfs ? "it is no subvolume" : "its file system is not btrfs",
                  ways.btrfs ? "choose --storage=reflink" : "choose --storage=auto", wanted, tree,
                  error);
  *way = wanted != BZ_COPY_AUTO ? wanted
         : subvolume            ? BZ_COPY_BTRFS
         : overlay              ? BZ_COPY_OVERLAY
         : ways.reflink         ? BZ_COPY_REFLINK
                                : BZ_COPY_PLAIN;
  return TRUE;
}
