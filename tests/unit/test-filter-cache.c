/* The cache of compiled filters: hits, damage, strangers' files, many at once. */
#include "config.h"

#include "syscall-xlat/compile.h"
#include "syscall-xlat/filter.h"
#include "tests/unit/plan-text.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PLAN "abi=i386 release=2.2.26 missing=release heap=end-of-bss personality=keep"

typedef struct {
  char *directory;
  BzPlan *plan;
  GBytes *want; /* what compiling gives */
} Fixture;

static int
set_up (void **state)
{
  Fixture *fixture = g_new0 (Fixture, 1);
  gboolean needed;

  fixture->directory = g_dir_make_tmp ("bz-filter-cache-XXXXXX", NULL);
  fixture->plan = plan_from_text (PLAN);
  fixture->want = bz_filter_compile (fixture->plan, &needed, NULL);
  *state = fixture;
  return fixture->directory == NULL || fixture->plan == NULL || fixture->want == NULL;
}

static int
tear_down (void **state)
{
  Fixture *fixture = *state;
  GDir *dir = g_dir_open (fixture->directory, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (fixture->directory, name, NULL);

      if (g_unlink (path) != 0)
        g_rmdir (path);
    }
  if (dir != NULL)
    g_dir_close (dir);
  g_rmdir (fixture->directory);
  g_free (fixture->directory);
  bz_plan_free (fixture->plan);
  g_bytes_unref (fixture->want);
  g_free (fixture);
  return 0;
}

static char *
entry_path (const Fixture *fixture)
{
  g_autofree char *key = bz_compile_key (fixture->plan);
  g_autofree char *name = g_strconcat (key, ".filter", NULL);

  return g_build_filename (fixture->directory, name, NULL);
}

/* Asks the cache, and checks that the right program comes. */
static void
ask (const Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  gboolean needed = FALSE;
  g_autoptr (GBytes) got = bz_filter_cached (fixture->plan, fixture->directory, &needed, &error);

  if (got == NULL)
    fail_msg ("%s", error->message);
  assert_true (needed);
  assert_true (g_bytes_equal (got, fixture->want));
}

static ino_t
inode_of (const char *path)
{
  struct stat status;

  return stat (path, &status) == 0 ? status.st_ino : 0;
}

static void
test_second_time_reads (void **state)
{
  const Fixture *fixture = *state;
  g_autofree char *path = entry_path (fixture);
  ino_t first;

  ask (fixture);
  first = inode_of (path);
  assert_true (first != 0);
  ask (fixture);
  assert_true (inode_of (path) == first);
}

static void
test_another_plan_is_another_entry (void **state)
{
  const Fixture *fixture = *state;
  g_autofree char *key = bz_compile_key (fixture->plan);
  static const char *const others[] = {
    "abi=i386 release=2.2.26 missing=release heap=end-of-bss",
    "abi=x86_64 release=2.2.26 missing=release heap=end-of-bss personality=keep",
    "abi=i386 release=2.4.0 missing=release heap=end-of-bss personality=keep",
    "abi=i386 release=2.2.26 missing=release heap=end-of-bss personality=keep present=futex",
    "abi=i386 release=2.2.26 missing=release heap=end-of-bss personality=keep absent=open",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autoptr (BzPlan) plan = plan_from_text (others[i]);
      g_autofree char *other = bz_compile_key (plan);

      assert_string_not_equal (other, key);
    }
}

/* Every single damaged byte, and every shorter or longer file, is noticed and mended. */
static void
test_damage_is_mended (void **state)
{
  const Fixture *fixture = *state;
  g_autofree char *path = entry_path (fixture);
  g_autofree char *whole = NULL, *again = NULL;
  gsize length, length_again;

  ask (fixture);
  assert_true (g_file_get_contents (path, &whole, &length, NULL));
  for (gsize at = 0; at < length; at += at < 64 ? 1 : 97)
    {
      g_autofree char *damaged = g_memdup2 (whole, length);

      damaged[at] ^= 0x41;
      assert_true (g_file_set_contents (path, damaged, (gssize) length, NULL));
      ask (fixture);
      g_free (again);
      assert_true (g_file_get_contents (path, &again, &length_again, NULL));
      assert_int_equal (length_again, length);
      assert_memory_equal (again, whole, length);
    }
  for (gsize cut = 0; cut < length; cut += length / 5 + 1)
    {
      assert_true (g_file_set_contents (path, whole, (gssize) cut, NULL));
      ask (fixture);
      assert_true (inode_of (path) != 0);
    }
}

/* An entry that is whole but holds another plan's program: the checksum fits, the answers don't. */
static void
test_foreign_program_is_refused (void **state)
{
  const Fixture *fixture = *state;
  g_autoptr (BzPlan) other = plan_from_text ("abi=i386 release=2.4.37 missing=release");
  g_autofree char *path = entry_path (fixture), *key = bz_compile_key (other);
  g_autofree char *name = g_strconcat (key, ".filter", NULL);
  g_autofree char *other_path = g_build_filename (fixture->directory, name, NULL);
  g_autoptr (GBytes) program = NULL;
  gboolean needed;

  program = bz_filter_cached (other, fixture->directory, &needed, NULL);
  assert_non_null (program);
  assert_false (g_bytes_equal (program, fixture->want));
  assert_int_equal (g_rename (other_path, path), 0);
  ask (fixture);
}

static void
test_strange_entries (void **state)
{
  const Fixture *fixture = *state;
  g_autofree char *path = entry_path (fixture);
  g_autofree char *victim = g_build_filename (fixture->directory, "victim", NULL);
  g_autofree char *text = NULL;

  assert_true (g_file_set_contents (victim, "precious", -1, NULL));
  assert_int_equal (symlink (victim, path), 0);
  ask (fixture);
  assert_true (g_file_get_contents (victim, &text, NULL, NULL));
  assert_string_equal (text, "precious");
  assert_false (g_file_test (path, G_FILE_TEST_IS_SYMLINK)); /* replaced, not followed */
  g_unlink (path);
  assert_int_equal (mkfifo (path, 0600), 0);
  ask (fixture);
  g_unlink (path);
  assert_int_equal (g_mkdir (path, 0700), 0);
  ask (fixture); /* cannot be replaced: compiled, not an error */
}

static void
test_no_place_is_no_error (void **state)
{
  const Fixture *fixture = *state;
  g_autoptr (GError) error = NULL;
  g_autofree char *below_a_file = NULL, *file = NULL;
  g_autoptr (GBytes) got = NULL;
  gboolean needed;

  file = g_build_filename (fixture->directory, "file", NULL);
  below_a_file = g_build_filename (file, "cache", NULL);
  assert_true (g_file_set_contents (file, "", 0, NULL));
  got = bz_filter_cached (fixture->plan, below_a_file, &needed, &error);
  assert_non_null (got);
  assert_true (g_bytes_equal (got, fixture->want));
}

/* Readers, writers and a vandal at once: everybody gets the right program, and no scrap is left. */
static void
test_many_at_once (void **state)
{
  const Fixture *fixture = *state;
  g_autofree char *path = entry_path (fixture);
  pid_t child[6];
  GDir *dir;
  guint entries = 0;

  fflush (NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (child); i++)
    {
      child[i] = fork ();
      assert_true (child[i] >= 0);
      if (child[i] > 0)
        continue;
      for (guint round = 0; round < 40; round++)
        {
          g_autoptr (GBytes) got = NULL;
          gboolean needed;

          if (i == 0)
            {
              if (truncate (path, 20) != 0 && round > 30)
                _exit (2);
              continue;
            }
          got = bz_filter_cached (fixture->plan, fixture->directory, &needed, NULL);
          if (got == NULL || !g_bytes_equal (got, fixture->want))
            _exit (1);
        }
      _exit (0);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (child); i++)
    {
      int status;

      assert_int_equal (waitpid (child[i], &status, 0), child[i]);
      if (i > 0)
        assert_int_equal (status, 0);
    }
  ask (fixture);
  dir = g_dir_open (fixture->directory, 0, NULL);
  assert_non_null (dir);
  while (g_dir_read_name (dir) != NULL)
    entries++;
  g_dir_close (dir);
  assert_int_equal (entries, 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown (test, set_up, tear_down)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    CASE (test_second_time_reads), CASE (test_another_plan_is_another_entry),
    CASE (test_damage_is_mended),  CASE (test_foreign_program_is_refused),
    CASE (test_strange_entries),   CASE (test_no_place_is_no_error),
    CASE (test_many_at_once),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
