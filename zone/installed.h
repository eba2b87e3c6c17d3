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

/* The SHA-256 of all that the descriptor's file holds, in hexadecimal. Owned by the caller. */
char *bz_installed_digest (int fd, const char *label, GError **error);

/* An archive that leaves has the zone's list beside it, with the archive's digest: no form of archive has
 * a place for it that others would not unpack or warn of. A zone without a list: there is no
 * such file then. */
char *bz_installed_beside (const char *archive); /* its name; owned by the caller */
gboolean bz_installed_leave (const char *zone, int archive_fd, const char *archive, GError **error);

/* Gives the directory `to` the list that lies beside the source, if there is one. *other: it is
 * of another archive, and was not taken. */
gboolean bz_installed_take (const char *source, const char *to, gboolean *other, GError **error);
