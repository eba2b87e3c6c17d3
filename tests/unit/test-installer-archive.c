/* Archives: what must arrive, and what must not. */
#include "config.h"

#include "tests/unit/installer-support.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static void
put_userland (struct archive *archive)
{
  put_directory (archive, "./", 0755);
  put_directory (archive, "./etc/", 0755);
  put_file (archive, "./etc/passwd", "root:x:0:0::/:/bin/sh\n");
}

static void
plain_tree_arrives (void **state)
{
  Fixture *fixture = *state;
  struct archive *archive =
      archive_begin (fixture, ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_GZIP);
  struct archive_entry *entry = entry_new ("bin/su", S_IFREG | 04755);

  put_userland (archive);
  archive_entry_set_mtime (entry, -86400, 0);
  entry_put (archive, entry, "x", 1);
  entry = entry_new ("bin/later", S_IFREG | 0640);
  archive_entry_set_mtime (entry, G_GINT64_CONSTANT (1) << 33, 5);
  entry_put (archive, entry, "y", 1);
  put_hardlink (archive, "bin/su2", "./bin/su");
  put_symlink (archive, "sbin", "bin");
  put_file (archive, "usr/share/no/parents/\xe4\xf6 \xc3\xa9\n.txt", "name\n");
  archive_end (archive);
  assert_true (install (fixture));

  assert_string_equal (fixture->result->source.kind, "tar.gz archive");
  assert_content (fixture, "etc/passwd", "root:x:0:0::/:/bin/sh\n");
  assert_content (fixture, "usr/share/no/parents/\xe4\xf6 \xc3\xa9\n.txt", "name\n");
  struct stat su = stat_of (fixture, "bin/su"), su2 = stat_of (fixture, "bin/su2");
  assert_int_equal (su.st_mode, S_IFREG | 04755);
  assert_int_equal (su.st_mtime, -86400);
  assert_int_equal (su.st_ino, su2.st_ino);
  assert_int_equal (stat_of (fixture, "bin/later").st_mtime, G_GINT64_CONSTANT (1) << 33);
  assert_true (S_ISLNK (stat_of (fixture, "sbin").st_mode));
  assert_int_equal (stat_of (fixture, "etc").st_mtime, 1000000000);
  assert_int_equal (stat_of (fixture, "").st_mode & 07777, 0755);
}

static void
owners_devices_and_attributes_arrive (void **state)
{
  Fixture *fixture = *state;
  const guint8 capability[] = { 1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
  guint8 got[64];
  g_autofree char *file = g_build_filename (fixture->target, "bin/ping", NULL);
  struct archive *archive;
  struct archive_entry *entry;

  skip_unless_root ();
  archive = archive_begin (fixture, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_XZ);
  entry = entry_new ("bin/ping", S_IFREG | 0755);
  archive_entry_set_uid (entry, 12);
  archive_entry_set_gid (entry, 34);
  archive_entry_xattr_add_entry (entry, "security.capability", capability, sizeof capability);
  archive_entry_xattr_add_entry (entry, "user.note", "hello", 5);
  archive_entry_xattr_add_entry (entry, "trusted.overlay.redirect", "/etc", 4);
  archive_entry_xattr_add_entry (entry, "user.overlay.redirect", "/etc", 4);
  entry_put (archive, entry, "x", 1);
  entry = entry_new ("dev/null", S_IFCHR | 0666);
  archive_entry_set_rdevmajor (entry, 1);
  archive_entry_set_rdevminor (entry, 3);
  entry_put (archive, entry, NULL, 0);
  entry_put (archive, entry_new ("dev/initctl", S_IFIFO | 0600), NULL, 0);
  archive_end (archive);
  assert_true (install (fixture));

  struct stat st = stat_of (fixture, "bin/ping"), null = stat_of (fixture, "dev/null");
  assert_int_equal (st.st_uid, 12);
  assert_int_equal (st.st_gid, 34);
  assert_int_equal (lgetxattr (file, "security.capability", got, sizeof got), sizeof capability);
  assert_memory_equal (got, capability, sizeof capability);
  assert_int_equal (lgetxattr (file, "user.note", got, sizeof got), 5);
  assert_true (lgetxattr (file, "trusted.overlay.redirect", got, sizeof got) < 0);
  assert_true (lgetxattr (file, "user.overlay.redirect", got, sizeof got) < 0);
  assert_true (has_notice (fixture, "2 extended attributes left out"));
  assert_int_equal (null.st_mode, S_IFCHR | 0666);
  assert_int_equal (null.st_rdev, makedev (1, 3));
  assert_int_equal (stat_of (fixture, "dev/initctl").st_mode, S_IFIFO | 0600);
}

static void
ids_are_shifted_with_their_capabilities (void **state)
{
  Fixture *fixture = *state;
  const guint8 capability[] = { 1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
  const guint8 shifted[] = { 1, 0, 0, 3, 0, 4, 0, 0, 0,    0,    0, 0,
                             0, 0, 0, 0, 0, 0, 0, 0, 0xa0, 0x86, 1, 0 };
  guint8 got[64];
  g_autofree char *file = g_build_filename (fixture->target, "bin/ping", NULL);
  struct archive *archive;
  struct archive_entry *entry;

  skip_unless_root ();
  archive = archive_begin (fixture, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_ZSTD);
  entry = entry_new ("bin/ping", S_IFREG | 0755);
  archive_entry_set_uid (entry, 7);
  archive_entry_xattr_add_entry (entry, "security.capability", capability, sizeof capability);
  entry_put (archive, entry, "x", 1);
  entry = entry_new ("bin/big", S_IFREG | 0755);
  archive_entry_set_uid (entry, 70000);
  entry_put (archive, entry, "x", 1);
  archive_end (archive);
  assert_true (install_with (fixture, (BzInstallOptions){ .id_shift = 100000 }));
  assert_int_equal (stat_of (fixture, "bin/ping").st_uid, 100007);
  assert_int_equal (stat_of (fixture, "bin/ping").st_gid, 100000);
  assert_int_equal (stat_of (fixture, "bin/big").st_uid,
                    165534); /* never into another zone's range */
  assert_int_equal (lgetxattr (file, "security.capability", got, sizeof got), sizeof shifted);
  assert_memory_equal (got, shifted, sizeof shifted);
}

static void
sparse_files_stay_sparse (void **state)
{
  Fixture *fixture = *state;
  const la_int64_t size = G_GINT64_CONSTANT (1) << 30;
  struct archive *archive =
      archive_begin (fixture, ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_NONE);
  struct archive_entry *entry = entry_new ("var/log/lastlog", S_IFREG | 0644);
  const char *page = "data";

  put_userland (archive);
  archive_entry_set_size (entry, size);
  archive_entry_sparse_add_entry (entry, 1 << 20, 4);
  assert_int_equal (archive_write_header (archive, entry), ARCHIVE_OK);
  g_autofree char *zeros = g_malloc0 (1 << 20);
  assert_int_equal (archive_write_data (archive, zeros, 1 << 20), 1 << 20);
  assert_int_equal (archive_write_data (archive, page, 4), 4);
  for (la_int64_t at = (1 << 20) + 4; at < size;)
    {
      gsize piece = (gsize) MIN (size - at, 1 << 20);
      assert_int_equal (archive_write_data (archive, zeros, piece), piece);
      at += (la_int64_t) piece;
    }
  archive_entry_free (entry);
  archive_end (archive);
  assert_true (install (fixture));
  struct stat st = stat_of (fixture, "var/log/lastlog");
  assert_int_equal (st.st_size, size);
  assert_true (st.st_blocks < 4096);
}

static void
last_of_duplicates_wins (void **state)
{
  Fixture *fixture = *state;
  struct archive *archive = archive_begin (fixture, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_BZIP2);

  put_userland (archive);
  put_file (archive, "etc/motd", "first");
  put_file (archive, "etc/motd", "second");
  put_symlink (archive, "etc/link", "motd");
  put_file (archive, "etc/link", "file now");
  put_file (archive, "etc/dir/file", "x");
  put_file (archive, "etc/dir", "file now");
  put_file (archive, "etc/file", "x");
  put_file (archive, "etc/file/below", "directory now");
  archive_end (archive);
  assert_true (install (fixture));
  assert_content (fixture, "etc/motd", "second");
  assert_content (fixture, "etc/link", "file now");
  assert_content (fixture, "etc/dir", "file now");
  assert_content (fixture, "etc/file/below", "directory now");
}

static void
single_directory_is_descended (void **state)
{
  Fixture *fixture = *state;
  struct archive *archive =
      archive_begin (fixture, ARCHIVE_FORMAT_CPIO_SVR4_NOCRC, ARCHIVE_FILTER_GZIP);

  put_directory (archive, "image", 0755);
  put_directory (archive, "image/rootfs", 0750);
  put_file (archive, "image/rootfs/etc/hostname", "deep\n");
  archive_end (archive);
  assert_true (install (fixture));
  assert_string_equal (fixture->result->source.kind, "cpio.gz archive");
  assert_content (fixture, "etc/hostname", "deep\n");
  assert_true (has_notice (fixture, "image/rootfs"));
  assert_int_equal (stat_of (fixture, "").st_mode & 07777, 0750);
}

static void
traversal_is_refused (void **state)
{
  Fixture *fixture = *state;
  struct archive *archive = archive_begin (fixture, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP);

  put_userland (archive);
  put_file (archive, "etc/../../escaped", "x");
  archive_end (archive);
  assert_false (install (fixture));
  assert_refused (fixture, BZ_ERROR_INPUT, "leads out of the tree");
  g_autofree char *escaped = g_build_filename (fixture->directory, "escaped", NULL);
  assert_int_not_equal (access (escaped, F_OK), 0);
}

static void
absolute_names_stay_below (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *outside = g_build_filename (fixture->directory, "etc-outside", NULL);
  struct archive *archive = archive_begin (fixture, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP);

  put_userland (archive);
  put_file (archive, outside, "x");
  archive_end (archive);
  assert_true (install (fixture));
  assert_int_not_equal (access (outside, F_OK), 0);
  assert_content (fixture, outside, "x");
  assert_true (has_notice (fixture, "began with /"));
}

static void
writing_through_a_link_is_refused (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *outside = g_build_filename (fixture->directory, "outside", NULL);
  g_autofree char *file = g_build_filename (outside, "file", NULL);
  const char *targets[] = { outside, "../../outside", "etc" };

  assert_int_equal (mkdir (outside, 0777), 0);
  for (gsize i = 0; i < G_N_ELEMENTS (targets); i++)
    {
      struct archive *archive =
          archive_begin (fixture, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP);

      put_userland (archive);
      put_symlink (archive, "link", targets[i]);
      put_file (archive, "link/file", "x");
      archive_end (archive);
      assert_false (install (fixture));
      assert_refused (fixture, BZ_ERROR_INPUT, "symbolic link");
      assert_int_not_equal (access (file, F_OK), 0);
    }
}

static void
a_link_to_the_host_is_replaced_not_followed (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *outside = g_build_filename (fixture->directory, "outside", NULL);
  g_autofree char *content = NULL;
  struct archive *archive = archive_begin (fixture, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP);

  write_file (outside, "host", 4);
  put_userland (archive);
  put_symlink (archive, "etc/shadow", outside);
  put_file (archive, "etc/shadow", "zone");
  put_symlink (archive, "home", fixture->directory);
  put_directory (archive, "home", 0700);
  archive_end (archive);
  assert_true (install (fixture));
  assert_content (fixture, "etc/shadow", "zone");
  assert_true (g_file_get_contents (outside, &content, NULL, NULL));
  assert_string_equal (content, "host");
  assert_true (S_ISDIR (stat_of (fixture, "home").st_mode));
}

static void
hard_link_out_is_refused (void **state)
{
  Fixture *fixture = *state;
  static const struct {
    const char *target, *why;
  } cases[] = { { "../../../../../../etc/passwd", "leads out" },
                { "/etc/hostname-of-host", "not in the tree" },
                { "up/passwd", "symbolic link" } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      struct archive *archive =
          archive_begin (fixture, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP);

      put_userland (archive);
      put_symlink (archive, "up", "/etc");
      put_hardlink (archive, "etc/stolen", cases[i].target);
      archive_end (archive);
      assert_false (install (fixture));
      assert_refused (fixture, BZ_ERROR_INPUT, cases[i].why);
    }
}

static void
bomb_is_refused (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *data = g_malloc (8 << 20);
  struct archive *archive = archive_begin (fixture, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP);

  memset (data, 'A', 8 << 20);
  put_userland (archive);
  entry_put (archive, entry_new ("bomb", S_IFREG | 0644), data, 8 << 20);
  archive_end (archive);
  assert_false (install_with (fixture, (BzInstallOptions){ .max_size = 4 << 20 }));
  assert_refused (fixture, BZ_ERROR_INPUT, "expands to more than 4.0 MiB");
  assert_true (install_with (fixture, (BzInstallOptions){ .max_size = 9 << 20 }));
}

/* Makes an archive of which the second half is cut off. */
static void
make_truncated (Fixture *fixture)
{
  g_autofree guint8 *data = g_malloc (1 << 20);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  struct archive *archive = archive_begin (fixture, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP);
  struct stat st;

  for (gsize i = 0; i < 1 << 20; i++)
    data[i] = (guint8) g_rand_int (rand);
  put_userland (archive);
  entry_put (archive, entry_new ("bin/whole", S_IFREG | 0755), data, 1 << 20);
  entry_put (archive, entry_new ("bin/cut", S_IFREG | 0755), data, 1 << 20);
  entry_put (archive, entry_new ("bin/missing", S_IFREG | 0755), data, 1 << 20);
  archive_end (archive);
  assert_int_equal (stat (fixture->archive, &st), 0);
  assert_int_equal (truncate (fixture->archive, st.st_size / 2), 0);
}

static void
truncated_is_refused_or_salvaged (void **state)
{
  Fixture *fixture = *state;

  make_truncated (fixture);
  assert_false (install (fixture));
  assert_refused (fixture, BZ_ERROR_INPUT, "--keep-partial");
  assert_non_null (strstr (fixture->error->message, "bin/cut"));
  assert_non_null (bz_error_parts (fixture->error)->hint);

  assert_true (install_with (fixture, (BzInstallOptions){ .keep_partial = TRUE }));
  assert_int_equal (stat_of (fixture, "bin/whole").st_size, 1 << 20);
  assert_content (fixture, "etc/passwd", "root:x:0:0::/:/bin/sh\n");
  assert_absent (fixture, "bin/cut"); /* half a program is worse than none */
  assert_true (has_notice (fixture, "breaks off"));
}

static void
long_paths_and_names (void **state)
{
  Fixture *fixture = *state;
  g_autoptr (GString) path = g_string_new ("etc");
  g_autofree char *name = g_strnfill (255, 'n');
  g_autofree char *too_long = g_strnfill (256, 'n');
  struct archive *archive =
      archive_begin (fixture, ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_GZIP);

  put_userland (archive);
  for (int i = 0; i < 40; i++)
    g_string_append_printf (path, "/%.*s", 200, name);
  put_file (archive, path->str, "far down"); /* twice PATH_MAX */
  put_file (archive, name, "x");
  archive_end (archive);
  assert_true (install (fixture));
  assert_content (fixture, name, "x");
  assert_true (bz_installer_remove (fixture->target, NULL, NULL, NULL));
  assert_nothing_left (fixture);

  archive = archive_begin (fixture, ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_GZIP);
  put_file (archive, too_long, "x");
  archive_end (archive);
  assert_false (install (fixture));
  assert_refused (fixture, BZ_ERROR_INPUT, "longer than 255");
}

static void
tight_directories_are_filled (void **state)
{
  Fixture *fixture = *state;
  struct archive *archive = archive_begin (fixture, ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE);

  put_directory (archive, "etc/", 0755);
  put_directory (archive, "etc/locked/", 0500);
  put_file (archive, "etc/locked/file", "inside");
  put_directory (archive, "etc/none/", 0);
  put_file (archive, "etc/none/file", "inside");
  archive_end (archive);
  assert_true (install (fixture));
  assert_string_equal (fixture->result->source.kind, "zip archive");
  assert_int_equal (stat_of (fixture, "etc/locked").st_mode & 07777, 0500);
  assert_int_equal (stat_of (fixture, "etc/none").st_mode & 07777, 0);
}

static void
other_things_are_named (void **state)
{
  Fixture *fixture = *state;

  write_file (fixture->archive,
              "\x7f"
              "ELF and more",
              13);
  assert_false (install (fixture));
  assert_refused (fixture, BZ_ERROR_INPUT, "an ELF program");
  write_file (fixture->archive, "", 0);
  assert_false (install (fixture));
  assert_refused (fixture, BZ_ERROR_INPUT, "it is empty");
  write_file (fixture->archive, "just some text\n", 15);
  assert_false (install (fixture));
  assert_refused (fixture, BZ_ERROR_INPUT, "not an archive or an image");
}

static void
an_existing_target_is_kept (void **state)
{
  Fixture *fixture = *state;
  struct archive *archive = archive_begin (fixture, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP);

  put_userland (archive);
  archive_end (archive);
  assert_int_equal (mkdir (fixture->target, 0755), 0);
  assert_false (install (fixture));
  assert_true (g_error_matches (fixture->error, BZ_ERROR, BZ_ERROR_STATE));
  assert_int_equal (access (fixture->target, F_OK), 0);
}

int
main (void)
{
#define TEST(function) cmocka_unit_test_setup_teardown (function, fixture_setup, fixture_teardown)
  const struct CMUnitTest tests[] = {
    TEST (plain_tree_arrives),
    TEST (owners_devices_and_attributes_arrive),
    TEST (ids_are_shifted_with_their_capabilities),
    TEST (sparse_files_stay_sparse),
    TEST (last_of_duplicates_wins),
    TEST (single_directory_is_descended),
    TEST (traversal_is_refused),
    TEST (absolute_names_stay_below),
    TEST (writing_through_a_link_is_refused),
    TEST (a_link_to_the_host_is_replaced_not_followed),
    TEST (hard_link_out_is_refused),
    TEST (bomb_is_refused),
    TEST (truncated_is_refused_or_salvaged),
    TEST (long_paths_and_names),
    TEST (tight_directories_are_filled),
    TEST (other_things_are_named),
    TEST (an_existing_target_is_kept),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
