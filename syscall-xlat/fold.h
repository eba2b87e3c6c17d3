/* One mapping from 64-bit inode numbers to numbers that fit 32 bits (catalogue rows O1, O2).
 *
 * Problem. 32-bit programs without large-file support hold an inode number in 32 bits, and the
 * kernel answers EOVERFLOW rather than a number that is not the file's. A shorter number must
 * still tell files apart ((device, inode) stays unique), must be the same for every name of a file
 * (hard links compare equal), in every call, and for as long as the zone runs, also when its
 * supervisor was killed and another one answers.
 *
 * Choice. Numbers below BZ_FOLD_FIRST are told as they are: no table, no memory. All others, also
 * those that would fit, get one from BZ_FOLD_FIRST to 0x7fffffff: the place of their block in a
 * table, and their place in the block. File systems number files in runs, so a block of 64 numbers
 * has one entry: a zone's whole tree takes some thousand. A place is never given to another block,
 * so no two files of a device can get the same number, by construction: what is folded can't meet
 * what is not. The table lies in the journal (slot.h), which outlives supervisors; only pages that
 * are used take memory, 64 MiB at most.
 *
 * Limits. Four million blocks: at least as many files, up to 268 million. A file beyond that, or
 * whose BZ_FOLD_PROBES neighbours in the table are taken, keeps the kernel's answer, EOVERFLOW:
 * a wrong number is worse than none. Nothing is forgotten while the zone runs. A number is not the
 * same in the zone's next life. */
#pragma once

#include <glib.h>
#include <stdatomic.h>

#define BZ_FOLD_FIRST 0x70000000u
#define BZ_FOLD_LAST 0x7fffffffu
#define BZ_FOLD_BLOCK_BITS 6
#define BZ_FOLD_ENTRIES ((BZ_FOLD_LAST - BZ_FOLD_FIRST + 1) >> BZ_FOLD_BLOCK_BITS)
#define BZ_FOLD_PROBES 256

/* Numbers of a device are of two kinds: of its inodes, and places in its directories. */
typedef enum { BZ_FOLD_INODE, BZ_FOLD_OFFSET } BzFoldKind;

typedef struct {
  _Atomic guint64 owner; /* device and kind, never 0; 0: free. Set last: a supervisor may be killed
                            before it */
  guint64 block;
} BzFoldEntry;
_Static_assert(sizeof (BzFoldEntry) == 16, "256 entries fill a page");

typedef struct {
  guint64 seed; /* so that a zone can't choose numbers that fill one neighbourhood */
  _Atomic guint64 used, refused;
  guint8 reserved[4096 - 24];
  BzFoldEntry entry[BZ_FOLD_ENTRIES];
} BzFold;

/* FALSE: there is no room. The memory starts as zeroes, but for the seed. May be called by any
 * thread of one process. device: major << 32 | minor. */
gboolean bz_fold (BzFold *fold, guint64 device, BzFoldKind kind, guint64 number, guint32 *folded);

/* The number that was folded into this one, for the same device and kind; FALSE: none was. */
gboolean bz_unfold (BzFold *fold, guint64 device, BzFoldKind kind, guint32 folded, guint64 *number);
