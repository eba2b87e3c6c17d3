/* Waiting for a program that runs as if there were no zone. */
#pragma once

#include "loader/loader.h"

/* Waits for the child `pid`, which is in the caller's process group; stops when it stops, goes on
 * with it. The signals of bz_attend_hold_signals() must be held. */
gboolean bz_direct_attend (pid_t pid, BzEnd *end, GError **error);
