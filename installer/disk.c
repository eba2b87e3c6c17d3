#include "config.h"

#include "installer/disk.h"

#include "brand/base/error.h"

#include <errno.h>
#include <unistd.h>

struct BzDisk {
  int fd;
  guint64 size;
  char *label;
  BzQcow2 *qcow2; /* or NULL: raw */
  guint64 *done;  /* or NULL */
};

gboolean
bz_disk_pread (int fd, void *data, gsize size, guint64 at)
{
  gsize got = 0;

  if (at > (guint64) G_MAXINT64 - size)
    {
      errno = 0;
      return FALSE;
    }
  while (got < size)
    {
      gssize result = pread (fd, (char *) data + got, size - got, (off_t) (at + got));

      if (result < 0 && errno == EINTR)
        continue;
      if (result == 0)
        errno = 0;
      if (result <= 0)
        return FALSE;
      got += (gsize) result;
    }
  return TRUE;
}

BzDisk *
bz_disk_open (int fd, const char *label, GError **error)
{
  g_autoptr (BzDisk) disk = g_new0 (BzDisk, 1);
  guint8 head[4] = { 0 };
  off_t end = lseek (fd, 0, SEEK_END); /* block devices have no size in their status */

  disk->fd = fd;
  disk->label = g_strdup (label);
  if (end < 0)
    {
      bz_fail_errno (error, errno, NULL, "reading %s", label);
      return NULL;
    }
  disk->size = (guint64) end;
  if (bz_disk_pread (fd, head, sizeof head, 0) && bz_qcow2_is (head, sizeof head))
    {
      disk->qcow2 = bz_qcow2_open (fd, label, &disk->size, error);
      if (disk->qcow2 == NULL)
        return NULL;
    }
  return g_steal_pointer (&disk);
}

void
bz_disk_close (BzDisk *disk)
{
  g_clear_pointer (&disk->qcow2, bz_qcow2_close);
  g_free (disk->label);
  g_free (disk);
}

guint64
bz_disk_size (const BzDisk *disk)
{
  return disk->size;
}

gboolean
bz_disk_is_qcow2 (const BzDisk *disk)
{
  return disk->qcow2 != NULL;
}

void
bz_disk_count (BzDisk *disk, guint64 *done)
{
  disk->done = done;
}

gssize
bz_disk_read (BzDisk *disk, guint64 at, void *data, gsize size, GError **error)
{
  if (at >= disk->size)
    return 0;
  size = (gsize) MIN (size, disk->size - at);
  size = MIN (size, (gsize) G_MAXSSIZE);
  if (disk->done != NULL)
    *disk->done += size;
  if (disk->qcow2 != NULL)
    return bz_qcow2_read (disk->qcow2, at, data, size, error) ? (gssize) size : -1;
  if (bz_disk_pread (disk->fd, data, size, at))
    return (gssize) size;
  bz_fail_errno (error, errno == 0 ? EIO : errno, NULL, "reading %s", disk->label);
  return -1;
}
