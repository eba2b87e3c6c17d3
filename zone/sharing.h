/* What zones share, and what each takes of the disk. */
#pragma once

#include "zone/state.h"

typedef struct {
  char **zones;       /* others that lie on a layer of this one, or whose snapshots do; never NULL */
  guint64 own;        /* bytes that would be free if it were removed, snapshots and all */
  guint64 shared;     /* bytes of layers that others need, too */
} BzSharing;

/* measure: go through the trees; else the bytes are 0. Blocks that btrfs and xfs share between files count for
 * each of them. */
gboolean bz_sharing_look (const BzDirs *dirs, const BzZoneState *state, gboolean measure,
                          BzSharing *sharing, GError **error);
void bz_sharing_clear (BzSharing *sharing);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BzSharing, bz_sharing_clear)
