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
#define BZ_ROW_DONE(row, what)
#include "zone/rows.def"
#undef BZ_KNOWN_ROW
#undef BZ_ROW_DONE
};

static const struct {
  const char *row, *what;
} done[] = {
#define BZ_KNOWN_ROW(row, symptom, cause, remedy)
#define BZ_ROW_DONE(row, what) { row, what },
#include "zone/rows.def"
#undef BZ_KNOWN_ROW
#undef BZ_ROW_DONE
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
  for (guint i = 0; i < G_N_ELEMENTS (done); i++)
    {
      assert_known (done[i].row);
      assert_true (strlen (done[i].what) > 10);
    }
}

/* The text of a file of the sources, of a list that the test names. */
static char *
source_text (const char *name)
{
  const char *directory = g_getenv ("BRANDZONE_SRCDIR");
  g_autofree char *path = g_build_filename (directory != NULL ? directory : ".", name, NULL);
  char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    fail_msg ("%s can't be read", path);
  return text;
}

/* Whether a line of the text holds the row as a word, and what `marks` matches before it. */
static gboolean
is_named (const char *text, const char *row, const char *marks)
{
  g_autofree char *pattern = g_strdup_printf ("%s\\b%s\\b", marks, row);

  return g_regex_match_simple (pattern, text, 0, 0);
}

/* A limit may stand for a run of rows: "E12 to E14". */
static gboolean
is_in_run (const char *text, const char *row)
{
  g_autoptr (GRegex) runs = g_regex_new ("\\b([EOSBP])([0-9]+) to [EOSBP]?([0-9]+)", 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  guint64 number = g_ascii_strtoull (row + 1, NULL, 10);

  for (g_regex_match (runs, text, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL))
    {
      g_autofree char *kind = g_match_info_fetch (match, 1);
      g_autofree char *first = g_match_info_fetch (match, 2);
      g_autofree char *last = g_match_info_fetch (match, 3);

      if (kind[0] == row[0] && number >= g_ascii_strtoull (first, NULL, 10)
          && number <= g_ascii_strtoull (last, NULL, 10))
        return TRUE;
    }
  return FALSE;
}

static void
add_tests (GString *all, const char *kind)
{
  const char *source = g_getenv ("BRANDZONE_SRCDIR");
  g_autofree char *path = g_build_filename (source != NULL ? source : ".", "tests", kind, NULL);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  assert_non_null (directory);
  while ((name = g_dir_read_name (directory)) != NULL)
    if (g_str_has_suffix (name, ".sh"))
      {
        g_autofree char *script = g_build_filename ("tests", kind, name, NULL);
        g_autofree char *text = source_text (script);

        g_string_append (all, text);
      }
}

/* All end-to-end tests as one text; those of other kernels too. */
static char *
tests_text (void)
{
  g_autoptr (GString) all = g_string_new (NULL);

  add_tests (all, "e2e");
  add_tests (all, "hosts");
  return g_string_free (g_steal_pointer (&all), FALSE);
}

static gboolean
is_answered (const char *row)
{
  for (int quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    if (bz_quirk_has_row ((BzQuirk) quirk, row))
      return TRUE;
  return FALSE;
}

/* A row that is answered has a test that shows its symptom under --disable-row. */
static void
test_answered_rows_are_tested (void **state G_GNUC_UNUSED)
{
  g_autofree char *tests = tests_text ();

  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (is_answered (known[i].row)
        && !is_named (tests, known[i].row, "(--disable-row|symptom|without|for row in) [^\n]*"))
      fail_msg ("row %s is answered, and no test disables it", known[i].row);
}

/* Any other stands in doc/limits.md, and both it and `explain` (from which the manual's list is made) say what helps. */
static void
test_other_rows_are_limits (void **state G_GNUC_UNUSED)
{
  g_autofree char *limits = source_text ("doc/limits.md");

  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    {
      if (is_answered (known[i].row))
        continue;
      if (!is_named (limits, known[i].row, "") && !is_in_run (limits, known[i].row))
        fail_msg ("row %s is neither answered nor in doc/limits.md", known[i].row);
      if (known[i].remedy == NULL)
        fail_msg ("row %s is not answered, and nothing is said of what helps", known[i].row);
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
    cmocka_unit_test (test_answered_rows_are_tested),
    cmocka_unit_test (test_other_rows_are_limits),
    cmocka_unit_test (test_catalogue_is_whole),
    cmocka_unit_test (test_trapped_calls_have_arguments),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
