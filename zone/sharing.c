#include "config.h"

#include "zone/sharing.h"

#include "zone/layers.h"
#include "zone/snapshots.h"
#include "zone/storage.h"
#include "zone/tree-look.h"

#include <unistd.h>

static void
add_record (GHashTable *layers, const BzZoneState *state)
{
  if (state->upper != NULL)
    g_hash_table_add (layers, g_strdup (state->upper));
  for (guint i = 0; i < state->layers->len; i++)
    g_hash_table_add (layers, g_strdup (g_ptr_array_index (state->layers, i)));
}

/* Of the zone and of its snapshots. */
static GHashTable *
layers_of (const BzDirs *dirs, const BzZoneState *state)
{
  GHashTable *layers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) snapshots = bz_snapshots_list (dirs, state->name);

  add_record (layers, state);
  for (char **one = snapshots; *one != NULL; one++)
    {
      g_autoptr (BzZoneState) record = bz_snapshot_load (dirs, state->name, *one, NULL);
      if (record != NULL)
        add_record (layers, record);
    }
  return layers;
}

/* Moves to `shared` what another zone has, too. Whether there was any. */
static gboolean
take_common (GHashTable *mine, GHashTable *theirs, GHashTable *shared)
{
  GHashTableIter iter;
  gpointer id;
  gboolean any = FALSE;

  g_hash_table_iter_init (&iter, mine);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    if (g_hash_table_contains (theirs, id))
      {
        g_hash_table_add (shared, g_strdup (id));
        any = TRUE;
      }
  return any;
}

static gboolean
add_tree (const char *tree, const BzZoneState *state, guint64 *bytes, GError **error)
{
  gboolean user = geteuid () != 0;
  BzTreeLook look;

  if (!bz_tree_look (tree, user ? state->uids : NULL, user ? state->gids : NULL, &look, error))
    return FALSE;
  *bytes += look.bytes;
  return TRUE;
}

static gboolean
measure_all (const BzDirs *dirs, const BzZoneState *state, GHashTable *mine, GHashTable *shared,
             BzSharing *sharing, GError **error)
{
  g_autofree char *root = bz_dirs_zone_root (dirs, state->name);
  GHashTableIter iter;
  gpointer id;

  if (state->upper == NULL && !add_tree (root, state, &sharing->own, error))
    return FALSE;
  g_hash_table_iter_init (&iter, mine);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    {
      g_autofree char *tree = bz_layer_tree (dirs, id);
      gboolean common = g_hash_table_contains (shared, id);
      if (!add_tree (tree, state, common ? &sharing->shared : &sharing->own, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
bz_sharing_look (const BzDirs *dirs, const BzZoneState *state, gboolean measure,
                 BzSharing *sharing, GError **error)
{
  g_autoptr (GHashTable) mine = layers_of (dirs, state);
  g_autoptr (GHashTable) shared = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GStrvBuilder) zones = g_strv_builder_new ();
  g_auto (GStrv) names = g_hash_table_size (mine) > 0 ? bz_state_list (dirs, NULL) : NULL;

  *sharing = (BzSharing){ 0 };
  for (char **name = names; name != NULL && *name != NULL; name++)
    {
      g_autoptr (BzZoneState) other =
          g_str_equal (*name, state->name) ? NULL : bz_state_load (dirs, *name, NULL);
      g_autoptr (GHashTable) theirs = other != NULL ? layers_of (dirs, other) : NULL;
      if (theirs != NULL && take_common (mine, theirs, shared))
        g_strv_builder_add (zones, *name);
    }
  sharing->zones = g_strv_builder_end (zones);
  return !measure || measure_all (dirs, state, mine, shared, sharing, error);
}

void
bz_sharing_clear (BzSharing *sharing)
{
  g_clear_pointer (&sharing->zones, g_strfreev);
}
