/* The files of a plan's brand in the zone's view. */
#pragma once

#include "loader/loader.h"

/* Shows them below `root`, whose /proc, /sys and /dev are mounted. */
gboolean bz_view_show_files (const BzPartition *partition, int root, GError **error);

/* The text of /proc/meminfo as Linux 2.0 to 2.4 wrote it, from today's. Figures in bytes fit 31 bits, the
 * parts scaled with the whole. Owned by the caller. */
char *bz_meminfo_old (const char *today);
