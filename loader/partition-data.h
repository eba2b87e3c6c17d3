/* The flat form of a BzPartition (all but lock_fds), for the keeper's process. */
#pragma once

#include "loader/loader.h"

GVariant *bz_partition_to_variant (const BzPartition *partition);

/* NULL and BZ_ERROR_INPUT when a field is missing or out of range. */
BzPartition *bz_partition_from_variant (GVariant *variant, GError **error);

/* Arrays of BzVolume: of type a(ayayb); what is read is added to `volumes`. */
GVariant *bz_volumes_to_variant (const GPtrArray *volumes);
void bz_volumes_from_variant (GVariant *variant, GPtrArray *volumes);
