/* Series of packages: directories of .tgz files that were unpacked over each other. */
#pragma once

#include "installer/recognise.h"

/* The packages below the directory, relative paths in the order of their installation; empty: it is
 * no series. *bytes: their size. Owned by the caller. */
GPtrArray *bz_series_find (int dir_fd, guint64 *bytes);

/* TRUE for a path that is named like a package. */
gboolean bz_series_name (const char *path);
