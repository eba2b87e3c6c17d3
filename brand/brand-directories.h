/* Where brand files lie. */
#pragma once

#include "brand/brand.h"

/* The path of NAME.brand in the first of the directories that has it, or NULL (also when
 * name is no name). Owned by the caller. */
char *bz_brand_find (const char *const *dirs, const char *name);
