/* Overlays: a writable directory over read-only ones. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* How many directories a zone's tree may lie on. The kernel takes 500; the options of mount(2) are
 * one page, and each layer costs every lookup that misses. */
#define BZ_OVERLAY_LAYERS_MAX 64

/* Names in the directory that is written to. */
#define BZ_OVERLAY_UPPER "root"
#define BZ_OVERLAY_WORK "work"

/* Attaches detached mounts below `stage`, a tmpfs of the caller's own mount namespace: the lowers
 * (topmost first) and the directory that holds root and work (-1: a directory of the tmpfs itself).
 * What that lacks is made, and given to uid and gid. */
gboolean bz_overlay_attach (const char *stage, const int *lowers, guint count, int upper, uid_t uid,
                            gid_t gid, GError **error);

/* Mounts what was attached at `target`, as the caller's own credentials. user: in a user namespace of
 * a plain user. */
gboolean bz_overlay_mount (const char *stage, guint count, const char *target, gboolean user,
                           GError **error);

/* The directories `lowers` (topmost first, at least two, or one and `upper`) as one tree, attached
 * nowhere; `upper` (NULL: it can't be written to) holds root and work. With maps: in a user namespace of a
 * plain user's. -1 on error. */
int bz_overlay_open (char *const *lowers, const char *upper, const GArray *uids, const GArray *gids,
                     GError **error);

/* Whether the rpm of a tree would be led astray (FAILURES P1): copies its database up. */
void bz_overlay_copy_databases (int root);
