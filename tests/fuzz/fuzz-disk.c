/* Disk images, raw and qcow2: any bytes give partitions and data within the disk, or an error. */
#include "config.h"

#include "installer/disk.h"
#include "installer/file-system.h"
#include "installer/partitions.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define READ_MAX (256 * 1024)

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
read_all (BzDisk *disk)
{
  static guint8 buffer[5000];
  guint64 size = bz_disk_size (disk), step = MAX (size / 50, sizeof buffer);
  g_autoptr (GError) error = NULL;

  for (guint64 at = 0; at < size && error == NULL; at += step)
    if (bz_disk_read (disk, at, buffer, sizeof buffer, &error) > (gssize) sizeof buffer)
      abort ();
}

static void
look (BzDisk *disk, int fd)
{
  g_autoptr (GError) error = NULL;
  const char *table = NULL;
  g_autoptr (GArray) places = bz_partitions_read (disk, fd, &table, &error);
  BzFoundSystem found;

  for (guint i = 0; places != NULL && i < places->len; i++)
    {
      const BzPartitionPlace *place = &g_array_index (places, BzPartitionPlace, i);

      if (place->offset >= bz_disk_size (disk) || place->size > bz_disk_size (disk) - place->offset)
        abort ();
    }
  if (places != NULL && (table == NULL || error != NULL))
    abort ();
  g_clear_error (&error);
  if (bz_file_system_find (disk, fd, "fuzz", &found, &error))
    g_free (found.kind);
  else if (error == NULL)
    abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BzDisk) disk = NULL;
  int fd;

  if (size > READ_MAX)
    return 0;
  fd = memfd_create ("image", MFD_CLOEXEC);
  if (fd < 0 || write (fd, data, size) != (ssize_t) size)
    abort ();
  disk = bz_disk_open (fd, "fuzz", &error);
  if (disk == NULL && error == NULL)
    abort ();
  if (disk != NULL)
    {
      read_all (disk);
      look (disk, fd);
    }
  close (fd);
  return 0;
}
