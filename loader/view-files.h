/* The files of a plan's brand in the zone's view. */
#pragma once

#include "loader/views.h"

/* Shows them below `root`, whose /proc, /sys and /dev are mounted. *views: those that are to be served. */
gboolean bz_view_show_files (const BzPartition *partition, int root, BzViews *views, GError **error);
