/* Loop devices of a zone that may mount images: `mount -o loop` inside (catalogue row B12).
 *
 * Problem: mount(8) sets a loop device up by itself before it calls mount(2). These devices are the host's, all of one
 * number space: who has the node of one that is free reads the next user's image.
 *
 * Facts: the kernel hands out none that is bound. One that clears itself is free again when its last user has gone, not
 * before; a LOOP_CLR_FD while others have it open only says so. To set one up takes no more than its node.
 *
 * Choice: the nodes of a zone are always bound, and the keeper has each open: to nothing (one device that all free nodes
 * show, of an empty file), or to an image. The filter traps the requests (calls/loops.c); what a task asks to set up is
 * set up here, as another device of the host, whose node takes the place of the other; the task gets it under the
 * descriptor by which it asked. So what reads or writes the device (mkfs, fsck, mount(8) that looks for the type) finds the
 * image there, and mount(2) of it is that of any block device. A device goes by LOOP_CLR_FD, once it is mounted
 * if mount(8) has set it up, with the zone, and with a keeper that is killed.
 *
 * Limits: eight of them, of regular files, none of FUSE, nor of an overlay that is not the zone's tree itself; the requests
 * are the zone's root's. An image's partitions have no nodes. */
#include "config.h"

#include "loader/keeper-private.h"

#include "brand/file-systems.h"
#include "loader/kernel.h"
#include "loader/loop-device.h"
#include "loader/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#define LOOPS 8 /* names of one digit */
#define NOTHING_BYTES 512
#define NOT_OURS (-1)
#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U
#endif
#define STX_MNT_ID_AT 0x90 /* a member that older headers lack */

struct BzLoops {
  int devices; /* the zone's /dev */
  int nothing; /* what free nodes show */
  guint64 tree; /* the mount of the zone's tree */
  int bound[LOOPS]; /* -1: free */
  int users[LOOPS]; /* pidfds: who has set them up; -1: unknown */
  gint32 tids[LOOPS]; /* and by which number; 0: unknown */
  gboolean clears[LOOPS]; /* once it is mounted */
  guint64 mounted[LOOPS]; /* the device that a mount alone holds; 0: none */
};

/* --- nodes --- */

/* Of what a task has given. It asks no process that serves the file: the keeper waits for nobody of the zone. */
static gboolean
look_at (int fd, mode_t *mode, dev_t *number)
{
  struct statx status;

  if (fd < 0 || statx (fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_MODE, &status) != 0)
    return FALSE;
  *mode = status.stx_mode;
  *number = makedev (status.stx_rdev_major, status.stx_rdev_minor);
  return TRUE;
}

/* Its mount, by the kernel's number for it (Linux 5.8); 0: unknown. */
static guint64
mount_of (int fd)
{
  struct statx status;
  guint64 number = 0;

  if (fd >= 0 && statx (fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &status) == 0
      && (status.stx_mask & STATX_MNT_ID) != 0)
    memcpy (&number, (const guint8 *) &status + STX_MNT_ID_AT, sizeof number);
  return number;
}

static dev_t
number_of (int device)
{
  mode_t mode;
  dev_t number;

  return look_at (device, &mode, &number) && S_ISBLK (mode) ? number : 0;
}

static gboolean
put_node (const BzKeeper *keeper, guint slot, int device)
{
  uid_t uid = bz_userns_root_id (keeper->partition->uids);
  gid_t gid = bz_userns_root_id (keeper->partition->gids);
  int dir = keeper->loops->devices;
  char name[16];

  g_snprintf (name, sizeof name, "loop%u", slot);
  unlinkat (dir, name, 0);
  return mknodat (dir, name, S_IFBLK | 0600, number_of (device)) == 0
         && fchownat (dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) == 0;
}

/* As the task had opened the node that it replaces. The zone may have put another thing there: a terminal, which would
 * become the keeper's, a mount of FUSE, which would keep it waiting. So it is looked at before it is opened. */
static int
open_node (const BzKeeper *keeper, guint slot, int flags)
{
  char name[32];

  g_snprintf (name, sizeof name, "loop%u", slot);
  int node = bz_openat2 (keeper->loops->devices, name, O_PATH | O_CLOEXEC | O_NOFOLLOW, 0, BZ_RESOLVE_NO_XDEV);
  if (node < 0)
    return -1;
  g_snprintf (name, sizeof name, "/proc/self/fd/%d", node);
  gboolean ours = number_of (node) == number_of (keeper->loops->bound[slot]);
  int fd = ours ? open (name, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
  int saved = ours ? errno : EIO;
  close (node);
  errno = saved;
  return fd;
}

/* Which of them a task has open; -1: none. A node that shows nothing is told by its name. */
static int
slot_of (const BzLoops *loops, int device)
{
  dev_t number = number_of (device);
  char link[32], path[4096];

  for (guint i = 0; number != 0 && i < LOOPS; i++)
    if (loops->bound[i] >= 0 && number_of (loops->bound[i]) == number)
      return (int) i;
  if (number == 0 || number != number_of (loops->nothing))
    return -1;
  g_snprintf (link, sizeof link, "/proc/self/fd/%d", device);
  ssize_t length = readlink (link, path, sizeof path - 1);
  if (length <= 0)
    return -1;
  path[length] = '\0';
  /* "loopN", or "loopN (deleted)" */
  const char *slash = strrchr (path, '/');
  if (slash == NULL || !g_str_has_prefix (slash, "/loop") || slash[5] < '0' || slash[5] >= '0' + LOOPS
      || g_ascii_isdigit (slash[6]))
    return -1;
  return slash[5] - '0';
}

int
bz_keeper_find_loop (const BzKeeper *keeper, int device)
{
  int slot = keeper->loops != NULL ? slot_of (keeper->loops, device) : -1;

  return slot >= 0 && keeper->loops->bound[slot] >= 0 ? slot : -1;
}

static void
release (BzKeeper *keeper, guint slot)
{
  if (keeper->loops->users[slot] >= 0)
    close (keeper->loops->users[slot]);
  keeper->loops->users[slot] = -1;
  put_node (keeper, slot, keeper->loops->nothing);
  close (keeper->loops->bound[slot]);
  keeper->loops->bound[slot] = -1;
}

/* Its mount has the zone's name for the device, which nobody else is to get meanwhile. */
static gboolean
is_mounted (BzLoops *loops, guint slot)
{
  dev_t device = (dev_t) loops->mounted[slot];
  char path[64];

  g_snprintf (path, sizeof path, "/sys/dev/block/%u:%u/loop/backing_file", major (device), minor (device));
  if (device != 0 && access (path, F_OK) != 0)
    loops->mounted[slot] = 0;
  return loops->mounted[slot] != 0;
}

/* A mount(8) that wanted its device to clear itself, and has ended without mounting it. */
static void
release_left (BzKeeper *keeper)
{
  for (guint i = 0; i < LOOPS; i++)
    {
      struct pollfd user = { keeper->loops->users[i], POLLIN, 0 };
      if (user.fd >= 0 && keeper->loops->clears[i] && poll (&user, 1, 0) == 1)
        release (keeper, i);
    }
}

/* --- the zone's life --- */

static gboolean
may_have_images (const BzKeeper *keeper)
{
  for (char **type = keeper->partition->settings->mounts; *type != NULL; type++)
    {
      const BzFileSystem *system = bz_file_system_lookup (*type);
      if (system != NULL && system->kind == BZ_FILE_SYSTEM_IMAGE)
        return TRUE;
    }
  return FALSE;
}

static int
make_nothing (void)
{
  BzLoopImage image = { .image = memfd_create ("brandzone-nothing", MFD_CLOEXEC), .read_only = TRUE };
  char path[32];
  int device = -1;

  if (image.image >= 0 && ftruncate (image.image, NOTHING_BYTES) == 0)
    device = bz_loop_device_attach (&image, path);
  if (image.image >= 0)
    close (image.image);
  return device;
}

/* Who gives the zone loop devices of the host by [Device] wants those. */
void
bz_keeper_make_loops (BzKeeper *keeper, int tree, int devices)
{
  gboolean good = TRUE;

  if (geteuid () != 0 || devices < 0 || !may_have_images (keeper)
      || faccessat (devices, "loop0", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
    return;
  keeper->loops = g_new0 (struct BzLoops, 1);
  keeper->loops->devices = fcntl (devices, F_DUPFD_CLOEXEC, 0);
  keeper->loops->nothing = make_nothing ();
  keeper->loops->tree = mount_of (tree);
  for (guint i = 0; i < LOOPS; i++)
    keeper->loops->bound[i] = keeper->loops->users[i] = -1;
  good = keeper->loops->nothing >= 0;
  for (guint i = 0; good && i < LOOPS; i++)
    good = put_node (keeper, i, keeper->loops->nothing);
  if (!good) /* a host without: mount(8) of the zone tells it */
    bz_keeper_drop_loops (keeper);
}

void
bz_keeper_drop_loops (BzKeeper *keeper)
{
  BzLoops *loops = keeper->loops;

  if (loops == NULL)
    return;
  for (guint i = 0; i < LOOPS; i++)
    {
      if (loops->bound[i] >= 0)
        close (loops->bound[i]);
      if (loops->users[i] >= 0)
        close (loops->users[i]);
    }
  if (loops->nothing >= 0)
    close (loops->nothing);
  close (loops->devices);
  g_clear_pointer (&keeper->loops, g_free);
}

void
bz_keeper_leave_loops (const BzKeeper *keeper, BzHandOver *left)
{
  guint32 clears = 0;

  if (keeper->loops == NULL)
    return;
  for (guint i = 0; i < LOOPS; i++)
    clears |= (guint32) (keeper->loops->clears[i] != FALSE) << i;
  bz_hand_over_fd (left, "loops-devices", keeper->loops->devices);
  bz_hand_over_fd (left, "loops-nothing", keeper->loops->nothing);
  bz_hand_over_fds (left, "loops-bound", keeper->loops->bound, LOOPS);
  bz_hand_over_fds (left, "loops-users", keeper->loops->users, LOOPS);
  g_variant_dict_insert (&left->values, "loops-clear", "u", clears);
  g_variant_dict_insert (&left->values, "loops-tree", "t", keeper->loops->tree);
  g_variant_dict_insert_value (&left->values, "loops-mounted",
                               g_variant_new_fixed_array (G_VARIANT_TYPE_UINT64, keeper->loops->mounted,
                                                          LOOPS, sizeof (guint64)));
}

void
bz_keeper_take_loops (BzKeeper *keeper, GVariantDict *values, gboolean *bad)
{
  int devices = bz_hand_over_take_fd (values, "loops-devices", bad);
  guint32 clears = 0;

  if (devices < 0)
    return;
  keeper->loops = g_new0 (struct BzLoops, 1);
  keeper->loops->devices = devices;
  keeper->loops->nothing = bz_hand_over_take_fd (values, "loops-nothing", bad);
  bz_hand_over_take_fds (values, "loops-bound", keeper->loops->bound, LOOPS, bad);
  bz_hand_over_take_fds (values, "loops-users", keeper->loops->users, LOOPS, bad);
  g_variant_dict_lookup (values, "loops-clear", "u", &clears);
  g_variant_dict_lookup (values, "loops-tree", "t", &keeper->loops->tree);
  for (guint i = 0; i < LOOPS; i++)
    keeper->loops->clears[i] = (clears >> i & 1) != 0;
  g_autoptr (GVariant) mounted = g_variant_dict_lookup_value (values, "loops-mounted", G_VARIANT_TYPE ("at"));
  gsize count = 0;
  const guint64 *devices_mounted =
      mounted != NULL ? g_variant_get_fixed_array (mounted, &count, sizeof (guint64)) : NULL;
  for (gsize i = 0; i < MIN (count, LOOPS); i++)
    keeper->loops->mounted[i] = devices_mounted[i];
}

/* --- the requests --- */

typedef struct {
  BzKeeper *keeper;
  GVariantDict *body;
  int device, file; /* of the task; -1: none */
  int slot;
  gint32 value; /* the answer, besides 0 or an errno */
  int handed;
} Request;

/* Of /dev/loop-control, which is a name of /dev/null. */
static int
find_free (Request *request)
{
  mode_t mode;
  dev_t number;

  if (!look_at (request->device, &mode, &number) || !S_ISCHR (mode) || number != makedev (1, 3))
    return NOT_OURS;
  for (guint i = 0; i < LOOPS; i++)
    if (request->keeper->loops->bound[i] < 0 && !is_mounted (request->keeper->loops, i))
      {
        request->value = (gint32) i;
        return 0;
      }
  return ENOSPC;
}

static guint32
flags_of (const Request *request)
{
  guint32 flags = 0;

  g_variant_dict_lookup (request->body, "flags", "u", &flags);
  return flags;
}

/* Whether a process answers for the file, which may be one of the zone's: what was written to the device is written
 * back as it goes, and the keeper, which closes it, would wait for that process. What an overlay of the zone's own leads
 * to nobody tells; and it asks with the rights of who has mounted it, where FUSE itself refuses the keeper. */
static gboolean
is_served (const BzLoops *loops, int file)
{
  struct statfs system;

  return fstatfs (file, &system) != 0 || system.f_type == FUSE_SUPER_MAGIC
         || (system.f_type == OVERLAYFS_SUPER_MAGIC && (loops->tree == 0 || mount_of (file) != loops->tree));
}

static int
attach (Request *request)
{
  BzLoops *loops = request->keeper->loops;
  guint slot = (guint) request->slot;
  BzLoopImage image = { .image = request->file };
  gint32 user = 0;
  char path[32];
  mode_t mode;
  dev_t number;

  if (loops->bound[slot] >= 0 || is_mounted (loops, slot))
    return EBUSY;
  if (!look_at (request->file, &mode, &number) || !S_ISREG (mode) || is_served (loops, request->file))
    return EINVAL;
  int flags = fcntl (request->device, F_GETFL) & O_ACCMODE;
  g_variant_dict_lookup (request->body, "offset", "t", &image.offset);
  g_variant_dict_lookup (request->body, "limit", "t", &image.limit);
  g_variant_dict_lookup (request->body, "block", "u", &image.block);
  image.read_only = flags == O_RDONLY || (fcntl (request->file, F_GETFL) & O_ACCMODE) == O_RDONLY
                    || (flags_of (request) & LO_FLAGS_READ_ONLY) != 0;
  loops->bound[slot] = bz_loop_device_attach (&image, path);
  if (loops->bound[slot] < 0)
    return errno;
  loops->clears[slot] = (flags_of (request) & LO_FLAGS_AUTOCLEAR) != 0;
  g_variant_dict_lookup (request->body, "tid", "i", &user);
  loops->tids[slot] = user;
  loops->users[slot] = user > 0 ? bz_pidfd_open (user) : -1;
  if (put_node (request->keeper, slot, loops->bound[slot]))
    request->handed = open_node (request->keeper, slot, flags);
  int failed = request->handed < 0 ? errno : 0;
  if (failed != 0)
    release (request->keeper, slot);
  return failed;
}

static int
set (Request *request)
{
  BzLoops *loops = request->keeper->loops;
  struct loop_info64 info = { .lo_flags = LO_FLAGS_AUTOCLEAR };
  guint slot = (guint) request->slot;
  guint64 offset = 0, limit = 0;

  g_variant_dict_lookup (request->body, "offset", "t", &offset);
  g_variant_dict_lookup (request->body, "limit", "t", &limit);
  info.lo_offset = offset;
  info.lo_sizelimit = limit;
  loops->clears[slot] = (flags_of (request) & LO_FLAGS_AUTOCLEAR) != 0;
  return ioctl (loops->bound[slot], LOOP_SET_STATUS64, &info) != 0 ? errno : 0;
}

/* What the kernel answers to for itself. */
static int
look (Request *request G_GNUC_UNUSED)
{
  return NOT_OURS;
}

static int
clear (Request *request)
{
  request->keeper->loops->mounted[request->slot] = 0;
  if (request->keeper->loops->bound[request->slot] < 0)
    return ENXIO;
  release (request->keeper, (guint) request->slot);
  return 0;
}

/* A mount(8) that sets no LO_FLAGS_AUTOCLEAR leaves a note in /etc/mtab, so that umount(8) clears the device. A
 * zone's mtab may be the kernel's list, without such notes: what the same task has set up goes with its mount. */
static int
mounted (Request *request)
{
  BzLoops *loops = request->keeper->loops;
  gint32 user = 0;

  g_variant_dict_lookup (request->body, "tid", "i", &user);
  if (!loops->clears[request->slot] && (user <= 0 || loops->tids[request->slot] != user))
    return 0;
  loops->mounted[request->slot] = number_of (loops->bound[request->slot]);
  release (request->keeper, (guint) request->slot);
  return 0;
}

static const struct {
  const char *name;
  int (*answer) (Request *request);
  gboolean any, bound; /* of no device; of one that is bound: else it is ENXIO */
} requests[] = {
  { "free", find_free, TRUE, FALSE },  { "attach", attach, FALSE, FALSE }, { "set", set, FALSE, TRUE },
  { "look", look, FALSE, TRUE },       { "clear", clear, FALSE, FALSE },   { "mounted", mounted, FALSE, TRUE },
};

static int
answer_request (Request *request)
{
  const char *name = "";

  g_variant_dict_lookup (request->body, "do", "&s", &name);
  if (request->keeper->loops == NULL)
    {
      if (strcmp (name, "free") == 0 && !may_have_images (request->keeper))
        bz_keeper_tell_refusal (request->keeper, bz_file_system_lookup (BZ_FILE_SYSTEM_LOOP));
      return NOT_OURS;
    }
  release_left (request->keeper);
  for (guint i = 0; i < G_N_ELEMENTS (requests); i++)
    {
      if (strcmp (requests[i].name, name) != 0)
        continue;
      request->slot = slot_of (request->keeper->loops, request->device);
      if (!requests[i].any && request->slot < 0)
        return NOT_OURS;
      if (requests[i].bound && request->keeper->loops->bound[request->slot] < 0)
        return is_mounted (request->keeper->loops, (guint) request->slot) ? NOT_OURS : ENXIO;
      return requests[i].answer (request);
    }
  return NOT_OURS;
}

void
bz_keeper_serve_loops (BzKeeper *keeper, BzMessage *message)
{
  Request request = { .keeper = keeper, .body = message->body, .handed = -1 };
  int reply = bz_message_take_fd (message, 0);
  GVariantDict body;

  request.device = bz_message_take_fd (message, 1);
  request.file = bz_message_take_fd (message, 2);
  gint32 failed = answer_request (&request);
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "error", "i", failed);
  g_variant_dict_insert (&body, "value", "i", request.value);
  bz_message_send (reply, "loops", g_variant_dict_end (&body), &request.handed, request.handed >= 0 ? 1 : 0,
                   NULL);
  const int fds[] = { reply, request.device, request.file, request.handed };
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    if (fds[i] >= 0)
      close (fds[i]);
}
