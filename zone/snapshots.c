#include "config.h"

#include "zone/snapshots.h"

#include "brand/base/error.h"
#include "installer/installer.h"
#include "zone/names.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
directory_of (const BzDirs *dirs, const char *zone, const char *snapshot)
{
  return g_build_filename (dirs->data, zone, BZ_SNAPSHOTS, snapshot, NULL);
}

gboolean
bz_snapshot_exists (const BzDirs *dirs, const char *zone, const char *snapshot)
{
  g_autofree char *directory = directory_of (dirs, zone, snapshot);
  g_autofree char *record = g_build_filename (directory, BZ_STATE_FILE, NULL);

  return g_file_test (record, G_FILE_TEST_EXISTS);
}

typedef struct {
  char *name;
  struct timespec made;
} Found;

static int
oldest_first (gconstpointer a, gconstpointer b)
{
  const Found *first = a, *second = b;

  if (first->made.tv_sec != second->made.tv_sec)
    return first->made.tv_sec < second->made.tv_sec ? -1 : 1;
  if (first->made.tv_nsec != second->made.tv_nsec)
    return first->made.tv_nsec < second->made.tv_nsec ? -1 : 1;
  return g_strcmp0 (first->name, second->name);
}

char **
bz_snapshots_list (const BzDirs *dirs, const char *zone)
{
  g_autofree char *place = g_build_filename (dirs->data, zone, BZ_SNAPSHOTS, NULL);
  g_autoptr (GDir) dir = g_dir_open (place, 0, NULL);
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (Found));
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (const char *entry; dir != NULL && (entry = g_dir_read_name (dir)) != NULL;)
    {
      g_autofree char *record = g_build_filename (place, entry, BZ_STATE_FILE, NULL);
      struct stat st;
      if (!bz_name_valid (entry) || stat (record, &st) != 0)
        continue;
      Found one = { g_strdup (entry), st.st_mtim }; /* a record is written once */
      g_array_append_val (found, one);
    }
  g_array_sort (found, oldest_first);
  for (guint i = 0; i < found->len; i++)
    {
      Found *one = &g_array_index (found, Found, i);
      g_strv_builder_add (names, one->name);
      g_free (one->name);
    }
  return g_strv_builder_end (names);
}

BzZoneState *
bz_snapshot_load (const BzDirs *dirs, const char *zone, const char *snapshot, GError **error)
{
  g_auto (GStrv) names = bz_snapshots_list (dirs, zone);
  guint count = g_strv_length (names);

  if (count == 0)
    {
      g_autofree char *hint = g_strdup_printf ("take one: brandzone snapshot %s", zone);
      bz_fail (error, BZ_ERROR_INPUT, "it has no snapshots", hint, "zone %s", zone);
      return NULL;
    }
  if (snapshot == NULL)
    snapshot = names[count - 1];
  if (!g_strv_contains ((const char *const *) names, snapshot))
    {
      g_autofree char *all = g_strjoinv (" ", names);
      g_autofree char *hint = g_strdup_printf ("it has: %s", all);
      g_autofree char *safe = bz_text_safe (snapshot);
      bz_fail (error, BZ_ERROR_INPUT, "there is no such snapshot", hint, "%s of zone %s", safe, zone);
      return NULL;
    }
  g_autofree char *directory = directory_of (dirs, zone, snapshot);
  return bz_state_read (directory, snapshot, error);
}

gboolean
bz_snapshot_write (const BzDirs *dirs, const char *zone, const BzZoneState *state, GError **error)
{
  g_autofree char *place = g_build_filename (dirs->data, zone, BZ_SNAPSHOTS, NULL);
  g_autofree char *directory = directory_of (dirs, zone, state->name);

  if ((mkdir (place, 0700) != 0 && errno != EEXIST)
      || (mkdir (directory, 0700) != 0 && errno != EEXIST))
    return bz_fail_errno (error, errno, NULL, "making %s", directory);
  if (bz_state_write (directory, state, error))
    return TRUE;
  rmdir (directory);
  return FALSE;
}

gboolean
bz_snapshot_remove (const BzDirs *dirs, const char *zone, const char *snapshot, GError **error)
{
  g_autofree char *directory = directory_of (dirs, zone, snapshot);
  g_autofree char *place = g_path_get_dirname (directory);
  g_autofree char *record = g_build_filename (directory, BZ_STATE_FILE, NULL);

  if (unlink (record) != 0 && errno != ENOENT)
    return bz_fail_errno (error, errno, NULL, "removing %s", record);
  if (!bz_installer_remove (directory, NULL, NULL, error))
    return FALSE;
  rmdir (place);
  return TRUE;
}
