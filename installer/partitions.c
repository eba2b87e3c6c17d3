/* Partition tables, read by libblkid.
 *
 * Facts: libblkid probes a descriptor, needs no rights and no device, and checks a GPT's sums and
 * its second copy at the disk's end. It can't be given a way of its own to read. Choice: of a qcow2
 * image it gets a file in memory of the disk's size that holds what tables are made of: the first
 * MiB, the last one, and the chain of sectors of the logical partitions; all else is a hole.
 * Limits: of partitions inside partitions only the logical ones of an MBR are seen. */
#include "config.h"

#include "installer/partitions.h"

#include "brand/base/error.h"

#include <blkid.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EDGE (G_GUINT64_CONSTANT (1) << 20)
#define SECTOR 512
#define LOGICAL_MAX 128
#define COUNT_MAX 256

static gboolean
copy_part (BzDisk *disk, int to, guint64 at, gsize size, GError **error)
{
  g_autofree guint8 *data = g_malloc (size);
  gssize got = bz_disk_read (disk, at, data, size, error);

  if (got < 0)
    return FALSE;
  return pwrite (to, data, (gsize) got, (off_t) at) == got
         || bz_fail_errno (error, errno, NULL, "reading the partition table");
}

static gboolean
is_extended (guint8 type)
{
  return type == 0x05 || type == 0x0f || type == 0x85;
}

static guint32
le32 (const guint8 *at)
{
  return at[0] | (guint32) at[1] << 8 | (guint32) at[2] << 16 | (guint32) at[3] << 24;
}

/* The sector that the extended entry of `sector` leads to, relative to `base`; 0: none. */
static guint64
extended_at (const guint8 *sector, guint64 base)
{
  for (int i = 0; i < 4 && sector[510] == 0x55 && sector[511] == 0xaa; i++)
    if (is_extended (sector[446 + 16 * i + 4]) && le32 (sector + 446 + 16 * i + 8) != 0)
      return base + le32 (sector + 446 + 16 * i + 8);
  return 0;
}

static gboolean
copy_chain (BzDisk *disk, int to, GError **error)
{
  guint8 sector[SECTOR] = { 0 };
  guint64 base, at;

  if (bz_disk_read (disk, 0, sector, sizeof sector, error) < 0)
    return FALSE;
  base = at = extended_at (sector, 0);
  for (int i = 0; i < LOGICAL_MAX && at != 0; i++)
    {
      memset (sector, 0, sizeof sector);
      if (bz_disk_read (disk, at * SECTOR, sector, sizeof sector, error) < 0
          || !copy_part (disk, to, at * SECTOR, sizeof sector, error))
        return FALSE;
      at = extended_at (sector, base);
    }
  return TRUE;
}

/* A sparse file with the tables of the disk. -1: error. */
static int
tables_file (BzDisk *disk, GError **error)
{
  guint64 size = bz_disk_size (disk);
  int fd = memfd_create ("tables", MFD_CLOEXEC);

  if (fd < 0 || ftruncate (fd, (off_t) size) < 0)
    bz_fail_errno (error, errno, NULL, "reading the partition table");
  else if (copy_part (disk, fd, 0, (gsize) MIN (size, EDGE), error)
           && copy_part (disk, fd, size - MIN (size, EDGE), (gsize) MIN (size, EDGE), error)
           && copy_chain (disk, fd, error))
    return fd;
  if (fd >= 0)
    close (fd);
  return -1;
}

static const char *
table_name (const char *type)
{
  return strcmp (type, "dos") == 0   ? "MBR"
         : strcmp (type, "gpt") == 0 ? "GPT"
                                     : "partition table";
}

static GArray *
list (blkid_probe probe, guint64 disk_size, const char **table)
{
  blkid_partlist parts = blkid_probe_get_partitions (probe);
  blkid_parttable first = parts == NULL ? NULL : blkid_partlist_get_table (parts);
  int count = parts == NULL ? 0 : blkid_partlist_numof_partitions (parts);
  GArray *found;

  if (first == NULL)
    return NULL;
  *table = table_name (blkid_parttable_get_type (first));
  found = g_array_new (FALSE, FALSE, sizeof (BzPartitionPlace));
  for (int i = 0; i < MIN (count, COUNT_MAX); i++)
    {
      blkid_partition part = blkid_partlist_get_partition (parts, i);
      guint64 start = (guint64) blkid_partition_get_start (part);
      guint64 size = (guint64) blkid_partition_get_size (part);
      BzPartitionPlace place = { blkid_partition_get_partno (part), start * SECTOR, size * SECTOR };

      if (blkid_partition_is_extended (part) || start >= disk_size / SECTOR
          || size > G_MAXINT64 / SECTOR)
        continue;
      place.size = MIN (place.size, disk_size - place.offset);
      g_array_append_val (found, place);
    }
  return found;
}

GArray *
bz_partitions_read (BzDisk *disk, int fd, const char **table, GError **error)
{
  blkid_probe probe = blkid_new_probe ();
  int tables = bz_disk_is_qcow2 (disk) ? tables_file (disk, error) : dup (fd);
  GArray *found = NULL;

  if (tables >= 0 && probe != NULL
      && blkid_probe_set_device (probe, tables, 0, (blkid_loff_t) bz_disk_size (disk)) == 0
      && blkid_probe_enable_partitions (probe, 1) == 0)
    found = list (probe, bz_disk_size (disk), table);
  blkid_free_probe (probe);
  if (tables >= 0)
    close (tables);
  return found;
}
