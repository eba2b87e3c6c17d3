/* The /dev of a zone.
 *
 * Facts: a device node works only on a file system that was mounted in the
 * initial user namespace (SB_I_NODEV else, Linux 4.8). Bind-mounted nodes work in
 * any, but can't be removed (EBUSY), which breaks MAKEDEV and package scripts.
 * So root's zones get a tmpfs made outside and moved in, plain users' zones binds. */
#include "config.h"

#include "loader/devices.h"

#include "brand/base/error.h"
#include "loader/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

typedef enum { OWNER_ROOT, OWNER_TTY } Owner;

static const struct {
  const char *name;
  mode_t mode; /* with S_IFCHR or S_IFDIR or S_IFREG */
  guint major, minor;
  Owner group;
  gboolean optional; /* only where the host has it */
} nodes[] = {
  { "pts", S_IFDIR | 0755, 0, 0, OWNER_ROOT, FALSE },
  { "shm", S_IFDIR | 0755, 0, 0, OWNER_ROOT, FALSE },
  { "mqueue", S_IFDIR | 0755, 0, 0, OWNER_ROOT, FALSE },
  { "net", S_IFDIR | 0755, 0, 0, OWNER_ROOT, FALSE },
  { "null", S_IFCHR | 0666, 1, 3, OWNER_ROOT, FALSE },
  { "zero", S_IFCHR | 0666, 1, 5, OWNER_ROOT, FALSE },
  { "full", S_IFCHR | 0666, 1, 7, OWNER_ROOT, FALSE },
  { "random", S_IFCHR | 0666, 1, 8, OWNER_ROOT, FALSE },
  { "urandom", S_IFCHR | 0666, 1, 9, OWNER_ROOT, FALSE },
  { "tty", S_IFCHR | 0666, 5, 0, OWNER_TTY, FALSE },
  { "fuse", S_IFCHR | 0666, 10, 229, OWNER_ROOT, TRUE },
  { "net/tun", S_IFCHR | 0666, 10, 200, OWNER_ROOT, TRUE },
  { "loop-control", S_IFCHR | 0600, 1, 3, OWNER_ROOT, FALSE }, /* what is asked of it is trapped (B12) */
  { "console", S_IFREG | 0600, 0, 0, OWNER_TTY, FALSE }, /* the terminal is bound over it */
};

static const struct {
  const char *name, *target;
} links[] = {
  { "fd", "/proc/self/fd" }, { "stdin", "fd/0" },    { "stdout", "fd/1" },
  { "stderr", "fd/2" },      { "ptmx", "pts/ptmx" }, { "core", "/proc/kcore" },
};

static gboolean
host_has (const char *name)
{
  g_autofree char *path = g_build_filename ("/dev", name, NULL);
  struct stat st;

  return stat (path, &st) == 0;
}

static gboolean
make_links (int dir, guint32 uid, guint32 gid, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (links); i++)
    if (symlinkat (links[i].target, dir, links[i].name) != 0
        || fchownat (dir, links[i].name, uid, gid, AT_SYMLINK_NOFOLLOW) != 0)
      return bz_fail_errno (error, errno, NULL, "cannot make the zone's /dev/%s", links[i].name);
  return TRUE;
}

static gboolean
make_entry (int dir, guint i, guint32 uid, guint32 gid, GError **error)
{
  const char *name = nodes[i].name;
  int made;

  if (S_ISDIR (nodes[i].mode))
    made = mkdirat (dir, name, nodes[i].mode & 0777);
  else
    made = mknodat (dir, name, nodes[i].mode, makedev (nodes[i].major, nodes[i].minor));
  if (made != 0 || fchownat (dir, name, uid, gid, 0) != 0
      || fchmodat (dir, name, nodes[i].mode & 0777, 0) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make the zone's /dev/%s", name);
  return TRUE;
}

static int
new_tmpfs (guint32 uid, guint32 gid)
{
  char text[16];
  int fs = bz_fsopen ("tmpfs");

  if (fs < 0)
    return -1;
  bz_fsconfig (fs, BZ_FSCONFIG_SET_STRING, "mode", "0755");
  g_snprintf (text, sizeof text, "%u", uid);
  bz_fsconfig (fs, BZ_FSCONFIG_SET_STRING, "uid", text);
  g_snprintf (text, sizeof text, "%u", gid);
  bz_fsconfig (fs, BZ_FSCONFIG_SET_STRING, "gid", text);
  /* 64-bit inode numbers give 32-bit programs EOVERFLOW; the option is known from Linux 5.9. */
  bz_fsconfig (fs, BZ_FSCONFIG_SET_FLAG, "inode32", NULL);
  int mount_fd = -1;
  if (bz_fsconfig (fs, BZ_FSCONFIG_CMD_CREATE, NULL, NULL) == 0)
    mount_fd = bz_fsmount (fs, BZ_MOUNT_ATTR_NOSUID);
  int saved = errno;
  close (fs);
  errno = saved;
  return mount_fd;
}

int
bz_devices_make (guint32 root_uid, guint32 root_gid, guint32 tty_gid, GError **error)
{
  int dir = new_tmpfs (root_uid, root_gid);

  if (dir < 0)
    {
      bz_fail_errno (error, errno, NULL, "cannot make the zone's /dev");
      return -1;
    }
  for (guint i = 0; i < G_N_ELEMENTS (nodes); i++)
    {
      if (nodes[i].optional && !host_has (nodes[i].name))
        continue;
      if (!make_entry (dir, i, root_uid, nodes[i].group == OWNER_TTY ? tty_gid : root_gid, error))
        {
          close (dir);
          return -1;
        }
    }
  if (!make_links (dir, root_uid, root_gid, error))
    {
      close (dir);
      return -1;
    }
  return dir;
}

static gboolean
bind_node (int dir, guint i, GError **error)
{
  const char *name = nodes[i].name;
  gboolean null = nodes[i].major == 1 && nodes[i].minor == 3; /* also by another name */
  g_autofree char *source = g_build_filename ("/dev", null ? "null" : name, NULL);
  int target = openat (dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, nodes[i].mode & 0777);
  gboolean good = TRUE;

  if (target < 0)
    return bz_fail_errno (error, errno, NULL, "cannot make the zone's /dev/%s", name);
  if (S_ISCHR (nodes[i].mode))
    {
      int node = bz_open_tree (AT_FDCWD, source, BZ_OPEN_TREE_CLONE | O_CLOEXEC);
      good = node >= 0
             && bz_move_mount (node, "", target, "",
                               BZ_MOVE_MOUNT_F_EMPTY_PATH | BZ_MOVE_MOUNT_T_EMPTY_PATH)
                    == 0;
      if (!good)
        bz_fail_errno (error, errno, NULL, "cannot bind %s into the zone", source);
      if (node >= 0)
        close (node);
    }
  close (target);
  return good;
}

gboolean
bz_devices_bind (int dir, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (nodes); i++)
    {
      if (S_ISDIR (nodes[i].mode))
        {
          if (mkdirat (dir, nodes[i].name, nodes[i].mode & 0777) != 0)
            return bz_fail_errno (error, errno, NULL, "cannot make the zone's /dev/%s",
                                  nodes[i].name);
        }
      else if ((!nodes[i].optional || host_has (nodes[i].name)) && !bind_node (dir, i, error))
        return FALSE;
    }
  return make_links (dir, 0, 0, error);
}
