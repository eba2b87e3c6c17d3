/* Names of zones, nearest names, text for terminals, tables, progress, errors. */
#include "config.h"

#include "brand/base/error.h"
#include "tests/unit/cmocka-all.h"
#include "zone/names.h"
#include "zone/output.h"

#include <string.h>

static void
test_valid_names (void **state G_GNUC_UNUSED)
{
  static const char *const good[] = {
    "a", "0", "el6", "centos-6.8", "a_b", "a.lock", "a.installing"
  };
  static const char *const bad[] = { "",  ".",   "..",  ".a",  "-a",       "_a",
                                     "A", "a/b", "a b", "a\n", "\xc3\xa4", "a:b" };
  g_autofree char *longest = g_strnfill (63, 'x');
  g_autofree char *longer = g_strnfill (64, 'x');

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    assert_true (bz_name_valid (good[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_false (bz_name_valid (bad[i]));
  assert_true (bz_name_valid (longest));
  assert_false (bz_name_valid (longer));
  assert_false (bz_name_valid (NULL));
}

static void
test_bad_name_is_explained (void **state G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  assert_false (bz_name_check ("Bad\033Name", &error));
  assert_int_equal (error->code, BZ_ERROR_USAGE);
  assert_non_null (bz_error_parts (error)->hint);
  assert_null (strchr (error->message, '\033'));
}

static void
test_name_from_path (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *path, *name;
  } cases[] = {
    { "/srv/CentOS 6.8/", "centos6.8" }, { "/", "image" }, { "..", "image" }, { "/a/-x", "x" }
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = bz_name_from_path (cases[i].path);
      assert_string_equal (name, cases[i].name);
      assert_true (bz_name_valid (name));
    }
}

static void
test_distance (void **state G_GNUC_UNUSED)
{
  assert_int_equal (bz_name_distance ("run", "run"), 0);
  assert_int_equal (bz_name_distance ("rnu", "run"), 1);
  assert_int_equal (bz_name_distance ("", "abc"), 3);
  assert_int_equal (bz_name_distance ("kitten", "sitting"), 3);
}

static void
test_nearest (void **state G_GNUC_UNUSED)
{
  static const char *const verbs[] = { "install", "run", "remove", "stop", NULL };
  g_autofree char *endless = g_strnfill (100000, 'x');

  assert_string_equal (bz_name_nearest ("instal", verbs), "install");
  assert_string_equal (bz_name_nearest ("rnu", verbs), "run");
  assert_string_equal (bz_name_nearest ("rem", verbs), "remove");
  assert_null (bz_name_nearest ("frobnicate", verbs));
  assert_null (bz_name_nearest ("", verbs));
  assert_null (bz_name_nearest (endless, verbs));
}

static void
test_safe_text (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *text, *safe;
  } cases[] = {
    { "plain \xc3\xa4", "plain \xc3\xa4" },
    { "a\033[31mb\n", "a\\x1b[31mb\\x0a" },
    { "\xff\xfe", "\\xff\\xfe" },
    { "\xe2\x80\xae"
      "exe.txt",
      "\\u{202e}exe.txt" },
    { "\xc2\x9b"
      "2J",
      "\\x9b2J" },
    { "cut\xe2\x80", "cut\\xe2\\x80" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *safe = bz_text_safe (cases[i].text);
      assert_string_equal (safe, cases[i].safe);
    }
}

static void
test_quoted (void **state G_GNUC_UNUSED)
{
  g_autofree char *plain = bz_text_quoted ("a-b.c");
  g_autofree char *spaced = bz_text_quoted ("a b");
  g_autofree char *empty = bz_text_quoted ("");

  assert_string_equal (plain, "a-b.c");
  assert_string_equal (spaced, "'a b'");
  assert_string_equal (empty, "''");
}

static void
test_table_is_aligned_by_width (void **state G_GNUC_UNUSED)
{
  static const char *const headings[] = { "NAME", "SIZE", "X", NULL };
  const char *wide[] = { "\xe6\xbc\xa2\xe5\xad\x97", "7", NULL, NULL };
  const char *escape[] = { "a\033b", "12345", "z", NULL };
  g_autoptr (BzTextTable) table = bz_text_table_new (headings);

  bz_text_table_right (table, 1);
  bz_text_table_add (table, wide);
  bz_text_table_add (table, escape);
  g_autofree char *text = bz_text_table_format (table);
  assert_string_equal (text, "NAME     SIZE  X\n"
                             "\xe6\xbc\xa2\xe5\xad\x97        7  -\n"
                             "a\\x1bb  12345  z\n");
}

static void
test_bytes (void **state G_GNUC_UNUSED)
{
  static const struct {
    guint64 bytes;
    const char *text;
  } cases[] = { { 0, "0 B" },        { 1023, "1023 B" },     { 1024, "1.0 KiB" },
                { 1536, "1.5 KiB" }, { 1048575, "1.0 MiB" }, { G_MAXUINT64, "16.0 EiB" } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = bz_bytes_format (cases[i].bytes);
      assert_string_equal (text, cases[i].text);
    }
}

static void
test_progress_line (void **state G_GNUC_UNUSED)
{
  g_autofree char *known = bz_meter_line ("z", 1048576, 4194304, 7, 2000000);
  g_autofree char *unknown = bz_meter_line ("z", 1048576, 0, 7, 0);
  g_autofree char *more = bz_meter_line ("z", 200, 100, 7, 1);
  g_autofree char *files = bz_meter_line ("z", 0, 0, 1, 1);

  assert_string_equal (known, "z: 1.0 MiB of 4.0 MiB (25%), 512.0 KiB/s, 7 files");
  assert_string_equal (unknown, "z: 1.0 MiB, 0 B/s, 7 files");
  assert_non_null (strstr (more, "(100%)"));
  assert_string_equal (files, "z: 1 file");
}

static void
test_error_text (void **state G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  bz_fail (&error, BZ_ERROR_HOST, "it can't", "mend it", "running %s", "a\nb");
  bz_error_set_row (error, "E9");
  g_autofree char *text = bz_error_format (error, FALSE);
  assert_string_equal (text, "brandzone: running a\\x0ab: it can't (mend it) [E9]\n");
}

static void
test_error_json (void **state G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();

  bz_fail (&error, BZ_ERROR_HOST, "it can't", NULL, "running \"x\"\xff");
  bz_error_set_row (error, "E9");
  g_autofree char *text = bz_error_format (error, TRUE);
  assert_true (json_parser_load_from_data (parser, text, -1, NULL));
  JsonObject *object = json_node_get_object (json_parser_get_root (parser));
  assert_int_equal (json_object_get_int_member (object, "schema"), 1);
  assert_int_equal (json_object_get_int_member (object, "code"), 7);
  assert_string_equal (json_object_get_string_member (object, "error"), "running \"x\"\\xff");
  assert_string_equal (json_object_get_string_member (object, "why"), "it can't");
  assert_string_equal (json_object_get_string_member (object, "row"), "E9");
  assert_string_equal (json_object_get_string_member (object, "hint"),
                       "`brandzone doctor` tells what the host lacks");
}

/* Each kind of error, and each errno, has a word on what to do where its place has none. */
static void
test_errors_say_what_to_do (void **state G_GNUC_UNUSED)
{
  static const BzErrorCode codes[] = {
    BZ_ERROR_FAILED,     BZ_ERROR_USAGE, BZ_ERROR_NO_ZONE, BZ_ERROR_STATE, BZ_ERROR_LOCKED,
    BZ_ERROR_PERMISSION, BZ_ERROR_HOST,  BZ_ERROR_INPUT,   BZ_ERROR_SPACE, BZ_ERROR_NOT_EXECUTABLE,
    BZ_ERROR_NOT_FOUND,  BZ_ERROR_INTERRUPTED,
  };

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    {
      g_autoptr (GError) error = NULL;
      bz_fail (&error, codes[i], "why", NULL, "what");
      assert_true (g_regex_match_simple ("^what: why \\(.{10,}\\)$", error->message, 0, 0));
    }
  for (int number = 1; number < 134; number++)
    {
      g_autoptr (GError) error = NULL;
      bz_fail_errno (&error, number, NULL, "what");
      assert_true (g_regex_match_simple ("^what: .+ \\(.{10,}\\)$", error->message, 0, 0));
    }
}

static void
test_foreign_error (void **state G_GNUC_UNUSED)
{
  g_autoptr (GError) error = g_error_new (G_FILE_ERROR, G_FILE_ERROR_IO, "no luck");
  g_autofree char *text = bz_error_format (error, FALSE);
  g_autofree char *json = bz_error_format (error, TRUE);

  assert_string_equal (text, "brandzone: no luck\n");
  assert_non_null (strstr (json, "\"code\":1"));
}

/* What GLib says of a file holds its own words and the name of a temporary file. */
static void
test_error_of_a_file (void **state G_GNUC_UNUSED)
{
  static const struct {
    int code, status;
    const char *text;
  } cases[] = {
    { G_FILE_ERROR_NOSPC, BZ_ERROR_SPACE, "writing x: No space left on device (make room there)" },
    { G_FILE_ERROR_ROFS, BZ_ERROR_FAILED,
      "writing x: Read-only file system (name a place that can be written to)" },
    { G_FILE_ERROR_ACCES, BZ_ERROR_PERMISSION,
      "writing x: Permission denied (run it as root, or as the user whose files these are)" },
    { G_FILE_ERROR_FAILED, BZ_ERROR_FAILED,
      "writing x: Failed to write file x.Q1 (try it again with -v, and report it if it stays)" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GError) cause
          = g_error_new (G_FILE_ERROR, cases[i].code, "Failed to write file x.Q1");

      assert_false (bz_fail_file (&error, cause, NULL, "writing %s", "x"));
      assert_string_equal (error->message, cases[i].text);
      assert_int_equal (bz_error_exit_status (error), cases[i].status);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_valid_names),    cmocka_unit_test (test_bad_name_is_explained),
    cmocka_unit_test (test_name_from_path), cmocka_unit_test (test_distance),
    cmocka_unit_test (test_nearest),        cmocka_unit_test (test_safe_text),
    cmocka_unit_test (test_quoted),         cmocka_unit_test (test_table_is_aligned_by_width),
    cmocka_unit_test (test_bytes),          cmocka_unit_test (test_progress_line),
    cmocka_unit_test (test_error_text),     cmocka_unit_test (test_error_json),
    cmocka_unit_test (test_errors_say_what_to_do),
    cmocka_unit_test (test_foreign_error),
    cmocka_unit_test (test_error_of_a_file),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
