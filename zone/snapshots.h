/* Snapshots of a zone: records of the layers that it lay on.
 *
 *   data/NAME/snapshots/SNAPSHOT/zone.state   Layers= of the time, Source= the user's words
 *
 * One exists when its record does. */
#pragma once

#include "zone/state.h"

#define BZ_SNAPSHOTS "snapshots"

/* Names in the order in which they were made; never NULL. Owned by the caller. */
char **bz_snapshots_list (const BzDirs *dirs, const char *zone);

/* NULL `snapshot`: the newest. BZ_ERROR_INPUT if there is none of that name. */
BzZoneState *bz_snapshot_load (const BzDirs *dirs, const char *zone, const char *snapshot,
                               GError **error);

/* Writes the record of a new snapshot, state->name. The zone's lock must be held. */
gboolean bz_snapshot_write (const BzDirs *dirs, const char *zone, const BzZoneState *state,
                            GError **error);
gboolean bz_snapshot_exists (const BzDirs *dirs, const char *zone, const char *snapshot);
gboolean bz_snapshot_remove (const BzDirs *dirs, const char *zone, const char *snapshot,
                             GError **error);
