/* Detection rules: the [Detect] groups of a brand file. See brandzone-brand(5). */
#pragma once

#include "brand/abi.h"
#include "brand/key-lines.h"
#include "brand/range.h"

#define BZ_DETECT_GROUP "Detect"
#define BZ_PRIORITY_DEFAULT 50

/* All clauses that are set must hold. */
typedef struct BzDetectRule {
  struct BzDetectRule *next;
  guint priority;     /* 0 to 100; among rules that hold, the highest decides */
  gboolean nearest;   /* the tree is of a relative: asked only when no brand fits the tree itself */
  char *file;         /* a path in the tree, or NULL */
  GRegex *match;      /* its text matches; NULL: it exists */
  BzRange version;    /* of the first group that `match` captures */
  char *os_id;        /* os-release's ID */
  BzRange os_version; /* os-release's VERSION_ID */
  char *os_like;      /* a word of os-release's ID or ID_LIKE */
  char *libc;         /* "glibc", "libc5", ... (tree-facts.h) */
  BzRange libc_version;
  GRegex *libc_text;   /* what the libc says of itself */
  BzRange libc_kernel; /* the least kernel of its ABI note */
  char *abi;           /* of the tree's programs, or NULL */
} BzDetectRule;

/* Whether the group's name is "Detect" or "Detect SOMETHING". */
gboolean bz_detect_rule_is_group (const char *group);

/* Names of the keys that such a group knows, NULL-terminated. */
const char *const *bz_detect_rule_keys (void);

/* Reads all rules of a file into *rules, in the order of the file. Those of a `profile` may look at
 * the libc and the ABI alone. FALSE: BZ_ERROR_INPUT with the line. */
gboolean bz_detect_rules_read (const BzKeyLines *lines, gboolean profile, BzDetectRule **rules,
                               GError **error);
void bz_detect_rules_free (BzDetectRule *rules);
