/* What the zone's file systems look like: the mounts made inside its own namespaces. */
#pragma once

#include "loader/views.h"

/* What the keeper prepared outside; descriptors are -1 where the zone makes them itself (plain
 * users). */
typedef struct {
  int root;     /* detached mount of the tree */
  int devices;  /* detached mount of /dev */
  int *volumes; /* detached mounts, one for each volume; NULL: opened inside */
  char *resolv; /* what its resolv.conf says; NULL: the tree's own counts */
} BzMounts;

/* A volume as a detached mount, as a plain user's zone opens it, in a copy of the user's mounts that
 * belongs to the zone's user namespace; -1 and error. */
int bz_view_open_volume (const BzVolume *volume, GError **error);
/* Puts the detached mount in its place below `root`, the zone's root directory. */
gboolean bz_view_attach_volume (const BzVolume *volume, int fd, int root, GError **error);

/* In the zone's first process, root of its namespaces: builds the view and makes it the root
 * directory. Nothing of the host stays visible. *views: files that are to be served. */
gboolean bz_view_enter (const BzPartition *partition, const BzMounts *prepared, BzViews *views, GError **error);
