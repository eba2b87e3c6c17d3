/* Where the tree of a zone is, and how it is looked at while the zone does not run. */
#pragma once

#include "zone/copy-way.h"
#include "zone/layers.h"
#include "zone/state.h"

gboolean bz_storage_is_layered (const BzZoneState *state);

/* The directory that the zone writes to: its whole tree, or what it has changed. Owned by the caller.
 */
char *bz_storage_tree (const BzDirs *dirs, const BzZoneState *state);

/* The trees below, topmost first; NULL when there are none. Owned by the caller. */
char **bz_storage_layers (const BzDirs *dirs, const BzZoneState *state);

/* The tree as the zone sees it. `write`: the zone's lock must be held, and the descriptor be closed
 * before it starts. -1 on error. */
int bz_storage_open (const BzDirs *dirs, const BzZoneState *state, gboolean write, GError **error);

/* The tree as it was at a snapshot (bz_snapshot_load). */
int bz_storage_open_snapshot (const BzDirs *dirs, const BzZoneState *snapshot, GError **error);

/* Lets the zone go on from what it is now: what it has changed becomes a layer, and its record names
 * an empty one over it. Nothing is done where nothing was changed. Its lock and bz_layers_lock must
 * be held. */
gboolean bz_storage_advance (const BzDirs *dirs, BzZoneState *state, GError **error);

/* Lets the zone go on from the layers of a snapshot. Same locks. */
gboolean bz_storage_return (const BzDirs *dirs, BzZoneState *state, const BzZoneState *snapshot,
                            GError **error);

/* Gives the zone of `state`, which has no tree yet, the layers of `from` and an empty one over them.
 * bz_layers_lock must be held until its record is written. */
gboolean bz_storage_share (const BzDirs *dirs, BzZoneState *state, const BzZoneState *from,
                           GError **error);

/* --- copies, where layers can't be shared or need not be --- */

/* What the user wants, and what there is for it. */
typedef struct {
  BzCopyWay wanted;
  gboolean insist;  /* said now, not in the zone file: fail where it can't be */
  gboolean overlay; /* the host has overlayfs */
} BzStorageWish;

/* How the tree of a zone, or of a snapshot, is given to another. BZ_COPY_OVERLAY: by sharing layers
 * (bz_storage_advance); else by a copy. Never AUTO. */
gboolean bz_storage_choose (const BzDirs *dirs, const BzZoneState *state, const BzStorageWish *wish,
                            gboolean running, BzCopyWay *way, GError **error);
gboolean bz_storage_choose_snapshot (const BzDirs *dirs, const BzZoneState *snapshot,
                                     const BzStorageWish *wish, BzCopyWay *way, GError **error);

typedef struct {
  BzCopyWay way;
  gboolean running; /* hold it still meanwhile, up to hold_limit_ms (0: as long as it takes) */
  guint hold_limit_ms;
} BzStorageWay;

/* Copies what a zone writes to into a new layer, which is to be published while bz_layers_lock is
 * held and bz_storage_still_there was asked. The zone must run or its lock be held. */
gboolean bz_storage_copy (const BzDirs *dirs, const BzZoneState *state, const BzStorageWay *way,
                          BzNewLayer *layer, BzTreeCopied *copied, GError **error);
/* The same with the only layer of a snapshot. */
gboolean bz_storage_copy_snapshot (const BzDirs *dirs, const BzZoneState *snapshot, BzCopyWay way,
                                   BzNewLayer *layer, BzTreeCopied *copied, GError **error);

/* The same with a tree that nobody writes to; `state`: whose it becomes. */
gboolean bz_storage_copy_tree (const BzDirs *dirs, const BzZoneState *state, const char *tree,
                               BzCopyWay way, BzNewLayer *layer, BzTreeCopied *copied,
                               GError **error);

/* Whether a zone, or the snapshot from->name of it, still lies where `from` says. */
gboolean bz_storage_still_there (const BzDirs *dirs, const BzZoneState *from, const char *zone,
                                 gboolean snapshot, GError **error);

/* Gives the zone of `state` the copy `upper` to write to, over the layers `below` (NULL: alone). */
void bz_storage_adopt (BzZoneState *state, const char *upper, const GPtrArray *below);
/* The same, but the copy is the topmost layer, under an empty one. bz_layers_lock must be held. */
gboolean bz_storage_adopt_below (const BzDirs *dirs, BzZoneState *state, const char *top,
                                 const GPtrArray *below, GError **error);
/* Lets the zone go on from the copy of a snapshot. Same locks as bz_storage_return. */
gboolean bz_storage_return_copy (const BzDirs *dirs, BzZoneState *state,
                                 const BzZoneState *snapshot, const char *upper, GError **error);

/* "overlay, 3 layers" or "directory". Owned by the caller. */
char *bz_storage_describe (const BzZoneState *state);
