#include "config.h"

#include "brand/base/error.h"
#include "syscall-xlat/slot.h"
#include "tests/unit/cmocka-all.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static void
test_counts_are_shared (void **state G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  int fd = bz_journal_create (&error);
  g_autoptr (BzJournal) writer = bz_journal_map (fd, &error);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  int read_only = open (path, O_RDONLY | O_CLOEXEC);
  g_autoptr (BzJournal) reader = bz_journal_map (read_only, &error);

  assert_non_null (writer);
  assert_non_null (reader);
  assert_true (writer->writable);
  assert_false (reader->writable);
  g_autoptr (GArray) none = bz_journal_counts (reader);
  assert_int_equal (none->len, 0);

  BzCounter *counter = bz_journal_counter (writer, BZ_ABI_I386, 122);
  atomic_store (&counter->count, 7);
  atomic_store (&counter->pretended, 2);
  assert_null (bz_journal_counter (writer, BZ_ABI_I386, -1));
  assert_null (bz_journal_counter (writer, BZ_ABI_I386, BZ_COUNTED_CALLS));

  g_autoptr (GArray) counts = bz_journal_counts (reader);
  assert_int_equal (counts->len, 1);
  const BzCount *count = &g_array_index (counts, BzCount, 0);
  assert_int_equal (count->abi, BZ_ABI_I386);
  assert_int_equal (count->nr, 122);
  assert_int_equal (count->count, 7);
  assert_int_equal (count->pretended, 2);
  assert_int_equal (bz_journal_successions (reader), 0);
  close (read_only);
  close (fd);
}

static void
assert_refused (int fd)
{
  g_autoptr (GError) error = NULL;

  assert_null (bz_journal_map (fd, &error));
  assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_INPUT));
  close (fd);
}

static void
test_strangers_are_refused (void **state G_GNUC_UNUSED)
{
  int empty = memfd_create ("empty", MFD_CLOEXEC);
  int pipes[2];
  int right_size = memfd_create ("size", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  int other = bz_journal_create (NULL);

  assert_int_equal (pipe2 (pipes, O_CLOEXEC), 0);
  assert_int_equal (ftruncate (right_size, sizeof (BzJournalMemory)), 0);
  /* Without a seal it could shrink under us. */
  assert_refused (right_size);
  assert_refused (empty);
  assert_refused (pipes[0]);
  close (pipes[1]);

  guint32 version = 99;
  assert_int_equal (pwrite (other, &version, sizeof version, 8), sizeof version);
  assert_refused (other);
}

static void
test_size_is_sealed (void **state G_GNUC_UNUSED)
{
  int fd = bz_journal_create (NULL);

  assert_int_not_equal (ftruncate (fd, 0), 0);
  assert_int_not_equal (ftruncate (fd, 1 << 20), 0);
  close (fd);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_counts_are_shared),
    cmocka_unit_test (test_strangers_are_refused),
    cmocka_unit_test (test_size_is_sealed),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
