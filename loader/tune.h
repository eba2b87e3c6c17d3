/* Values of the zone's own namespaces, set from outside before its first program. */
#pragma once

#include "loader/loader.h"
#include "loader/namespaces.h"

/* Sets the sysctl values and makes the interface that partition->settings asks for. namespaces:
 * the zone's, its maps written. Nothing to do is success. */
gboolean bz_tune (const BzPartition *partition, const int namespaces[BZ_NAMESPACE_COUNT],
                  GError **error);
