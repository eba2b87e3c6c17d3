/* The processors that a zone is kept on: a list of numbers such as "0-3,8". */
#pragma once

#include "loader/settings.h"

/* NULL, or why `list` is none (a constant). Whether this host has them is not asked. */
const char *bz_processors_check (const char *list);

/* Binds this thread, and what it starts from now on, to settings->processors (none: nothing is done), as far as the host
 * has them (sched_setaffinity(2)). BZ_ERROR_HOST: it has none of them. */
gboolean bz_processors_bind (const BzSettings *settings, GError **error);
