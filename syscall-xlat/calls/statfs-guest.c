#include "config.h"

#include "syscall-xlat/calls/statfs-guest.h"

#include <string.h>

#define UNKNOWN G_MAXUINT64 /* a file system without inodes says so */

/* The largest count of blocks that is less than 2^31 KiB and than 2^31. */
static guint64
most_blocks (guint64 block)
{
  guint64 bytes = (guint64) G_MAXINT32 * 1024;

  return MIN (bytes / MAX (block, 1), (guint64) G_MAXINT32);
}

static gboolean
files_fit (guint64 count)
{
  return count == UNKNOWN || count <= G_MAXINT32;
}

/* What counts are told in: statfs(2) has no f_frsize before 2.6, and glibc takes f_bsize for it. */
static guint64
block_of (const struct statfs *host)
{
  return host->f_frsize > 0 ? (guint64) host->f_frsize : (guint64) host->f_bsize;
}

gboolean
bz_statfs_differs (const struct statfs *host)
{
  guint64 most = most_blocks (block_of (host));

  return host->f_blocks > most || host->f_bfree > most || host->f_bavail > most
         || !files_fit (host->f_files) || !files_fit (host->f_ffree);
}

static guint32
files (guint64 count)
{
  return files_fit (count) ? (guint32) count : (guint32) G_MAXINT32;
}

void
bz_statfs_fill (const struct statfs *host, BzGuestStatfs32 *guest)
{
  guint64 most = most_blocks (block_of (host));

  *guest = (BzGuestStatfs32){
    .type = (guint32) host->f_type,
    .bsize = (guint32) host->f_bsize,
    .blocks = (guint32) MIN (host->f_blocks, most),
    .bfree = (guint32) MIN (host->f_bfree, most),
    .bavail = (guint32) MIN (host->f_bavail, most),
    .files = files (host->f_files),
    .ffree = files (host->f_ffree),
    .namelen = (guint32) host->f_namelen,
    .frsize = (guint32) host->f_frsize,
    .flags = (guint32) host->f_flags,
  };
  memcpy (guest->fsid, &host->f_fsid, sizeof guest->fsid);
}
