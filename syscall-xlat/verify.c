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
  switch (action)
    {
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

/* Both values and their neighbours, with another half of nothing and of garbage where the ABI has
 * one. */
static gboolean
expect_condition (const Check *check, BzAbi abi, const BzRow *row)
{
  const BzCondition *condition = &row->condition;
  guint32 unmasked = ~condition->mask;

  for (guint i = 0; i < 2; i++)
    {
      for (guint32 flip = 0;; flip = flip == 0 ? 1 : flip << 1)
        {
          guint32 half = (condition->value[i] ^ flip) | (0x5a5a5a5a & unmasked);
          gboolean equal = (half & condition->mask) == condition->value[0]
                           || (half & condition->mask) == condition->value[1];
          BzAction action = equal != condition->negate ? BZ_ACTION_NOTIFY : BZ_ACTION_ALLOW;
          guint64 value = condition->high ? (guint64) half << 32 : half;
          guint64 garbage = condition->high ? 0xdeadbeef : G_GUINT64_CONSTANT (0xdeadbeef00000000);

          if (!expect (check, abi, (guint32) row->nr, condition->arg, value, action))
            return FALSE;
          if (abi == BZ_ABI_X86_64
              && !expect (check, abi, (guint32) row->nr, condition->arg, value | garbage, action))
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
  BzAction action =
      row != NULL ? bz_row_action (row, check->plan, abi) : bz_unknown_action (check->plan);

  if (row != NULL && action == BZ_ACTION_NOTIFY && row->condition.arg >= 0)
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
  for (BzAbi abi = 0; abi < BZ_ABI_COUNT; abi++)
    {
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

/* What a row contributes: its fate; for a trapped call also what the rules are made of. */
static void
describe_row (GString *text, const BzRow *row, const BzPlan *plan, BzAbi abi)
{
  BzAction action = bz_row_action (row, plan, abi);
  const BzCondition *condition = &row->condition;

  g_string_append_c (text, (char) ('0' + (int) action));
  if (action == BZ_ACTION_NOTIFY)
    g_string_append_printf (text, " %d %s %d %d %d %x %x %x\n", row->nr, row->name, condition->arg,
                            condition->negate, condition->high, condition->mask,
                            condition->value[0], condition->value[1]);
}

char *
bz_compile_key (const BzPlan *plan)
{
  const struct scmp_version *library = seccomp_version ();
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_printf (text,
                   "%d libseccomp %u.%u.%u host %" G_GINT64_MODIFIER "x first %d unknown %d\n",
                   COMPILER_VERSION, library->major, library->minor, library->micro,
                   plan->host_release, plan->abi, bz_unknown_action (plan));
  for (BzAbi abi = 0; abi < BZ_ABI_COUNT; abi++)
    {
      gsize count;
      const BzRow *rows = bz_table (abi, &count);

      g_string_append_printf (text, "%s %" G_GSIZE_FORMAT "\n", bz_abi_name (abi), count);
      for (gsize i = 0; i < count; i++)
        describe_row (text, &rows[i], plan, abi);
    }
  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, text->str, (gssize) text->len);
}
