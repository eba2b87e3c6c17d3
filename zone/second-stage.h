/* The second stage of an installation from packages: the zone's own package manager installs them,
 * inside the zone. */
#pragma once

#include "zone/output.h"
#include "zone/package-data.h"
#include "zone/prepare.h"

/* The zone that `state` describes, not complete yet, its tree in `place`/root. packages: how many
 * lie there. What the package manager says goes to `place`/install.log. *notices: lines worth
 * telling. The packages are removed in the end. */
gboolean bz_second_stage (const BzContext *context, const BzArguments *arguments,
                          const BzZoneState *state, const char *place, const BzPackageData *data,
                          guint64 packages, BzMeter *meter, GPtrArray *notices, GError **error);
