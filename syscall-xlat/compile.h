/* Making a filter, step by step; filter.c, filter-cache.c and their tests use it. */
#pragma once

#include "brand/plan.h"

#include <linux/filter.h>

/* Whether the plan traps or refuses any call at all. */
gboolean bz_compile_needed (const BzPlan *plan);

/* The filter's instructions. Owned by the caller. */
GBytes *bz_compile (const BzPlan *plan, GError **error);

/* Runs the program over every number of both ABIs, x32's first, and both sides of every
 * condition, and compares with bz_row_action. Fails with BZ_ERROR_FAILED, naming the call. */
gboolean bz_compile_verify (const BzPlan *plan, const struct sock_filter *program, gsize count,
                            GError **error);

/* A name for everything that the program depends on: what each call gets, the release
 * of the host, the version of libseccomp and of this code. Owned by the caller. */
char *bz_compile_key (const BzPlan *plan);
