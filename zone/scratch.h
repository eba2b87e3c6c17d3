/* Where the changes of a throw-away zone go: a directory that ends with the zone.
 *
 * It is recorded as a zone that is not complete (data/.NAME.installing), so the next command sweeps
 * away what a killed one left. It lies with the zones and serves trees of the same file system
 * only. */
#pragma once

#include "zone/state.h"

typedef struct {
  char *name; /* of the hidden entry */
  char *path; /* the empty directory */
  int lock;   /* held as long as the zone lives; the caller's to close */
} BzScratch;

/* FALSE without error: the tree is on another file system, and the changes go to memory. */
gboolean bz_scratch_make (const BzDirs *dirs, const char *tree, const GArray *uids,
                          const GArray *gids, BzScratch *scratch, GError **error);

/* Removes it; to be called with its lock held or free. */
void bz_scratch_remove (const BzDirs *dirs, const char *name);
