/* The table of files that a supervisor has looked at, and the journal's list of programs that are starting. */
#include "config.h"

#include "loader/shadow/known.h"
#include "syscall-xlat/starting.h"
#include "tests/unit/cmocka-all.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

/* Tables and what tests look at again are for a process's life. */
static GPtrArray *kept;

static gpointer
keep (gpointer data)
{
  if (kept == NULL)
    kept = g_ptr_array_new ();
  g_ptr_array_add (kept, data);
  return data;
}

static BzKnownFile *
file_new (guint64 inode, gint64 doubtful)
{
  BzKnownFile *file = bz_known_file_new ();

  file->key = (BzFileKey){ .device = 1, .inode = inode, .size = 10, .changed = 5 };
  file->doubtful = doubtful;
  return file;
}

static BzKnownFile *
kept_file (guint64 inode, gint64 doubtful)
{
  return keep (bz_known_file_ref (file_new (inode, doubtful)));
}

static void
first_one_stays (void **state G_GNUC_UNUSED)
{
  BzKnownFiles *files = keep (bz_known_files_new ());
  BzKnownFile *first = kept_file (7, 0);

  assert_null (bz_known_files_find (files, &first->key));
  assert_ptr_equal (bz_known_files_add (files, first), first);
  /* Another thread looked at the same file, later. */
  assert_ptr_equal (bz_known_files_add (files, file_new (7, 0)), first);
  assert_ptr_equal (bz_known_files_find (files, &first->key), first);
}

static void
doubtful_one_is_replaced (void **state G_GNUC_UNUSED)
{
  BzKnownFiles *files = keep (bz_known_files_new ());
  BzKnownFile *doubtful = kept_file (7, 1000), *still = kept_file (7, 2000), *sure = kept_file (7, 0);
  BzFileKey key = doubtful->key;

  assert_ptr_equal (bz_known_files_add (files, doubtful), doubtful);
  assert_ptr_equal (bz_known_files_find (files, &key), doubtful);
  /* A disk that is still full: the time of the next attempt counts from the last one. */
  assert_ptr_equal (bz_known_files_add (files, still), still);
  assert_int_equal (bz_known_files_find (files, &key)->doubtful, 2000);
  assert_ptr_equal (bz_known_files_add (files, sure), sure);
  assert_ptr_equal (bz_known_files_find (files, &key), sure);
  /* What is sure is not lost to a thread that met a full disk meanwhile. */
  assert_ptr_equal (bz_known_files_add (files, file_new (7, 3000)), sure);
  assert_ptr_equal (bz_known_files_find (files, &key), sure);
  /* Who found it before may go on with it. */
  assert_int_equal (doubtful->doubtful, 1000);
}

static void
each_part_of_the_key_counts (void **state G_GNUC_UNUSED)
{
  BzKnownFiles *files = keep (bz_known_files_new ());
  BzFileKey key = bz_known_files_add (files, file_new (7, 0))->key;
  BzFileKey others[] = { key, key, key, key };

  others[0].device++;
  others[1].inode++;
  others[2].size++;
  others[3].changed++;
  assert_non_null (bz_known_files_find (files, &key));
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    assert_null (bz_known_files_find (files, &others[i]));
}

static void
a_full_table_forgets (void **state G_GNUC_UNUSED)
{
  BzKnownFiles *files = keep (bz_known_files_new ());
  BzKnownFile *first = bz_known_files_add (files, file_new (1, 0));

  for (guint64 inode = 2; inode <= 65537; inode++)
    bz_known_file_unref (bz_known_files_add (files, file_new (inode, 0)));
  assert_null (bz_known_files_find (files, &first->key)); /* whose memory is still there */
  assert_int_equal (first->key.inode, 1);
  bz_known_file_unref (first);
  assert_non_null (bz_known_files_find (files, &(BzFileKey){ 1, 65537, 10, 5 }));
}

/* Who compiles all day executes new files all day. */
static void
what_is_forgotten_is_freed (void **state G_GNUC_UNUSED)
{
  BzKnownFiles *files = keep (bz_known_files_new ());

  for (guint64 inode = 1; inode <= 65536; inode++)
    bz_known_file_unref (bz_known_files_add (files, file_new (inode, 0)));
  size_t before = mallinfo2 ().uordblks;
  for (guint64 inode = 65537; inode <= 5 * 65536; inode++)
    bz_known_file_unref (bz_known_files_add (files, file_new (inode, 0)));
  assert_true (mallinfo2 ().uordblks <= before + (1 << 20));
}

static gboolean
is_open (const BzKnownFile *file)
{
  return file->copy >= 0;
}

/* Copies that the cache has evicted take up the disk as long as they are open. */
static void
large_copies_are_closed (void **state G_GNUC_UNUSED)
{
  BzKnownFiles *files = keep (bz_known_files_new ());
  BzKnownFile *all[6];

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      BzKnownFile *file = file_new (i, 0);
      file->key.size = G_GUINT64_CONSTANT (300) << 20;
      file->copy = open ("/dev/null", O_RDONLY | O_CLOEXEC);
      all[i] = bz_known_files_add (files, file);
    }
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      assert_int_equal (is_open (all[i]), i >= 3);
      BzKnownFile *found = bz_known_files_find (files, &all[i]->key);
      assert_int_equal (found != NULL, i >= 3);
      bz_known_file_unref (found);
      bz_known_file_unref (all[i]);
    }
}

static void
starting (void **state G_GNUC_UNUSED)
{
  int fd = bz_journal_create (NULL);
  g_autoptr (BzJournal) journal = bz_journal_map (fd, NULL);
  BzStarting *list = bz_journal_starting (journal);
  guint64 first = bz_starting_add (list, 10), again;

  assert_true (first != 0 && (guint32) first == 10);
  /* A thread that finished late must not remove the entry of the next program of that process. */
  again = bz_starting_add (list, 10);
  assert_true (again != first && (guint32) again == 10);
  assert_false (bz_starting_holds (list, first));
  bz_starting_remove (list, first);
  assert_true (bz_starting_holds (list, again));
  bz_starting_remove (list, again);
  assert_false (bz_starting_holds (list, again));

  for (pid_t process = 1; process <= BZ_STARTING_MAX; process++)
    assert_true (bz_starting_add (list, process) != 0);
  assert_true (bz_starting_add (list, 1000) == 0); /* no place is left, */
  assert_true (bz_starting_add (list, 1) != 0);    /* but for one that is there */
  close (fd);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (first_one_stays),           cmocka_unit_test (doubtful_one_is_replaced),
    cmocka_unit_test (each_part_of_the_key_counts), cmocka_unit_test (a_full_table_forgets),
    cmocka_unit_test (what_is_forgotten_is_freed), cmocka_unit_test (large_copies_are_closed),
    cmocka_unit_test (starting),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
