/* clone: another zone with the tree of one, or of a snapshot of it.
 *
 * Neither is copied where the host has overlayfs: what the zone is becomes a layer, and both go on
 * from it. The clone has ids of its own where the layers hold the zones' own ids (idmapped mounts);
 * where they hold the host's, all zones that share them have the same. */
#include "config.h"

#include "brand/base/error.h"
#include "zone/ids.h"
#include "zone/layers.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/snapshots.h"
#include "zone/storage.h"
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

  return bz_state_own_zone_file (dirs, clone->new_name, error) && bz_zone_file_copy (from, to, error)
         && bz_state_commit (dirs, clone->state, error);
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
                  && bz_storage_share (dirs, clone->state, clone->from, error)
                  && begin (clone, error) && complete (clone, error);
  if (!done)
    bz_state_discard (dirs, clone->new_name, NULL);
  close (guard);
  if (done)
    clone->how = bz_storage_describe (clone->state);
  return done;
}

static gboolean
check_overlay (Clone *clone, GError **error)
{
  g_autoptr (BzHost) host = bz_context_host (clone->context, clone->arguments, error);

  if (host == NULL)
    return FALSE;
  return host->has[BZ_FEATURE_OVERLAY]
         || bz_fail (error, BZ_ERROR_HOST, "this host has no overlay file system",
                     bz_feature_mend (BZ_FEATURE_OVERLAY), "cloning zone %s", clone->name);
}

/* The lock of the source: none is needed for a snapshot, which does not change. */
static gboolean
make (Clone *clone, GError **error)
{
  const BzDirs *dirs = clone->context->dirs;
  int lock;

  if (!check_overlay (clone, error))
    return FALSE;
  if (clone->snapshot != NULL)
    {
      BzZoneState *snapshot = bz_snapshot_load (dirs, clone->name, clone->snapshot, error);
      if (snapshot == NULL)
        return FALSE;
      bz_zone_state_free (clone->from);
      clone->from = snapshot;
      describe (clone);
      return share (clone, error);
    }
  lock = bz_state_lock (dirs, clone->name, 0, error);
  if (lock < 0)
    return FALSE;
  /* As it is now that nobody works on it. */
  bz_zone_state_free (clone->from);
  clone->from = bz_state_load (dirs, clone->name, error);
  gboolean done = clone->from != NULL;
  if (done)
    {
      describe (clone);
      done = share (clone, error);
    }
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
      bz_json_text (builder, "storage", "overlay");
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
