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
#include "loader/net/attach.h"
#include "loader/overlay.h"
#include "zone/layers.h"
#include "zone/names.h"
#include "zone/snapshots.h"
#include "zone/zone-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
bz_base_free (BzBase *base)
{
  if (base == NULL)
    return;
  g_free (base->file);
  g_free (base->digest);
  g_free (base->options);
  g_free (base);
}

BzBase *
bz_base_copy (const BzBase *base)
{
  BzBase *copy = g_memdup2 (base, sizeof *base);

  copy->file = g_strdup (base->file);
  copy->digest = g_strdup (base->digest);
  copy->options = g_strdup (base->options);
  return copy;
}

BzZoneState *
bz_zone_state_new (const char *name)
{
  BzZoneState *state = g_new0 (BzZoneState, 1);

  state->name = g_strdup (name);
  state->uids = g_array_new (FALSE, FALSE, sizeof (BzIdRange));
  state->gids = g_array_new (FALSE, FALSE, sizeof (BzIdRange));
  state->layers = g_ptr_array_new_with_free_func (g_free);
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
  g_free (state->upper);
  g_ptr_array_unref (state->layers);
  bz_base_free (state->base);
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
  return bz_state_write (path, state, error);
}

#define OWN_ZONE_FILE "zone-file-is-new"

gboolean
bz_state_own_zone_file (const BzDirs *dirs, const char *name, GError **error)
{
  g_autofree char *directory = bz_dirs_hidden (dirs, name, "installing");
  g_autofree char *mark = g_build_filename (directory, OWN_ZONE_FILE, NULL);
  g_autofree char *file = bz_dirs_zone_file (dirs, name);
  g_autofree char *drop_ins = g_strconcat (file, ".d", NULL);

  if (g_file_test (file, G_FILE_TEST_EXISTS) || g_file_test (drop_ins, G_FILE_TEST_EXISTS))
    return TRUE;
  int fd = open (mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return bz_fail_errno (error, errno, NULL, "making %s", mark);
  close (fd);
  return TRUE;
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

  if (!bz_state_write (from, state, error))
    return FALSE;
  if (renameat2 (AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) != 0)
    {
      if (errno == EEXIST)
        return bz_fail (error, BZ_ERROR_STATE, "there is a zone of this name already",
                        "remove it first, or choose another name", "zone %s", state->name);
      return bz_fail_errno (error, errno, NULL, "completing zone %s", state->name);
    }
  sync_directory (dirs->data);
  g_autofree char *mark = g_build_filename (to, OWN_ZONE_FILE, NULL);
  unlink (mark); /* in a zone that is complete it means nothing */
  return TRUE;
}

/* owner: whose ids the trees have; NULL: the caller's own. */
static gboolean
remove_trees (const char *path, const BzZoneState *owner, GError **error)
{
  static const char *const trees[] = { "root", BZ_OVERLAY_WORK, BZ_SNAPSHOTS };

  for (guint i = 0; i < G_N_ELEMENTS (trees); i++)
    {
      g_autofree char *tree = g_build_filename (path, trees[i], NULL);
      g_autofree char *partial = g_strconcat (tree, ".partial", NULL); /* of a killed installer */
      struct stat st;
      if ((lstat (tree, &st) == 0 || lstat (partial, &st) == 0)
          && !bz_installer_remove (tree, owner != NULL ? owner->uids : NULL,
                                   owner != NULL ? owner->gids : NULL, error))
        return FALSE;
    }
  return TRUE;
}

/* The record, which has the id maps that the removal needs, goes last. */
gboolean
bz_state_remove_hidden (const char *path, const char *name, GError **error)
{
  g_autoptr (GError) unreadable = NULL;
  g_autoptr (BzZoneState) state = bz_state_read (path, name, &unreadable);
  g_autofree char *record = g_build_filename (path, BZ_STATE_FILE, NULL);
  struct stat st;

  if (lstat (path, &st) != 0 && errno == ENOENT)
    return TRUE;
  if (g_error_matches (unreadable, BZ_ERROR, BZ_ERROR_STATE))
    {
      g_propagate_error (error, g_steal_pointer (&unreadable));
      return FALSE;
    }
  if (!remove_trees (path, geteuid () != 0 ? state : NULL, error))
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

/* A zone file goes before what tells that it has to. */
static void
discard_zone_file (const BzDirs *dirs, const char *name, const char *installing)
{
  g_autofree char *mark = g_build_filename (installing, OWN_ZONE_FILE, NULL);
  g_autofree char *zone = bz_dirs_zone (dirs, name);
  g_autofree char *file = bz_dirs_zone_file (dirs, name);

  if (g_file_test (mark, G_FILE_TEST_EXISTS) && !g_file_test (zone, G_FILE_TEST_EXISTS))
    bz_zone_file_remove (file, NULL);
}

gboolean
bz_state_discard (const BzDirs *dirs, const char *name, GError **error)
{
  g_autofree char *installing = bz_dirs_hidden (dirs, name, "installing");
  g_autofree char *removing = bz_dirs_hidden (dirs, name, "removing");

  discard_zone_file (dirs, name, installing);

  return bz_state_remove_hidden (installing, name, error)
         && bz_state_remove_hidden (removing, name, error);
}

/* The zone file may have outlived a removal that was killed. */
static void
finish_removal (const BzDirs *dirs, const char *name)
{
  g_autofree char *zone = bz_dirs_zone (dirs, name);
  g_autofree char *file = bz_dirs_zone_file (dirs, name);

  if (!g_file_test (zone, G_FILE_TEST_EXISTS))
    bz_zone_file_remove (file, NULL);
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
  finish_removal (dirs, name);
  if (!bz_state_discard (dirs, name, error))
    return FALSE;
  bz_layers_collect (dirs);
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

  bz_network_sweep ();
  for (const char *entry; dir != NULL && (entry = g_dir_read_name (dir)) != NULL;)
    {
      g_autofree char *name = name_of_hidden (entry);
      int lock = name != NULL ? bz_state_lock (dirs, name, 0, NULL) : -1;

      if (lock < 0)
        continue;
      g_autofree char *removing = bz_dirs_hidden (dirs, name, "removing");
      gboolean removed = g_file_test (removing, G_FILE_TEST_EXISTS);
      if (removed)
        finish_removal (dirs, name);
      if (bz_state_discard (dirs, name, NULL))
        {
          bz_state_forget (dirs, name);
          cleaned++;
        }
      close (lock);
    }
  bz_layers_collect (dirs);
  return cleaned;
}
