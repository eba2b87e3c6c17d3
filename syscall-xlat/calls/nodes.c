/* mknod(2) of device nodes (catalogue row S17).
 *
 * Nobody in a user namespace may make a device node, but for the character device 0:0, an overlay's
 * whiteout (Linux 5.8): that passes. rpm, cpio and MAKEDEV stop at any other. A task with CAP_MKNOD
 * in the zone gets such a 0:0 node in its place, with the mode that it asked for, counted as
 * pretended: a name that can be renamed, owned and removed, and gives ENXIO or EACCES when it is
 * opened. The nodes that programs need are in the zone's /dev from the start. Where even that can't
 * be made, the kernel answers for itself.
 *
 * Those which harm nobody (null and its like) are made for zones of root by the host's (mounter.h): no pretence either.
 *
 * Where owners are remembered (owner-records=keep) so is the node: it is an empty file with a record
 * (owner-record.h), which stat(2) shows as that node, and no pretence then. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/mounter.h"
#include "syscall-xlat/remote.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/major.h>
#include <sys/stat.h>

/* By new_decode_dev() of the kernel; the 16 bits of old C libraries are its low ones. */
static BzOwner
record_of (guint32 mode, guint32 device)
{
  return (BzOwner){ .type = mode & S_IFMT,
                    .major = device >> 8 & 0xfff,
                    .minor = (device & 0xff) | (device >> 12 & 0xfff00) };
}

/* null, zero, full, random, urandom; tty; ptmx, which belongs to the devpts beside it, and opens no other (Linux 4.7). Not
 * console: that is the host's. */
gboolean
bz_is_harmless_device (guint32 mode, guint32 number)
{
  static const guint16 numbers[] = { 0x103, 0x105, 0x107, 0x108, 0x109, 0x500, 0x502 };

  for (guint i = 0; S_ISCHR (mode) && i < G_N_ELEMENTS (numbers); i++)
    if (numbers[i] == number)
      return TRUE;
  return FALSE;
}

static int
make_harmless (BzCall *call, const BzPlace *place, guint32 mode, guint32 device)
{
  return call->mounter != NULL && bz_is_harmless_device (mode, device)
             ? call->mounter->class->node (call->mounter, call, place, mode, device)
             : BZ_MOUNT_NOT_OURS;
}

/* A mount(8) that finds no loop device makes one (B12), and another one where that can't be opened. */
#define LOOP_NODES 64

static void
tell_of_loops (BzCall *call)
{
  if (call->mounter != NULL && call->plan->quirk[BZ_QUIRK_MOUNTS] == BZ_MOUNTS_TELL)
    call->mounter->class->refuse (call->mounter, bz_file_system_lookup (BZ_FILE_SYSTEM_LOOP));
}

static BzVerdict
make_node (BzCall *call, int directory, guint64 address, guint32 mode, guint32 device)
{
  char path[PATH_MAX];
  BzPlace place = { .directory = directory, .path = path };

  if ((!S_ISCHR (mode) && !S_ISBLK (mode)) || (S_ISCHR (mode) && device == 0)
      || !bz_call_capable (call, CAP_MKNOD)
      || bz_call_read_string (call, address, path, sizeof path) != 0 || path[0] == '\0')
    return bz_continue ();
  BzOwner node = record_of (mode, device);
  if (S_ISBLK (mode) && node.major == LOOP_MAJOR)
    {
      tell_of_loops (call);
      if (node.minor >= LOOP_NODES)
        return bz_continue ();
    }
  int made = make_harmless (call, &place, mode, device);
  if (made != BZ_MOUNT_NOT_OURS)
    return made == 0 ? bz_value (0) : bz_continue ();
  gboolean keeps = call->plan->quirk[BZ_QUIRK_OWNER_RECORDS] != 0;
  if (bz_call_make_placeholder (call, &place, mode, keeps ? &node : NULL) != 0)
    return bz_continue ();
  return keeps && node.known ? bz_value (0) : bz_pretend (0);
}

BzVerdict
bz_call_mknod (BzCall *call)
{
  return make_node (call, AT_FDCWD, call->args[0], (guint32) call->args[1],
                    (guint32) call->args[2]);
}

BzVerdict
bz_call_mknodat (BzCall *call)
{
  return make_node (call, (int) call->args[0], call->args[1], (guint32) call->args[2],
                    (guint32) call->args[3]);
}
