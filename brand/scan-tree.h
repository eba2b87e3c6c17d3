/* Every file of a tree, looked at once. */
#pragma once

#include "brand/scan.h"

#include <sys/stat.h>

#define BZ_SCAN_MOST_BYTES ((gint64) 64 << 20) /* of an image are looked at */

typedef struct {
  guint64 files;      /* regular files met, each once however many names it has */
  guint64 images;     /* of them programs, libraries and scripts */
  guint64 unreadable; /* files and directories that the caller may not read, or that give errors */
  guint64 cut;        /* images longer than what was read of them */
  guint64 other_mounts; /* other file systems mounted in the tree: left out */
  guint64 too_deep;     /* directories below the deepest level looked at */
  guint64 wide_inodes;  /* files whose inode number needs more than 32 bits */
  gboolean full;        /* the budget of bytes or files was used up: not all was looked at */
} BzScanCounts;

/* Called for each file that is an image or script. path: relative to the tree, any bytes. */
typedef void (*BzScanFunc) (const char *path, const struct stat *status, const BzScan *scan,
                            gpointer data);

/* Walks the tree without following a link, without leaving its file system and without opening
 * what is no regular file or directory. names: as in bz_scan_read(). */
void bz_scan_tree (int tree_fd, GHashTable *names, BzScanFunc func, gpointer data,
                   BzScanCounts *counts);

/* One file: FALSE and errno if it is not a regular file (EINVAL) or can't be read. */
gboolean bz_scan_file (int dir_fd, const char *name, GHashTable *names, BzScan *scan,
                       struct stat *status, BzScanCounts *counts);
