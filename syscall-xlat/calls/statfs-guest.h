/* struct statfs as i386 programs hold it, apart from any effect. */
#pragma once

#include <glib.h>
#include <sys/vfs.h>

typedef struct {
  guint32 type, bsize, blocks, bfree, bavail, files, ffree, fsid[2], namelen, frsize, flags,
      spare[4];
} BzGuestStatfs32;
_Static_assert(sizeof (BzGuestStatfs32) == 64, "statfs of i386");

/* Whether a count is above what programs of the time can compute with. */
gboolean bz_statfs_differs (const struct statfs *host);
void bz_statfs_fill (const struct statfs *host, BzGuestStatfs32 *guest);
