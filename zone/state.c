/* Records of installed zones, and the steps that make one appear or vanish.
 *
 * Problem: an install or a removal can be killed at any moment, and two
 * brandzones can work at once. Choice: a zone exists exactly when data/NAME does;
 * rename(2) makes and unmakes it in one step, and whatever has a hidden name
 * and a free lock is rubbish that the next command sweeps away.
 */
#include "config.h"

#include "zone/state.h"

#include "brand/base/error.h"
#include "installer/installer.h"
#include "zone/names.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_FILE "zone.state"
#define RANGES_MAX 340 /* what the kernel takes in a uid_map */

BzZoneState *
bz_zone_state_new (const char *name)
{
  BzZoneState *state = g_new0 (BzZoneState, 1);

  state->name = g_strdup (name);
  state->uids = g_array_new (FALSE, FALSE, sizeof (BzIdRange));
  state->gids = g_array_new (FALSE, FALSE, sizeof (BzIdRange));
  return state;
}

void
bz_zone_state_free (BzZoneState *state)
{
  if (state == NULL)
    return;
  g_free (state->name);
  g_free (state->brand);
  g_free (state->source);
  g_free (state->kind);
  g_array_unref (state->uids);
  g_array_unref (state->gids);
  g_free (state);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

char **
bz_state_list (const BzDirs *dirs, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) cause = NULL;
  g_autoptr (GDir) dir = g_dir_open (dirs->data, 0, &cause);

  if (dir == NULL && !g_error_matches (cause, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    {
      gboolean denied = g_error_matches (cause, G_FILE_ERROR, G_FILE_ERROR_ACCES);
      bz_fail (error, denied ? BZ_ERROR_PERMISSION : BZ_ERROR_FAILED,
               denied ? "Permission denied" : cause->message,
               denied ? "run as root, or leave --system out to see your own zones" : NULL,
               "reading the directory of zones %s", dirs->data);
      return NULL;
    }
  for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
    {
      if (bz_name_valid (name))
        g_ptr_array_add (names, g_strdup (name));
    }
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

static char **
ranges_to_texts (const GArray *ranges)
{
  char **texts = g_new0 (char *, ranges->len + 1);

  for (guint i = 0; i < ranges->len; i++)
    {
      const BzIdRange *range = &g_array_index (ranges, BzIdRange, i);
      texts[i] = g_strdup_printf ("%u:%u:%u", range->inside, range->outside, range->count);
    }
  return texts;
}

/* Fills `ranges`; FALSE if a text is no range, or wraps. */
static gboolean
ranges_from_texts (char **texts, GArray *ranges)
{
  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (texts[i], ":", 3);
      guint64 numbers[3];

      if (i >= RANGES_MAX || g_strv_length (parts) != 3)
        return FALSE;
      for (int n = 0; n < 3; n++)
        {
          if (!g_ascii_string_to_unsigned (parts[n], 10, 0, G_MAXUINT32, &numbers[n], NULL))
            return FALSE;
        }
      if (numbers[2] == 0 || numbers[0] + numbers[2] > G_MAXUINT32
          || numbers[1] + numbers[2] > G_MAXUINT32)
        return FALSE;
      BzIdRange range = { numbers[0], numbers[1], numbers[2] };
      g_array_append_val (ranges, range);
    }
  return TRUE;
}

static const char *const storage_names[] = {
  [BZ_IDS_MOUNT] = "mount", [BZ_IDS_SHIFTED] = "shifted"
};

static void
set_ranges (GKeyFile *keys, const char *key, const GArray *ranges)
{
  g_auto (GStrv) texts = ranges_to_texts (ranges);

  g_key_file_set_string_list (keys, "Ids", key, (const char *const *) texts, ranges->len);
}

static gboolean
write_state (const char *directory, const BzZoneState *state, GError **error)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (GError) cause = NULL;
  g_autofree char *path = g_build_filename (directory, STATE_FILE, NULL);

  g_key_file_set_integer (keys, "Zone", "Format", 1);
  if (state->brand != NULL)
    {
      g_key_file_set_string (keys, "Zone", "Brand", state->brand);
      g_key_file_set_string (keys, "Zone", "Abi", bz_abi_name (state->abi));
    }
  if (state->source != NULL)
    {
      g_autofree char *safe = bz_text_safe (state->source);
      g_key_file_set_string (keys, "Zone", "Source", safe);
    }
  if (state->kind != NULL)
    g_key_file_set_string (keys, "Zone", "Kind", state->kind);
  g_autofree char *when = g_strdup_printf ("%" G_GINT64_FORMAT, state->installed);
  g_key_file_set_string (keys, "Zone", "Installed", when);
  g_key_file_set_uint64 (keys, "Zone", "Files", state->files);
  g_key_file_set_uint64 (keys, "Zone", "Bytes", state->bytes);
  g_key_file_set_string (keys, "Ids", "Storage", storage_names[state->id_storage]);
  set_ranges (keys, "Uids", state->uids);
  set_ranges (keys, "Gids", state->gids);

  gsize length;
  g_autofree char *data = g_key_file_to_data (keys, &length, NULL);
  if (g_file_set_contents_full (path, data, length,
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                &cause))
    return TRUE;
  return bz_fail (error,
                  g_error_matches (cause, G_FILE_ERROR, G_FILE_ERROR_NOSPC) ? BZ_ERROR_SPACE
                                                                            : BZ_ERROR_FAILED,
                  cause->message, NULL, "writing %s", path);
}

static gboolean
fill_state (BzZoneState *state, GKeyFile *keys)
{
  g_autofree char *abi = g_key_file_get_string (keys, "Zone", "Abi", NULL);
  g_autofree char *storage = g_key_file_get_string (keys, "Ids", "Storage", NULL);
  g_auto (GStrv) uids = g_key_file_get_string_list (keys, "Ids", "Uids", NULL, NULL);
  g_auto (GStrv) gids = g_key_file_get_string_list (keys, "Ids", "Gids", NULL, NULL);

  if (g_key_file_get_integer (keys, "Zone", "Format", NULL) != 1 || storage == NULL)
    return FALSE;
  state->brand = g_key_file_get_string (keys, "Zone", "Brand", NULL);
  state->source = g_key_file_get_string (keys, "Zone", "Source", NULL);
  state->kind = g_key_file_get_string (keys, "Zone", "Kind", NULL);
  state->installed = g_key_file_get_int64 (keys, "Zone", "Installed", NULL);
  state->files = g_key_file_get_uint64 (keys, "Zone", "Files", NULL);
  state->bytes = g_key_file_get_uint64 (keys, "Zone", "Bytes", NULL);
  state->id_storage =
      g_str_equal (storage, storage_names[BZ_IDS_MOUNT]) ? BZ_IDS_MOUNT : BZ_IDS_SHIFTED;
  if (abi != NULL && !bz_abi_lookup (abi, &state->abi))
    return FALSE;
  return ranges_from_texts (uids, state->uids) && ranges_from_texts (gids, state->gids);
}

BzZoneState *
bz_state_read (const char *path, const char *name, GError **error)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (BzZoneState) state = bz_zone_state_new (name);
  g_autoptr (GError) cause = NULL;
  g_autofree char *file = g_build_filename (path, STATE_FILE, NULL);

  if (!g_key_file_load_from_file (keys, file, G_KEY_FILE_NONE, &cause))
    {
      bz_fail (error, BZ_ERROR_INPUT, cause->message, "remove the zone and install it again",
               "reading the record of zone %s", name);
      return NULL;
    }
  if (!fill_state (state, keys))
    {
      bz_fail (error, BZ_ERROR_INPUT, "it is damaged or of a newer brandzone",
               "remove the zone and install it again", "the record %s", file);
      return NULL;
    }
  return g_steal_pointer (&state);
}

static gboolean
no_such_zone (const BzDirs *dirs, const char *name, GError **error)
{
  g_auto (GStrv) names = bz_state_list (dirs, NULL);
  const char *nearest = names != NULL ? bz_name_nearest (name, (const char *const *) names) : NULL;
  g_autofree char *hint = NULL;

  if (nearest != NULL)
    hint = g_strdup_printf ("did you mean %s?", nearest);
  else if (names == NULL || names[0] == NULL)
    hint = g_strdup_printf ("install one: brandzone install %s SOURCE", name);
  else
    hint = g_strdup ("`brandzone list` shows the zones that are installed");
  return bz_fail (error, BZ_ERROR_NO_ZONE, "there is no such zone", hint, "zone %s", name);
}

BzZoneState *
bz_state_load (const BzDirs *dirs, const char *name, GError **error)
{
  g_autofree char *path = bz_dirs_zone (dirs, name);
  struct stat st;

  if (!bz_name_check (name, error))
    return NULL;
  if (lstat (path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
    {
      no_such_zone (dirs, name, error);
      return NULL;
    }
  if (access (path, R_OK | X_OK) != 0)
    {
      bz_fail_errno (error, errno, "run as root, or leave --system out to use your own zones",
                     "opening zone %s", name);
      return NULL;
    }
  return bz_state_read (path, name, error);
}

gboolean
bz_state_begin (const BzDirs *dirs, const BzZoneState *state, GError **error)
{
  g_autofree char *path = bz_dirs_hidden (dirs, state->name, "installing");

  if (mkdir (path, 0700) != 0)
    return bz_fail_errno (error, errno, NULL, "making %s", path);
  return write_state (path, state, error);
}

static void
sync_directory (const char *path)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd >= 0)
    {
      fsync (fd);
      close (fd);
    }
}

gboolean
bz_state_commit (const BzDirs *dirs, const BzZoneState *state, GError **error)
{
  g_autofree char *from = bz_dirs_hidden (dirs, state->name, "installing");
  g_autofree char *to = bz_dirs_zone (dirs, state->name);

  if (!write_state (from, state, error))
    return FALSE;
  if (renameat2 (AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) != 0)
    {
      if (errno == EEXIST)
        return bz_fail (error, BZ_ERROR_STATE, "there is a zone of this name already",
                        "remove it first, or choose another name", "zone %s", state->name);
      return bz_fail_errno (error, errno, NULL, "completing zone %s", state->name);
    }
  sync_directory (dirs->data);
  return TRUE;
}

/* Removes a hidden directory with the tree in it, in an order that can be begun again: the record,
 * which has the id maps that the removal needs, goes last. */
static gboolean
remove_hidden (const char *path, const char *name, GError **error)
{
  g_autoptr (BzZoneState) state = bz_state_read (path, name, NULL);
  g_autofree char *tree = g_build_filename (path, "root", NULL);
  g_autofree char *record = g_build_filename (path, STATE_FILE, NULL);
  gboolean mapped = geteuid () != 0 && state != NULL;
  struct stat st;

  if (lstat (path, &st) != 0 && errno == ENOENT)
    return TRUE;
  if (lstat (tree, &st) == 0
      && !bz_installer_remove (tree, mapped ? state->uids : NULL, mapped ? state->gids : NULL,
                               error))
    return FALSE;

  /* What a killed writer of the record left: "zone.state.XXXXXX". */
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  for (const char *entry; dir != NULL && (entry = g_dir_read_name (dir)) != NULL;)
    {
      g_autofree char *file = g_build_filename (path, entry, NULL);
      if (!g_str_equal (file, record))
        g_unlink (file);
    }
  g_unlink (record);
  if (rmdir (path) != 0 && errno != ENOENT)
    return bz_fail_errno (error, errno, NULL, "removing %s", path);
  return TRUE;
}

gboolean
bz_state_discard (const BzDirs *dirs, const char *name, GError **error)
{
  g_autofree char *installing = bz_dirs_hidden (dirs, name, "installing");
  g_autofree char *removing = bz_dirs_hidden (dirs, name, "removing");

  return remove_hidden (installing, name, error) && remove_hidden (removing, name, error);
}

gboolean
bz_state_remove (const BzDirs *dirs, const char *name, GError **error)
{
  g_autofree char *from = bz_dirs_zone (dirs, name);
  g_autofree char *to = bz_dirs_hidden (dirs, name, "removing");

  if (!bz_state_discard (dirs, name, error))
    return FALSE;
  if (rename (from, to) != 0)
    return bz_fail_errno (error, errno, NULL, "removing zone %s", name);
  sync_directory (dirs->data);
  if (!bz_state_discard (dirs, name, error))
    return FALSE;
  bz_state_forget (dirs, name);
  return TRUE;
}

void
bz_state_forget (const BzDirs *dirs, const char *name)
{
  g_autofree char *zone = bz_dirs_zone (dirs, name);
  g_autofree char *lock = bz_dirs_hidden (dirs, name, "lock");

  /* Who waits for this lock notices that its file is gone (lock.c). */
  if (!g_file_test (zone, G_FILE_TEST_EXISTS))
    g_unlink (lock);
}

/* The zone's name in ".NAME.installing" or ".NAME.removing"; NULL for other entries. Owned by the
 * caller. */
static char *
name_of_hidden (const char *entry)
{
  const char *dot = strrchr (entry, '.');

  if (entry[0] != '.' || dot == entry || dot == NULL
      || (!g_str_equal (dot, ".installing") && !g_str_equal (dot, ".removing")))
    return NULL;
  g_autofree char *name = g_strndup (entry + 1, dot - entry - 1);
  return bz_name_valid (name) ? g_steal_pointer (&name) : NULL;
}

guint
bz_state_sweep (const BzDirs *dirs)
{
  g_autoptr (GDir) dir = g_dir_open (dirs->data, 0, NULL);
  guint cleaned = 0;

  for (const char *entry; dir != NULL && (entry = g_dir_read_name (dir)) != NULL;)
    {
      g_autofree char *name = name_of_hidden (entry);
      int lock = name != NULL ? bz_state_lock (dirs, name, 0, NULL) : -1;

      if (lock < 0)
        continue;
      if (bz_state_discard (dirs, name, NULL))
        {
          bz_state_forget (dirs, name);
          cleaned++;
        }
      close (lock);
    }
  return cleaned;
}
