/* Serial and parallel ports, licence dongles, sound: what `--device` and [Device NAME] ask for.
 *
 * Facts: of a /dev that was mounted in the initial user namespace nodes work, and the zone's ids
 * own them (loader/devices.c). A plain user's zone binds the host's node, which keeps its owner and
 * mode: only what the user himself may open outside works inside, and not by a
 * supplementary group, which the zone's programs do not keep. */
#include "config.h"

#include "loader/devices-extra.h"

#include "brand/base/error.h"
#include "loader/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 4
#define NODES_MAX 1024

typedef struct {
  const BzDevice *device;
  guint32 uid, gid;
  guint nodes;
} Adding;

/* Opens the directory of `name` (may hold slashes) below `dir`, making what is missing. A link that
 * has come into its place is not followed. */
static int
make_parents (int dir, const char *name, guint32 uid, guint32 gid, const char **last)
{
  g_auto (GStrv) parts = g_strsplit (name, "/", -1);
  int here = dup (dir);

  for (char **part = parts; here >= 0 && part[1] != NULL; part++)
    {
      if (mkdirat (here, *part, 0755) == 0)
        (void) !fchownat (here, *part, uid, gid, AT_SYMLINK_NOFOLLOW);
      int next = openat (here, *part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      int saved = errno;
      close (here);
      errno = saved;
      here = next;
    }
  const char *slash = strrchr (name, '/');
  *last = slash != NULL ? slash + 1 : name;
  return here;
}

static gboolean
fail_make (const Adding *adding, const char *name, int saved, GError **error)
{
  return bz_fail_errno (error, saved, NULL, "cannot make the zone's %s of %s (at %s)",
                        adding->device->target, adding->device->source, name);
}

/* The nodes that every zone has may be replaced. */
static gboolean
add_node (Adding *adding, int parent, const char *name, const struct stat *st, GError **error)
{
  mode_t mode = adding->device->mode != 0 ? adding->device->mode : 0600;

  if (adding->nodes++ == NODES_MAX)
    return bz_fail (error, BZ_ERROR_INPUT, "it holds more than 1024 nodes", "name those you need",
                    "the device %s", adding->device->source);
  if (unlinkat (parent, name, 0) != 0 && errno != ENOENT)
    return fail_make (adding, name, errno, error);
  if (mknodat (parent, name, (st->st_mode & S_IFMT) | mode, st->st_rdev) != 0
      || fchownat (parent, name, adding->uid, adding->gid, AT_SYMLINK_NOFOLLOW) != 0
      || fchmodat (parent, name, mode, 0) != 0)
    return fail_make (adding, name, errno, error);
  return TRUE;
}

static gboolean
is_node (const struct stat *st)
{
  return S_ISCHR (st->st_mode) || S_ISBLK (st->st_mode);
}

static gboolean add_directory (Adding *adding, int source, int target, guint depth, GError **error);

static gboolean
add_below (Adding *adding, int source, int target, const char *name, guint depth, GError **error)
{
  struct stat st;

  if (fstatat (source, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return TRUE; /* it was unplugged meanwhile */
  if (is_node (&st))
    return add_node (adding, target, name, &st, error);
  if (!S_ISDIR (st.st_mode) || depth == DEPTH_MAX)
    return TRUE;
  int from = openat (source, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (from < 0)
    return TRUE;
  if (mkdirat (target, name, 0755) == 0)
    (void) !fchownat (target, name, adding->uid, adding->gid, AT_SYMLINK_NOFOLLOW);
  int to = openat (target, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (to < 0)
    {
      int saved = errno;
      close (from);
      return fail_make (adding, name, saved, error);
    }
  gboolean good = add_directory (adding, from, to, depth + 1, error);
  close (to);
  return good;
}

/* Takes `source`. */
static gboolean
add_directory (Adding *adding, int source, int target, guint depth, GError **error)
{
  DIR *dir = fdopendir (source);
  struct dirent *entry;
  gboolean good = TRUE;

  if (dir == NULL)
    {
      close (source);
      return TRUE;
    }
  while (good && (entry = readdir (dir)) != NULL)
    {
      if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
        good = add_below (adding, dirfd (dir), target, entry->d_name, depth, error);
    }
  closedir (dir);
  return good;
}

static gboolean
look_at (const BzDevice *device, struct stat *st, GError **error)
{
  if (stat (device->source, st) != 0)
    return bz_fail_errno (error, errno, "is it plugged in, and its module loaded?", "the device %s",
                          device->source);
  if (is_node (st) || S_ISDIR (st->st_mode))
    return TRUE;
  return bz_fail (error, BZ_ERROR_INPUT, "it is no device node and no directory",
                  "files and directories are given by -v or [Mount NAME]", "the device %s",
                  device->source);
}

gboolean
bz_devices_add (int dir, const BzDevice *device, guint32 uid, guint32 gid, GError **error)
{
  Adding adding = { .device = device, .uid = uid, .gid = gid };
  const char *name = device->target + strlen ("/dev/");
  const char *last;
  struct stat st;
  gboolean good;

  if (uid == (guint32) -1 || gid == (guint32) -1)
    return bz_fail (error, BZ_ERROR_INPUT, "its owner is none of the zone's ids", NULL,
                    "the device %s", device->target);
  if (!look_at (device, &st, error))
    return FALSE;
  /* A directory's own name is the last of its parents. */
  g_autofree char *inner = S_ISDIR (st.st_mode) ? g_strconcat (name, "/.", NULL) : g_strdup (name);
  int parent = make_parents (dir, inner, uid, gid, &last);
  if (parent < 0)
    return fail_make (&adding, device->target, errno, error);
  if (S_ISDIR (st.st_mode))
    {
      int source = open (device->source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      good = source >= 0 ? add_directory (&adding, source, parent, 0, error)
                         : bz_fail_errno (error, errno, NULL, "the device %s", device->source);
    }
  else
    good = add_node (&adding, parent, last, &st, error);
  close (parent);
  return good;
}

gboolean
bz_devices_bind_one (int dir, const BzDevice *device, GError **error)
{
  const char *name = device->target + strlen ("/dev/");
  const char *last;
  struct stat st;

  if (!look_at (device, &st, error))
    return FALSE;
  gboolean directory = S_ISDIR (st.st_mode);
  g_autofree char *inner = directory ? g_strconcat (name, "/.", NULL) : g_strdup (name);
  int target = make_parents (dir, inner, 0, 0, &last);
  if (target >= 0 && !directory)
    {
      int file =
          openat (target, last, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
      int saved = errno;
      close (target);
      errno = saved;
      target = file;
    }
  int node = bz_open_tree (AT_FDCWD, device->source,
                           BZ_OPEN_TREE_CLONE | O_CLOEXEC | (directory ? BZ_AT_RECURSIVE : 0));
  gboolean good = target >= 0 && node >= 0
                  && bz_move_mount (node, "", target, "",
                                    BZ_MOVE_MOUNT_F_EMPTY_PATH | BZ_MOVE_MOUNT_T_EMPTY_PATH)
                         == 0;
  if (!good)
    bz_fail_errno (error, errno, NULL, "cannot bind %s into the zone as %s", device->source,
                   device->target);
  if (target >= 0)
    close (target);
  if (node >= 0)
    close (node);
  return good;
}
