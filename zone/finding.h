/* The sentences of `check`, `run` and `exec` about programs that do not work, and whether something
 * of a plan or host covers what they say. */
#pragma once

#include "brand/host.h"
#include "brand/plan.h"

typedef enum {
#define BZ_FINDING(id, name, row, why, hint) BZ_FINDING_##id,
#include "zone/findings.def"
#undef BZ_FINDING
  BZ_FINDING_COUNT
} BzFinding;

typedef enum { BZ_COVERED, BZ_PERHAPS, BZ_NOT_COVERED } BzCover;

const char *bz_finding_name (BzFinding finding);
const char *bz_finding_row (BzFinding finding);  /* or NULL */
const char *bz_finding_hint (BzFinding finding); /* or NULL */
/* The sentence, with the detail (NULL: none) made safe. Owned by the caller. */
char *bz_finding_why (BzFinding finding, const char *detail);

const char *bz_cover_name (BzCover cover); /* "covered", "perhaps", "not covered" */

/* What covers a finding of this row: a quirk that is active in the plan, else the host. *how: one
 * clause owned by the caller, or NULL when nothing does. plan may be NULL.
 * row: NULL is the finding's own. */
BzCover bz_finding_cover (BzFinding finding, const char *row, const BzHost *host,
                          const BzPlan *plan, char **how);
