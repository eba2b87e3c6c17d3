/* The tables themselves are tables/ABI.tbl; their rows are made from them by tables/gen-tables.awk.
 */
#include "config.h"

#include "syscall-xlat/table.h"

#include "syscall-xlat/calls/handlers.h"

#include <string.h>

/* The release whose numbers the tables hold: what newer releases brought is unknown to them. */
#define TABLE_RELEASE BZ_RELEASE (6, 12, 0)

static const BzRow rows_i386[] = {
#include "syscall-xlat/tables/i386.inc"
};

static const BzRow rows_x86_64[] = {
#include "syscall-xlat/tables/x86_64.inc"
};

static const struct {
  const BzRow *rows;
  gsize count;
  BzRelease first; /* the first stable release that ran this ABI */
} tables[BZ_ABI_COUNT] = {
  [BZ_ABI_I386] = { rows_i386, G_N_ELEMENTS (rows_i386), 0 },
  [BZ_ABI_X86_64] = { rows_x86_64, G_N_ELEMENTS (rows_x86_64), BZ_RELEASE (2, 4, 20) },
};

const BzRow *
bz_table (BzAbi abi, gsize *count)
{
  g_return_val_if_fail (abi < BZ_ABI_COUNT && count != NULL, NULL);

  *count = tables[abi].count;
  return tables[abi].rows;
}

const BzRow *
bz_table_row (BzAbi abi, int nr)
{
  gsize low = 0, high;

  g_return_val_if_fail (abi < BZ_ABI_COUNT, NULL);

  high = tables[abi].count;
  while (low < high)
    {
      gsize middle = low + (high - low) / 2;
      const BzRow *row = &tables[abi].rows[middle];

      if (row->nr == nr)
        return row;
      if (row->nr < nr)
        low = middle + 1;
      else
        high = middle;
    }
  return NULL;
}

const BzRow *
bz_table_row_by_name (BzAbi abi, const char *name)
{
  g_return_val_if_fail (abi < BZ_ABI_COUNT && name != NULL, NULL);

  for (gsize i = 0; i < tables[abi].count; i++)
    if (strcmp (tables[abi].rows[i].name, name) == 0)
      return &tables[abi].rows[i];
  return NULL;
}

static gboolean
listed (char **names, const char *name)
{
  return names != NULL && g_strv_contains ((const char *const *) names, name);
}

/* Whether the plan's release lacks the call. A release older than the ABI hides nothing of it: it
 * makes no claim about programs that it could not run, and in such a zone those are the user's own
 * tools. */
static gboolean
row_is_missing (const BzRow *row, const BzPlan *plan, BzAbi abi)
{
  if (plan->quirk[BZ_QUIRK_MISSING] == 0)
    return FALSE;
  if (listed (plan->calls_absent, row->name))
    return TRUE;
  if (listed (plan->calls_present, row->name) || plan->release_number < tables[abi].first)
    return FALSE;
  return plan->release_number < row->since
         || (row->until != 0 && plan->release_number >= row->until);
}

static gboolean
row_is_trapped (const BzRow *row, const BzPlan *plan)
{
  for (guint quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    if ((row->quirks & BZ_QUIRK_BIT (quirk)) != 0 && plan->quirk[quirk] != 0)
      return TRUE;
  return FALSE;
}

/* Whether the claimed release had the call and the host's doesn't, and that is to be told (quirk
 * gone). The host would say ENOSYS too. */
static gboolean
row_is_gone (const BzRow *row, const BzPlan *plan)
{
  if (plan->quirk[BZ_QUIRK_GONE] == BZ_GONE_HOST || plan->release_number < row->since)
    return FALSE;
  return row->i386_only
         || (plan->release_number < row->until && plan->host_release >= row->until);
}

BzHandler
bz_row_handler (const BzRow *row, const BzPlan *plan)
{
  if (row_is_trapped (row, plan))
    return row->handler;
  return row_is_gone (row, plan) ? bz_call_gone : NULL;
}

BzAction
bz_row_action (const BzRow *row, const BzPlan *plan, BzAbi abi)
{
  if (row_is_missing (row, plan, abi))
    return BZ_ACTION_ENOSYS;
  return bz_row_handler (row, plan) != NULL ? BZ_ACTION_NOTIFY : BZ_ACTION_ALLOW;
}

BzAction
bz_unknown_action (const BzPlan *plan)
{
  if (plan->quirk[BZ_QUIRK_MISSING] == 0 || plan->release_number > TABLE_RELEASE)
    return BZ_ACTION_ALLOW;
  return BZ_ACTION_ENOSYS;
}
