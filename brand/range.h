/* Ranges of versions, as brand files write them. */
#pragma once

#include "brand/release.h"

/* "A..B", "A..", "..B" or "A". Both ends belong to it, and an end stands for
 * everything that starts with it: "2.3..2.5" holds 2.5.1, "4" holds 4.0.0. */
typedef struct {
  BzRelease low, high;
  gboolean set;
} BzRange;

/* FALSE when text is no range, or is empty ("3..2"). */
gboolean bz_range_parse (const char *text, BzRange *range);

/* Reads a version of one to three numbers ("4", "3.6", "0.9.33.2"); more are left out.
 * FALSE when text does not start with a digit. */
gboolean bz_version_parse (const char *text, BzRelease *version);

/* Everything is in a range that is not set. */
gboolean bz_range_holds (const BzRange *range, BzRelease version);
