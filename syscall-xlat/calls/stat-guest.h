/* The structures of stat(2) and getdents(2) as programs hold them, apart from any effect. */
#pragma once

#include <glib.h>
#include <sys/stat.h>

typedef enum {
  BZ_STAT_OLD, /* oldstat, oldlstat, oldfstat: libc 4 */
  BZ_STAT_32, /* stat, lstat, fstat: libc 5, the first glibc, programs without large-file support */
  BZ_STAT_64, /* stat64, lstat64, fstat64, fstatat64: glibc 2.2 and later, for both kinds */
  BZ_STAT_LONG, /* x86-64's only one: its numbers always fit */
  BZ_STAT_X   /* statx */
} BzStatKind;

#define BZ_STAT_LARGEST sizeof (struct statx)

/* Whether the kernel's own answer would be none, or not the zone's: the inode number is of those
 * that are folded, or a time does not fit. */
gboolean bz_stat_differs (BzStatKind kind, const struct statx *status);

/* Fills `out` (BZ_STAT_LARGEST bytes) with the file's status and the folded number. Returns the
 * structure's length; 0: a size or a number of links does not fit, as it did not on kernels of
 * then. */
gsize bz_stat_fill (BzStatKind kind, const struct statx *status, guint64 inode, guint8 *out);

typedef enum {
  BZ_ENTRIES_OLD, /* readdir: one entry without a length of its record */
  BZ_ENTRIES_32,  /* getdents */
  BZ_ENTRIES_64   /* getdents64 */
} BzEntriesKind;

/* An entry of getdents64(2). */
typedef struct {
  guint64 inode, offset; /* offset: of the entry behind this one */
  guint16 length;
  guint8 type;
  const char *name; /* into the buffer, NUL-terminated there */
  gsize name_length;
} BzEntry;

/* The entry at the start of `from`; FALSE: these bytes are not one. */
gboolean bz_entry_parse (const guint8 *from, gsize length, BzEntry *entry);

/* The room that `entry` needs, and the entry itself. `here` is its own offset (BZ_ENTRIES_OLD tells
 * that one). */
gsize bz_entry_size (BzEntriesKind kind, const BzEntry *entry);
void bz_entry_fill (BzEntriesKind kind, const BzEntry *entry, guint64 here, guint8 *out);
