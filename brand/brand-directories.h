/* Where brand files lie. */
#pragma once

#include "brand/brand.h"

/* The path of NAME.brand in the first of the directories that has it, or NULL (also when
 * name is no name). Owned by the caller. */
char *bz_brand_find (const char *const *dirs, const char *name);

/* Where data files of a kind ("brands") lie, in the order in which they count: what the environment
 * variable names (colon separated), else the host's, the user's, and the package's own. Owned by the caller. */
char **bz_data_directories (const char *variable, const char *kind, const char *installed);
