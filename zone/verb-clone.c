/* clone: another zone with the tree of one, or of a snapshot of it.
 *
 * Neither is copied where the host has overlayfs and the zone does not run: what the zone is becomes a
 * layer, and both go on from it. Else the clone gets a copy (storage.h). The clone has ids of its own where the layers hold the zones' own ids (idmapped mounts);
 * where they hold the host's, all zones that share them have the same. */
#include "config.h"

#include "brand/base/error.h"
#include "zone/ids.h"
#include "zone/installed.h"
#include "zone/layers.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/snapshots.h"
#include "zone/still.h"
#include "zone/storage-options.h"
#include "zone/verbs.h"
#include "zone/zone-file.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  BzContext *context;
  const BzArguments *arguments;
  char *name, *snapshot; /* NULL: what the zone is now */
  const char *new_name;
  BzZoneState *from, *state;
  BzStorageDone done;
  guint limit_ms;
  char *how;
} Clone;

static void
clone_clear (Clone *clone)
{
  g_free (clone->name);
  g_free (clone->snapshot);
  g_free (clone->how);
  bz_zone_state_free (clone->from);
  bz_zone_state_free (clone->state);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Clone, clone_clear)

/* "ZONE" or "ZONE@SNAPSHOT": a name holds no @. */
static void
split (Clone *clone, const char *word)
{
  const char *at = strchr (word, '@');

  clone->name = at != NULL ? g_strndup (word, at - word) : g_strdup (word);
  clone->snapshot = at != NULL ? g_strdup (at + 1) : NULL;
}

static void
describe (Clone *clone)
{
  BzZoneState *state = clone->state;

  state->brand = g_strdup (clone->from->brand);
  state->abi = clone->from->abi;
  state->source = g_strdup_printf ("zone %s%s%s", clone->name, clone->snapshot ? "@" : "",
                                   clone->snapshot ? clone->snapshot : "");
  state->kind = g_strdup ("clone");
  state->installed = time (NULL);
  state->files = clone->from->files;
  state->bytes = clone->from->bytes;
  state->id_storage = clone->from->id_storage;
}

/* Root's zones share ids only where their trees hold them. */
static gboolean
begin (Clone *clone, GError **error)
{
  const BzDirs *dirs = clone->context->dirs;
  BzZoneState *state = clone->state;
  BzIdRange range = { 0, 0, BZ_IDS_COUNT };

  if (geteuid () != 0 || state->id_storage == BZ_IDS_SHIFTED)
    {
      g_array_append_vals (state->uids, clone->from->uids->data, clone->from->uids->len);
      g_array_append_vals (state->gids, clone->from->gids->data, clone->from->gids->len);
      return bz_state_begin (dirs, state, error);
    }
  int guard = bz_ids_lock (dirs, error);
  if (guard < 0)
    return FALSE;
  gboolean done = bz_ids_allocate (dirs, &range.outside, error);
  if (done)
    {
      g_array_append_val (state->uids, range);
      g_array_append_val (state->gids, range);
      done = bz_state_begin (dirs, state, error);
    }
  close (guard);
  return done;
}

static gboolean
complete (Clone *clone, GError **error)
{
  const BzDirs *dirs = clone->context->dirs;
  g_autofree char *from = bz_dirs_zone_file (dirs, clone->name);
  g_autofree char *to = bz_dirs_zone_file (dirs, clone->new_name);

  g_autofree char *old = bz_dirs_zone (dirs, clone->name);
  g_autofree char *new = bz_dirs_hidden (dirs, clone->new_name, "installing");

  return bz_installed_share (old, new, error)
         && bz_state_own_zone_file (dirs, clone->new_name, error) && bz_zone_file_copy (from, to, error)
         && bz_state_commit (dirs, clone->state, error);
}

/* Its record appears last: until then the layer is rubbish, and the zone that it is of unchanged. */
static gboolean
begin_and_complete (Clone *clone, gboolean ready, GError **error)
{
  gboolean done = ready && begin (clone, error) && complete (clone, error);

  if (!done)
    bz_state_discard (clone->context->dirs, clone->new_name, NULL);
  return done;
}

/* The layers that the clone gets: of the snapshot, or of the zone, which goes on from them too. */
static gboolean
share (Clone *clone, GError **error)
{
  const BzDirs *dirs = clone->context->dirs;
  int guard = bz_layers_lock (dirs, error);

  if (guard < 0)
    return FALSE;
  gboolean done = (clone->snapshot != NULL || bz_storage_advance (dirs, clone->from, error))
                  && bz_storage_share (dirs, clone->state, clone->from, error);
  done = begin_and_complete (clone, done, error);
  close (guard);
  return done;
}

/* Alone, or on the layers that the zone lies on itself. Those of a zone that runs, and of which more
 * clones may be made, get an empty one over the copy. */
static gboolean
adopt (Clone *clone, const char *copy, GError **error)
{
  if (clone->done.running && bz_storage_is_layered (clone->from))
    return bz_storage_adopt_below (clone->context->dirs, clone->state, copy, clone->from->layers,
                                   error);
  bz_storage_adopt (clone->state, copy, clone->snapshot != NULL ? NULL : clone->from->layers);
  return TRUE;
}

static gboolean
copy (Clone *clone, GError **error)
{
  const BzDirs *dirs = clone->context->dirs;
  BzStorageWay way = { clone->done.way, clone->done.running, clone->limit_ms };
  g_auto (BzNewLayer) layer = { .lock = -1 };

  if (!(clone->snapshot != NULL
            ? bz_storage_copy_snapshot (dirs, clone->from, way.way, &layer, &clone->done.copied, error)
            : bz_storage_copy (dirs, clone->from, &way, &layer, &clone->done.copied, error)))
    return FALSE;
  int guard = bz_layers_lock (dirs, error);
  if (guard < 0)
    return FALSE;
  gboolean done = bz_storage_still_there (dirs, clone->from, clone->name, clone->snapshot != NULL,
                                          error)
                  && bz_layer_publish (dirs, &layer, error) && adopt (clone, layer.id, error);
  done = begin_and_complete (clone, done, error);
  close (guard);
  return done;
}

static gboolean
choose_and_make (Clone *clone, GError **error)
{
  const BzDirs *dirs = clone->context->dirs;
  BzStorageWish wish;
  BzStorageDone *done = &clone->done;

  if (!bz_storage_wish (clone->context, clone->arguments, clone->name, &wish, error)
      || !(clone->snapshot != NULL
               ? bz_storage_choose_snapshot (dirs, clone->from, &wish, &done->way, error)
               : bz_storage_choose (dirs, clone->from, &wish, done->running, &done->way, error)))
    return FALSE;
  describe (clone);
  if (!(done->way == BZ_COPY_OVERLAY ? share : copy) (clone, error))
    return FALSE;
  clone->how = bz_storage_tell (done, clone->state, clone->name);
  return TRUE;
}

/* The lock of the source: none is needed for a snapshot, which does not change, and none is to be had
 * of a zone that runs. */
static gboolean
make (Clone *clone, GError **error)
{
  const BzDirs *dirs = clone->context->dirs;
  int lock = -1;

  if (clone->snapshot == NULL)
    {
      lock = bz_zone_lock_if_stopped (dirs, clone->name, &clone->done.running, error);
      if (lock < 0 && !clone->done.running)
        return FALSE;
    }
  /* As it is now that nobody works on it. */
  bz_zone_state_free (clone->from);
  clone->from = clone->snapshot != NULL
                    ? bz_snapshot_load (dirs, clone->name, clone->snapshot, error)
                    : bz_state_load (dirs, clone->name, error);
  gboolean done = clone->from != NULL && choose_and_make (clone, error);
  if (lock >= 0)
    close (lock);
  return done;
}

static gboolean
check_new (Clone *clone, GError **error)
{
  const BzDirs *dirs = clone->context->dirs;
  g_autofree char *path = bz_dirs_zone (dirs, clone->new_name);

  return !g_file_test (path, G_FILE_TEST_EXISTS)
             ? bz_state_discard (dirs, clone->new_name, error)
             : bz_fail (error, BZ_ERROR_STATE, "there is a zone of this name already",
                        "remove it first, or choose another name", "zone %s", clone->new_name);
}

static void
report (const Clone *clone)
{
  if (clone->context->json)
    {
      JsonBuilder *builder = bz_json_begin ();
      bz_json_text (builder, "name", clone->new_name);
      bz_json_text (builder, "from", clone->name);
      bz_json_text (builder, "snapshot", clone->snapshot);
      bz_storage_tell_json (builder, &clone->done);
      bz_json_number (builder, "layers", clone->state->layers->len);
      bz_json_end (builder);
    }
  else if (!clone->context->quiet)
    printf ("%s: a clone of %s%s%s (%s)\n", clone->new_name, clone->name,
            clone->snapshot ? "@" : "", clone->snapshot ? clone->snapshot : "", clone->how);
}

int
bz_verb_clone (BzContext *context, const BzArguments *arguments, GError **error)
{
  g_auto (Clone) clone = { .context = context,
                           .arguments = arguments,
                           .new_name = bz_arguments_word (arguments, 1) };

  if (!bz_storage_freeze_limit (arguments, &clone.limit_ms, error))
    return -1;
  split (&clone, bz_arguments_word (arguments, 0));
  clone.from = bz_state_load (context->dirs, clone.name, error);
  if (clone.from == NULL || !bz_name_check (clone.new_name, error)
      || !bz_dirs_make (context->dirs->config, error))
    return -1;
  bz_state_sweep (context->dirs);
  int lock = bz_state_lock (context->dirs, clone.new_name, 0, error);
  if (lock < 0)
    return -1;
  clone.state = bz_zone_state_new (clone.new_name);
  gboolean done = check_new (&clone, error) && make (&clone, error);
  bz_state_forget (context->dirs, clone.new_name);
  close (lock);
  if (!done)
    return -1;
  report (&clone);
  return 0;
}
