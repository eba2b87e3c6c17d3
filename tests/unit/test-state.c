/* Records, locks and ids of zones, in a place of state of their own. */
#include "config.h"

#include "brand/base/error.h"
#include "tests/unit/cmocka-all.h"
#include "zone/ids.h"
#include "zone/layers.h"
#include "zone/storage.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  char *place;
  BzDirs *dirs;
} Fixture;

static int
set_up (void **state)
{
  Fixture *fixture = g_new0 (Fixture, 1);

  fixture->place = g_dir_make_tmp ("bz-state-XXXXXX", NULL);
  fixture->dirs = bz_dirs_under (fixture->place);
  assert_true (bz_dirs_make (fixture->dirs->data, NULL));
  assert_true (bz_dirs_make (fixture->dirs->run, NULL));
  *state = fixture;
  return 0;
}

static void
remove_all (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);

  for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);
      remove_all (inner);
    }
  g_remove (path);
}

static int
tear_down (void **state)
{
  Fixture *fixture = *state;

  remove_all (fixture->place);
  bz_dirs_free (fixture->dirs);
  g_free (fixture->place);
  g_free (fixture);
  return 0;
}

static BzZoneState *
example (const char *name)
{
  BzZoneState *zone = bz_zone_state_new (name);
  BzIdRange ids[] = { { 0, 1000, 1 }, { 1, 100000, 65535 } };

  zone->brand = g_strdup ("el6");
  zone->abi = BZ_ABI_I386;
  zone->source = g_strdup ("/srv/with\nnew line \xff.tar");
  zone->kind = g_strdup ("tar archive");
  zone->installed = 1700000000;
  zone->files = 12;
  zone->bytes = G_GUINT64_CONSTANT (5000000000);
  zone->id_storage = BZ_IDS_SHIFTED;
  g_array_append_vals (zone->uids, ids, 2);
  g_array_append_vals (zone->gids, ids, 1);
  return zone;
}

static void
install (const BzDirs *dirs, const char *name)
{
  g_autoptr (BzZoneState) zone = example (name);

  assert_true (bz_state_begin (dirs, zone, NULL));
  assert_true (bz_state_commit (dirs, zone, NULL));
}

static void
assert_zones (const BzDirs *dirs, const char *expected)
{
  g_auto (GStrv) names = bz_state_list (dirs, NULL);
  g_autofree char *joined = g_strjoinv (" ", names);

  assert_string_equal (joined, expected);
}

static void
test_record_is_read_as_written (void **state)
{
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  g_autoptr (GError) error = NULL;

  install (dirs, "one");
  g_autoptr (BzZoneState) zone = bz_state_load (dirs, "one", &error);
  assert_null (error);
  assert_string_equal (zone->brand, "el6");
  assert_int_equal (zone->abi, BZ_ABI_I386);
  assert_string_equal (zone->source, "/srv/with\\x0anew line \\xff.tar");
  assert_true (zone->bytes == G_GUINT64_CONSTANT (5000000000));
  assert_int_equal (zone->installed, 1700000000);
  assert_int_equal (zone->id_storage, BZ_IDS_SHIFTED);
  assert_int_equal (zone->uids->len, 2);
  assert_int_equal (zone->gids->len, 1);
  assert_int_equal (g_array_index (zone->uids, BzIdRange, 1).outside, 100000);
  assert_int_equal (g_array_index (zone->uids, BzIdRange, 1).count, 65535);
}

static void
test_directories_are_private (void **state)
{
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  g_autofree char *path = bz_dirs_zone (dirs, "one");
  struct stat st;

  install (dirs, "one");
  assert_int_equal (stat (path, &st), 0);
  assert_int_equal (st.st_mode & 0777, 0700);
  assert_int_equal (stat (dirs->data, &st), 0);
  assert_int_equal (st.st_mode & 0777, 0700);

  g_autoptr (GError) error = NULL;
  assert_int_equal (chmod (dirs->data, 0777), 0);
  assert_false (bz_dirs_make (dirs->data, &error));
  assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_PERMISSION));
}

static void
test_incomplete_zone_is_not_there (void **state)
{
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  g_autoptr (BzZoneState) zone = example ("half");
  g_autoptr (GError) error = NULL;

  install (dirs, "whole");
  assert_true (bz_state_begin (dirs, zone, NULL));
  assert_zones (dirs, "whole");
  g_autoptr (BzZoneState) found = bz_state_load (dirs, "half", &error);
  assert_null (found);
  assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_NO_ZONE));
}

static void
test_sweep_spares_what_is_worked_on (void **state)
{
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  g_autoptr (BzZoneState) dead = example ("dead");
  g_autoptr (BzZoneState) busy = example ("busy");
  g_autofree char *dead_dir = bz_dirs_hidden (dirs, "dead", "installing");
  g_autofree char *busy_dir = bz_dirs_hidden (dirs, "busy", "installing");
  g_autofree char *half_written = g_build_filename (dead_dir, "zone.state.ABC123", NULL);

  assert_true (bz_state_begin (dirs, dead, NULL));
  assert_true (bz_state_begin (dirs, busy, NULL));
  assert_true (g_file_set_contents (half_written, "x", 1, NULL));
  int lock = bz_state_lock (dirs, "busy", 0, NULL);
  assert_true (lock >= 0);
  assert_int_equal (bz_state_sweep (dirs), 1);
  assert_false (g_file_test (dead_dir, G_FILE_TEST_EXISTS));
  assert_true (g_file_test (busy_dir, G_FILE_TEST_EXISTS));
  close (lock);
  assert_int_equal (bz_state_sweep (dirs), 1);
  assert_false (g_file_test (busy_dir, G_FILE_TEST_EXISTS));
}

static void
test_killed_removal_is_completed (void **state)
{
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  g_autofree char *from = bz_dirs_zone (dirs, "old");
  g_autofree char *to = bz_dirs_hidden (dirs, "old", "removing");

  g_autofree char *file = bz_dirs_zone_file (dirs, "old");

  install (dirs, "old");
  assert_true (bz_dirs_make (dirs->config, NULL));
  assert_true (g_file_set_contents (file, "[Zone]\nFormat=1\n", -1, NULL));
  assert_int_equal (g_rename (from, to), 0);
  assert_zones (dirs, "");
  assert_int_equal (bz_state_sweep (dirs), 1);
  assert_false (g_file_test (to, G_FILE_TEST_EXISTS));
  assert_false (g_file_test (file, G_FILE_TEST_EXISTS));
  install (dirs, "old");
  assert_zones (dirs, "old");
}

static void
test_remove_takes_the_tree (void **state)
{
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  g_autofree char *root = bz_dirs_zone_root (dirs, "old");
  g_autofree char *file = g_build_filename (root, "etc", NULL);

  if (geteuid () != 0)
    {
      print_message ("a plain user's trees are removed in a user namespace (tests/e2e)\n");
      skip ();
    }
  install (dirs, "old");
  assert_int_equal (g_mkdir (root, 0755), 0);
  assert_true (g_file_set_contents (file, "x", 1, NULL));
  int lock = bz_state_lock (dirs, "old", 0, NULL);
  assert_true (bz_state_remove (dirs, "old", NULL));
  close (lock);
  assert_zones (dirs, "");
  g_autoptr (GDir) dir = g_dir_open (dirs->data, 0, NULL);
  assert_null (g_dir_read_name (dir));
}

static void
test_zone_is_not_replaced (void **state)
{
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  g_autoptr (BzZoneState) again = example ("one");
  g_autoptr (GError) error = NULL;

  install (dirs, "one");
  assert_true (bz_state_begin (dirs, again, NULL));
  assert_false (bz_state_commit (dirs, again, &error));
  assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_STATE));
}

/* Names that look like those of the hidden entries. */
static void
test_awkward_names (void **state)
{
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  g_autoptr (BzZoneState) half = example ("a");

  install (dirs, "a.installing");
  install (dirs, "a.lock");
  assert_true (bz_state_begin (dirs, half, NULL));
  int lock = bz_state_lock (dirs, "a", 0, NULL);
  assert_int_equal (bz_state_sweep (dirs), 0);
  close (lock);
  assert_int_equal (bz_state_sweep (dirs), 1);
  assert_zones (dirs, "a.installing a.lock");

  /* The lock of what never was goes, those of zones stay. */
  g_autofree char *gone = bz_dirs_hidden (dirs, "a", "lock");
  assert_false (g_file_test (gone, G_FILE_TEST_EXISTS));
  lock = bz_state_lock (dirs, "a.lock", 0, NULL);
  bz_state_forget (dirs, "a.lock");
  close (lock);
  g_autofree char *kept = bz_dirs_hidden (dirs, "a.lock", "lock");
  assert_true (g_file_test (kept, G_FILE_TEST_EXISTS));
}

static void
test_unknown_zone_gets_a_suggestion (void **state)
{
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  g_autoptr (GError) error = NULL;

  install (dirs, "slackware");
  g_autoptr (BzZoneState) zone = bz_state_load (dirs, "slakware", &error);
  assert_null (zone);
  assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_NO_ZONE));
  assert_string_equal (bz_error_parts (error)->hint, "did you mean slackware?");
  g_clear_error (&error);
  g_autoptr (BzZoneState) escape = bz_state_load (dirs, "../slackware", &error);
  assert_null (escape);
  assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_USAGE));
}

static void
test_damaged_records (void **state)
{
  static const char *const bad[] = {
    "",
    "rubbish",
    "[Zone]\nFormat=1\n",
    "[Zone]\nFormat=0\n[Ids]\nStorage=mount\n",
    "[Zone]\nFormat=1\nAbi=vax\n[Ids]\nStorage=mount\n",
    "[Zone]\nFormat=1\n[Ids]\nStorage=mount\nUids=0:1\n",
    "[Zone]\nFormat=1\n[Ids]\nStorage=mount\nUids=0:4294967295:2\n",
    "[Zone]\nFormat=1\n[Ids]\nStorage=mount\nUids=0:0:0\n",
    "[Zone]\nFormat=1\n[Ids]\nStorage=mount\nGids=-1:0:1\n",
    "[Zone]\nFormat=2\n[Ids]\nStorage=mount\n[Storage]\nUpper=0123456789abcdef\n",
    "[Zone]\nFormat=2\n[Ids]\nStorage=mount\n[Storage]\nUpper=../../../../etc/xx\nLayers=0123456789abcdef;\n",
    "[Zone]\nFormat=2\n[Ids]\nStorage=mount\n[Storage]\nUpper=0123456789abcdef\nLayers=..;\n",
  };
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  g_autofree char *path = bz_dirs_zone (dirs, "one");
  g_autofree char *record = g_build_filename (path, "zone.state", NULL);

  install (dirs, "one");
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      assert_true (g_file_set_contents (record, bad[i], -1, NULL));
      g_autoptr (BzZoneState) zone = bz_state_load (dirs, "one", &error);
      assert_null (zone);
      assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_INPUT));
      assert_non_null (bz_error_parts (error)->hint);
    }
}

static void
test_lock_excludes (void **state)
{
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  g_autoptr (GError) error = NULL;

  int first = bz_state_lock (dirs, "one", 0, &error);
  assert_true (first >= 0);
  assert_true (fcntl (first, F_GETFD) & FD_CLOEXEC);
  assert_int_equal (bz_state_lock (dirs, "one", 20, &error), -1);
  assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_LOCKED));
  assert_int_equal (bz_state_condition (dirs, "one", NULL), BZ_ZONE_BUSY);
  int other = bz_state_lock (dirs, "two", 0, NULL);
  assert_true (other >= 0);
  close (other);
  close (first);
  assert_int_equal (bz_state_condition (dirs, "one", NULL), BZ_ZONE_STOPPED);
}

/* The lock lives in the open file description: it is the last holder's, here a child as the keeper
 * is, and ends with that one even when it is killed. */
static void
test_lock_outlives_its_maker (void **state)
{
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  int lock = bz_state_lock (dirs, "one", 0, NULL);
  pid_t child = fork ();

  if (child == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL); /* a failing test leaves nobody behind */
      for (;;)
        pause ();
    }
  close (lock);
  assert_int_equal (bz_state_lock (dirs, "one", 0, NULL), -1);
  assert_int_equal (kill (child, SIGKILL), 0);
  assert_int_equal (waitpid (child, NULL, 0), child);
  lock = bz_state_lock (dirs, "one", 0, NULL);
  assert_true (lock >= 0);
  close (lock);
}

/* Somebody who opened the file before `remove` unlinked it must not believe that it locks the zone.
 */
static void
test_lock_of_a_file_that_is_gone (void **state)
{
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  g_autofree char *path = bz_dirs_hidden (dirs, "one", "lock");
  int stale = bz_state_lock (dirs, "one", 0, NULL);

  assert_int_equal (g_unlink (path), 0);
  int lock = bz_state_lock (dirs, "one", 0, NULL);
  assert_true (lock >= 0);
  assert_int_equal (bz_state_lock (dirs, "one", 0, NULL), -1);
  close (lock);
  close (stale);
}

static void
add_span (GArray *used, guint64 first, guint64 count)
{
  BzIdSpan span = { first, count };

  g_array_append_val (used, span);
}

static void
test_ids_are_chosen (void **state G_GNUC_UNUSED)
{
  g_autoptr (GArray) used = g_array_new (FALSE, FALSE, sizeof (BzIdSpan));
  guint32 base = 0;

  assert_true (bz_ids_choose (used, &base));
  assert_int_equal (base, 0x80000);
  add_span (used, 0x7fff0, 0x20); /* begins before the range and reaches into it */
  assert_true (bz_ids_choose (used, &base));
  assert_int_equal (base, 0x90000);
  add_span (used, 0x80000 + 65535, 2);
  assert_true (bz_ids_choose (used, &base));
  assert_int_equal (base, 0xa0000);
  add_span (used, 0, 0x80000);
  add_span (used, 0xa0000, 1);
  assert_true (bz_ids_choose (used, &base));
  assert_int_equal (base, 0xb0000);
  add_span (used, 0xb0000, 0x6ff40000);
  assert_true (bz_ids_choose (used, &base));
  assert_int_equal (base, 0x6fff0000);
  add_span (used, 0x6fff0000, 1);
  assert_false (bz_ids_choose (used, &base));
}

static void
test_ids_of_a_namespace (void **state G_GNUC_UNUSED)
{
  assert_true (bz_ids_in_map ("         0          0 4294967295\n", 0x80000));
  assert_true (bz_ids_in_map ("0 1000 1\n1 100000 1000000\n", 0x80000));
  assert_false (bz_ids_in_map ("         0       1000          1\n", 0x80000));
  assert_false (bz_ids_in_map ("0 100000 65536\n", 0x80000));
  assert_false (bz_ids_in_map ("0 0 589823\n", 0x80000)); /* one too few */
  assert_false (bz_ids_in_map ("", 0x80000));
}

static void
test_subordinate_ranges_are_read (void **state G_GNUC_UNUSED)
{
  g_autoptr (GArray) used = g_array_new (FALSE, FALSE, sizeof (BzIdSpan));

  bz_ids_add_subordinate (
      used,
      "ann:100000:65536\n# no\nbob:x:1\nbob:1\n\n1000:524288:131072\n:::\nc:1:0\nd:99999999999:1");
  assert_int_equal (used->len, 2);
  assert_int_equal (g_array_index (used, BzIdSpan, 1).first, 524288);
  assert_int_equal (g_array_index (used, BzIdSpan, 1).count, 131072);
}

static void
test_ids_of_zones_are_not_given_again (void **state)
{
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  guint32 bases[3];
  int claim = -1;

  for (int i = 0; i < 2; i++)
    {
      g_autofree char *name = g_strdup_printf ("z%d", i);
      g_autoptr (BzZoneState) zone = bz_zone_state_new (name);

      assert_true (bz_ids_allocate (dirs, &bases[i], NULL));
      BzIdRange range = { 0, bases[i], BZ_IDS_COUNT };
      g_array_append_val (zone->uids, range);
      g_array_append_val (zone->gids, range);
      assert_true (bz_state_begin (dirs, zone, NULL)); /* one that is not complete counts */
    }
  assert_int_not_equal (bases[0], bases[1]);

  claim = bz_ids_claim (dirs, &bases[2], NULL);
  assert_true (claim >= 0);
  assert_true (bases[2] != bases[0] && bases[2] != bases[1]);
  guint32 next = 0, again = 0;
  assert_true (bz_ids_allocate (dirs, &next, NULL));
  assert_int_not_equal (next, bases[2]);
  close (claim);
  assert_true (bz_ids_allocate (dirs, &again, NULL));
  assert_int_equal (again, bases[2]);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

/* What a newer version wrote is left alone, and its ids stay taken. */
static void
test_newer_records_are_left_alone (void **state)
{
  static const char newer[] = "[Zone]\nFormat=4\nWriter=9.8\nMystery=1\n"
                              "[Ids]\nStorage=stars\nUids=0:524288:65536;\nGids=0:524288:65536;\n";
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  g_autofree char *path = bz_dirs_zone (dirs, "one");
  g_autofree char *record = g_build_filename (path, "zone.state", NULL);
  g_autofree char *installing = bz_dirs_hidden (dirs, "two", "installing");
  g_autofree char *unfinished = g_build_filename (installing, "zone.state", NULL);
  g_autoptr (GError) error = NULL;
  guint32 base;

  install (dirs, "one");
  assert_true (g_file_set_contents (record, newer, -1, NULL));
  g_autoptr (BzZoneState) zone = bz_state_load (dirs, "one", &error);
  assert_null (zone);
  assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_STATE));
  assert_non_null (strstr (error->message, "brandzone 9.8"));
  assert_true (bz_ids_allocate (dirs, &base, NULL));
  assert_true (base >= 524288 + 65536 || base + 65536 <= 524288);

  assert_int_equal (g_mkdir (installing, 0700), 0);
  assert_true (g_file_set_contents (unfinished, newer, -1, NULL));
  assert_int_equal (bz_state_sweep (dirs), 0);
  assert_true (g_file_test (unfinished, G_FILE_TEST_EXISTS));
}

/* Another version of the same format may write keys that this one does not know. */
static void
test_other_keys_are_passed_over (void **state)
{
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  g_autofree char *path = bz_dirs_zone (dirs, "one");
  g_autofree char *record = g_build_filename (path, "zone.state", NULL);
  g_autofree char *text = NULL;

  install (dirs, "one");
  assert_true (g_file_get_contents (record, &text, NULL, NULL));
  assert_non_null (strstr (text, "Writer=" PACKAGE_VERSION "\n"));
  assert_true (g_file_set_contents (
      record, "[Zone]\nFormat=1\nBrand=el6\nMystery=1\n[Ids]\nStorage=mount\n[New]\nA=b\n", -1,
      NULL));
  g_autoptr (BzZoneState) zone = bz_state_load (dirs, "one", NULL);
  assert_non_null (zone);
  assert_string_equal (zone->brand, "el6");
}

/* --- layers --- */

static void
install_tree (const BzDirs *dirs, const char *name)
{
  g_autoptr (BzZoneState) zone = bz_zone_state_new (name); /* with the caller's own ids */
  g_autofree char *root = bz_dirs_zone_root (dirs, name);
  g_autofree char *file = g_build_filename (root, "file", NULL);

  zone->brand = g_strdup ("el6");
  zone->id_storage = BZ_IDS_SHIFTED;
  assert_true (bz_state_begin (dirs, zone, NULL));
  assert_true (bz_state_commit (dirs, zone, NULL));
  assert_int_equal (g_mkdir (root, 0751), 0);
  assert_true (g_file_set_contents (file, name, -1, NULL));
}

static guint
count_layers (const BzDirs *dirs)
{
  g_autofree char *store = bz_layer_directory (dirs, NULL);
  g_autoptr (GDir) dir = g_dir_open (store, 0, NULL);
  guint count = 0;

  while (dir != NULL && g_dir_read_name (dir) != NULL)
    count++;
  return count;
}

static void
advance (const BzDirs *dirs, BzZoneState *zone)
{
  int guard = bz_layers_lock (dirs, NULL);

  assert_true (guard >= 0);
  assert_true (bz_storage_advance (dirs, zone, NULL));
  close (guard);
}

static void
test_layers_are_recorded (void **state)
{
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  struct stat before, after;

  install_tree (dirs, "one");
  g_autofree char *root = bz_dirs_zone_root (dirs, "one");
  assert_int_equal (stat (root, &before), 0);
  g_autoptr (BzZoneState) zone = bz_state_load (dirs, "one", NULL);
  advance (dirs, zone);
  g_autoptr (BzZoneState) read = bz_state_load (dirs, "one", NULL);
  assert_non_null (read->upper);
  assert_string_equal (read->upper, zone->upper);
  assert_int_equal (read->layers->len, 1);
  assert_false (g_file_test (root, G_FILE_TEST_EXISTS));
  g_autofree char *upper = bz_storage_tree (dirs, read);
  assert_int_equal (stat (upper, &after), 0);
  assert_int_equal (after.st_mode, before.st_mode);
  assert_int_equal (after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);

  /* Where nothing was changed there is nothing to keep. */
  advance (dirs, read);
  assert_int_equal (read->layers->len, 1);
  g_autofree char *new = g_build_filename (upper, "new", NULL);
  assert_true (g_file_set_contents (new, "x", 1, NULL));
  advance (dirs, read);
  assert_int_equal (read->layers->len, 2);
  assert_string_equal (g_ptr_array_index (read->layers, 0), zone->upper);

  bz_layers_collect (dirs);
  assert_int_equal (count_layers (dirs), 3);
  assert_true (bz_state_remove (dirs, "one", NULL));
  assert_int_equal (count_layers (dirs), 0);
}

/* Killed after the tree had become a layer, before the record said so. */
static void
test_taken_tree_stays_the_zones (void **state)
{
  const BzDirs *dirs = ((Fixture *) *state)->dirs;
  g_autofree char *text = NULL;

  install_tree (dirs, "one");
  g_autoptr (BzZoneState) zone = bz_state_load (dirs, "one", NULL);
  int guard = bz_layers_lock (dirs, NULL);
  g_autofree char *id = bz_layer_take (dirs, zone, NULL);
  close (guard);
  assert_non_null (id);
  bz_state_sweep (dirs);
  g_autofree char *root = bz_dirs_zone_root (dirs, "one");
  g_autofree char *file = g_build_filename (root, "file", NULL);
  assert_true (g_file_get_contents (file, &text, NULL, NULL));
  assert_string_equal (text, "one");
  advance (dirs, zone);
  assert_string_equal (g_ptr_array_index (zone->layers, 0), id);
  bz_state_sweep (dirs);
  assert_int_equal (count_layers (dirs), 2);
}

/* Nothing is taken for rubbish while a record can't be read. */
static void
test_layers_of_unread_records_stay (void **state)
{
  const BzDirs *dirs = ((Fixture *) *state)->dirs;

  install_tree (dirs, "one");
  install_tree (dirs, "two");
  g_autoptr (BzZoneState) zone = bz_state_load (dirs, "one", NULL);
  advance (dirs, zone);
  g_autofree char *two = bz_dirs_zone (dirs, "two");
  g_autofree char *record = g_build_filename (two, "zone.state", NULL);
  assert_true (g_file_set_contents (record, "[Zone]\nFormat=9\n", -1, NULL));
  assert_true (bz_state_remove (dirs, "one", NULL));
  assert_int_equal (count_layers (dirs), 2);
  assert_int_equal (g_unlink (record), 0);
  bz_layers_collect (dirs);
  assert_int_equal (count_layers (dirs), 0);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    TEST (test_record_is_read_as_written),
    TEST (test_directories_are_private),
    TEST (test_incomplete_zone_is_not_there),
    TEST (test_sweep_spares_what_is_worked_on),
    TEST (test_killed_removal_is_completed),
    TEST (test_remove_takes_the_tree),
    TEST (test_zone_is_not_replaced),
    TEST (test_awkward_names),
    TEST (test_unknown_zone_gets_a_suggestion),
    TEST (test_damaged_records),
    TEST (test_newer_records_are_left_alone),
    TEST (test_other_keys_are_passed_over),
    TEST (test_layers_are_recorded),
    TEST (test_taken_tree_stays_the_zones),
    TEST (test_layers_of_unread_records_stay),
    TEST (test_lock_excludes),
    TEST (test_lock_outlives_its_maker),
    TEST (test_lock_of_a_file_that_is_gone),
    cmocka_unit_test (test_ids_are_chosen),
    cmocka_unit_test (test_ids_of_a_namespace),
    cmocka_unit_test (test_subordinate_ranges_are_read),
    TEST (test_ids_of_zones_are_not_given_again),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
