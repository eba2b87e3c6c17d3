/* What tells one machine from another, for programs whose licence is bound to it. */
#pragma once

#include "loader/settings.h"

/* In the zone's first process: shows /etc/hostid and /etc/machine-id as the settings say. root: the
 * zone's root directory. */
gboolean bz_identity_bind (const BzSettings *settings, int root, GError **error);
