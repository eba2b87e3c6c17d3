/* Whether a zone needs fold-inodes=fold. */
#pragma once

#include "zone/options.h"
#include "zone/planning.h"

/* By --fold-inodes, else by FoldInodes= of the zone file, else by looking at the file systems of
 * its tree and volumes; planning->long_inodes tells what was found. The brand is loaded already. */
gboolean bz_planning_folds (BzPlanning *planning, const BzArguments *arguments, BzAbi abi);

/* Why a zone that does not fold would, had it been started with this path in it; or NULL. Owned by the caller. */
char *bz_planning_would_fold (const BzPlanning *planning, const char *path);
