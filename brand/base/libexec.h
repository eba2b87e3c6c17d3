/* The programs that brandzone starts itself. */
#pragma once

#include <glib.h>

/* The path of `program`: in libexec, or in $BRANDZONE_LIBEXECDIR, for builds that are not installed (not where the
 * caller has more rights than who started it). Owned by the caller. */
char *bz_libexec_program (const char *program);
