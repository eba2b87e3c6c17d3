/* A plan's seccomp program. */
#pragma once

#include "brand/plan.h"

/* An array of struct sock_filter for both ABIs: our prologue (x32, calls that
 * libseccomp does not know, ranges of newer calls) followed by libseccomp's
 * program. *needed is FALSE when the plan traps and refuses nothing: then no filter is
 * installed and no supervisor started (returns an empty GBytes). */
GBytes *bz_filter_compile (const BzPlan *plan, gboolean *needed, GError **error);

/* The same through a cache directory, keyed by plan, tables, host release and libseccomp's version.
 * An unusable cache is no error; a damaged entry is rebuilt; files are replaced by rename. */
GBytes *bz_filter_cached (const BzPlan *plan, const char *cache_dir, gboolean *needed,
                          GError **error);
