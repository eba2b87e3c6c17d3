/* Trees in layers.
 *
 * Problem: a clone must cost nothing, a snapshot must not change any more, and either may be killed
 * at any moment. Choice: the record of a zone names the layer that the zone writes to (Upper=) and
 * those below (Layers=). Whatever makes a zone go on from somewhere else makes an empty layer first
 * and then writes the record, in one step: before it the zone is as it was, after it all is done,
 * and a layer that nobody names is rubbish. A zone is one directory as it is installed, and comes
 * to lie on layers when it is first cloned or snapshot: until then nothing stands between it and its
 * files.
 *
 * Where a zone runs, or its file system has something better, its tree is copied instead
 * (copy-way.h): the copy is a layer, which is filled under a hidden name and named by the record in
 * the same one step. What the copy was made of may have become something else meanwhile, unless it
 * is locked; so that is looked at again before the record is written. */
#include "config.h"

#include "zone/storage.h"

#include "brand/base/error.h"
#include "loader/overlay.h"
#include "zone/layers.h"
#include "zone/planning.h"
#include "zone/snapshots.h"
#include "zone/still.h"

#include <sys/stat.h>
#include <unistd.h>

gboolean
bz_storage_is_layered (const BzZoneState *state)
{
  return state->layers->len > 0;
}

char *
bz_storage_tree (const BzDirs *dirs, const BzZoneState *state)
{
  return state->upper != NULL ? bz_layer_tree (dirs, state->upper)
                              : bz_dirs_zone_root (dirs, state->name);
}

char **
bz_storage_layers (const BzDirs *dirs, const BzZoneState *state)
{
  g_autoptr (GStrvBuilder) layers = g_strv_builder_new ();

  if (!bz_storage_is_layered (state))
    return NULL;
  for (guint i = 0; i < state->layers->len; i++)
    {
      g_autofree char *path = bz_layer_tree (dirs, g_ptr_array_index (state->layers, i));
      g_strv_builder_add (layers, path);
    }
  return g_strv_builder_end (layers);
}

static int
open_layers (const BzDirs *dirs, const BzZoneState *state, gboolean write, GError **error)
{
  g_auto (GStrv) layers = bz_storage_layers (dirs, state);
  g_autofree char *tree = bz_storage_tree (dirs, state);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (!write)
    g_strv_builder_add (builder, tree);
  g_strv_builder_addv (builder, (const char **) layers);
  g_auto (GStrv) lowers = g_strv_builder_end (builder);
  g_autofree char *upper = write ? g_path_get_dirname (tree) : NULL;
  gboolean user = geteuid () != 0;
  return bz_overlay_open (lowers, upper, user ? state->uids : NULL, user ? state->gids : NULL,
                          error);
}

int
bz_storage_open (const BzDirs *dirs, const BzZoneState *state, gboolean write, GError **error)
{
  g_autofree char *tree = bz_storage_tree (dirs, state);

  return bz_storage_is_layered (state) ? open_layers (dirs, state, write, error)
                                       : bz_tree_open (tree, error);
}

int
bz_storage_open_snapshot (const BzDirs *dirs, const BzZoneState *snapshot, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  gboolean user = geteuid () != 0;

  for (guint i = 0; i < snapshot->layers->len; i++)
    {
      g_autofree char *path = bz_layer_tree (dirs, g_ptr_array_index (snapshot->layers, i));
      g_strv_builder_add (builder, path);
    }
  g_auto (GStrv) lowers = g_strv_builder_end (builder);
  if (lowers[0] != NULL && lowers[1] == NULL)
    return bz_tree_open (lowers[0], error);
  return bz_overlay_open (lowers, NULL, user ? snapshot->uids : NULL, user ? snapshot->gids : NULL,
                          error);
}

static void
set_layers (BzZoneState *state, const char *top, const GPtrArray *below)
{
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func (g_free);

  if (top != NULL)
    g_ptr_array_add (layers, g_strdup (top));
  for (guint i = 0; i < below->len; i++)
    g_ptr_array_add (layers, g_strdup (g_ptr_array_index (below, i)));
  g_ptr_array_unref (state->layers);
  state->layers = g_steal_pointer (&layers);
}

static gboolean
check_depth (const BzZoneState *state, GError **error)
{
  return state->layers->len < BZ_OVERLAY_LAYERS_MAX
         || bz_fail (error, BZ_ERROR_STATE, "its tree lies on as many layers as there may be",
                     "export it, and install what was exported", "zone %s", state->name);
}

static gboolean
write_record (const BzDirs *dirs, const BzZoneState *state, GError **error)
{
  g_autofree char *zone = bz_dirs_zone (dirs, state->name);

  return bz_state_write (zone, state, error);
}

/* Over the layers of `state`, which are set. */
static gboolean
make_upper (const BzDirs *dirs, BzZoneState *state, GError **error)
{
  g_autofree char *below = bz_layer_tree (dirs, g_ptr_array_index (state->layers, 0));
  char *upper = bz_layer_make (dirs, state, below, error);

  if (upper == NULL)
    return FALSE;
  g_free (state->upper);
  state->upper = upper;
  return TRUE;
}

/* Nothing in it, and the root directory as it was. */
static gboolean
is_unchanged (const BzDirs *dirs, const BzZoneState *state)
{
  g_autofree char *upper = bz_layer_tree (dirs, state->upper);
  g_autofree char *below = bz_layer_tree (dirs, g_ptr_array_index (state->layers, 0));
  g_autoptr (GDir) dir = g_dir_open (upper, 0, NULL);
  struct stat now, then;

  return dir != NULL && g_dir_read_name (dir) == NULL && stat (upper, &now) == 0
         && stat (below, &then) == 0 && now.st_mode == then.st_mode && now.st_uid == then.st_uid
         && now.st_gid == then.st_gid && now.st_mtim.tv_sec == then.st_mtim.tv_sec
         && now.st_mtim.tv_nsec == then.st_mtim.tv_nsec;
}

gboolean
bz_storage_advance (const BzDirs *dirs, BzZoneState *state, GError **error)
{
  g_autofree char *taken = NULL;

  if (bz_storage_is_layered (state) && is_unchanged (dirs, state))
    return TRUE;
  if (!check_depth (state, error))
    return FALSE;
  if (state->upper == NULL && (taken = bz_layer_take (dirs, state, error)) == NULL)
    return FALSE;
  set_layers (state, taken != NULL ? taken : state->upper, state->layers);
  if (!make_upper (dirs, state, error) || !write_record (dirs, state, error))
    return FALSE;
  if (taken != NULL)
    bz_layers_retire_tree (dirs, state);
  return TRUE;
}

gboolean
bz_storage_return (const BzDirs *dirs, BzZoneState *state, const BzZoneState *snapshot,
                   GError **error)
{
  set_layers (state, NULL, snapshot->layers);
  state->files = snapshot->files;
  state->bytes = snapshot->bytes;
  if (!make_upper (dirs, state, error) || !write_record (dirs, state, error))
    return FALSE;
  bz_layers_retire_tree (dirs, state);
  return TRUE;
}

gboolean
bz_storage_share (const BzDirs *dirs, BzZoneState *state, const BzZoneState *from, GError **error)
{
  set_layers (state, NULL, from->layers);
  return make_upper (dirs, state, error);
}

/* --- copies --- */

static gboolean
same_place (const BzZoneState *a, const BzZoneState *b)
{
  if (g_strcmp0 (a->upper, b->upper) != 0 || a->layers->len != b->layers->len)
    return FALSE;
  for (guint i = 0; i < a->layers->len; i++)
    if (!g_str_equal (g_ptr_array_index (a->layers, i), g_ptr_array_index (b->layers, i)))
      return FALSE;
  return TRUE;
}

gboolean
bz_storage_still_there (const BzDirs *dirs, const BzZoneState *from, const char *zone,
                        gboolean snapshot, GError **error)
{
  g_autoptr (BzZoneState) now = snapshot ? bz_snapshot_load (dirs, zone, from->name, error)
                                         : bz_state_load (dirs, zone, error);

  if (now == NULL)
    return FALSE;
  return same_place (from, now)
         || bz_fail (error, BZ_ERROR_LOCKED, "another brandzone has just worked on it",
                     "see `brandzone list`, and try again", "zone %s", zone);
}

typedef struct {
  const BzDirs *dirs;
  const BzZoneState *state;
} Hold;

static int
hold (gpointer data, GError **error)
{
  const Hold *what = data;
  int still = bz_zone_freeze (what->dirs, what->state->name, error);

  if (still >= 0 && !bz_storage_still_there (what->dirs, what->state, what->state->name, FALSE, error))
    {
      close (still);
      return -1;
    }
  return still;
}

static gboolean
copy_tree (const BzDirs *dirs, const BzZoneState *state, const BzTreeCopy *like, BzNewLayer *layer,
           BzTreeCopied *copied, GError **error)
{
  BzTreeCopy copy = *like;

  if (!bz_layer_begin (dirs, state, layer, error))
    return FALSE;
  copy.to = layer->tree;
  copy.try_reflink = copy.way == BZ_COPY_PLAIN && like->try_reflink;
  if (geteuid () != 0)
    {
      copy.uids = state->uids;
      copy.gids = state->gids;
    }
  return bz_tree_copy (&copy, copied, error);
}

gboolean
bz_storage_copy (const BzDirs *dirs, const BzZoneState *state, const BzStorageWay *way,
                 BzNewLayer *layer, BzTreeCopied *copied, GError **error)
{
  g_autofree char *tree = bz_storage_tree (dirs, state);
  Hold what = { dirs, state };
  BzTreeCopy copy = { .from = tree,
                      .way = way->way,
                      .try_reflink = way->running,
                      .hold = way->running ? hold : NULL,
                      .data = &what,
                      .hold_limit_ms = way->hold_limit_ms };

  return copy_tree (dirs, state, &copy, layer, copied, error);
}

gboolean
bz_storage_copy_snapshot (const BzDirs *dirs, const BzZoneState *snapshot, BzCopyWay way,
                          BzNewLayer *layer, BzTreeCopied *copied, GError **error)
{
  g_autofree char *tree = bz_layer_tree (dirs, g_ptr_array_index (snapshot->layers, 0));

  return bz_storage_copy_tree (dirs, snapshot, tree, way, layer, copied, error);
}

gboolean
bz_storage_copy_tree (const BzDirs *dirs, const BzZoneState *state, const char *tree, BzCopyWay way,
                      BzNewLayer *layer, BzTreeCopied *copied, GError **error)
{
  BzTreeCopy copy = { .from = tree, .way = way };

  return copy_tree (dirs, state, &copy, layer, copied, error);
}

void
bz_storage_adopt (BzZoneState *state, const char *upper, const GPtrArray *below)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();

  set_layers (state, NULL, below != NULL ? below : none);
  g_free (state->upper);
  state->upper = g_strdup (upper);
}

gboolean
bz_storage_adopt_below (const BzDirs *dirs, BzZoneState *state, const char *top,
                        const GPtrArray *below, GError **error)
{
  set_layers (state, top, below);
  return check_depth (state, error) && make_upper (dirs, state, error);
}

gboolean
bz_storage_return_copy (const BzDirs *dirs, BzZoneState *state, const BzZoneState *snapshot,
                        const char *upper, GError **error)
{
  bz_storage_adopt (state, upper, NULL);
  state->files = snapshot->files;
  state->bytes = snapshot->bytes;
  if (!write_record (dirs, state, error))
    return FALSE;
  bz_layers_retire_tree (dirs, state);
  return TRUE;
}

/* --- which way --- */

static gboolean
wants_layers (BzCopyWay wanted)
{
  return wanted == BZ_COPY_AUTO || wanted == BZ_COPY_OVERLAY;
}

/* A zone that runs holds what it writes to: that can't become a layer. */
static gboolean
choose_running (const BzStorageWish *wish, const BzZoneState *state, const char *tree,
                BzCopyWay *way, GError **error)
{
  if (wish->wanted == BZ_COPY_OVERLAY && wish->insist)
    return bz_fail (error, BZ_ERROR_STATE, "it is running: what it writes to can't become a layer",
                    "stop it, or choose --storage=auto", "zone %s", state->name);
  return bz_copy_way_choose (wants_layers (wish->wanted) ? BZ_COPY_AUTO : wish->wanted, tree, FALSE,
                             way, error);
}

gboolean
bz_storage_choose (const BzDirs *dirs, const BzZoneState *state, const BzStorageWish *wish,
                   gboolean running, BzCopyWay *way, GError **error)
{
  g_autofree char *tree = bz_storage_tree (dirs, state);

  if (running)
    return choose_running (wish, state, tree, way, error);
  if (bz_storage_is_layered (state) && wants_layers (wish->wanted))
    return bz_copy_way_choose (BZ_COPY_OVERLAY, tree, wish->overlay, way, error);
  return bz_copy_way_choose (wish->wanted, tree, wish->overlay, way, error);
}

gboolean
bz_storage_choose_snapshot (const BzDirs *dirs, const BzZoneState *snapshot,
                            const BzStorageWish *wish, BzCopyWay *way, GError **error)
{
  g_autofree char *tree = bz_layer_tree (dirs, g_ptr_array_index (snapshot->layers, 0));

  if (snapshot->layers->len == 1)
    return bz_copy_way_choose (wish->wanted, tree, wish->overlay, way, error);
  if (!wants_layers (wish->wanted) && wish->insist)
    return bz_fail (error, BZ_ERROR_STATE, "it lies on several layers", "choose --storage=overlay",
                    "snapshot %s", snapshot->name);
  return bz_copy_way_choose (BZ_COPY_OVERLAY, tree, wish->overlay, way, error);
}

char *
bz_storage_describe (const BzZoneState *state)
{
  if (!bz_storage_is_layered (state))
    return g_strdup ("directory");
  return g_strdup_printf ("overlay on %u layer%s", state->layers->len,
                          state->layers->len == 1 ? "" : "s");
}
