/* Layers: the trees that zones share, each stored once.
 *
 *   data/.layers/ID/root/        a tree, or what was changed of those below it
 *   data/.layers/ID/work/        overlayfs's own, while root is written to
 *   data/.layers/ID/zone.state   its ids (state.h)
 *   data/.layers/.ID.making      a layer that is being copied
 *   data/.layers/.ID.removing    a layer that is going
 *
 * They lie with the zones and not beside them, so that a tree becomes a layer by rename(2). A layer
 * is written to by the one zone whose record names it as Upper=, which is its whole tree if the
 * record lists no Layers=; as soon as another record lists it under Layers= it never changes again. It lives as long as a record, of a zone or of a snapshot,
 * names it. Who makes layers, or the first record that names one, holds bz_layers_lock. */
#pragma once

#include "zone/state.h"

/* Paths: of a layer's directory and of its tree. Owned by the caller. */
char *bz_layer_directory (const BzDirs *dirs, const char *id);
char *bz_layer_tree (const BzDirs *dirs, const char *id);
gboolean bz_layer_id_valid (const char *id);

/* Waits for whoever works on layers. A descriptor to close, or -1. */
int bz_layers_lock (const BzDirs *dirs, GError **error);

/* An empty layer, for the ids of `state`; its root directory is given the attributes of the
 * directory `like`. Durable when it returns. The lock must be held. Its id is the caller's to free. */
char *bz_layer_make (const BzDirs *dirs, const BzZoneState *state, const char *like, GError **error);

/* A layer that is being filled: data/.layers/.ID.making, locked (flock) by who fills it. */
typedef struct {
  char *id, *directory, *tree; /* the tree does not exist yet */
  int lock;
} BzNewLayer;

/* Makes one, for the ids of `state`, and takes and gives back the lock meanwhile. */
gboolean bz_layer_begin (const BzDirs *dirs, const BzZoneState *state, BzNewLayer *layer,
                         GError **error);

/* Gives it its name, durably. The lock must be held. */
gboolean bz_layer_publish (const BzDirs *dirs, BzNewLayer *layer, GError **error);

/* To be called at the end: what was not published is left to the next collection. */
void bz_layer_clear (BzNewLayer *layer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BzNewLayer, bz_layer_clear)

/* Puts the tree of a zone whose record names an upper layer, data/NAME/root, to what is collected. The
 * lock must be held. */
void bz_layers_retire_tree (const BzDirs *dirs, const BzZoneState *state);

/* Makes the whole tree of a zone a layer, and a link of data/NAME/root, which keeps meaning it until
 * the zone's record names layers. Both locks must be held. The id is the caller's to free. */
char *bz_layer_take (const BzDirs *dirs, const BzZoneState *state, GError **error);

/* Removes the layers that no record names, unless somebody works on layers, or a record can't be
 * read. Never fails; what can't be removed waits for the next time. */
void bz_layers_collect (const BzDirs *dirs);
