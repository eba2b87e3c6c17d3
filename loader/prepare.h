/* What only the host's root can prepare for a zone, outside its namespaces. */
#pragma once

#include "loader/view.h"

/* userns_fd: the zone's user namespace. Descriptors in *prepared become the caller's. As a plain
 * user: all -1. */
gboolean bz_prepare (const BzPartition *partition, int userns_fd, BzMounts *prepared,
                     GError **error);
/* One volume as a detached mount with the zone's ids, its restrictions not locked yet; -1 and error. */
int bz_prepare_volume (const BzVolume *volume, int userns_fd, GError **error);
void bz_mounts_close (BzMounts *prepared, guint volumes);
