/* Facts (fs/stat.c, fs/readdir.c, arch/x86/include/asm/compat.h of Linux 2.0 to 6.18): devices are
 * new_encode_dev(); 16-bit ids above 65535 read 65534; a size above 2 GiB and more than 65535 links
 * are EOVERFLOW from 2.4 on (2.2 had no such files); times are cut to 32 bits without a word, and
 * are clamped here instead: a file of 2040 is not one of 1904. */
#include "config.h"

#include "syscall-xlat/calls/stat-guest.h"
#include "syscall-xlat/fold.h"

#include <string.h>

#define OVERFLOW_ID 65534

typedef struct {
  guint16 dev, ino, mode, nlink, uid, gid, rdev, hole;
  guint32 size;
  gint32 atime, mtime, ctime;
} StatOld;
_Static_assert(sizeof (StatOld) == 32, "__old_kernel_stat of i386");

typedef struct {
  guint32 dev, ino;
  guint16 mode, nlink, uid, gid;
  guint32 rdev, size, blksize, blocks;
  gint32 atime;
  guint32 atime_ns;
  gint32 mtime;
  guint32 mtime_ns;
  gint32 ctime;
  guint32 ctime_ns, unused[2];
} Stat32;
_Static_assert(sizeof (Stat32) == 64, "stat of i386");

typedef struct {
  guint64 dev;
  guint32 hole0, short_ino, mode, nlink, uid, gid;
  guint64 rdev;
  guint32 hole1;
  gint64 size;
  guint32 blksize;
  guint64 blocks;
  gint32 atime;
  guint32 atime_ns;
  gint32 mtime;
  guint32 mtime_ns;
  gint32 ctime;
  guint32 ctime_ns;
  guint64 ino;
} __attribute__ ((packed)) Stat64;
_Static_assert(sizeof (Stat64) == 96, "stat64 of i386");
_Static_assert(sizeof (struct statx) == 256, "statx");

typedef struct {
  guint64 dev, ino, nlink;
  guint32 mode, uid, gid, hole;
  guint64 rdev;
  gint64 size, blksize, blocks;
  struct {
    gint64 seconds;
    guint64 nanoseconds;
  } atime, mtime, ctime;
  gint64 unused[3];
} StatLong;
_Static_assert(sizeof (StatLong) == 144, "stat of x86-64");

static guint32
encode_device (guint32 major, guint32 minor)
{
  return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

static gint32
clamp_time (gint64 seconds)
{
  return (gint32) CLAMP (seconds, G_MININT32, G_MAXINT32);
}

static gboolean
time_fits (const struct statx_timestamp *time)
{
  return time->tv_sec == clamp_time (time->tv_sec);
}

static guint16
short_id (guint32 id)
{
  return id > G_MAXUINT16 ? OVERFLOW_ID : (guint16) id;
}

gboolean
bz_stat_differs (BzStatKind kind, const struct statx *status)
{
  guint64 first = kind == BZ_STAT_OLD ? G_MAXUINT16 + 1 : BZ_FOLD_FIRST;

  if (kind == BZ_STAT_LONG)
    return FALSE;
  if (status->stx_ino >= first)
    return TRUE;
  return kind != BZ_STAT_X
         && !(time_fits (&status->stx_atime) && time_fits (&status->stx_mtime)
              && time_fits (&status->stx_ctime));
}

/* 2.2 and before cut the number to 16 bits as well: it never told files of large disks apart. */
static gsize
fill_old (const struct statx *status, guint32 inode, guint8 *out)
{
  StatOld stat = {
    .dev = (guint16) encode_device (status->stx_dev_major, status->stx_dev_minor),
    .ino = (guint16) inode,
    .mode = status->stx_mode,
    .nlink = (guint16) status->stx_nlink,
    .uid = short_id (status->stx_uid),
    .gid = short_id (status->stx_gid),
    .rdev = (guint16) encode_device (status->stx_rdev_major, status->stx_rdev_minor),
    .size = (guint32) status->stx_size,
    .atime = clamp_time (status->stx_atime.tv_sec),
    .mtime = clamp_time (status->stx_mtime.tv_sec),
    .ctime = clamp_time (status->stx_ctime.tv_sec),
  };

  memcpy (out, &stat, sizeof stat);
  return sizeof stat;
}

static gsize
fill_32 (const struct statx *status, guint32 inode, guint8 *out)
{
  Stat32 stat = {
    .dev = encode_device (status->stx_dev_major, status->stx_dev_minor),
    .ino = inode,
    .mode = status->stx_mode,
    .nlink = (guint16) status->stx_nlink,
    .uid = short_id (status->stx_uid),
    .gid = short_id (status->stx_gid),
    .rdev = encode_device (status->stx_rdev_major, status->stx_rdev_minor),
    .size = (guint32) status->stx_size,
    .blksize = status->stx_blksize,
    .blocks = (guint32) status->stx_blocks,
    .atime = clamp_time (status->stx_atime.tv_sec),
    .atime_ns = status->stx_atime.tv_nsec,
    .mtime = clamp_time (status->stx_mtime.tv_sec),
    .mtime_ns = status->stx_mtime.tv_nsec,
    .ctime = clamp_time (status->stx_ctime.tv_sec),
    .ctime_ns = status->stx_ctime.tv_nsec,
  };

  memcpy (out, &stat, sizeof stat);
  return sizeof stat;
}

/* glibc takes EOVERFLOW from st_ino, and other libcs the number from __st_ino. */
static gsize
fill_64 (const struct statx *status, guint32 inode, guint8 *out)
{
  Stat64 stat = {
    .dev = encode_device (status->stx_dev_major, status->stx_dev_minor),
    .short_ino = inode,
    .mode = status->stx_mode,
    .nlink = status->stx_nlink,
    .uid = status->stx_uid,
    .gid = status->stx_gid,
    .rdev = encode_device (status->stx_rdev_major, status->stx_rdev_minor),
    .size = (gint64) status->stx_size,
    .blksize = status->stx_blksize,
    .blocks = status->stx_blocks,
    .atime = clamp_time (status->stx_atime.tv_sec),
    .atime_ns = status->stx_atime.tv_nsec,
    .mtime = clamp_time (status->stx_mtime.tv_sec),
    .mtime_ns = status->stx_mtime.tv_nsec,
    .ctime = clamp_time (status->stx_ctime.tv_sec),
    .ctime_ns = status->stx_ctime.tv_nsec,
    .ino = inode,
  };

  memcpy (out, &stat, sizeof stat);
  return sizeof stat;
}

static gsize
fill_long (const struct statx *status, guint64 inode, guint8 *out)
{
  StatLong stat = {
    .dev = encode_device (status->stx_dev_major, status->stx_dev_minor),
    .ino = inode,
    .nlink = status->stx_nlink,
    .mode = status->stx_mode,
    .uid = status->stx_uid,
    .gid = status->stx_gid,
    .rdev = encode_device (status->stx_rdev_major, status->stx_rdev_minor),
    .size = (gint64) status->stx_size,
    .blksize = status->stx_blksize,
    .blocks = (gint64) status->stx_blocks,
    .atime = { status->stx_atime.tv_sec, status->stx_atime.tv_nsec },
    .mtime = { status->stx_mtime.tv_sec, status->stx_mtime.tv_nsec },
    .ctime = { status->stx_ctime.tv_sec, status->stx_ctime.tv_nsec },
  };

  memcpy (out, &stat, sizeof stat);
  return sizeof stat;
}

gsize
bz_stat_fill (BzStatKind kind, const struct statx *status, guint64 number, guint8 *out)
{
  guint32 inode = (guint32) number;

  if (kind != BZ_STAT_LONG && kind != BZ_STAT_X && number > G_MAXUINT32)
    return 0;
  if ((kind == BZ_STAT_OLD || kind == BZ_STAT_32)
      && (status->stx_size > G_MAXINT32 || status->stx_nlink > G_MAXUINT16))
    return 0;
  switch (kind)
    {
    case BZ_STAT_OLD:
      return fill_old (status, inode, out);
    case BZ_STAT_32:
      return fill_32 (status, inode, out);
    case BZ_STAT_64:
      return fill_64 (status, inode, out);
    case BZ_STAT_LONG:
      return fill_long (status, number, out);
    case BZ_STAT_X:
      break;
    }
  memcpy (out, status, sizeof *status);
  ((struct statx *) (void *) out)->stx_ino = number;
  return sizeof *status;
}

/* --- directories --- */

enum { ENTRY_HEAD = 19, ENTRY_HEAD_32 = 10 }; /* up to the name */

#define WHOLE(size, unit) (((size) + (unit) -1) & ~(gsize) ((unit) -1))

gboolean
bz_entry_parse (const guint8 *from, gsize length, BzEntry *entry)
{
  const guint8 *end;

  if (length <= ENTRY_HEAD)
    return FALSE;
  memcpy (&entry->inode, from, 8);
  memcpy (&entry->offset, from + 8, 8);
  memcpy (&entry->length, from + 16, 2);
  entry->type = from[18];
  if (entry->length <= ENTRY_HEAD || entry->length > length)
    return FALSE;
  end = memchr (from + ENTRY_HEAD, '\0', entry->length - ENTRY_HEAD);
  entry->name = (const char *) from + ENTRY_HEAD;
  entry->name_length = end != NULL ? (gsize) (end - from) - ENTRY_HEAD : 0;
  return end != NULL;
}

gsize
bz_entry_size (BzEntriesKind kind, const BzEntry *entry)
{
  switch (kind)
    {
    case BZ_ENTRIES_OLD:
      return ENTRY_HEAD_32 + entry->name_length + 1;
    case BZ_ENTRIES_32: /* the type lies behind the name, in the record's last byte */
      return WHOLE (ENTRY_HEAD_32 + entry->name_length + 2, 4);
    case BZ_ENTRIES_64:
      break;
    }
  return entry->length;
}

void
bz_entry_fill (BzEntriesKind kind, const BzEntry *entry, guint64 here, guint8 *out)
{
  gsize size = bz_entry_size (kind, entry);
  guint32 inode = (guint32) entry->inode,
          offset = (guint32) (kind == BZ_ENTRIES_OLD ? here : entry->offset);
  guint16 length = (guint16) (kind == BZ_ENTRIES_OLD ? entry->name_length : size);

  memset (out, 0, size);
  if (kind == BZ_ENTRIES_64)
    {
      memcpy (out, &entry->inode, 8);
      memcpy (out + 8, &entry->offset, 8);
      memcpy (out + 16, &length, 2);
      out[18] = entry->type;
      memcpy (out + ENTRY_HEAD, entry->name, entry->name_length);
      return;
    }
  memcpy (out, &inode, 4);
  memcpy (out + 4, &offset, 4);
  memcpy (out + 8, &length, 2);
  memcpy (out + ENTRY_HEAD_32, entry->name, entry->name_length);
  if (kind == BZ_ENTRIES_32)
    out[size - 1] = entry->type;
}
