/* Every row that the program may name is in the catalogue, once. */
#include "config.h"

#include "brand/quirk.h"
#include "syscall-xlat/table.h"
#include "zone/finding.h"
#include "zone/trace-line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
  const char *row, *symptom, *cause, *remedy;
} known[] = {
#define BZ_KNOWN_ROW(row, symptom, cause, remedy) { row, symptom, cause, remedy },
#include "zone/rows.def"
#undef BZ_KNOWN_ROW
};

static void
assert_known (const char *rows)
{
  g_auto (GStrv) words = g_strsplit (rows, " ", -1);

  for (char **word = words; *word != NULL; word++)
    {
      guint times = 0;
      for (guint i = 0; i < G_N_ELEMENTS (known); i++)
        times += strcmp (known[i].row, *word) == 0;
      if (**word != '\0' && times != 1)
        fail_msg ("row %s is %u times in zone/rows.def", *word, times);
    }
}

static void
test_quirks_name_known_rows (void **state G_GNUC_UNUSED)
{
  for (int quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    assert_known (bz_quirk_rows ((BzQuirk) quirk));
}

static void
test_calls_name_known_rows (void **state G_GNUC_UNUSED)
{
  for (int abi = 0; abi < BZ_ABI_COUNT; abi++)
    {
      gsize count;
      const BzRow *rows = bz_table ((BzAbi) abi, &count);

      assert_true (count > 300);
      for (gsize i = 0; i < count; i++)
        assert_known (rows[i].rows);
    }
}

static void
test_findings_name_known_rows (void **state G_GNUC_UNUSED)
{
  for (int finding = 0; finding < BZ_FINDING_COUNT; finding++)
    if (bz_finding_row ((BzFinding) finding) != NULL)
      assert_known (bz_finding_row ((BzFinding) finding));
}

static void
test_rows_say_something (void **state G_GNUC_UNUSED)
{
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    {
      assert_known (known[i].row);
      assert_true (strlen (known[i].symptom) > 10 && strlen (known[i].cause) > 10);
    }
}

/* Every number of the catalogue that was given out. */
static void
test_catalogue_is_whole (void **state G_GNUC_UNUSED)
{
  static const struct {
    char kind;
    guint last;
  } kinds[] = { { 'E', 34 }, { 'O', 12 }, { 'S', 24 }, { 'B', 12 }, { 'P', 11 } };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    for (guint number = 1; number <= kinds[i].last; number++)
      {
        g_autofree char *row = g_strdup_printf ("%c%u", kinds[i].kind, number);
        assert_known (row);
      }
}

static void
test_trapped_calls_have_arguments (void **state G_GNUC_UNUSED)
{
  for (BzAbi abi = 0; abi < BZ_ABI_COUNT; abi++)
    {
      gsize count;
      const BzRow *rows = bz_table (abi, &count);

      for (gsize i = 0; i < count; i++)
        if (rows[i].handler != NULL && strcmp (rows[i].handler_name, "gone") != 0
            && bz_trace_arguments (rows[i].name) == NULL)
          fail_msg ("%s is not in zone/call-arguments.def", rows[i].name);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_quirks_name_known_rows),
    cmocka_unit_test (test_calls_name_known_rows),
    cmocka_unit_test (test_findings_name_known_rows),
    cmocka_unit_test (test_rows_say_something),
    cmocka_unit_test (test_catalogue_is_whole),
    cmocka_unit_test (test_trapped_calls_have_arguments),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
