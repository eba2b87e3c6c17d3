/* The list of what was installed: data/NAME/installed.mtree, made when the zone is, never changed
 * after. Clones and what is attached again keep that of the first zone. */
#pragma once

#include "zone/context.h"
#include "zone/state.h"

#define BZ_INSTALLED "installed.mtree"

/* Lists the tree of the zone that is being made (data/.NAME.installing). */
gboolean bz_installed_make (const BzDirs *dirs, const BzZoneState *state, GError **error);

/* Gives the directory `to` the list of the directory `from`, if that has one: the same file for a
 * zone's clone, a copy for what leaves brandzone's directories or comes there. */
gboolean bz_installed_share (const char *from, const char *to, GError **error);
gboolean bz_installed_copy (const char *from, const char *to, GError **error);

/* What of the tree is not as the list says. NULL without an error: the zone has no list (it was
 * made by an older brandzone). then and now keep what the result borrows. */
GArray *bz_installed_compare (const BzContext *context, const BzZoneState *state, GPtrArray **then,
                              GPtrArray **now, GError **error);
