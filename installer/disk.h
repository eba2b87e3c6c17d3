/* Images of disks: raw bytes, or qcow2. */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef struct BzDisk BzDisk;
typedef struct BzQcow2 BzQcow2;

/* fd: the image, not taken, must stay open. label: how it is called in errors. */
BzDisk *bz_disk_open (int fd, const char *label, GError **error);
void bz_disk_close (BzDisk *disk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzDisk, bz_disk_close)

/* What the disk holds, in bytes: of a qcow2 image the size that it tells, not its file's. */
guint64 bz_disk_size (const BzDisk *disk);
gboolean bz_disk_is_qcow2 (const BzDisk *disk);

/* Every byte that is read from now on is added to *done. */
void bz_disk_count (BzDisk *disk, guint64 *done);

/* Reads up to `size` bytes: less only at the disk's end. -1: error. */
gssize bz_disk_read (BzDisk *disk, guint64 at, void *data, gsize size, GError **error);

/* installer/qcow2.c */
gboolean bz_qcow2_is (const guint8 *head, gsize size);
BzQcow2 *bz_qcow2_open (int fd, const char *label, guint64 *size, GError **error);
void bz_qcow2_close (BzQcow2 *image);
/* Exactly `size` bytes, which lie within the disk. */
gboolean bz_qcow2_read (BzQcow2 *image, guint64 at, void *data, gsize size, GError **error);

/* Reads exactly; FALSE with errno 0 beyond the end of the file. */
gboolean bz_disk_pread (int fd, void *data, gsize size, guint64 at);
