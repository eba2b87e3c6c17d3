/* Where the tree of a zone is, and how it is looked at while the zone does not run. */
#pragma once

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

/* "overlay, 3 layers" or "directory". Owned by the caller. */
char *bz_storage_describe (const BzZoneState *state);
