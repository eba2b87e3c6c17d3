/* A zone that does not change for a while. */
#pragma once

#include "zone/state.h"

/* Takes the lock of a zone that does not run. -1 without an error: *running. */
int bz_zone_lock_if_stopped (const BzDirs *dirs, const char *name, gboolean *running,
                             GError **error);

/* Freezes a zone that runs, until the descriptor is closed. */
int bz_zone_freeze (const BzDirs *dirs, const char *name, GError **error);

/* Takes the lock of a zone that does not run, or freezes one that does. Returns a descriptor, which
 * ends that when it is closed, or -1. */
int bz_zone_hold_still (const BzDirs *dirs, const char *name, gboolean *running, GError **error);
