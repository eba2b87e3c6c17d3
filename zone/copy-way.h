/* What a file system has for copying trees. */
#pragma once

#include "zone/state.h"
#include "zone/tree-copy.h"

const char *bz_copy_way_name (BzCopyWay way);
gboolean bz_copy_way_lookup (const char *name, BzCopyWay *way);

/* What the file system of `directory` gives, found by trying; overlayfs is the host's (doctor). */
typedef struct {
  gboolean reflink, btrfs;
  char type[32]; /* of the file system, as mount(8) has it; "0x..." if unknown */
} BzCopyWays;
void bz_copy_ways_probe (const char *directory, BzCopyWays *ways);

/* Whether `tree` can be copied as a btrfs snapshot. */
gboolean bz_copy_is_subvolume (const char *tree);

/* The way for a tree that lies alone in a directory, when `wanted` is the user's wish. overlay: the
 * host has overlayfs, and the tree may come to lie under one. BZ_ERROR_HOST if what is wanted can't
 * be. */
gboolean bz_copy_way_choose (BzCopyWay wanted, const char *tree, gboolean overlay, BzCopyWay *way,
                             GError **error);
