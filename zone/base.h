/* Bases: what several zones that were installed from the same source have in common, stored once. */
#pragma once

#include "zone/storage.h"

/* For a source that is one file, or an OCI layout; NULL for others, which can't be known again.
 * options: see BzBase. */
BzBase *bz_base_of_source (const char *source, const char *options);

/* To be called when the tree is complete: from the next moment on a change has a later time. */
void bz_base_made (BzBase *base);

typedef struct {
  char *zone;  /* that has the tree for itself, and has not changed it; locked */
  char *layer; /* or a layer that is a base */
  BzZoneState *state; /* of either */
  int lock;
  gboolean other; /* there is a zone of the same source, but it has changed its tree */
} BzBaseFound;

/* Looks for the tree that `base`, of the file `source`, would become. FALSE: there is none; that is no error. May fill in
 * base->digest. */
gboolean bz_base_find (const BzDirs *dirs, BzBase *base, const char *source, BzBaseFound *found);
void bz_base_found_clear (BzBaseFound *found);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BzBaseFound, bz_base_found_clear)

/* Gives the zone of `state`, which has no tree yet, what was found. *tree: the directory that holds all
 * of it. The descriptor that is returned is to be closed when the zone's record is written; -1:
 * error, or (without one) it can't be shared here. */
int bz_base_share (const BzDirs *dirs, BzZoneState *state, BzBaseFound *found, gboolean overlay,
                   char **tree, GError **error);

/* Makes the tree of a zone that was just installed a base, under an overlay. Its lock must be held. */
gboolean bz_base_make (const BzDirs *dirs, BzZoneState *state, GError **error);
