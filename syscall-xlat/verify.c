/* Whether a filter does what the tables say, call by call; and the name of what it must do. */
#include "config.h"

#include "brand/base/error.h"
#include "syscall-xlat/compile.h"
#include "syscall-xlat/simulate.h"
#include "syscall-xlat/table.h"

#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>

/* Raised whenever the same plan and tables come to give another program. */
#define COMPILER_VERSION 1

/* Numbers tried beyond the tables' last, and x32's first and last. */
static const guint32 outer_numbers[] = { 463, 511, 512, 547, 1000, 0x3fffffff };
static const guint32 x32_numbers[] = { 0x40000000, 0x40000001, 0x40000200, 0x40000223, 0xffffffff };

typedef struct {
  const BzPlan *plan;
  const struct sock_filter *program;
  gsize count;
  GError **error;
} Check;

static guint32
return_of (BzAction action)
{
  switch (action) {
  case BZ_ACTION_ENOSYS:
    return SECCOMP_RET_ERRNO | ENOSYS;
  case BZ_ACTION_NOTIFY:
    return SECCOMP_RET_USER_NOTIF;
  default:
    return SECCOMP_RET_ALLOW;
  }
}

static gboolean
expect (const Check *check, BzAbi abi, guint32 nr, gint8 arg, guint64 value, BzAction action)
{
  struct seccomp_data data = { .nr = (int) nr };
  const BzRow *row = bz_table_row (abi, (int) nr);
  guint32 got;

  data.arch = abi == BZ_ABI_I386 ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64;
  for (gint8 i = 0; i < 6; i++)
    data.args[i] = i == arg ? value : G_GUINT64_CONSTANT (0xa5a5a5a55a5a5a5a);
  if (!bz_simulate (check->program, check->count, &data, &got, NULL, check->error))
    return FALSE;
  if (got == return_of (action))
    return TRUE;
  return bz_fail (check->error, BZ_ERROR_FAILED, "it does something else than the table says",
                  "report this as a bug of brandzone or libseccomp",
                  "the system call filter: %s %u (%s)", bz_abi_name (abi), nr,
                  row != NULL ? row->name : "no such call");
}

/* Both values and their neighbours, with an upper half of nothing and of garbage where the ABI has one. */
static gboolean
expect_condition (const Check *check, BzAbi abi, const BzRow *row)
{
  const BzCondition *condition = &row->condition;
  guint32 unmasked = ~condition->mask;

  for (guint i = 0; i < 2; i++) {
    for (guint32 flip = 0;; flip = flip == 0 ? 1 : flip << 1) {
      guint32 low = (condition->value[i] ^ flip) | (0x5a5a5a5a & unmasked);
      gboolean equal = (low & condition->mask) == condition->value[0]
                       || (low & condition->mask) == condition->value[1];
      BzAction action = equal != condition->negate ? BZ_ACTION_NOTIFY : BZ_ACTION_ALLOW;

      if (!expect (check, abi, (guint32) row->nr, condition->arg, low, action))
        return FALSE;
      if (abi == BZ_ABI_X86_64
          && !expect (check, abi, (guint32) row->nr, condition->arg,
                      low | G_GUINT64_CONSTANT (0xdeadbeef00000000), action))
        return FALSE;
      if (flip == 0x80000000)
        break;
    }
  }
  return TRUE;
}

static gboolean
expect_number (const Check *check, BzAbi abi, guint32 nr)
{
  const BzRow *row = bz_table_row (abi, (int) nr);
  BzAction action = row != NULL ? bz_row_action (row, check->plan, abi)
                                : bz_unknown_action (check->plan);

  if (action == BZ_ACTION_NOTIFY && row->condition.arg >= 0)
    return expect_condition (check, abi, row);
  return expect (check, abi, nr, -1, 0, action);
}

gboolean
bz_compile_verify (const BzPlan *plan, const struct sock_filter *program, gsize count,
                   GError **error)
{
  Check check = { plan, program, count, error };

  if (!bz_simulate_check (program, count, error))
    return FALSE;
  for (BzAbi abi = 0; abi < BZ_ABI_COUNT; abi++) {
    gsize rows;
    const BzRow *table = bz_table (abi, &rows);

    for (guint32 nr = 0; nr <= (guint32) table[rows - 1].nr; nr++)
      if (!expect_number (&check, abi, nr))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS (outer_numbers); i++)
      if (!expect_number (&check, abi, outer_numbers[i]))
        return FALSE;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (x32_numbers); i++)
    if (!expect (&check, BZ_ABI_X86_64, x32_numbers[i], -1, 0, BZ_ACTION_ENOSYS))
      return FALSE;
  return TRUE;
}

static void
hash_row (GChecksum *checksum, const BzRow *row, const BzPlan *plan, BzAbi abi)
{
  g_autofree char *text = g_strdup_printf ("%d %d %s %d", abi, row->nr, row->name,
                                           bz_row_action (row, plan, abi));

  g_checksum_update (checksum, (const guchar *) text, -1);
  if (row->condition.arg >= 0) {
    const BzCondition *condition = &row->condition;
    g_autofree char *more = g_strdup_printf (" %d %d %x %x %x", condition->arg, condition->negate,
                                             condition->mask, condition->value[0],
                                             condition->value[1]);

    g_checksum_update (checksum, (const guchar *) more, -1);
  }
  g_checksum_update (checksum, (const guchar *) "\n", 1);
}

char *
bz_compile_key (const BzPlan *plan)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  const struct scmp_version *library = seccomp_version ();
  g_autofree char *head = g_strdup_printf (
      "%d libseccomp %u.%u.%u host %" G_GINT64_MODIFIER "x abi %d unknown %d\n", COMPILER_VERSION,
      library->major, library->minor, library->micro, plan->host_release, plan->abi,
      bz_unknown_action (plan));

  g_checksum_update (checksum, (const guchar *) head, -1);
  for (BzAbi abi = 0; abi < BZ_ABI_COUNT; abi++) {
    gsize count;
    const BzRow *rows = bz_table (abi, &count);

    for (gsize i = 0; i < count; i++)
      hash_row (checksum, &rows[i], plan, abi);
  }
  return g_strdup (g_checksum_get_string (checksum));
}
