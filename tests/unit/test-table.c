/* The system call tables against themselves, the quirks, and the build machine's headers. */
#include "config.h"

#include "syscall-xlat/table.h"
#include "tests/unit/plan-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LAST 462 /* mseal: the last number of Linux 6.12 */

/* Numbers that no release has used, as tables/ABI.tbl declares them. */
static gboolean
is_hole (BzAbi abi, int nr)
{
  if (abi == BZ_ABI_X86_64)
    return nr >= 336 && nr <= 423;
  return nr == 222 || nr == 223 || nr == 251 || nr == 285 || (nr >= 387 && nr <= 392) || nr == 415;
}

static void
test_complete (void **state)
{
  (void) state;
  for (BzAbi abi = 0; abi < BZ_ABI_COUNT; abi++)
    {
      gsize count, seen = 0;

      bz_table (abi, &count);
      for (int nr = 0; nr <= LAST; nr++)
        {
          const BzRow *row = bz_table_row (abi, nr);

          if (is_hole (abi, nr) != (row == NULL))
            fail_msg ("%s %d", bz_abi_name (abi), nr);
          if (row == NULL)
            continue;
          seen++;
          assert_int_equal (row->nr, nr);
          assert_ptr_equal (bz_table_row_by_name (abi, row->name), row);
        }
      assert_int_equal (seen, count);
      assert_null (bz_table_row (abi, LAST + 1));
      assert_null (bz_table_row (abi, -1));
      assert_null (bz_table_row_by_name (abi, "no_such_call"));
    }
}

static void
test_rows_are_consistent (void **state)
{
  (void) state;
  for (BzAbi abi = 0; abi < BZ_ABI_COUNT; abi++)
    {
      gsize count;
      const BzRow *rows = bz_table (abi, &count);

      for (gsize i = 0; i < count; i++)
        {
          const BzRow *row = &rows[i];

          assert_non_null (row->name);
          assert_non_null (row->rows);
          assert_true ((row->quirks != 0) == (row->handler != NULL));
          assert_true ((row->quirks != 0) == (row->handler_name != NULL));
          assert_true ((row->quirks >> BZ_QUIRK_COUNT) == 0);
          assert_true (row->quirks == 0 || *row->rows != '\0');
          assert_true (*row->reason != '\0' || (row->quirks == 0 && row->until == 0));
          assert_in_range (row->condition.arg + 1, 0, 6);
          assert_true (row->until == 0 || row->until > row->since);
        }
    }
}

/* Every quirk that stands for system calls traps at least one, and a trapped call gets to its
 * handler. */
static void
test_every_call_quirk_traps (void **state)
{
  static const BzQuirk with_calls[] = {
    BZ_QUIRK_RELEASE, BZ_QUIRK_MACHINE, BZ_QUIRK_HEAP,    BZ_QUIRK_PERSONALITY,
    BZ_QUIRK_SYSINFO, BZ_QUIRK_SYSCTL,  BZ_QUIRK_MODULES, BZ_QUIRK_BDFLUSH,
    BZ_QUIRK_SYSLOG,  BZ_QUIRK_CLOCK,   BZ_QUIRK_REBOOT,
    BZ_QUIRK_VHANGUP, BZ_QUIRK_PROC_MOUNT,
  };

  (void) state;
  for (gsize i = 0; i < G_N_ELEMENTS (with_calls); i++)
    {
      BzPlan plan = { 0 };
      guint trapped = 0;

      plan.quirk[with_calls[i]] = 1;
      for (BzAbi abi = 0; abi < BZ_ABI_COUNT; abi++)
        {
          gsize count;
          const BzRow *rows = bz_table (abi, &count);

          for (gsize j = 0; j < count; j++)
            if (bz_row_action (&rows[j], &plan, abi) == BZ_ACTION_NOTIFY)
              {
                assert_true ((rows[j].quirks & BZ_QUIRK_BIT (with_calls[i])) != 0);
                assert_non_null (rows[j].handler);
                trapped++;
              }
        }
      if (trapped == 0)
        fail_msg ("no row for quirk %s", bz_quirk_name (with_calls[i]));
    }
}

/* "#define __NR_name number" of the header against the table. Returns the number of calls compared.
 */
static guint
compare_header (BzAbi abi, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint compared = 0;

  for (char **line = lines; *line != NULL; line++)
    {
      g_auto (GStrv) words = g_strsplit (*line, " ", 3);
      const BzRow *row;
      int nr;

      if (g_strv_length (words) != 3 || strcmp (words[0], "#define") != 0
          || !g_str_has_prefix (words[1], "__NR_") || !g_ascii_isdigit (words[2][0]))
        continue;
      nr = atoi (words[2]);
      if (nr > LAST)
        continue;
      row = bz_table_row (abi, nr);
      if (row == NULL || strcmp (row->name, words[1] + strlen ("__NR_")) != 0)
        fail_msg ("%s %d: the headers say %s, the table %s", bz_abi_name (abi), nr,
                  words[1] + strlen ("__NR_"), row != NULL ? row->name : "nothing");
      compared++;
    }
  return compared;
}

static void
test_headers_agree (void **state)
{
  static const char *const directories[] = { "/usr/include/x86_64-linux-gnu/asm",
                                             "/usr/include/asm" };
  static const char *const files[BZ_ABI_COUNT] = {
    [BZ_ABI_I386] = "unistd_32.h",
    [BZ_ABI_X86_64] = "unistd_64.h",
  };
  guint compared = 0;

  (void) state;
  for (BzAbi abi = 0; abi < BZ_ABI_COUNT; abi++)
    for (gsize i = 0; i < G_N_ELEMENTS (directories); i++)
      {
        g_autofree char *path = g_build_filename (directories[i], files[abi], NULL);
        g_autofree char *text = NULL;

        if (g_file_get_contents (path, &text, NULL, NULL))
          compared += compare_header (abi, text);
      }
  if (compared == 0)
    {
      print_message ("the kernel's headers are not installed (linux-libc-dev)\n");
      skip ();
    }
  assert_true (compared > 600);
}

/* Each stable release has exactly the calls that it had: the last one it knew and the first it
 * lacked. */
static void
test_edges_of_releases (void **state)
{
  static const struct {
    const char *release;
    BzAbi abi;
    const char *last, *first_missing;
  } edges[] = {
    { "2.0.38", BZ_ABI_I386, "mremap", "setresuid" },
    { "2.2.26", BZ_ABI_I386, "vfork", "ugetrlimit" },
    { "2.4.0", BZ_ABI_I386, "fcntl64", "gettid" },
    { "2.4.37", BZ_ABI_I386, "sendfile64", "futex" },
    { "2.6.0", BZ_ABI_I386, "fadvise64_64", "mbind" },
    { "2.6.9", BZ_ABI_I386, "waitid", "add_key" },
    { "2.6.18", BZ_ABI_I386, "move_pages", "getcpu" },
    { "2.6.32", BZ_ABI_I386, "perf_event_open", "recvmmsg" },
    { "2.6.32", BZ_ABI_X86_64, "perf_event_open", "recvmmsg" },
    { "3.2.0", BZ_ABI_X86_64, "process_vm_writev", "kcmp" },
    { "3.10.0", BZ_ABI_X86_64, "finit_module", "sched_setattr" },
    { "4.4.0", BZ_ABI_I386, "mlock2", "copy_file_range" },
    { "4.19.0", BZ_ABI_I386, "rseq", "clock_gettime64" },
    { "4.19.0", BZ_ABI_X86_64, "rseq", "pidfd_send_signal" },
    { "5.10.0", BZ_ABI_X86_64, "process_madvise", "epoll_pwait2" },
    { "6.1.0", BZ_ABI_I386, "set_mempolicy_home_node", "cachestat" },
    { "6.8.0", BZ_ABI_X86_64, "lsm_list_modules", "mseal" },
  };

  (void) state;
  for (gsize i = 0; i < G_N_ELEMENTS (edges); i++)
    {
      g_autofree char *text = g_strdup_printf ("missing=release release=%s", edges[i].release);
      g_autoptr (BzPlan) plan = plan_from_text (text);
      const BzRow *last = bz_table_row_by_name (edges[i].abi, edges[i].last);
      const BzRow *missing = bz_table_row_by_name (edges[i].abi, edges[i].first_missing);

      if (bz_row_action (last, plan, edges[i].abi) != BZ_ACTION_ALLOW)
        fail_msg ("%s lacks %s", edges[i].release, edges[i].last);
      if (bz_row_action (missing, plan, edges[i].abi) != BZ_ACTION_ENOSYS)
        fail_msg ("%s has %s", edges[i].release, edges[i].first_missing);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_complete),
    cmocka_unit_test (test_rows_are_consistent),
    cmocka_unit_test (test_every_call_quirk_traps),
    cmocka_unit_test (test_headers_agree),
    cmocka_unit_test (test_edges_of_releases),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
