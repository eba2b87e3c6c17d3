/* Copies of images, and the cache of rewritten ones. */
#include "config.h"

#include "brand/base/error.h"
#include "loader/shadow/cache.h"
#include "loader/shadow/image-copy.h"
#include "tests/unit/made-up-elf.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/cmocka-all.h"

static const guint8 call[] = { 0x48, 0xc7, 0xc0, 0x00, 0x04, 0x60, 0xff, 0xff, 0xd0 };
static const guint8 system_call[] = { 0xb8, 0xc9, 0, 0, 0, 0x0f, 0x05, 0x66, 0x90 };

/* An image like others, but for `number`. */
static GByteArray *
image_number (guint32 number, gsize size)
{
  g_autofree guint8 *text = g_malloc (MAX (size, sizeof call + 1 + sizeof number));
  MadeUpElf spec = { .text = text, .text_size = MAX (size, sizeof call + 1 + sizeof number) };

  memset (text, 0x90, spec.text_size);
  memcpy (text, call, sizeof call);
  text[sizeof call] = 0xc3;
  memcpy (text + sizeof call + 1, &number, sizeof number);
  return made_up_elf (&spec);
}

typedef struct {
  char *dir, *cache_dir, *file;
  BzShadowCache *cache;
  const char *owner;
} Fixture;

static void
reopen (Fixture *fixture, guint64 limit)
{
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&fixture->cache, bz_shadow_cache_close);
  fixture->cache = bz_shadow_cache_open (fixture->cache_dir, limit, fixture->owner, &error);
  if (fixture->cache == NULL)
    fail_msg ("%s", error->message);
}

static int
set_up (void **state)
{
  Fixture *fixture = g_new0 (Fixture, 1);

  fixture->dir = g_dir_make_tmp ("brandzone-test-XXXXXX", NULL);
  fixture->cache_dir = g_build_filename (fixture->dir, "cache", "shadow", NULL);
  fixture->file = g_build_filename (fixture->dir, "file", NULL);
  reopen (fixture, 0);
  *state = fixture;
  return 0;
}

/* Test directories are two levels deep. */
static void
remove_tree (const char *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);

      remove_tree (inner);
    }
  if (dir != NULL)
    g_dir_close (dir);
  g_remove (path);
}

static int
tear_down (void **state)
{
  Fixture *fixture = *state;

  g_clear_pointer (&fixture->cache, bz_shadow_cache_close);
  remove_tree (fixture->dir);
  g_free (fixture->dir);
  g_free (fixture->cache_dir);
  g_free (fixture->file);
  g_free (fixture);
  return 0;
}

static int
copy_of (const Fixture *fixture, const GByteArray *image)
{
  g_autoptr (GError) error = NULL;

  assert_true (g_file_set_contents (fixture->file, (const char *) image->data, image->len, NULL));
  int fd = open (fixture->file, O_RDONLY | O_CLOEXEC),
      copy = bz_image_copy (fd, BZ_REWRITE_MAX_IMAGE, &error);
  if (copy < 0)
    fail_msg ("%s", error->message);
  close (fd);
  return copy;
}

static char *
get (const Fixture *fixture, const GByteArray *image, const char *name)
{
  g_auto (BzRewrite) edits = { 0 };
  g_autoptr (GError) error = NULL;
  char *path;
  int copy = copy_of (fixture, image);

  if (!bz_shadow_cache_get (fixture->cache, copy, name, &path, &edits, &error))
    fail_msg ("%s", error->message);
  close (copy);
  assert_int_equal (edits.n, 1);
  assert_non_null (path);
  return path;
}

static char *
in_cache (const Fixture *fixture, const char *path)
{
  return g_build_filename (fixture->cache_dir, path, NULL);
}

static void
assert_rewritten (const Fixture *fixture, const char *path, const GByteArray *image)
{
  g_autofree char *file = in_cache (fixture, path);
  g_autofree char *data = NULL;
  struct stat st;
  gsize length;

  assert_int_equal (stat (file, &st), 0);
  assert_int_equal (st.st_mode & 07777, 0555);
  assert_true (g_file_get_contents (file, &data, &length, NULL));
  assert_int_equal (length, image->len);
  assert_memory_equal (data, image->data, 0x1000);
  assert_memory_equal (data + 0x1000, system_call, sizeof system_call);
  assert_memory_equal (data + 0x1009, image->data + 0x1009, length - 0x1009);
}

/* --- copies --- */

static void
test_copy_is_sealed (void **state)
{
  g_autoptr (GByteArray) image = image_number (1, 0);
  int copy = copy_of (*state, image);
  guint8 back[sizeof call];

  assert_true (pwrite (copy, "x", 1, 0) < 0);
  assert_true (ftruncate (copy, 0) < 0);
  assert_true (mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, copy, 0) == MAP_FAILED);
  assert_int_equal (pread (copy, back, sizeof back, 0x1000), sizeof back);
  assert_memory_equal (back, call, sizeof call);
  close (copy);
}

static void
test_copy_leaves_position (void **state)
{
  Fixture *fixture = *state;

  assert_true (g_file_set_contents (fixture->file, "0123456789", 10, NULL));
  int fd = open (fixture->file, O_RDONLY | O_CLOEXEC);
  assert_int_equal (lseek (fd, 3, SEEK_SET), 3);
  close (bz_image_copy (fd, 100, NULL));
  assert_int_equal (lseek (fd, 0, SEEK_CUR), 3);
  close (fd);
}

static void
test_terabyte_of_nothing (void **state)
{
  Fixture *fixture = *state;
  g_autoptr (GError) error = NULL;
  gint64 before = g_get_monotonic_time ();
  int fd = open (fixture->file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  struct stat st;

  if (ftruncate (fd, (off_t) 1 << 40) < 0)
    {
      close (fd);
      print_message ("the file system has no files of a terabyte\n");
      skip ();
    }
  assert_int_equal (bz_image_copy (fd, BZ_REWRITE_MAX_IMAGE, &error), -1);
  assert_int_equal (error->code, BZ_ERROR_INPUT);

  /* Half a gigabyte of nothing is within the limit, and costs no memory. */
  g_autoptr (GByteArray) image = image_number (1, 0);
  assert_int_equal (pwrite (fd, image->data, image->len, 0), image->len);
  assert_int_equal (ftruncate (fd, (off_t) 500 << 20), 0);
  int copy = bz_image_copy (fd, BZ_REWRITE_MAX_IMAGE, NULL);
  assert_true (copy >= 0);
  assert_int_equal (fstat (copy, &st), 0);
  assert_int_equal (st.st_size, (off_t) 500 << 20);
  assert_true (bz_image_may_call_vsyscall (copy));
  assert_int_equal (fstat (copy, &st), 0);
  assert_true (st.st_blocks * 512 < 1 << 20);
  close (copy);
  close (fd);
  assert_true (g_get_monotonic_time () - before < 5 * G_USEC_PER_SEC);
}

static void
test_copy_refuses_others (void **state)
{
  Fixture *fixture = *state;
  int ends[2], dir = open (fixture->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  assert_int_equal (pipe2 (ends, O_CLOEXEC), 0);
  assert_int_equal (bz_image_copy (ends[0], 100, NULL), -1);
  assert_int_equal (bz_image_copy (dir, 1 << 20, NULL), -1);
  close (ends[0]);
  close (ends[1]);
  close (dir);
}

/* One process writes while this one copies: every copy is of one moment, or refused. */
static void
test_file_changes_while_read (void **state)
{
  Fixture *fixture = *state;
  g_autofree guint8 *data = g_malloc (8 << 20);
  guint refused = 0;

  memset (data, 'a', 8 << 20);
  assert_true (g_file_set_contents (fixture->file, (char *) data, 8 << 20, NULL));
  int fd = open (fixture->file, O_RDWR | O_CLOEXEC);
  pid_t writer = fork ();
  if (writer == 0)
    for (guint8 letter = 'b';; letter = letter == 'z' ? 'a' : (guint8) (letter + 1))
      {
        memset (data, letter, 8 << 20);
        if (pwrite (fd, data, 8 << 20, 0) != 8 << 20)
          _exit (1);
      }
  for (guint i = 0; i < 200 && refused == 0; i++)
    {
      g_autoptr (GError) error = NULL;
      int copy = bz_image_copy (fd, 16 << 20, &error);

      if (copy < 0)
        {
          assert_int_equal (error->code, BZ_ERROR_STATE);
          refused++;
        }
      else
        close (copy);
    }
  kill (writer, SIGKILL);
  waitpid (writer, NULL, 0);
  close (fd);
  assert_int_equal (refused, 1);
}

static void
test_prefilter (void **state)
{
  g_autoptr (GByteArray) image = image_number (1, 0);
  int copy = copy_of (*state, image);

  assert_true (bz_image_may_call_vsyscall (copy));
  close (copy);
  image->data[0x1000 + 4] = 0x0c; /* not an entry */
  copy = copy_of (*state, image);
  assert_false (bz_image_may_call_vsyscall (copy));
  close (copy);

  /* Across the parts that are read at once. */
  for (guint back = 1; back <= 3; back++)
    {
      g_autoptr (GByteArray) large = image_number (1, 400000);

      memset (large->data + 0x1000, 0x90, sizeof call);
      memcpy (large->data + 256 * 1024 - back, call + 3, 4);
      copy = copy_of (*state, large);
      assert_true (bz_image_may_call_vsyscall (copy));
      close (copy);
    }
  g_autoptr (GByteArray) script = g_byte_array_new ();
  g_byte_array_append (script, call, sizeof call);
  copy = copy_of (*state, script);
  assert_false (bz_image_may_call_vsyscall (copy));
  close (copy);
}

/* --- the cache --- */

static void
test_names (void **state G_GNUC_UNUSED)
{
  static const char *const names[][2] = {
    { "libc-2.12.so", "libc-2.12.so" },
    { "../../etc/passwd", "passwd" },
    { ".edits", "_edits" },
    { "..", "_." },
    { ".copy", "_copy" },
    { "a b\n\033[2J", "a_b___2J" },
    { "", "image" },
    { "x/", "image" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *name = bz_shadow_cache_name (names[i][0]);

      assert_string_equal (name, names[i][1]);
    }
}

static void
test_get (void **state)
{
  Fixture *fixture = *state;
  g_autoptr (GByteArray) image = image_number (1, 0);
  g_autofree char *first = get (fixture, image, "libc-2.12.so");
  g_autofree char *first_file = in_cache (fixture, first);
  struct stat made, found;

  assert_true (g_str_has_suffix (first, "/libc-2.12.so"));
  assert_rewritten (fixture, first, image);
  assert_int_equal (stat (first_file, &made), 0);

  /* Another zone, after a reboot: the same file, found and not made. */
  reopen (fixture, 0);
  g_autofree char *again = get (fixture, image, "libc-2.12.so");
  assert_string_equal (again, first);
  assert_int_equal (stat (first_file, &found), 0);
  assert_int_equal (found.st_ino, made.st_ino);

  /* Another name: one more link to it. */
  g_autofree char *other = get (fixture, image, "../evil\n");
  g_autofree char *other_file = in_cache (fixture, other);
  assert_true (g_str_has_suffix (other, "/evil_"));
  assert_int_equal (stat (other_file, &found), 0);
  assert_int_equal (found.st_ino, made.st_ino);
}

static void
test_nothing_to_do (void **state)
{
  Fixture *fixture = *state;
  g_autoptr (GByteArray) image = image_number (1, 0);
  g_auto (BzRewrite) edits = { 0 };
  char *path;

  image->data[0x1000 + 7] = 0x90; /* the call is gone, its address still there */
  int copy = copy_of (fixture, image);
  assert_true (bz_shadow_cache_get (fixture->cache, copy, "x", &path, &edits, NULL));
  assert_null (path);
  assert_int_equal (edits.n, 0);
  assert_int_equal (edits.n_refused, 1);
  close (copy);

  GDir *dir = g_dir_open (fixture->cache_dir, 0, NULL);
  assert_null (g_dir_read_name (dir));
  g_dir_close (dir);
}

static void
damage (const Fixture *fixture, const char *entry, const char *name, gsize at)
{
  g_autofree char *key = g_path_get_dirname (entry);
  g_autofree char *file = g_build_filename (fixture->cache_dir, key, name, NULL);
  guint8 byte;

  assert_int_equal (chmod (file, 0755), 0);
  int fd = open (file, O_RDWR | O_CLOEXEC);
  assert_int_equal (pread (fd, &byte, 1, (off_t) at), 1);
  byte ^= 0x10;
  assert_int_equal (pwrite (fd, &byte, 1, (off_t) at), 1);
  assert_int_equal (fchmod (fd, 0555), 0);
  close (fd);
}

static void
test_damage_is_mended (void **state)
{
  Fixture *fixture = *state;
  g_autoptr (GByteArray) image = image_number (1, 0);
  g_autofree char *path = get (fixture, image, "libc.so.6");
  g_autofree char *key = g_path_get_dirname (path);
  g_autofree char *facts = g_build_filename (fixture->cache_dir, key, ".edits", NULL);
  g_autofree char *dir = in_cache (fixture, key);
  struct stat st;

  assert_int_equal (stat (facts, &st), 0);
  for (off_t at = 0; at < st.st_size; at += 7)
    {
      damage (fixture, path, ".edits", (gsize) at);
      g_free (get (fixture, image, "libc.so.6"));
    }
  damage (fixture, path, "libc.so.6", 0x1000);
  g_free (get (fixture, image, "libc.so.6"));
  damage (fixture, path, ".copy", image->len - 1);
  g_free (get (fixture, image, "libc.so.6"));
  assert_rewritten (fixture, path, image);

  assert_int_equal (truncate (facts, 0), 0);
  g_free (get (fixture, image, "libc.so.6"));
  assert_int_equal (unlink (facts), 0);
  g_free (get (fixture, image, "libc.so.6"));
  remove_tree (dir);
  assert_true (g_file_set_contents (dir, "no directory", -1, NULL));
  g_free (get (fixture, image, "libc.so.6"));
  assert_rewritten (fixture, path, image);
}

/* Eight processes ask for the same new image at once. */
static void
test_zones_at_once (void **state)
{
  Fixture *fixture = *state;
  g_autoptr (GByteArray) image = image_number (1, 100000);
  int copy = copy_of (fixture, image);

  for (guint i = 0; i < 8; i++)
    {
      pid_t pid = fork ();

      if (pid == 0)
        {
          g_auto (BzRewrite) edits = { 0 };
          g_autofree char *path = NULL;

          _exit (bz_shadow_cache_get (fixture->cache, copy, "libc.so.6", &path, &edits, NULL)
                         && edits.n == 1
                     ? 0
                     : 1);
        }
    }
  for (guint i = 0; i < 8; i++)
    {
      int status;

      assert_true (wait (&status) > 0);
      assert_int_equal (status, 0);
    }
  close (copy);
  g_autofree char *path = get (fixture, image, "libc.so.6");
  assert_rewritten (fixture, path, image);

  GDir *dir = g_dir_open (fixture->cache_dir, 0, NULL);
  assert_non_null (g_dir_read_name (dir));
  assert_null (g_dir_read_name (dir)); /* nothing is left over */
  g_dir_close (dir);
}

static void
make_old (const Fixture *fixture, const char *path, guint seconds)
{
  g_autofree char *key = g_path_get_dirname (path);
  g_autofree char *facts = g_build_filename (fixture->cache_dir, key, ".edits", NULL);
  struct timespec times[2] = { { time (NULL) - seconds, 0 }, { time (NULL) - seconds, 0 } };

  assert_int_equal (utimensat (AT_FDCWD, facts, times, 0), 0);
}

static gboolean
is_there (const Fixture *fixture, const char *path)
{
  g_autofree char *file = in_cache (fixture, path);

  return g_file_test (file, G_FILE_TEST_EXISTS);
}

static void
test_eviction (void **state)
{
  Fixture *fixture = *state;
  g_autoptr (GByteArray) one = image_number (1, 100000);
  g_autoptr (GByteArray) two = image_number (2, 100000);
  g_autoptr (GByteArray) three = image_number (3, 100000);
  g_autofree char *one_path = get (fixture, one, "x");
  g_autofree char *two_path = get (fixture, two, "x");

  make_old (fixture, one_path, 3000);
  make_old (fixture, two_path, 2000);
  reopen (fixture, 250000);
  g_free (get (fixture, one, "x")); /* used again: no longer the oldest */
  g_autofree char *three_path = get (fixture, three, "x");
  assert_true (is_there (fixture, one_path));
  assert_false (is_there (fixture, two_path));
  assert_true (is_there (fixture, three_path));
}

static void
test_full_of_what_is_in_use (void **state)
{
  Fixture *fixture = *state;
  g_autoptr (GByteArray) one = image_number (1, 100000);
  g_autoptr (GByteArray) two = image_number (2, 100000);
  g_auto (BzRewrite) edits = { 0 };
  g_autoptr (GError) error = NULL;
  char *path;

  reopen (fixture, 150000);
  g_autofree char *one_path = get (fixture, one, "x");
  int copy = copy_of (fixture, two);
  assert_false (bz_shadow_cache_get (fixture->cache, copy, "x", &path, &edits, &error));
  assert_int_equal (error->code, BZ_ERROR_SPACE);
  assert_null (path);
  assert_true (is_there (fixture, one_path));
  make_old (fixture, one_path, 61);
  g_autofree char *two_path = get (fixture, two, "x");
  assert_true (is_there (fixture, two_path));
  assert_false (is_there (fixture, one_path));
  close (copy);
}

static guint
count_of (const Fixture *fixture)
{
  GDir *dir = g_dir_open (fixture->cache_dir, 0, NULL);
  guint count = 0;

  while (g_dir_read_name (dir) != NULL)
    count++;
  g_dir_close (dir);
  return count;
}

/* A zone that fills the cache harms nobody but itself. */
static void
test_greedy_owner (void **state)
{
  Fixture *fixture = *state;
  g_autoptr (GByteArray) others = image_number (100, 100000);
  g_autofree char *path = NULL;

  fixture->owner = "/run/brandzone/greedy";
  reopen (fixture, 450000);
  for (guint32 i = 0; i < 6; i++)
    {
      g_autoptr (GByteArray) image = image_number (i, 100000);
      g_free (get (fixture, image, "x"));
    }
  assert_int_equal (count_of (fixture), 4);
  fixture->owner = "/run/brandzone/modest";
  reopen (fixture, 450000);
  path = get (fixture, others, "x");
  fixture->owner = "/run/brandzone/greedy";
  reopen (fixture, 450000);
  for (guint32 i = 10; i < 16; i++)
    {
      g_autoptr (GByteArray) image = image_number (i, 100000);
      g_free (get (fixture, image, "x"));
    }
  assert_true (is_there (fixture, path));
  assert_int_equal (count_of (fixture), 4);
}

/* Small ones take up more than their bytes. */
static void
test_many_small_ones (void **state)
{
  Fixture *fixture = *state;

  fixture->owner = "/run/brandzone/many";
  reopen (fixture, 500000);
  for (guint32 i = 0; i < 12; i++)
    {
      g_autoptr (GByteArray) image = image_number (i, 0);
      g_free (get (fixture, image, "x"));
    }
  assert_in_range (count_of (fixture), 7, 8);
}

static void
test_left_behind (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *dir = in_cache (fixture, ".tmp-0123456789abcdef");
  g_autofree char *file = g_build_filename (dir, ".copy", NULL);
  struct timespec times[2] = { { 1000000000, 0 }, { 1000000000, 0 } };

  assert_int_equal (g_mkdir (dir, 0700), 0);
  assert_true (g_file_set_contents (file, "half", -1, NULL));
  reopen (fixture, 0);
  assert_true (g_file_test (file, G_FILE_TEST_EXISTS)); /* somebody may be at it */
  assert_int_equal (utimensat (AT_FDCWD, dir, times, 0), 0);
  reopen (fixture, 0);
  assert_false (g_file_test (dir, G_FILE_TEST_EXISTS));
}

static void
test_others_may_not_write (void **state)
{
  Fixture *fixture = *state;
  g_autoptr (GError) error = NULL;

  assert_int_equal (chmod (fixture->cache_dir, 0777), 0);
  assert_null (bz_shadow_cache_open (fixture->cache_dir, 0, NULL, &error));
  assert_int_equal (error->code, BZ_ERROR_PERMISSION);
}

static void
test_many_names (void **state)
{
  Fixture *fixture = *state;
  g_autoptr (GByteArray) image = image_number (1, 0);
  g_autofree char *last = NULL;

  for (guint i = 0; i < 80; i++)
    {
      g_autofree char *name = g_strdup_printf ("name-%u", i);

      g_free (last);
      last = get (fixture, image, name);
    }
  assert_true (g_str_has_suffix (last, "/image"));
  assert_rewritten (fixture, last, image);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    TEST (test_copy_is_sealed),
    TEST (test_copy_leaves_position),
    TEST (test_terabyte_of_nothing),
    TEST (test_copy_refuses_others),
    TEST (test_file_changes_while_read),
    TEST (test_prefilter),
    TEST (test_names),
    TEST (test_get),
    TEST (test_nothing_to_do),
    TEST (test_damage_is_mended),
    TEST (test_zones_at_once),
    TEST (test_eviction),
    TEST (test_full_of_what_is_in_use),
    TEST (test_greedy_owner),
    TEST (test_many_small_ones),
    TEST (test_left_behind),
    TEST (test_others_may_not_write),
    TEST (test_many_names),
  };

  return cmocka_run_group_tests_name ("shadow-cache", tests, NULL, NULL);
}
