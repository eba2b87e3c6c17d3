/* The system call tables: one row per number and ABI, generated from tables/ABI.tbl. */
#pragma once

#include "brand/abi.h"
#include "brand/plan.h"

struct BzCall;
struct BzVerdict;
typedef struct BzVerdict (*BzHandler) (struct BzCall *call);

#define BZ_QUIRK_BIT(quirk) (G_GUINT64_CONSTANT (1) << (quirk))
_Static_assert(BZ_QUIRK_COUNT < 64, "a row holds its quirks in 64 bits");

/* Narrows a trap by the low 32 bits of one register (the upper half is garbage for a C int), or by
 * the high ones of an address: trapped if
 * ((half of arg & mask) is one of the two values) != negate. A single value stands there twice. */
typedef struct {
  gint8 arg; /* 0 to 5; -1: no condition */
  gboolean negate, high;
  guint32 mask, value[2];
} BzCondition;

typedef struct {
  gint16 nr;
  const char *name; /* the kernel's name, as in asm/unistd.h; "break" */
  BzRelease since;  /* the release that introduced it; 0: as old as the ABI */
  BzRelease until;  /* the first release without it; 0: Linux 6.12 has it */
  guint64
      quirks; /* BZ_QUIRK_BIT of each quirk that traps it, any of them active; 0: never trapped */
  BzHandler handler; /* NULL without quirks */
  const char *handler_name;
  BzCondition condition;
  gboolean i386_only; /* x86-64 kernels never had it, for programs of either ABI */
  gboolean blocking;  /* the handler may wait for a file: runs on a worker */
  gboolean once;      /* its effect must not be carried out twice: a successor answers EINTR */
  const char *rows;   /* catalogue rows, or "" */
  const char *reason; /* why it is what it is; never empty where quirks != 0 or until != 0 */
} BzRow;

/* Rows sorted by number; *count gets their number. */
const BzRow *bz_table (BzAbi abi, gsize *count);
const BzRow *bz_table_row (BzAbi abi, int nr);
const BzRow *bz_table_row_by_name (BzAbi abi, const char *name);

/* What the filter does with a call under a plan. */
typedef enum { BZ_ACTION_ALLOW, BZ_ACTION_ENOSYS, BZ_ACTION_NOTIFY } BzAction;
BzAction bz_row_action (const BzRow *row, const BzPlan *plan, BzAbi abi);

/* What answers the call under a plan that traps it: the row's own handler, that of calls that are gone,
 * or NULL. */
BzHandler bz_row_handler (const BzRow *row, const BzPlan *plan);

/* Calls with numbers above every row of the table: ALLOW for a plan whose missing=host, else
 * ENOSYS. */
BzAction bz_unknown_action (const BzPlan *plan);
