/* A plan's seccomp program.
 *
 * Problem: few calls are trapped, many are refused, and most must reach the kernel at its own
 * speed, for two ABIs whose numbers disagree.
 *
 * Facts (libseccomp 2.5.4): seccomp_rule_add takes a number of the native ABI, or a negative pseudo
 * number for a name that the native ABI lacks, and translates it by name. A raw number is therefore
 * another call in the other ABI: i386 17 became pread64. Names newer than the library resolve to
 * __NR_SCMP_ERROR, multiplexed i386 names (accept, semop) to negative numbers and to rules on
 * socketcall and ipc. It compares 64 bits where the kernel's call takes an int, and it cannot say
 * "masked and not equal".
 *
 * Choice: the table decides, the prologue (prologue.c) dispatches by number, and only
 * trapped calls that libseccomp resolves to the table's number, with a condition that it can say,
 * go on in its program; so no rule of the library can touch another call. Conditions are masked
 * with 32 bits. What comes out is run in the simulator over every call before it is used.
 *
 * Limits: one condition per row, of at most two values.
 */
#include "config.h"

#include "syscall-xlat/filter.h"

#include "brand/base/error.h"
#include "syscall-xlat/compile.h"
#include "syscall-xlat/prologue.h"
#include "syscall-xlat/simulate.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Numbers from here on are x32's on an x86-64 kernel. */
#define X32_FIRST 0x40000000u

/* libseccomp's level of SCMP_ACT_NOTIFY: set, so that compiling does not depend on the kernel that
 * compiles. */
#define API_LEVEL_NOTIFY 5

static const guint32 library_arch[BZ_ABI_COUNT] = {
  [BZ_ABI_I386] = SCMP_ARCH_X86,
  [BZ_ABI_X86_64] = SCMP_ARCH_X86_64,
};

static gboolean
fail_library (GError **error, int result, const char *what)
{
  return bz_fail_errno (error, -result, NULL, "the system call filter: %s", what);
}

/* Whether libseccomp means the row's call by the row's name, and can say its condition. */
static gboolean
library_takes (const BzRow *row, BzAbi abi)
{
  return !(row->condition.arg >= 0 && (row->condition.negate || row->condition.high))
         && seccomp_syscall_resolve_name (row->name) != __NR_SCMP_ERROR
         && seccomp_syscall_resolve_name_arch (library_arch[abi], row->name) == row->nr;
}

static BzRange
range_of_row (const BzRow *row, const BzPlan *plan, BzAbi abi)
{
  BzRange range = { .first = (guint32) row->nr };

  switch (bz_row_action (row, plan, abi))
    {
    case BZ_ACTION_ALLOW:
      range.what = BZ_DO_ALLOW;
      break;
    case BZ_ACTION_ENOSYS:
      range.what = BZ_DO_ENOSYS;
      break;
    case BZ_ACTION_NOTIFY:
      if (library_takes (row, abi))
        {
          range.what = BZ_DO_SECCOMP;
        }
      else if (row->condition.arg < 0)
        {
          range.what = BZ_DO_NOTIFY;
        }
      else
        {
          range.what = BZ_DO_COMPARE;
          range.row = row;
        }
      break;
    }
  return range;
}

/* Joins what gets the same fate as its lower neighbour. */
static void
add_range (GArray *ranges, BzRange range)
{
  const BzRange *last = ranges->len > 0 ? &g_array_index (ranges, BzRange, ranges->len - 1) : NULL;

  if (last == NULL || last->what != range.what || last->row != range.row)
    g_array_append_val (ranges, range);
}

static GArray *
make_ranges (const BzPlan *plan, BzAbi abi)
{
  GArray *ranges = g_array_new (FALSE, FALSE, sizeof (BzRange));
  BzDo unknown = bz_unknown_action (plan) == BZ_ACTION_ALLOW ? BZ_DO_ALLOW : BZ_DO_ENOSYS;
  guint32 next = 0;
  gsize count;
  const BzRow *rows = bz_table (abi, &count);

  for (gsize i = 0; i < count; i++)
    {
      if ((guint32) rows[i].nr > next)
        add_range (ranges, (BzRange){ .first = next, .what = unknown });
      add_range (ranges, range_of_row (&rows[i], plan, abi));
      next = (guint32) rows[i].nr + 1;
    }
  add_range (ranges, (BzRange){ .first = next, .what = unknown });
  if (abi == BZ_ABI_X86_64)
    add_range (ranges, (BzRange){ .first = X32_FIRST, .what = BZ_DO_ENOSYS });
  return ranges;
}

/* One rule for each value of the condition; the library joins them. */
static gboolean
add_rules (scmp_filter_ctx context, const BzRow *row, GError **error)
{
  int call = seccomp_syscall_resolve_name (row->name);
  const BzCondition *condition = &row->condition;
  int result = 0;

  if (condition->arg < 0)
    {
      result = seccomp_rule_add (context, SCMP_ACT_NOTIFY, call, 0);
    }
  else
    {
      guint values = condition->value[0] == condition->value[1] ? 1 : 2;

      for (guint i = 0; result == 0 && i < values; i++)
        {
          struct scmp_arg_cmp compare = { .arg = (unsigned) condition->arg,
                                          .op = SCMP_CMP_MASKED_EQ,
                                          .datum_a = condition->mask,
                                          .datum_b = condition->value[i] };

          result = seccomp_rule_add_array (context, SCMP_ACT_NOTIFY, call, 1, &compare);
        }
    }
  return result == 0 || fail_library (error, result, row->name);
}

static gboolean
read_program (int fd, GArray *program, GError **error)
{
  struct stat status;
  gsize got = 0, size;

  if (fstat (fd, &status) < 0)
    return bz_fail_errno (error, errno, NULL, "the system call filter: exported program");
  size = (gsize) status.st_size;
  if (size % sizeof (struct sock_filter) != 0)
    return bz_fail (error, BZ_ERROR_FAILED, "not whole instructions", NULL,
                    "the system call filter: exported program");
  g_array_set_size (program, (guint) (size / sizeof (struct sock_filter)));
  while (got < size)
    {
      ssize_t n = pread (fd, program->data + got, size - got, (off_t) got);

      if (n > 0)
        got += (gsize) n;
      else if (n == 0 || errno != EINTR)
        return bz_fail_errno (error, n == 0 ? EIO : errno, NULL,
                              "the system call filter: exported program");
    }
  return TRUE;
}

static gboolean
export_program (scmp_filter_ctx context, GArray *program, GError **error)
{
  int fd = memfd_create ("brandzone-filter", MFD_CLOEXEC), result;
  gboolean done;

  if (fd < 0)
    return bz_fail_errno (error, errno, NULL, "the system call filter: memfd");
  result = seccomp_export_bpf (context, fd);
  done = result == 0 ? read_program (fd, program, error) : fail_library (error, result, "export");
  close (fd);
  return done;
}

static int
prepare_context (scmp_filter_ctx context, BzAbi abi)
{
  guint32 arch = library_arch[abi];
  int result = seccomp_attr_set (context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO (ENOSYS));

  if (result == 0)
    result = seccomp_attr_set (context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  if (result == 0 && arch != seccomp_arch_native ())
    {
      result = seccomp_arch_add (context, arch);
      if (result == 0)
        result = seccomp_arch_remove (context, SCMP_ARCH_NATIVE);
    }
  return result;
}

/* libseccomp's program for the ranges that go on in it; left empty when there are none. */
static gboolean
make_library_program (const BzPlan *plan, BzAbi abi, GArray *program, GError **error)
{
  scmp_filter_ctx context = NULL;
  gboolean done = TRUE;
  gsize count;
  const BzRow *rows = bz_table (abi, &count);

  for (gsize i = 0; done && i < count; i++)
    {
      if (range_of_row (&rows[i], plan, abi).what != BZ_DO_SECCOMP)
        continue;
      if (context == NULL)
        {
          int result;

          context = seccomp_init (SCMP_ACT_ALLOW);
          if (context == NULL)
            return fail_library (error, -ENOMEM, "libseccomp");
          result = prepare_context (context, abi);
          if (result != 0)
            done = fail_library (error, result, bz_abi_name (abi));
        }
      done = done && add_rules (context, &rows[i], error);
    }
  if (context == NULL)
    return TRUE;
  done = done && export_program (context, program, error);
  seccomp_release (context);
  return done;
}

static void
clear_part (BzPart *part)
{
  g_array_unref (part->ranges);
  g_array_unref (part->seccomp);
}

GBytes *
bz_compile (const BzPlan *plan, GError **error)
{
  g_autoptr (GArray) program = g_array_new (FALSE, FALSE, sizeof (struct sock_filter));
  BzPart parts[BZ_ABI_COUNT];
  gboolean done = TRUE;
  gsize size;

  seccomp_api_set (API_LEVEL_NOTIFY);
  for (BzAbi abi = 0; abi < BZ_ABI_COUNT; abi++)
    {
      parts[abi].ranges = make_ranges (plan, abi);
      parts[abi].seccomp = g_array_new (FALSE, FALSE, sizeof (struct sock_filter));
      done = done && make_library_program (plan, abi, parts[abi].seccomp, error);
    }
  if (done)
    bz_prologue_emit (program, parts, plan->abi);
  for (BzAbi abi = 0; abi < BZ_ABI_COUNT; abi++)
    clear_part (&parts[abi]);
  if (!done
      || !bz_compile_verify (plan, (const struct sock_filter *) program->data, program->len, error))
    return NULL;
  size = program->len * sizeof (struct sock_filter);
  return g_bytes_new_take (g_array_free (g_steal_pointer (&program), FALSE), size);
}

gboolean
bz_compile_needed (const BzPlan *plan)
{
  for (BzAbi abi = 0; abi < BZ_ABI_COUNT; abi++)
    {
      gsize count;
      const BzRow *rows = bz_table (abi, &count);

      for (gsize i = 0; i < count; i++)
        if (bz_row_action (&rows[i], plan, abi) != BZ_ACTION_ALLOW)
          return TRUE;
    }
  return bz_unknown_action (plan) != BZ_ACTION_ALLOW;
}

GBytes *
bz_filter_compile (const BzPlan *plan, gboolean *needed, GError **error)
{
  *needed = bz_compile_needed (plan);
  return *needed ? bz_compile (plan, error) : g_bytes_new (NULL, 0);
}
