/* Owner, mode, extended attributes and times.
 *
 * Facts: chown clears set-id bits and security.capability, so it comes first, then the mode, then
 * attributes, then the time. chmod follows links, so for links only owner and time are set.
 * A capability attribute of revision 2 is honoured only where the file's user namespace is the
 * reader's: on a tree whose ids are shifted it must become revision 3 with the shifted root.
 * Choice: what a plain user can't set is counted and told, never fatal; a full disk is. An owner is
 * kept beside the file then (owner-record.h), for zones that show such.
 * trusted.* and *.overlay.* are refused: on the upper directory of an overlay they would redirect
 * names. */
#include "config.h"

#include "installer/tree.h"

#include "brand/base/error.h"
#include "brand/base/owner-record.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NOBODY 65534

static gboolean
is_full (int saved_errno)
{
  return saved_errno == ENOSPC || saved_errno == EDQUOT;
}

static guint32
shift_id (BzTree *tree, guint64 id, const char *path)
{
  guint64 zone_max = tree->id_shift == 0 ? G_MAXUINT32 - 1 : 65535;

  if (id <= zone_max)
    return (guint32) id + tree->id_shift;
  bz_job_tally (tree->job, "owner id too large, set to 65534", "owner ids too large, set to 65534",
                path);
  return NOBODY + tree->id_shift;
}

/* Whether it is kept. Only files and directories have a descriptor. */
static gboolean
remember_owner (int fd, const BzNode *node)
{
  BzOwner owner = { .uid = (guint32) node->uid, .gid = (guint32) node->gid };
  char text[BZ_OWNER_ROOM];

  if (fd < 0 || node->uid >= BZ_OWNER_UNCHANGED || node->gid >= BZ_OWNER_UNCHANGED)
    return FALSE;
  gsize length = bz_owner_format (&owner, text);
  return fsetxattr (fd, BZ_OWNER_ATTRIBUTE, text, length, 0) == 0;
}

static gboolean
set_owner (BzTree *tree, int fd, int dir_fd, const char *name, const char *path, const BzNode *node,
           GError **error)
{
  guint32 uid = shift_id (tree, node->uid, path), gid = shift_id (tree, node->gid, path);
  int result =
      fd >= 0 ? fchown (fd, uid, gid) : fchownat (dir_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW);

  if (result == 0)
    return TRUE;
  if (errno != EPERM && errno != EINVAL)
    return bz_fail_errno (error, errno, NULL, "setting the owner of %s", path);
  /* EINVAL: an id that this user namespace does not map. */
  if (remember_owner (fd, node))
    {
      bz_job_tally (tree->job,
                    "file keeps the installing user as its owner; --remember-owners shows its own",
                    "files keep the installing user as their owner; --remember-owners shows their own",
                    path);
      return TRUE;
    }
  bz_job_tally (tree->job, "file keeps the installing user as its owner",
                "files keep the installing user as their owner", path);
  return TRUE;
}

/* Fills `out` with the revision of the capability attribute that this tree needs. */
static gsize
capability_for_tree (BzTree *tree, const BzXattr *xattr, struct vfs_ns_cap_data *out)
{
  guint32 magic;

  if (xattr->size < sizeof magic || xattr->size > sizeof *out)
    return 0;
  memset (out, 0, sizeof *out);
  memcpy (out, xattr->value, xattr->size);
  magic = GUINT32_FROM_LE (out->magic_etc);
  if ((magic & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_2
      && (magic & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_3)
    return 0;

  guint32 revision = tree->id_shift == 0 ? VFS_CAP_REVISION_2 : VFS_CAP_REVISION_3;
  out->magic_etc = GUINT32_TO_LE ((magic & VFS_CAP_FLAGS_MASK) | revision);
  out->rootid = GUINT32_TO_LE (tree->id_shift);
  return tree->id_shift == 0 ? XATTR_CAPS_SZ_2 : XATTR_CAPS_SZ_3;
}

/* An access control list in the kernel's form, its ids shifted like owners. NULL: it is not one. */
static guint8 *
acl_for_tree (BzTree *tree, const BzXattr *xattr, const char *path)
{
  const gsize item = 8;
  guint8 *acl;

  if (xattr->size < 4 || (xattr->size - 4) % item != 0)
    return NULL;
  acl = g_memdup2 (xattr->value, xattr->size);
  for (gsize at = 4; at < xattr->size; at += item)
    {
      guint16 tag;
      guint32 id;

      memcpy (&tag, acl + at, sizeof tag);
      memcpy (&id, acl + at + 4, sizeof id);
      if (GUINT16_FROM_LE (tag) != 0x02 && GUINT16_FROM_LE (tag) != 0x08)
        continue; /* only named users and groups have one */
      id = GUINT32_TO_LE (shift_id (tree, GUINT32_FROM_LE (id), path));
      memcpy (acl + at + 4, &id, sizeof id);
    }
  return acl;
}

static gboolean
is_allowed (const char *name)
{
  if (g_str_has_prefix (name, "user."))
    return !g_str_has_prefix (name, "user.overlay.");
  return strcmp (name, "security.capability") == 0 || strcmp (name, "system.posix_acl_access") == 0
         || strcmp (name, "system.posix_acl_default") == 0;
}

static gboolean
set_xattr (BzTree *tree, int fd, const char *path, const BzXattr *xattr, GError **error)
{
  struct vfs_ns_cap_data capability;
  g_autofree guint8 *acl = NULL;
  const void *value = xattr->value;
  gsize size = xattr->size;

  if (!is_allowed (xattr->name))
    {
      bz_job_tally (tree->job, "extended attribute left out: not for a zone's tree",
                    "extended attributes left out: not for a zone's tree", xattr->name);
      return TRUE;
    }
  if (strcmp (xattr->name, "security.capability") == 0)
    {
      value = &capability;
      size = capability_for_tree (tree, xattr, &capability);
    }
  else if (g_str_has_prefix (xattr->name, "system."))
    {
      value = acl = acl_for_tree (tree, xattr, path);
      size = acl == NULL ? 0 : size;
    }
  if (size == 0 && xattr->size != 0)
    errno = EINVAL;
  else if (fsetxattr (fd, xattr->name, value, size, 0) == 0)
    return TRUE;
  if (is_full (errno))
    return bz_fail_errno (error, errno, "make room on the file system",
                          "setting extended attributes of %s", path);
  bz_job_tally (tree->job, "extended attribute that can't be set here left out",
                "extended attributes that can't be set here left out", path);
  return TRUE;
}

gboolean
bz_tree_set_attributes (BzTree *tree, int fd, int dir_fd, const char *name, const char *path,
                        const BzNode *node, GError **error)
{
  struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, node->mtime };
  mode_t permissions = node->mode & 07777;
  int result;

  if (tree->plain)
    return TRUE;
  if (!set_owner (tree, fd, dir_fd, name, path, node, error))
    return FALSE;
  /* Without a descriptor it is a link, or a node that was just made in a directory of ours that
   * nobody else can enter: its name is still the same file. */
  if (fd >= 0)
    result = fchmod (fd, permissions);
  else
    result = S_ISLNK (node->mode) ? 0 : fchmodat (dir_fd, name, permissions, 0);
  if (result < 0)
    return bz_fail_errno (error, errno, NULL, "setting the mode of %s", path);
  for (guint i = 0; fd >= 0 && node->xattrs != NULL && i < node->xattrs->len; i++)
    if (!set_xattr (tree, fd, path, &g_array_index (node->xattrs, BzXattr, i), error))
      return FALSE;
  if (node->mtime.tv_nsec == UTIME_OMIT)
    return TRUE;
  result = fd >= 0 ? futimens (fd, times) : utimensat (dir_fd, name, times, AT_SYMLINK_NOFOLLOW);
  if (result < 0)
    bz_job_tally (tree->job, "time that this file system can't keep",
                  "times that this file system can't keep", path);
  return TRUE;
}

static void
xattr_clear (gpointer data)
{
  BzXattr *xattr = data;

  g_free (xattr->name);
  g_free (xattr->value);
}

void
bz_node_init (BzNode *node)
{
  *node = (BzNode){ .mode = S_IFDIR | 0755, .mtime.tv_nsec = UTIME_OMIT };
}

void
bz_node_clear (BzNode *node)
{
  g_clear_pointer (&node->xattrs, g_array_unref);
}

void
bz_node_add_xattr (BzNode *node, const char *name, const void *value, gsize size)
{
  BzXattr xattr = { .name = g_strdup (name), .value = g_memdup2 (value, size), .size = size };

  /* pax archives name each attribute twice, in two vendors' ways. */
  for (guint i = 0; node->xattrs != NULL && i < node->xattrs->len; i++)
    if (strcmp (g_array_index (node->xattrs, BzXattr, i).name, name) == 0)
      g_array_remove_index_fast (node->xattrs, i--);
  if (node->xattrs == NULL)
    {
      node->xattrs = g_array_new (FALSE, FALSE, sizeof (BzXattr));
      g_array_set_clear_func (node->xattrs, xattr_clear);
    }
  g_array_append_val (node->xattrs, xattr);
}
