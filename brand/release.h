/* Kernel releases as numbers. */
#pragma once

#include <glib.h>

/* Orders as releases do. The third number may exceed 255 (4.9.337): 16 bits each for it and the
 * second. */
typedef guint64 BzRelease;
#define BZ_RELEASE(major, minor, patch) \
  (((BzRelease) (major) << 32) | ((BzRelease) (minor) << 16) | (BzRelease) (patch))

/* Reads the leading "A.B[.C]" of text ("2.6.32-754.el6" gives 2.6.32, "0.11" gives 0.11.0).
 * FALSE when text does not start so. */
gboolean bz_release_parse (const char *text, BzRelease *release);
