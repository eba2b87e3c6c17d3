#include "config.h"

#include "tests/unit/installer-support.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
fixture_setup (void **state)
{
  Fixture *fixture = g_new0 (Fixture, 1);

  setlocale (LC_CTYPE, "C.UTF-8");
  g_setenv ("BRANDZONE_LIBEXECDIR", BZ_TEST_BUILDDIR, FALSE);
  fixture->directory = g_dir_make_tmp ("brandzone-installer-XXXXXX", NULL);
  assert_non_null (fixture->directory);
  fixture->archive = g_build_filename (fixture->directory, "source", NULL);
  fixture->target = g_build_filename (fixture->directory, "tree", NULL);
  *state = fixture;
  return 0;
}

int
fixture_teardown (void **state)
{
  Fixture *fixture = *state;
  gboolean ok = bz_installer_remove (fixture->directory, NULL, NULL, NULL);

  g_clear_pointer (&fixture->result, bz_install_result_free);
  g_clear_error (&fixture->error);
  g_free (fixture->directory);
  g_free (fixture->archive);
  g_free (fixture->target);
  g_free (fixture);
  return ok ? 0 : -1;
}

struct archive *
archive_begin (Fixture *fixture, int format, int filter)
{
  struct archive *archive = archive_write_new ();

  assert_int_equal (archive_write_set_format (archive, format), ARCHIVE_OK);
  assert_int_equal (archive_write_add_filter (archive, filter), ARCHIVE_OK);
  assert_int_equal (archive_write_open_filename (archive, fixture->archive), ARCHIVE_OK);
  return archive;
}

void
archive_end (struct archive *archive)
{
  assert_int_equal (archive_write_close (archive), ARCHIVE_OK);
  archive_write_free (archive);
}

struct archive_entry *
entry_new (const char *path, mode_t mode)
{
  struct archive_entry *entry = archive_entry_new ();

  archive_entry_set_pathname (entry, path);
  archive_entry_set_mode (entry, mode);
  archive_entry_set_size (entry, 0);
  archive_entry_set_mtime (entry, 1000000000, 0);
  return entry;
}

void
entry_put (struct archive *archive, struct archive_entry *entry, const void *data, gsize size)
{
  if (size > 0)
    archive_entry_set_size (entry, (la_int64_t) size);
  /* A warning: the name is not UTF-8. It is written as it is. */
  assert_true (archive_write_header (archive, entry) >= ARCHIVE_WARN);
  if (size > 0)
    assert_int_equal (archive_write_data (archive, data, size), size);
  archive_entry_free (entry);
}

void
put_file (struct archive *archive, const char *path, const char *text)
{
  entry_put (archive, entry_new (path, S_IFREG | 0644), text, strlen (text));
}

void
put_directory (struct archive *archive, const char *path, mode_t mode)
{
  entry_put (archive, entry_new (path, S_IFDIR | mode), NULL, 0);
}

void
put_symlink (struct archive *archive, const char *path, const char *target)
{
  struct archive_entry *entry = entry_new (path, S_IFLNK | 0777);

  archive_entry_set_symlink (entry, target);
  entry_put (archive, entry, NULL, 0);
}

void
put_hardlink (struct archive *archive, const char *path, const char *target)
{
  struct archive_entry *entry = entry_new (path, S_IFREG | 0644);

  archive_entry_set_hardlink (entry, target);
  entry_put (archive, entry, NULL, 0);
}

gboolean
install_with (Fixture *fixture, BzInstallOptions options)
{
  options.source = options.source == NULL ? fixture->archive : options.source;
  options.target = options.target == NULL ? fixture->target : options.target;
  g_clear_error (&fixture->error);
  g_clear_pointer (&fixture->result, bz_install_result_free);
  fixture->result = bz_installer_run (&options, &fixture->error);
  return fixture->result != NULL;
}

gboolean
install (Fixture *fixture)
{
  gboolean ok = install_with (fixture, (BzInstallOptions){ 0 });

  if (!ok)
    print_message ("%s\n", fixture->error->message);
  return ok;
}

void
assert_nothing_left (Fixture *fixture)
{
  g_autofree char *partial = g_strdup_printf ("%s.partial", fixture->target);

  assert_int_not_equal (access (fixture->target, F_OK), 0);
  assert_int_not_equal (access (partial, F_OK), 0);
}

void
assert_refused (Fixture *fixture, BzErrorCode code, const char *text)
{
  assert_null (fixture->result);
  assert_non_null (fixture->error);
  if (!g_error_matches (fixture->error, BZ_ERROR, (int) code)
      || strstr (fixture->error->message, text) == NULL)
    fail_msg ("wanted %d \"%s\", got %d \"%s\"", (int) code, text, fixture->error->code,
              fixture->error->message);
  assert_nothing_left (fixture);
}

static char *
in_tree (Fixture *fixture, const char *path)
{
  return g_build_filename (fixture->target, path, NULL);
}

void
assert_content (Fixture *fixture, const char *path, const char *text)
{
  g_autofree char *full = in_tree (fixture, path);
  g_autofree char *content = NULL;

  if (!g_file_get_contents (full, &content, NULL, NULL))
    fail_msg ("%s is missing", path);
  assert_string_equal (content, text);
}

void
assert_absent (Fixture *fixture, const char *path)
{
  g_autofree char *full = in_tree (fixture, path);
  struct stat st;

  assert_int_not_equal (lstat (full, &st), 0);
}

gboolean
has_notice (Fixture *fixture, const char *text)
{
  for (guint i = 0; fixture->result->notices[i] != NULL; i++)
    if (strstr (fixture->result->notices[i], text) != NULL)
      return TRUE;
  for (guint i = 0; fixture->result->notices[i] != NULL; i++)
    print_message ("notice: %s\n", fixture->result->notices[i]);
  return FALSE;
}

struct stat
stat_of (Fixture *fixture, const char *path)
{
  g_autofree char *full = in_tree (fixture, path);
  struct stat st;

  if (lstat (full, &st) != 0)
    fail_msg ("%s is missing", path);
  return st;
}

void
write_file (const char *path, const void *data, gsize size)
{
  assert_true (g_file_set_contents (path, data, (gssize) size, NULL));
}

void
run_or_skip (const char *const *argv)
{
  g_autofree char *output = NULL, *complaint = NULL;
  g_autoptr (GError) error = NULL;
  int status = 0;

  if (!g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output,
                     &complaint, &status, &error))
    {
      print_message ("SKIP: %s is not installed\n", argv[0]);
      skip ();
    }
  if (status != 0)
    fail_msg ("%s: %s", argv[0], complaint);
}

void
skip_unless_root (void)
{
  if (geteuid () != 0)
    {
      print_message ("SKIP: needs root\n");
      skip ();
    }
}
