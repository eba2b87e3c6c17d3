/* An I/O manager of libext2fs over a disk image and an offset.
 *
 * Problem: libext2fs's own opens names; we have descriptors of files without a name, partitions
 * and qcow2. What is opened next is told beside the name: one thread works here. It never writes. Reads beyond the end are short reads, which libext2fs takes as
 * damage. */
#include "config.h"

#include "installer/extfs.h"

#include <errno.h>
#include <string.h>

typedef struct {
  BzDisk *disk;
  guint64 offset;
} Private;

static Private opening;
static const struct struct_io_manager manager;

static errcode_t
io_open (const char *name, int flags G_GNUC_UNUSED, io_channel *channel)
{
  io_channel new;

  new = g_new0 (struct struct_io_channel, 1);
  new->magic = EXT2_ET_MAGIC_IO_CHANNEL;
  new->manager = (io_manager) &manager;
  new->name = g_strdup (name);
  new->block_size = 1024;
  new->refcount = 1;
  new->private_data = g_memdup2 (&opening, sizeof opening);
  *channel = new;
  return 0;
}

static errcode_t
io_close (io_channel channel)
{
  if (--channel->refcount > 0)
    return 0;
  g_free (channel->private_data);
  g_free (channel->name);
  g_free (channel);
  return 0;
}

static errcode_t
io_set_blksize (io_channel channel, int size)
{
  channel->block_size = size;
  return 0;
}

static errcode_t
io_read64 (io_channel channel, unsigned long long block, int count, void *data)
{
  const Private *private = channel->private_data;
  gsize size = count < 0 ? (gsize) - (gint64) count : (gsize) count * (gsize) channel->block_size;
  guint64 at;
  gssize got;

  if (block > (G_MAXINT64 / 2) / (guint64) channel->block_size)
    return EXT2_ET_SHORT_READ;
  at = block * (guint64) channel->block_size + private->offset;
  if (at > (guint64) G_MAXINT64 - size)
    return EXT2_ET_SHORT_READ;
  got = bz_disk_read (private->disk, at, data, size, NULL);
  if (got == (gssize) size)
    return 0;
  memset ((char *) data + MAX (got, 0), 0, size - (gsize) MAX (got, 0));
  return got < 0 ? EIO : EXT2_ET_SHORT_READ;
}

static errcode_t
io_read (io_channel channel, unsigned long block, int count, void *data)
{
  return io_read64 (channel, block, count, data);
}

static errcode_t
io_write (io_channel channel G_GNUC_UNUSED, unsigned long block G_GNUC_UNUSED,
          int count G_GNUC_UNUSED, const void *data G_GNUC_UNUSED)
{
  return EXT2_ET_RO_FILSYS;
}

static errcode_t
io_write64 (io_channel channel G_GNUC_UNUSED, unsigned long long block G_GNUC_UNUSED,
            int count G_GNUC_UNUSED, const void *data G_GNUC_UNUSED)
{
  return EXT2_ET_RO_FILSYS;
}

static errcode_t
io_flush (io_channel channel G_GNUC_UNUSED)
{
  return 0;
}

static const struct struct_io_manager manager = {
  .magic = EXT2_ET_MAGIC_IO_MANAGER,
  .name = "brandzone image",
  .open = io_open,
  .close = io_close,
  .set_blksize = io_set_blksize,
  .read_blk = io_read,
  .write_blk = io_write,
  .flush = io_flush,
  .read_blk64 = io_read64,
  .write_blk64 = io_write64,
};

errcode_t
bz_ext_open_disk (BzDisk *disk, guint64 offset, ext2_filsys *fs)
{
  opening = (Private){ disk, offset };
  return ext2fs_open2 ("image", NULL, EXT2_FLAG_64BITS, 0, 0, (io_manager) &manager, fs);
}
