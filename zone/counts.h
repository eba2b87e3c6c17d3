/* The counts of a zone's journal, for people and programs. */
#pragma once

#include "syscall-xlat/journal.h"
#include "zone/output.h"

/* "answered: uname 12, brk 3; passed on: personality 2; without effect: settimeofday 1" or "no call
 * was answered or passed on". Owned by the caller. */
char *bz_counts_line (const GArray *counts);
/* One row per call. seconds: for how long they were counted. */
BzTextTable *bz_counts_table (const GArray *counts, gint64 seconds);
/* The member "calls", and "successions"; with "seconds" where these are known, not 0. */
void bz_counts_json (JsonBuilder *builder, const GArray *counts, guint64 successions, gint64 seconds);
