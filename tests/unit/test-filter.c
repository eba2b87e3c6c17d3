/* The exported program, run over a table of calls. */
#include "config.h"

#include "syscall-xlat/compile.h"
#include "syscall-xlat/filter.h"
#include "syscall-xlat/simulate.h"
#include "syscall-xlat/table.h"
#include "tests/unit/plan-text.h"

#include <errno.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct {
  BzPlan *plan;
  GBytes *program;
  guint cases, wrong;
} Run;

static const char *
action_text (guint32 action)
{
  switch (action)
    {
    case SECCOMP_RET_ALLOW:
      return "ALLOW";
    case SECCOMP_RET_USER_NOTIF:
      return "NOTIFY";
    case SECCOMP_RET_ERRNO | ENOSYS:
      return "ENOSYS";
    default:
      return "something else";
    }
}

static guint32
simulate (GBytes *program, BzAbi abi, guint32 nr, const guint64 *args, guint *steps)
{
  struct seccomp_data data = { .nr = (int) nr };
  g_autoptr (GError) error = NULL;
  gsize size;
  const struct sock_filter *code = g_bytes_get_data (program, &size);
  guint32 action = 0;

  data.arch = abi == BZ_ABI_I386 ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64;
  if (args != NULL)
    memcpy (data.args, args, sizeof data.args);
  if (!bz_simulate (code, size / sizeof *code, &data, &action, steps, &error))
    fail_msg ("%s", error->message);
  return action;
}

static void
open_plan (Run *run, const char *settings)
{
  g_autoptr (GError) error = NULL;
  gboolean needed = FALSE;

  g_clear_pointer (&run->plan, bz_plan_free);
  g_clear_pointer (&run->program, g_bytes_unref);
  run->plan = plan_from_text (settings);
  assert_non_null (run->plan);
  run->program = bz_filter_compile (run->plan, &needed, &error);
  if (run->program == NULL)
    fail_msg ("plan %s: %s", settings, error->message);
  assert_true (needed);
}

static void
check_case (Run *run, const char *line)
{
  g_auto (GStrv) split = g_strsplit_set (line, " \t", -1);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  guint64 args[6] = { 0 };
  BzAbi abi = BZ_ABI_I386;
  const BzRow *row;
  guint32 nr;
  const char *got;

  for (char **word = split; *word != NULL; word++)
    if (**word != '\0')
      g_ptr_array_add (words, *word);
  if (words->len < 3 || words->len > 9 || !bz_abi_lookup (words->pdata[0], &abi))
    fail_msg ("not a case: %s", line);
  row = bz_table_row_by_name (abi, words->pdata[1]);
  if (row == NULL && !g_ascii_isdigit (*(char *) words->pdata[1]))
    fail_msg ("no such call: %s", line);
  nr = row != NULL ? (guint32) row->nr : (guint32) strtoul (words->pdata[1], NULL, 0);
  for (guint i = 2; i + 1 < words->len; i++)
    args[i - 2] = g_ascii_strtoull (words->pdata[i], NULL, 16);
  got = action_text (simulate (run->program, abi, nr, args, NULL));
  run->cases++;
  if (strcmp (got, words->pdata[words->len - 1]) != 0)
    {
      print_error ("release %s: %s: got %s\n", run->plan->release, line, got);
      run->wrong++;
    }
}

static char *
read_cases (void)
{
  const char *source = g_getenv ("BRANDZONE_SRCDIR");
  g_autofree char *path =
      g_build_filename (source != NULL ? source : ".", "tests", "unit", "filter-cases.txt", NULL);
  char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    fail_msg ("cannot read %s (set BRANDZONE_SRCDIR)", path);
  return text;
}

static void
test_cases (void **state)
{
  g_autofree char *text = read_cases ();
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  Run run = { 0 };

  (void) state;
  for (char **line = lines; *line != NULL; line++)
    {
      if (**line == '\0' || **line == '#')
        continue;
      if (g_str_has_prefix (*line, "plan "))
        open_plan (&run, *line + strlen ("plan "));
      else
        check_case (&run, *line);
    }
  assert_int_equal (run.wrong, 0);
  assert_true (run.cases > 200);
  bz_plan_free (run.plan);
  g_bytes_unref (run.program);
}

/* The host's own brand needs no filter, and so no supervisor. */
static void
test_not_needed (void **state)
{
  g_autoptr (BzPlan) plan = plan_from_text ("abi=x86_64 proc-release=brand nofile=brand");
  g_autoptr (GBytes) program = NULL;
  gboolean needed = TRUE;

  (void) state;
  program = bz_filter_compile (plan, &needed, NULL);
  assert_false (needed);
  assert_non_null (program);
  assert_int_equal (g_bytes_get_size (program), 0);
}

/* Jumps beyond 255 instructions: every second call is refused, so no two neighbours share a range.
 */
static void
test_far_jumps (void **state)
{
  g_autoptr (GString) absent = g_string_new ("abi=i386 release=6.12 missing=release absent=");
  g_autoptr (BzPlan) plan = NULL;
  g_autoptr (GBytes) program = NULL;
  g_autoptr (GError) error = NULL;
  gboolean needed;
  gsize count;
  const BzRow *rows = bz_table (BZ_ABI_I386, &count);

  (void) state;
  for (gsize i = 0; i < count; i += 2)
    g_string_append_printf (absent, "%s,", rows[i].name);
  g_string_truncate (absent, absent->len - 1);
  plan = plan_from_text (absent->str);
  program = bz_filter_compile (plan, &needed, &error);
  if (program == NULL)
    fail_msg ("%s", error->message);
  for (gsize i = 0; i < count; i++)
    if (rows[i].until == 0)
      assert_string_equal (action_text (
                               simulate (program, BZ_ABI_I386, (guint32) rows[i].nr, NULL, NULL)),
                           i % 2 == 0 ? "ENOSYS" : "ALLOW");
}

/* A hot call of the zone's own ABI is decided in few instructions. */
static void
test_hot_path_is_short (void **state)
{
  g_autoptr (BzPlan) plan =
      plan_from_text ("abi=i386 release=2.2.26 release=brand machine=brand missing=release "
                      "heap=end-of-bss personality=keep "
                      "sysinfo=no-unit sysctl=answer modules=empty bdflush=accept syslog=empty "
                      "clock=pretend reboot=accept-cad");
  g_autoptr (GBytes) program = NULL;
  gboolean needed;
  static const char *const hot[] = { "read", "write", "getppid", "mmap", "stat", "sigaction" };

  (void) state;
  program = bz_filter_compile (plan, &needed, NULL);
  assert_non_null (program);
  for (gsize i = 0; i < G_N_ELEMENTS (hot); i++)
    {
      guint steps = 0;
      const BzRow *row = bz_table_row_by_name (BZ_ABI_I386, hot[i]);

      assert_int_equal (simulate (program, BZ_ABI_I386, (guint32) row->nr, NULL, &steps),
                        SECCOMP_RET_ALLOW);
      assert_in_range (steps, 3, 12);
    }
}

static void
check_names (const BzBrand *brand, char **names)
{
  for (char **name = names; name != NULL && *name != NULL; name++)
    if (bz_table_row_by_name (BZ_ABI_I386, *name) == NULL
        && bz_table_row_by_name (BZ_ABI_X86_64, *name) == NULL)
      fail_msg ("%s: no table knows the call %s", brand->file, *name);
}

/* No claim may take from a program what every Linux since 1.0 had: it is allowed, or passed on by a
 * supervisor. */
static void
check_old_calls (const BzPlan *plan, GBytes *program)
{
  static const char *const old[] = {
    "read",   "write", "open", "close", "execve",  "exit",         "fork",           "mmap",
    "munmap", "wait4", "kill", "ioctl", "getppid", "rt_sigreturn", "restart_syscall"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (old); i++)
    {
      const BzRow *row = bz_table_row_by_name (plan->abi, old[i]);

      guint32 wanted =
          bz_row_action (row, plan, plan->abi) == BZ_ACTION_NOTIFY && row->condition.arg < 0
              ? SECCOMP_RET_USER_NOTIF
              : SECCOMP_RET_ALLOW;

      if (bz_row_action (row, plan, plan->abi) == BZ_ACTION_ENOSYS
          || simulate (program, plan->abi, (guint32) row->nr, NULL, NULL) != wanted)
        fail_msg ("%s on %s does not get %s", plan->brand, bz_abi_name (plan->abi), old[i]);
    }
}

/* Every brand that is shipped names calls that exist and gives a filter that does what the tables
 * say. */
static void
test_brands (void **state)
{
  g_auto (GStrv) names = bz_brand_list (NULL);
  BzHost host = { .release = BZ_RELEASE (6, 1, 0), .release_text = (char *) "6.1.0" };

  (void) state;
  for (guint i = 0; i < BZ_FEATURE_COUNT; i++)
    host.has[i] = TRUE;
  assert_true (g_strv_length (names) > 5);
  for (char **name = names; *name != NULL; name++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BzBrand) brand = bz_brand_load (NULL, *name, &error);

      if (brand == NULL)
        fail_msg ("%s", error->message);
      check_names (brand, brand->calls_present);
      check_names (brand, brand->calls_absent);
      for (BzAbi abi = 0; abi < BZ_ABI_COUNT; abi++)
        {
          const BzPlanOptions options = { .abi = abi };
          g_autoptr (BzPlan) plan = bz_plan_make (brand, &host, &options, &error);
          g_autoptr (GBytes) program = NULL;
          gboolean needed;

          if (plan == NULL)
            fail_msg ("%s", error->message);
          program = bz_filter_compile (plan, &needed, &error);
          if (program == NULL)
            fail_msg ("%s: %s", *name, error->message);
          if (needed)
            check_old_calls (plan, program);
        }
    }
}

/* The check that guards the cache and the compiler finds a program that answers one call otherwise.
 */
static void
test_verify_finds_a_change (void **state)
{
  g_autoptr (BzPlan) plan =
      plan_from_text ("abi=x86_64 release=2.6.32 missing=release personality=keep");
  g_autoptr (GBytes) program = NULL;
  g_autofree struct sock_filter *copy = NULL;
  const struct sock_filter *code;
  gboolean needed;
  gsize size, count;
  guint found = 0, changed = 0;

  (void) state;
  program = bz_filter_compile (plan, &needed, NULL);
  assert_non_null (program);
  code = g_bytes_get_data (program, &size);
  count = size / sizeof *code;
  assert_true (bz_compile_verify (plan, code, count, NULL));
  for (gsize i = 0; i < count; i++)
    {
      if (code[i].code != (BPF_RET | BPF_K) || code[i].k != SECCOMP_RET_ALLOW)
        continue;
      g_free (copy);
      copy = g_memdup2 (code, size);
      copy[i].k = SECCOMP_RET_KILL_PROCESS;
      changed++;
      found += !bz_compile_verify (plan, copy, count, NULL);
    }
  assert_true (changed > 4);
  assert_in_range (found, changed - 2,
                   changed); /* the default of libseccomp's two programs is out of reach */
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_cases),     cmocka_unit_test (test_not_needed),
    cmocka_unit_test (test_far_jumps), cmocka_unit_test (test_hot_path_is_short),
    cmocka_unit_test (test_brands),    cmocka_unit_test (test_verify_finds_a_change),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
