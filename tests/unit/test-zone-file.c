/* Zone files: what is read, what is warned of, what is refused, and on which line. */
#include "config.h"

#include "brand/base/error.h"
#include "tests/unit/cmocka-all.h"
#include "zone/zone-file.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

static BzZoneFile *
parse (const char *text, GError **error)
{
  g_autoptr (BzZoneFile) file = bz_zone_file_new ();

  if (!bz_zone_file_parse (file, text, strlen (text), "z.zone", error))
    return NULL;
  return g_steal_pointer (&file);
}

static void
test_all_keys (void **state G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BzZoneFile) file =
      parse ("# a comment\n[Zone]\nFormat=1\nDescription=An old one\nHostname=attic\n"
             "[Brand]\nName=el6\nRelease=2.6.32-754.el6\nAbi=i386\n"
             "[Storage]\nVolumes=/src:/usr/src:ro; /a:/b ;\n[Network]\nMode=host\n",
             &error);

  assert_null (error);
  assert_string_equal (file->description, "An old one");
  assert_string_equal (file->hostname, "attic");
  assert_string_equal (file->brand, "el6");
  assert_string_equal (file->release, "2.6.32-754.el6");
  assert_true (file->has_abi);
  assert_int_equal (file->abi, BZ_ABI_I386);
  assert_int_equal (g_strv_length (file->volumes), 2);
  assert_string_equal (file->volumes[1], "/a:/b");
  assert_true (file->has_network);
  assert_int_equal (file->network, BZ_NETWORK_HOST);
  assert_int_equal (file->warnings->len, 0);
}

static void
test_nothing_is_said (void **state G_GNUC_UNUSED)
{
  g_autoptr (BzZoneFile) file = parse ("", NULL);

  assert_non_null (file);
  assert_null (file->brand);
  assert_false (file->has_abi);
  assert_int_equal (g_strv_length (file->volumes), 0);
}

static void
test_unknown_key_is_a_warning_with_its_line (void **state G_GNUC_UNUSED)
{
  g_autoptr (BzZoneFile) file =
      parse ("[Zone]\nFormat=1\n\n# Hostnam=no\nHostnam = attic\n[Clock]\nOffset=3\n", NULL);

  assert_non_null (file);
  assert_null (file->hostname);
  assert_int_equal (file->warnings->len, 2);
  assert_string_equal (
      g_ptr_array_index (file->warnings, 0),
      "z.zone:5: unknown key Hostnam in [Zone] is ignored (did you mean Hostname?)");
  assert_string_equal (g_ptr_array_index (file->warnings, 1),
                       "z.zone:6: unknown group [Clock] is ignored");
}

static void
test_bad_values_are_refused_with_their_line (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *text, *place;
  } cases[] = {
    { "[Zone]\nFormat=2\n", "z.zone:2: Format=2" },
    { "[Zone]\nHostname=a b\n", "z.zone:2: Hostname=a b" },
    { "[Zone]\nHostname=-x\n", "z.zone:2" },
    { "[Brand]\n\nName=../../etc/passwd\n", "z.zone:3" },
    { "[Brand]\nRelease=new\n", "z.zone:2" },
    { "[Brand]\nAbi=arm\n", "z.zone:2" },
    { "[Network]\nMode=bridge\n", "z.zone:2" },
    { "[Storage]\nVolumes=relative:/x\n", "z.zone:2" },
    { "[Storage]\nVolumes=/a:/b:rx\n", "z.zone:2" },
    { "[Storage]\nVolumes=/a:/../etc\n", "z.zone:2" },
    { "[Zone]\nDescription=a\\qb\n", "z.zone:2" },
    { "rubbish\n", "z.zone" },
    { "[Zone\n", "z.zone" },
    { "[Zone]\n=x\n", "z.zone" },
    { "\xff\xfe", "z.zone" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BzZoneFile) file = parse (cases[i].text, &error);

      if (file != NULL)
        fail_msg ("taken: %s", cases[i].text);
      assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_INPUT));
      assert_true (g_str_has_prefix (error->message, cases[i].place));
      assert_non_null (bz_error_parts (error)->why);
      assert_non_null (bz_error_parts (error)->hint);
    }
}

static void
test_nul_and_size (void **state G_GNUC_UNUSED)
{
  static const char nul[] = "[Zone]\nDescription=a\0b\n";
  g_autofree char *large = g_strnfill (70000, '#');
  g_autoptr (BzZoneFile) file = bz_zone_file_new ();

  assert_false (bz_zone_file_parse (file, nul, sizeof nul - 1, "z.zone", NULL));
  assert_false (bz_zone_file_parse (file, large, 70000, "z.zone", NULL));
}

static char *
temporary (void)
{
  char *directory = g_dir_make_tmp ("bz-zone-file-XXXXXX", NULL);

  assert_non_null (directory);
  return directory;
}

static void
put (const char *directory, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);

  assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_drop_ins_are_laid_over (void **state G_GNUC_UNUSED)
{
  g_autofree char *directory = temporary ();
  g_autofree char *path = g_build_filename (directory, "z.zone", NULL);
  g_autofree char *drop_ins = g_strconcat (path, ".d", NULL);

  assert_int_equal (g_mkdir (drop_ins, 0700), 0);
  put (directory, "z.zone", "[Zone]\nHostname=first\n[Brand]\nName=el6\n");
  put (drop_ins, "20-b.conf", "[Zone]\nHostname=third\n");
  put (drop_ins, "10-a.conf", "[Zone]\nHostname=second\n[Network]\nMode=host\n");
  put (drop_ins, "30-c.conf~", "[Zone]\nHostname=backup\n");
  put (drop_ins, ".40-d.conf", "[Zone]\nHostname=hidden\n");

  g_autoptr (GError) error = NULL;
  g_autoptr (BzZoneFile) file = bz_zone_file_load (path, &error);
  assert_null (error);
  assert_string_equal (file->hostname, "third");
  assert_string_equal (file->brand, "el6");
  assert_int_equal (file->network, BZ_NETWORK_HOST);

  /* The user's own files stay, and with them the directory. */
  assert_true (bz_zone_file_remove (path, &error));
  assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  assert_true (g_file_test (drop_ins, G_FILE_TEST_IS_DIR));
  g_autofree char *backup = g_build_filename (drop_ins, "30-c.conf~", NULL);
  g_autofree char *hidden = g_build_filename (drop_ins, ".40-d.conf", NULL);
  assert_int_equal (g_unlink (backup), 0);
  assert_int_equal (g_unlink (hidden), 0);
  assert_int_equal (g_rmdir (drop_ins), 0);
  assert_int_equal (g_rmdir (directory), 0);
}

static void
test_files_that_are_none (void **state G_GNUC_UNUSED)
{
  g_autofree char *directory = temporary ();
  g_autofree char *fifo = g_build_filename (directory, "fifo.zone", NULL);
  g_autofree char *absent = g_build_filename (directory, "absent.zone", NULL);
  g_autoptr (GError) error = NULL;

  g_autoptr (BzZoneFile) nothing = bz_zone_file_load (absent, &error);
  assert_non_null (nothing);
  assert_null (error);
  assert_int_equal (mkfifo (fifo, 0600), 0);
  g_autoptr (BzZoneFile) file = bz_zone_file_load (fifo, &error);
  assert_null (file);
  assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_INPUT));
  assert_int_equal (g_unlink (fifo), 0);
  assert_int_equal (g_rmdir (directory), 0);
}

static void
test_create_keeps_what_is_there (void **state G_GNUC_UNUSED)
{
  g_autofree char *directory = temporary ();
  g_autofree char *path = g_build_filename (directory, "z.zone", NULL);

  assert_true (bz_zone_file_create (path, "el6", NULL));
  assert_true (bz_zone_file_create (path, "libc5", NULL));
  g_autoptr (BzZoneFile) file = bz_zone_file_load (path, NULL);
  assert_string_equal (file->brand, "el6");
  assert_int_equal (file->warnings->len, 0);
  assert_true (bz_zone_file_remove (path, NULL));
  assert_true (bz_zone_file_remove (path, NULL));
  assert_int_equal (g_rmdir (directory), 0);
}

static void
test_volumes (void **state G_GNUC_UNUSED)
{
  static const char *const bad[] = { "",     "a",      ":/b",    "/a:",        "/a:b",
                                     "/a:/", "/a:///", "/a:/b:", "/a:/b:ro:x", "/a:/x/../../y" };
  g_autofree char *source = NULL;
  g_autofree char *target = NULL;
  gboolean read_only;

  assert_true (bz_volume_parse ("/srv//x:/mnt/./y/:ro", &source, &target, &read_only, NULL));
  assert_string_equal (source, "/srv/x");
  assert_string_equal (target, "/mnt/y");
  assert_true (read_only);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *from = NULL;
      g_autofree char *to = NULL;

      assert_false (bz_volume_parse (bad[i], &from, &to, &read_only, &error));
      assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_USAGE));
      assert_non_null (bz_error_parts (error)->hint);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_all_keys),
    cmocka_unit_test (test_nothing_is_said),
    cmocka_unit_test (test_unknown_key_is_a_warning_with_its_line),
    cmocka_unit_test (test_bad_values_are_refused_with_their_line),
    cmocka_unit_test (test_nul_and_size),
    cmocka_unit_test (test_drop_ins_are_laid_over),
    cmocka_unit_test (test_files_that_are_none),
    cmocka_unit_test (test_create_keeps_what_is_there),
    cmocka_unit_test (test_volumes),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
