/* What to do with one use of a vsyscall address, judged from the code around it. Private to
 * brandzone-rewriter. */
#pragma once

#include "loader/shadow/code.h"
#include "loader/shadow/rewrite.h"

/* The code around a use: instructions in order of address, and where direct branches in it lead
 * (ordered). */
typedef struct {
  GArray *insns;   /* of BzInsn */
  GArray *targets; /* of guint64 */
} BzCode;

typedef enum { BZ_VERDICT_REWRITE, BZ_VERDICT_REFUSE, BZ_VERDICT_LEAVE } BzVerdict;

typedef struct {
  BzVerdict verdict;
  char reason[BZ_REWRITE_MAX_TEXT]; /* one printable line */
  /* REWRITE: one or two edits; address, length and new bytes are set. No branch may lead behind
   * `first` up to `end`. */
  BzEdit edit[2];
  guint n;
  guint64 first, end;
} BzShape;

/* at: index of an instruction with entry >= 0. */
void bz_shape_judge (const BzCode *code, guint at, BzShape *shape);

/* Index of the instruction that holds the byte at an address, or -1. */
gint bz_code_find (const BzCode *code, guint64 address);
