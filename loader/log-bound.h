/* The log of a zone's keeper, its standard error. */
#pragma once

/* From now on what this process and its forks print as errors (g_printerr) is text, and the log starts anew
 * when it has become longer than this. Standard error must be the log: it is truncated. */
#define BZ_LOG_MAX (1024 * 1024)
void bz_log_bound (void);
