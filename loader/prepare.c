/* Mounts that the host's root makes for a zone.
 *
 * Facts: an idmapped mount (5.12) shows the ids on disk as the zone's; only the host's
 * root may make one of a file system that it mounted. An overlay can't be
 * idmapped itself, but its layers may be (5.19), the upper one too. Mounted in the initial namespace
 * by a process that has the zone root's uid and keeps its capabilities, an overlay uses trusted.*
 * xattrs, so redirect_dir, directory rename and setcap work; mounted by host root itself, creating
 * files gives EOVERFLOW (seen on 6.18). */
#include "config.h"

#include "loader/prepare.h"

#include "brand/base/error.h"
#include "loader/devices-extra.h"
#include "loader/devices.h"
#include "loader/kernel.h"
#include "loader/message.h"
#include "loader/mount-lock.h"
#include "loader/overlay.h"
#include "loader/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define TTY_GID 5

static int
clone_mapped (const char *path, int userns_fd, uint64_t attributes, GError **error)
{
  struct bz_mount_attr attr = { .attr_set = attributes };
  int fd = bz_open_tree (AT_FDCWD, path, BZ_OPEN_TREE_CLONE | O_CLOEXEC);

  if (fd < 0)
    {
      bz_fail_errno (error, errno, NULL, "cannot open %s", path);
      return -1;
    }
  if (userns_fd >= 0)
    {
      attr.attr_set |= BZ_MOUNT_ATTR_IDMAP;
      attr.userns_fd = (uint64_t) userns_fd;
    }
  if (bz_mount_setattr (fd, "", AT_EMPTY_PATH, &attr) != 0)
    {
      int saved = errno;
      close (fd);
      bz_fail_errno (error, saved,
                     "its file system may not support idmapped mounts: see `brandzone doctor`",
                     "cannot give %s the zone's ids", path);
      return -1;
    }
  return fd;
}

/* --- trees in layers --- */

#define STAGE "/tmp"
#define STAGE_ROOT STAGE "/root"

typedef struct {
  int lowers[BZ_OVERLAY_LAYERS_MAX + 1];
  guint count;
  int upper; /* or -1 */
  guint32 uid, gid;
} Layers;

static void
close_layers (Layers *layers)
{
  for (guint i = 0; i < layers->count; i++)
    close (layers->lowers[i]);
  if (layers->upper >= 0)
    close (layers->upper);
}

static gboolean
stage_overlay (const Layers *layers, GError **error)
{
  if (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
      || mount ("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,inode32") != 0
      || mkdir (STAGE_ROOT, 0755) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot prepare the layers of the zone's tree");
  return bz_overlay_attach (STAGE, layers->lowers, layers->count, layers->upper, layers->uid,
                            layers->gid, error);
}

static int
make_overlay (const Layers *layers, GError **error)
{
  guint32 uid = layers->uid, gid = layers->gid;

  if (unshare (CLONE_NEWNS) != 0)
    {
      bz_fail_errno (error, errno, NULL, "cannot make a mount namespace");
      return -1;
    }
  if (!stage_overlay (layers, error))
    return -1;
  if (prctl (PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) != 0 || setresgid (gid, gid, gid) != 0
      || setresuid (uid, uid, uid) != 0)
    {
      bz_fail_errno (error, errno, NULL, "cannot take the zone root's id");
      return -1;
    }
  if (!bz_overlay_mount (STAGE, layers->count, STAGE_ROOT, FALSE, error))
    return -1;
  int fd = bz_open_tree (AT_FDCWD, STAGE_ROOT, BZ_OPEN_TREE_CLONE | O_CLOEXEC);
  if (fd < 0)
    bz_fail_errno (error, errno, NULL, "cannot take the zone's tree along");
  return fd;
}

/* The overlay is made in a child: it changes its ids and its mount namespace. */
static int
overlay_of (const Layers *layers, GError **error)
{
  g_autoptr (BzMessage) answer = NULL;
  int pair[2], status;

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    {
      bz_fail_errno (error, errno, NULL, "cannot make a socket pair");
      return -1;
    }
  pid_t child = fork ();
  if (child == 0)
    {
      g_autoptr (GError) problem = NULL;
      int fd = make_overlay (layers, &problem);
      gboolean sent = fd >= 0 ? bz_message_send (pair[1], "mount", NULL, &fd, 1, NULL)
                              : bz_message_send_error (pair[1], problem, NULL);
      _exit (sent ? 0 : 1);
    }
  close (pair[1]);
  if (child < 0)
    bz_fail_errno (error, errno, NULL, "cannot fork");
  else
    answer = bz_message_receive (pair[0], NULL, error);
  close (pair[0]);
  while (child > 0 && waitpid (child, &status, 0) < 0 && errno == EINTR)
    ;
  if (answer == NULL || !bz_message_check (answer, error))
    return -1;
  return bz_message_take_fd (answer, 0);
}

/* Changes of a throw-away copy are nobody's afterwards: they lie there with the host's ids. */
static gboolean
open_upper (const BzPartition *partition, int map, Layers *layers, GError **error)
{
  g_autofree char *own = g_path_get_dirname (partition->root);

  if (partition->throw_away && partition->scratch == NULL)
    return TRUE;
  layers->upper = partition->throw_away ? clone_mapped (partition->scratch, -1, 0, error)
                                        : clone_mapped (own, map, BZ_MOUNT_ATTR_NODEV, error);
  return layers->upper >= 0;
}

static int
prepare_root (const BzPartition *partition, int userns_fd, GError **error)
{
  int map = partition->id_storage == BZ_IDS_MOUNT ? userns_fd : -1;
  g_auto (GStrv) lowers = bz_partition_lowers (partition);
  Layers layers = { .upper = -1,
                    .uid = bz_userns_root_id (partition->uids),
                    .gid = bz_userns_root_id (partition->gids) };
  gboolean good = TRUE;
  int overlay = -1;

  if (lowers[0] == NULL)
    return clone_mapped (partition->root, map, BZ_MOUNT_ATTR_NODEV, error);
  for (char **one = lowers; good && *one != NULL; one++)
    {
      int fd = clone_mapped (*one, map, BZ_MOUNT_ATTR_NODEV, error);
      good = fd >= 0;
      if (good)
        layers.lowers[layers.count++] = fd;
    }
  if (good && open_upper (partition, map, &layers, error))
    overlay = overlay_of (&layers, error);
  close_layers (&layers);
  return overlay;
}

/* --- volumes --- */

/* The zone's root is to the volume what the host's root is; where the file system can't map ids,
 * the zone sees nobody's files. */
int
bz_prepare_volume (const BzVolume *volume, int userns_fd, GError **error)
{
  uint64_t attributes = BZ_MOUNT_ATTR_NODEV | (volume->read_only ? BZ_MOUNT_ATTR_RDONLY : 0);
  int fd = clone_mapped (volume->source, userns_fd, attributes, NULL);

  return fd >= 0 ? fd : clone_mapped (volume->source, -1, attributes, error);
}

/* The tree and the volumes: the zone's root may not lift what was set on them. */
static gboolean
lock_prepared (BzMounts *prepared, guint volumes, int userns_fd, GError **error)
{
  g_autofree int *fds = g_new (int, volumes + 1);

  fds[0] = prepared->root;
  memcpy (fds + 1, prepared->volumes, sizeof (int) * volumes);
  gboolean good = bz_mounts_lock (fds, volumes + 1, userns_fd, error);
  prepared->root = fds[0];
  memcpy (prepared->volumes, fds + 1, sizeof (int) * volumes);
  return good;
}

static guint32
outside_id (const GArray *ranges, guint32 inside)
{
  for (guint i = 0; i < ranges->len; i++)
    {
      const BzIdRange *range = &g_array_index (ranges, BzIdRange, i);
      if (inside >= range->inside && inside - range->inside < range->count)
        return range->outside + (inside - range->inside);
    }
  return (guint32) -1;
}

static gboolean
add_devices (const BzPartition *partition, int dir, GError **error)
{
  const GPtrArray *devices = partition->settings->devices;

  for (guint i = 0; i < devices->len; i++)
    {
      const BzDevice *device = g_ptr_array_index (devices, i);
      if (!bz_devices_add (dir, device, outside_id (partition->uids, device->uid),
                           outside_id (partition->gids, device->gid), error))
        return FALSE;
    }
  return TRUE;
}

gboolean
bz_prepare (const BzPartition *partition, int userns_fd, BzMounts *prepared, GError **error)
{
  *prepared = (BzMounts){ .root = -1, .devices = -1 };
  if (geteuid () != 0 || partition->uids->len == 0 || partition->gids->len == 0)
    return TRUE;
  prepared->root = prepare_root (partition, userns_fd, error);
  if (prepared->root < 0)
    return FALSE;
  /* Inside another container mknod may be refused: the zone then binds nodes, as a plain user's. */
  prepared->devices =
      bz_devices_make (outside_id (partition->uids, 0), outside_id (partition->gids, 0),
                       outside_id (partition->gids, TTY_GID), NULL);
  prepared->volumes = g_new (int, partition->volumes->len + 1);
  for (guint i = 0; i < partition->volumes->len; i++)
    prepared->volumes[i] = -1;
  if (prepared->devices >= 0 && !add_devices (partition, prepared->devices, error))
    {
      bz_mounts_close (prepared, partition->volumes->len);
      return FALSE;
    }
  for (guint i = 0; i < partition->volumes->len; i++)
    {
      prepared->volumes[i] =
          bz_prepare_volume (g_ptr_array_index (partition->volumes, i), userns_fd, error);
      if (prepared->volumes[i] < 0)
        {
          bz_mounts_close (prepared, partition->volumes->len);
          return FALSE;
        }
    }
  if (!lock_prepared (prepared, partition->volumes->len, userns_fd, error))
    {
      bz_mounts_close (prepared, partition->volumes->len);
      return FALSE;
    }
  return TRUE;
}

void
bz_mounts_close (BzMounts *prepared, guint volumes)
{
  if (prepared->root >= 0)
    close (prepared->root);
  if (prepared->devices >= 0)
    close (prepared->devices);
  for (guint i = 0; prepared->volumes != NULL && i < volumes; i++)
    if (prepared->volumes[i] >= 0)
      close (prepared->volumes[i]);
  g_clear_pointer (&prepared->volumes, g_free);
  prepared->root = prepared->devices = -1;
}
