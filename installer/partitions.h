/* The partitions of a disk image. */
#pragma once

#include "installer/disk.h"

typedef struct {
  int number;
  guint64 offset, size; /* in bytes */
} BzPartitionPlace;

/* "MBR", "GPT" ... (static text) and the partitions that may hold a file system, in their order.
 * NULL without an error: there is no table. Owned by the caller. */
GArray *bz_partitions_read (BzDisk *disk, int fd, const char **table, GError **error);
