/* The zone's mounts.
 *
 * Everything is put together below a tmpfs on /tmp of the new mount namespace,
 * then pivot_root(2) makes it the root and the host's tree is detached.
 *
 * Facts: a new proc or sysfs may be mounted in a user namespace only while a fully
 * visible one is in the mount namespace (mount_too_revealing, Linux 4.2), so
 * they come before the host's tree goes. open_tree(2) can't clone what is not attached to
 * a mount namespace (before 6.15): generated files are bound from an attached tmpfs.
 * Mount points are found with RESOLVE_IN_ROOT: a tree's own links can't lead outside.
 *
 * Limits: a zone's root may mount proc elsewhere and then sees the host's /proc/version there; uname
 * keeps telling the brand's. On /proc itself it is busy where the brand's release is (row B14). */
#include "config.h"

#include "loader/view.h"

#include "brand/base/error.h"
#include "loader/devices-extra.h"
#include "loader/devices.h"
#include "loader/identity.h"
#include "loader/kernel.h"
#include "loader/mount-lock.h"
#include "loader/overlay.h"
#include "loader/view-files.h"
#include "loader/view-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define STAGE "/tmp"
#define STAGE_ROOT STAGE "/root"
#define STAGE_FILES STAGE "/files"

/* Detached mounts of the zone's tree. */
typedef struct {
  int whole; /* of all of it, or -1 */
  int lowers[BZ_OVERLAY_LAYERS_MAX + 1];
  guint count; /* 0: it is whole */
  int upper;   /* where changes go, or -1: to memory */
} OpenTree;

static gboolean
mount_stage (GError **error)
{
  static const char *const directories[] = { STAGE_ROOT, STAGE_FILES };

  if (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make the zone's mounts private");
  if (mount ("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,inode32") != 0)
    return bz_fail_errno (error, errno, NULL, "cannot mount a tmpfs on %s", STAGE);
  for (guint i = 0; i < G_N_ELEMENTS (directories); i++)
    if (mkdir (directories[i], 0755) != 0)
      return bz_fail_errno (error, errno, NULL, "cannot make %s", directories[i]);
  /* Of no size, as file systems of the kernel's own are: df does not list what is bound from it. */
  if (mount ("tmpfs", STAGE_FILES, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,inode32,size=0") != 0)
    return bz_fail_errno (error, errno, NULL, "cannot mount a tmpfs on %s", STAGE_FILES);
  return TRUE;
}

/* --- descriptors of what is mounted later --- */

/* A detached copy of the mounts at `path`, as a plain user's zone opens it. */
static int
clone_tree (const char *path, GError **error)
{
  int fd = bz_open_tree (AT_FDCWD, path, BZ_OPEN_TREE_CLONE | O_CLOEXEC | BZ_AT_RECURSIVE);

  if (fd < 0)
    bz_fail_errno (error, errno, "is it there, and may you read it?", "cannot open %s", path);
  return fd;
}

/* What a plain user's volume or the host's /sys may not do, so that the zone's root can't allow it.
 */
static gboolean
restrict_mount (int *fd, uint64_t attributes, const char *path, GError **error)
{
  struct bz_mount_attr attr = { .attr_set = attributes };

  if (bz_mount_setattr (*fd, "", AT_EMPTY_PATH | BZ_AT_RECURSIVE, &attr) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot restrict the mount of %s", path);
  return bz_mounts_lock (fd, 1, -1, error);
}

int
bz_view_open_volume (const BzVolume *volume, GError **error)
{
  int fd = clone_tree (volume->source, error);

  if (fd >= 0 && volume->read_only
      && !restrict_mount (&fd, BZ_MOUNT_ATTR_RDONLY | BZ_MOUNT_ATTR_NODEV, volume->source, error))
    return -1;
  return fd;
}

static gboolean
open_volumes (const BzPartition *partition, const BzMounts *prepared, int *fds, GError **error)
{
  for (guint i = 0; i < partition->volumes->len; i++)
    {
      const BzVolume *volume = g_ptr_array_index (partition->volumes, i);
      fds[i] = prepared->volumes != NULL ? prepared->volumes[i] : bz_view_open_volume (volume, error);
      if (fds[i] < 0)
        return FALSE;
    }
  return TRUE;
}

/* --- the tree --- */

/* A plain user's zone mounts its layers itself. Renaming a directory of a lower one gives EXDEV
 * there (FAILURES P2). */
static gboolean
mount_user_overlay (const OpenTree *tree, GError **error)
{
  return bz_overlay_attach (STAGE, tree->lowers, tree->count, tree->upper, 0, 0, error)
         && bz_overlay_mount (STAGE, tree->count, STAGE_ROOT, TRUE, error);
}

static gboolean
open_root (const BzPartition *partition, OpenTree *tree, GError **error)
{
  g_auto (GStrv) lowers = bz_partition_lowers (partition);
  g_autofree char *own = g_path_get_dirname (partition->root);

  for (char **one = lowers; *one != NULL; one++)
    {
      int fd = clone_tree (*one, error);
      if (fd < 0)
        return FALSE;
      tree->lowers[tree->count++] = fd;
    }
  if (tree->count == 0)
    return (tree->whole = clone_tree (partition->root, error)) >= 0;
  if (partition->throw_away && partition->scratch == NULL)
    return TRUE;
  return (tree->upper = clone_tree (partition->throw_away ? partition->scratch : own, error)) >= 0;
}

static gboolean
mount_root (const BzPartition *partition, const OpenTree *tree, GError **error)
{
  if (tree->count > 0)
    return mount_user_overlay (tree, error);
  return bz_move_mount (tree->whole, "", AT_FDCWD, STAGE_ROOT, BZ_MOVE_MOUNT_F_EMPTY_PATH) == 0
         || bz_fail_errno (error, errno, NULL, "cannot mount %s", partition->root);
}

/* --- mount points inside the tree --- */

static int
open_in_root (int root, const char *path, uint64_t flags)
{
  return bz_openat2 (root, path, flags | O_CLOEXEC, 0,
                     BZ_RESOLVE_IN_ROOT | BZ_RESOLVE_NO_MAGICLINKS);
}

/* Opens (making what is missing) the directory or file `path` of the zone's tree as a mount point.
 */
static int
make_mount_point (int root, const char *path, gboolean directory, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  g_autoptr (GString) so_far = g_string_new ("");
  int failed = 0; /* why something could not be made */

  for (char **part = parts; *part != NULL; part++)
    {
      gboolean last = part[1] == NULL;
      if ((*part)[0] == '\0' || strcmp (*part, ".") == 0)
        continue;
      int parent = open_in_root (root, so_far->len > 0 ? so_far->str : ".", O_PATH | O_DIRECTORY);
      g_string_append_printf (so_far, "/%s", *part);
      int here = open_in_root (root, so_far->str, O_PATH);
      if (here >= 0)
        close (here);
      else if (errno == ENOENT && parent >= 0 && last && !directory)
        {
          int file =
              openat (parent, *part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
          if (file >= 0)
            close (file);
          else
            failed = errno;
        }
      else if (errno == ENOENT && parent >= 0 && mkdirat (parent, *part, 0755) != 0)
        failed = errno; /* it counts if the place can't be opened below */
      if (parent >= 0)
        close (parent);
    }
  int fd = open_in_root (root, so_far->len > 0 ? so_far->str : ".",
                         O_PATH | (directory ? O_DIRECTORY : 0));
  if (fd < 0)
    bz_fail_errno (error, failed != 0 ? failed : errno, "make it in the tree, or choose another place",
                   "cannot use %s of the zone as a mount point", path);
  return fd;
}

int
bz_view_make_directory (int root, const char *path, GError **error)
{
  return make_mount_point (root, path, TRUE, error);
}

static gboolean
attach (int mount_fd, int root, const char *path, gboolean directory, GError **error)
{
  int target = make_mount_point (root, path, directory, error);
  gboolean good = target >= 0;

  if (good
      && bz_move_mount (mount_fd, "", target, "",
                        BZ_MOVE_MOUNT_F_EMPTY_PATH | BZ_MOVE_MOUNT_T_EMPTY_PATH)
             != 0)
    good = bz_fail_errno (error, errno, NULL, "cannot mount on %s of the zone", path);
  if (target >= 0)
    close (target);
  return good;
}

/* A new file system of the zone's own as a detached mount. options: "key=value", ended by NULL. */
static int
new_mount (const char *type, const char *const *options, unsigned attributes)
{
  int fs = bz_fsopen (type);
  int fd = -1;

  if (fs < 0)
    return -1;
  for (guint i = 0; options != NULL && options[i] != NULL; i++)
    {
      g_auto (GStrv) pair = g_strsplit (options[i], "=", 2);
      if (pair[1] != NULL)
        bz_fsconfig (fs, BZ_FSCONFIG_SET_STRING, pair[0], pair[1]);
      else
        bz_fsconfig (fs, BZ_FSCONFIG_SET_FLAG, pair[0], NULL);
    }
  if (bz_fsconfig (fs, BZ_FSCONFIG_CMD_CREATE, NULL, NULL) == 0)
    fd = bz_fsmount (fs, attributes);
  int saved = errno;
  close (fs);
  errno = saved;
  return fd;
}

static gboolean
mount_new (int root, const char *path, gboolean directory, const char *type, const char *const *options,
           unsigned attributes, GError **error)
{
  int fd = new_mount (type, options, attributes);

  if (fd < 0)
    return bz_fail_errno (error, errno, NULL, "cannot mount %s for the zone's %s", type, path);
  gboolean good = attach (fd, root, path, directory, error);
  close (fd);
  return good;
}

gboolean
bz_view_mount_new (int root, const char *path, const char *type, const char *const *options,
                   unsigned attributes, GError **error)
{
  return mount_new (root, path, TRUE, type, options, attributes, error);
}

gboolean
bz_view_mount_file (int root, const char *path, const char *type, const char *const *options,
                    unsigned attributes, GError **error)
{
  return mount_new (root, path, FALSE, type, options, attributes, error);
}

gboolean
bz_view_exists (int root, const char *path)
{
  int fd = open_in_root (root, path, O_PATH);

  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

#define QUIET (BZ_MOUNT_ATTR_NOSUID | BZ_MOUNT_ATTR_NODEV | BZ_MOUNT_ATTR_NOEXEC)

/* sysfs is a newer thing than many userlands: only where the tree has a place for it, or shows a
 * kernel that has it (trees that were kept file by file lack their empty directories). A network
 * namespace of the zone's own is the kernel's condition for a new one; else the host's is bound. */
static gboolean
mount_sys (const BzPartition *partition, int root, GError **error)
{
  if (partition->plan->release_number < BZ_RELEASE (2, 6, 0) && !bz_view_exists (root, "/sys"))
    return TRUE;
  int fd = partition->network == BZ_NETWORK_HOST
               ? bz_open_tree (AT_FDCWD, "/sys", BZ_OPEN_TREE_CLONE | O_CLOEXEC | BZ_AT_RECURSIVE)
               : new_mount ("sysfs", NULL, QUIET | BZ_MOUNT_ATTR_RDONLY);
  if (fd < 0)
    return bz_fail_errno (error, errno, NULL, "cannot mount the zone's /sys");
  gboolean good = (partition->network != BZ_NETWORK_HOST
                   || restrict_mount (&fd, BZ_MOUNT_ATTR_RDONLY | QUIET, "/sys", error))
                  && attach (fd, root, "/sys", TRUE, error);
  close (fd);
  return good;
}

/* --- /dev --- */

/* Found again as it was found for the mount: the tree's /dev may be a link. */
static gboolean
bind_devices (const GPtrArray *extra, int root, GError **error)
{
  int dir = open_in_root (root, "/dev", O_PATH | O_DIRECTORY);

  if (dir < 0)
    return bz_fail_errno (error, errno, NULL, "cannot open the zone's /dev");
  gboolean good = bz_devices_bind (dir, error);
  for (guint i = 0; good && i < extra->len; i++)
    good = bz_devices_bind_one (dir, g_ptr_array_index (extra, i), error);
  close (dir);
  return good;
}

static gboolean
mount_devices (const BzPartition *partition, const BzMounts *prepared, int root, GError **error)
{
  static const char *const pts[] = { "mode=0620", "ptmxmode=0666", NULL, NULL };
  static const char *const shm[] = { "mode=1777", "inode32", NULL };
  static const char *const tmpfs[] = { "mode=0755", "inode32", NULL };

  if (prepared->devices >= 0)
    {
      if (!attach (prepared->devices, root, "/dev", TRUE, error))
        return FALSE;
    }
  else if (!bz_view_mount_new (root, "/dev", "tmpfs", tmpfs, BZ_MOUNT_ATTR_NOSUID, error)
           || !bind_devices (partition->settings->devices, root, error))
    return FALSE;

  /* Group tty is 5 in nearly every distribution; with one mapped id it does not exist. */
  const char *options[] = { pts[0], pts[1], "gid=5", NULL };
  int fd = new_mount ("devpts", options, BZ_MOUNT_ATTR_NOSUID | BZ_MOUNT_ATTR_NOEXEC);
  if (fd < 0)
    fd = new_mount ("devpts", pts, BZ_MOUNT_ATTR_NOSUID | BZ_MOUNT_ATTR_NOEXEC);
  if (fd < 0)
    return bz_fail_errno (error, errno, NULL, "cannot mount the zone's /dev/pts");
  gboolean good = attach (fd, root, "/dev/pts", TRUE, error);
  close (fd);
  return good
         && (partition->plan->quirk[BZ_QUIRK_BSD_PTYS] == 0 || bz_view_make_ptys (root, error))
         && bz_view_mount_new (root, "/dev/shm", "tmpfs", shm, BZ_MOUNT_ATTR_NOSUID | BZ_MOUNT_ATTR_NODEV,
                       error)
         && bz_view_mount_new (root, "/dev/mqueue", "mqueue", NULL, QUIET, error);
}

/* --- the brand's release in /proc --- */

gboolean
bz_view_bind_data (int root, const char *name, const char *path, const char *data, gsize length,
                   GError **error)
{
  g_autofree char *file = g_build_filename (STAGE_FILES, name, NULL);
  struct bz_mount_attr attr = { .attr_set = BZ_MOUNT_ATTR_RDONLY | QUIET };
  int fd = open (file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

  if (fd < 0 || write (fd, data, length) != (ssize_t) length)
    {
      int saved = errno;
      if (fd >= 0)
        close (fd);
      return bz_fail_errno (error, saved, NULL, "cannot write the zone's %s", path);
    }
  close (fd);
  fd = bz_open_tree (AT_FDCWD, file, BZ_OPEN_TREE_CLONE | O_CLOEXEC);
  if (fd < 0 || bz_mount_setattr (fd, "", AT_EMPTY_PATH, &attr) != 0)
    {
      int saved = errno;
      if (fd >= 0)
        close (fd);
      return bz_fail_errno (error, saved, NULL, "cannot bind the zone's %s", path);
    }
  gboolean good = attach (fd, root, path, FALSE, error);
  close (fd);
  return good;
}

gboolean
bz_view_bind_same (int root, const char *path, const char *source, GError **error)
{
  int file = open_in_root (root, source, O_PATH);
  int fd = file >= 0
               ? bz_open_tree (file, "", AT_EMPTY_PATH | BZ_OPEN_TREE_CLONE | O_CLOEXEC)
               : -1;

  if (file >= 0)
    close (file);
  if (fd < 0)
    return bz_fail_errno (error, errno, NULL, "cannot bind the zone's %s", source);
  gboolean good = attach (fd, root, path, FALSE, error);
  close (fd);
  return good;
}

static gboolean
bind_text (int root, const char *name, const char *path, const char *text, GError **error)
{
  g_autofree char *line = g_strconcat (text, "\n", NULL);

  return bz_view_bind_data (root, name, path, line, strlen (line), error);
}

static gboolean
bind_release (const BzPlan *plan, int root, GError **error)
{
  if (plan->quirk[BZ_QUIRK_PROC_RELEASE] == 0)
    return TRUE;
  return (plan->proc_version == NULL
          || bind_text (root, "version", "/proc/version", plan->proc_version, error))
         && bind_text (root, "osrelease", "/proc/sys/kernel/osrelease", plan->release, error)
         && bind_text (root, "kernel-version", "/proc/sys/kernel/version", plan->version, error);
}

/* The number of the machine's last uevent. A zone is sent those of its own network alone, so a
 * udevd that waits for all up to this number (udevadm settle) would hold up the boot for three
 * minutes whenever something happens on the host meanwhile: the start of another zone is enough.
 * What a zone sees stands still. */
static gboolean
bind_uevent_number (int root, GError **error)
{
  static const char path[] = "/sys/kernel/uevent_seqnum";
  g_autofree char *text = NULL;
  gsize length;

  return !bz_view_exists (root, path) || !g_file_get_contents (path, &text, &length, NULL)
         || bz_view_bind_data (root, "uevent-seqnum", path, text, length, error);
}

/* The tree's own names servers of another network. Where it is a link, a program of the zone writes
 * what that leads to. */
static gboolean
bind_resolv (const char *text, int root, GError **error)
{
  static const char path[] = "/etc/resolv.conf";
  struct stat st;

  if (text == NULL || (fstatat (root, path + 1, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK (st.st_mode)))
    return TRUE;
  return bz_view_bind_data (root, "resolv.conf", path, text, strlen (text), error);
}

/* --- directories that programs take for granted --- */

/* Here-documents, sort and compilers fail without /tmp, which trees kept file by file and small
 * images lack. What the tree has stays as it is, a link to nowhere too; where the tree can't be
 * written, they do without. */
static void
make_tmp (int root)
{
  static const mode_t mode = 01777;

  if (mkdirat (root, "tmp", mode) != 0)
    return;
  int dir = openat (root, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (dir < 0)
    return;
  (void) !fchmod (dir, mode); /* mkdir obeys the umask */
  close (dir);
}

/* --- volumes --- */

gboolean
bz_view_attach_volume (const BzVolume *volume, int fd, int root, GError **error)
{
  struct bz_mount_attr attr = { .attr_set = BZ_MOUNT_ATTR_NODEV };
  struct stat st;

  if (fstat (fd, &st) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot look at %s", volume->source);
  if (bz_mount_setattr (fd, "", AT_EMPTY_PATH | BZ_AT_RECURSIVE, &attr) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot restrict the mount of %s", volume->source);
  return attach (fd, root, volume->target, S_ISDIR (st.st_mode), error);
}

/* --- the whole --- */

static gboolean
build (const BzPartition *partition, const BzMounts *prepared, const int *volumes, int root,
       BzViews *views, GError **error)
{
  static const char *const no_options[] = { NULL };

  if (!bz_view_mount_new (root, "/proc", "proc", no_options, QUIET, error)
      || !mount_sys (partition, root, error) || !bz_view_mount_cgroups (partition, root, error)
      || !mount_devices (partition, prepared, root, error)
      || !bind_release (partition->plan, root, error)
      || !bz_view_show_files (partition, root, views, error)
      || (partition->boot && !bind_uevent_number (root, error))
      || !bz_identity_bind (partition->settings, root, error)
      || !bind_resolv (prepared->resolv, root, error))
    return FALSE;
  make_tmp (root);
  for (guint i = 0; i < partition->volumes->len; i++)
    if (!bz_view_attach_volume (g_ptr_array_index (partition->volumes, i), volumes[i], root, error))
      return FALSE;
  return TRUE;
}

static gboolean
leave_host (int root, GError **error)
{
  if (fchdir (root) != 0 || syscall (SYS_pivot_root, ".", ".") != 0)
    return bz_fail_errno (error, errno,
                          "on an initramfs, run from a tmpfs: pivot_root(2) can't leave it",
                          "cannot change to the zone's root directory");
  if (umount2 (".", MNT_DETACH) != 0 || chdir ("/") != 0)
    return bz_fail_errno (error, errno, NULL, "cannot leave the host's tree");
  return TRUE;
}

gboolean
bz_view_enter (const BzPartition *partition, const BzMounts *prepared, BzViews *views, GError **error)
{
  g_autofree int *volumes = g_new0 (int, partition->volumes->len + 1);
  gboolean outside = prepared->root >= 0;
  OpenTree tree = { .whole = outside ? prepared->root : -1, .upper = -1 };

  if ((!outside && !open_root (partition, &tree, error))
      || !open_volumes (partition, prepared, volumes, error) || !mount_stage (error)
      || !mount_root (partition, &tree, error))
    return FALSE;
  int root = open (STAGE_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0)
    return bz_fail_errno (error, errno, NULL, "cannot open the zone's root directory");
  if (bz_partition_is_layered (partition))
    bz_overlay_copy_databases (root);
  gboolean good = build (partition, prepared, volumes, root, views, error) && leave_host (root, error);
  close (root);
  return good;
}
