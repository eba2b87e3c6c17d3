/* Media of other times and places: names in other encodings, sizes and times of more than 32 bits,
 * too much of all. */
#include "config.h"

#include "tests/unit/installer-support.h"

#include <string.h>
#include <unistd.h>

#define GERMAN "usr/gr\xfc\xdf"                 /* ISO 8859-1 */
#define JAPANESE "usr/\xc6\xfc\xcb\xdc\xb8\xec" /* EUC-JP */
#define SHIFTED "usr/\x83\x5c\x95\x5c"          /* Shift-JIS: its second bytes are backslashes */

/* libarchive marks all names of a zip as UTF-8; programs of before 2007 marked none. */
static void
clear_utf8_marks (const char *path)
{
  g_autofree char *data = NULL;
  gsize size;

  assert_true (g_file_get_contents (path, &data, &size, NULL));
  for (gsize i = 0; i + 10 < size; i++)
    if (memcmp (data + i, "PK\3\4", 4) == 0)
      data[i + 7] = (char) (data[i + 7] & ~8);
    else if (memcmp (data + i, "PK\1\2", 4) == 0)
      data[i + 9] = (char) (data[i + 9] & ~8);
  write_file (path, data, size);
}

static void
names_stay_their_bytes (void **state)
{
  static const int formats[] = { ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FORMAT_TAR_GNUTAR,
                                 ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FORMAT_CPIO_SVR4_NOCRC,
                                 ARCHIVE_FORMAT_ZIP };
  Fixture *fixture = *state;

  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      char target[64];
      struct archive *archive = archive_begin (fixture, formats[i], ARCHIVE_FILTER_NONE);
      g_autofree char *next = g_strdup_printf ("%s/tree%zu", fixture->directory, i);
      g_autofree char *link = g_build_filename (next, "usr/link", NULL);

      g_free (fixture->target);
      fixture->target = g_steal_pointer (&next);
      put_file (archive, "etc/passwd", "root:x:0:0::/:/bin/sh\n");
      put_file (archive, GERMAN, "german\n");
      put_file (archive, JAPANESE, "japanese\n");
      put_file (archive, SHIFTED, "shifted\n");
      put_symlink (archive, "usr/link", "gr\xfc\xdf");
      archive_end (archive);
      if (formats[i] == ARCHIVE_FORMAT_ZIP)
        clear_utf8_marks (fixture->archive);
      if (!install_with (fixture, (BzInstallOptions){ .list = "list" }))
        fail_msg ("format %d: %s", formats[i], fixture->error->message);
      assert_content (fixture, GERMAN, "german\n");
      assert_content (fixture, JAPANESE, "japanese\n");
      assert_content (fixture, SHIFTED, "shifted\n");
      ssize_t size = readlink (link, target, sizeof target);
      assert_int_equal (size, 4);
      assert_memory_equal (target, "gr\xfc\xdf", 4);

      g_autofree char *path = g_build_filename (fixture->directory, "list", NULL);
      g_autofree char *list = NULL;
      assert_true (g_file_get_contents (path, &list, NULL, NULL));
      assert_non_null (strstr (list, "./usr/\\306\\374\\313\\334\\270\\354 "));
    }
}

/* As lastlog of a user with a high number: nobody reads the zeros. */
static void
sizes_have_64_bits (void **state)
{
  Fixture *fixture = *state;
  const la_int64_t size = G_GINT64_CONSTANT (1) << 36;
  struct archive *archive =
      archive_begin (fixture, ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_GZIP);
  struct archive_entry *entry = entry_new ("var/log/lastlog", S_IFREG | 0644);
  g_autofree char *zeros = g_malloc0 (1 << 20);
  g_autofree char *path = g_build_filename (fixture->directory, "list", NULL);
  g_autofree char *list = NULL;

  put_file (archive, "etc/passwd", "root:x:0:0::/:/bin/sh\n");
  archive_entry_set_size (entry, size);
  archive_entry_sparse_add_entry (entry, 1 << 20, 4);
  assert_int_equal (archive_write_header (archive, entry), ARCHIVE_OK);
  assert_int_equal (archive_write_data (archive, zeros, 1 << 20), 1 << 20);
  assert_int_equal (archive_write_data (archive, "data", 4), 4);
  archive_entry_free (entry);
  archive_end (archive);

  gint64 before = g_get_monotonic_time ();
  assert_true (install_with (fixture, (BzInstallOptions){ .list = "list" }));
  assert_true (g_get_monotonic_time () - before < 20 * G_USEC_PER_SEC);
  assert_int_equal (stat_of (fixture, "var/log/lastlog").st_size, size);
  assert_true (stat_of (fixture, "var/log/lastlog").st_blocks < 1000);
  assert_true (g_file_get_contents (path, &list, NULL, NULL));
  assert_non_null (strstr (list, "size=68719476736"));
}

static void
times_may_be_before_all_clocks (void **state)
{
  static const gint64 times[] = { -1, -86400, -5000000000, 1 - (G_GINT64_CONSTANT (1) << 33) };
  Fixture *fixture = *state;
  struct archive *archive =
      archive_begin (fixture, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_NONE);

  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
    {
      g_autofree char *name = g_strdup_printf ("etc/%zu", i);
      struct archive_entry *entry = entry_new (name, S_IFREG | 0644);
      archive_entry_set_mtime (entry, times[i], 0);
      entry_put (archive, entry, "x", 1);
    }
  archive_end (archive);
  assert_true (install_with (fixture, (BzInstallOptions){ .list = "list" }));
  assert_int_equal (stat_of (fixture, "etc/0").st_mtime, -1);
  assert_int_equal (stat_of (fixture, "etc/1").st_mtime, -86400);
  assert_content (fixture, "etc/3", "x");
}

static void
too_many_files_are_refused (void **state)
{
  Fixture *fixture = *state;
  struct archive *archive = archive_begin (fixture, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_BZIP2);

  for (int i = 0; i < 300; i++)
    {
      g_autofree char *name = g_strdup_printf ("etc/%d", i);
      put_file (archive, name, "");
    }
  archive_end (archive);
  assert_false (install_with (fixture, (BzInstallOptions){ .max_files = 200 }));
  assert_refused (fixture, BZ_ERROR_INPUT, "more than 200 files");
}

/* The same names again, as another kind each time: the last one counts, and the list tells of it
 * once. */
static void
names_that_change_their_kind (void **state)
{
  Fixture *fixture = *state;
  struct archive *archive = archive_begin (fixture, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE);
  g_autofree char *path = g_build_filename (fixture->directory, "list", NULL);
  g_autofree char *list = NULL;

  put_directory (archive, "etc/x", 0755);
  put_file (archive, "etc/x/below", "1");
  put_symlink (archive, "etc/x", "/etc");
  put_file (archive, "etc/x", "2");
  put_hardlink (archive, "etc/y", "etc/x");
  put_directory (archive, "etc/x", 0755);
  put_file (archive, "etc/x", "last");
  archive_end (archive);
  assert_true (install_with (fixture, (BzInstallOptions){ .list = "list" }));
  assert_content (fixture, "etc/x", "last");
  assert_content (fixture, "etc/y", "2");
  assert_true (g_file_get_contents (path, &list, NULL, NULL));
  const char *first = strstr (list, "./etc/x ");
  assert_non_null (first);
  assert_non_null (strstr (first, "type=file"));
  assert_null (strstr (first + 1, "./etc/x "));
  assert_null (strstr (list, "below"));
}

int
main (void)
{
#define TEST(function) cmocka_unit_test_setup_teardown (function, fixture_setup, fixture_teardown)
  const struct CMUnitTest tests[] = {
    TEST (names_stay_their_bytes),         TEST (sizes_have_64_bits),
    TEST (times_may_be_before_all_clocks), TEST (too_many_files_are_refused),
    TEST (names_that_change_their_kind),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
