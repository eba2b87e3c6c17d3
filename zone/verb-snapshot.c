/* snapshot and rollback: what a zone was, and back to it. */
#include "config.h"

#include "brand/base/error.h"
#include "zone/layers.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/snapshots.h"
#include "zone/still.h"
#include "zone/storage-options.h"
#include "zone/verbs.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* A name that sorts by age and can be typed. Owned by the caller. */
static char *
name_by_time (void)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();

  return g_date_time_format (now, "%Y%m%d-%H%M%S");
}

typedef struct {
  const BzContext *context;
  const BzArguments *arguments;
  const char *name;
  BzZoneState *state;
  char *snapshot; /* NULL in rollback: the newest */
  BzStorageWish wish;
  BzStorageDone done;
} Work;

static void
work_clear (Work *work)
{
  g_free (work->snapshot);
  bz_zone_state_free (work->state);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Work, work_clear)

/* top: the layer that holds what the zone writes to; NULL: an overlay has it among its layers. */
static gboolean
write_record (const Work *work, const char *top, GError **error)
{
  const BzZoneState *state = work->state;
  g_autoptr (BzZoneState) record = bz_zone_state_new (work->snapshot);

  record->brand = g_strdup (state->brand);
  record->abi = state->abi;
  record->source = g_strdup (state->source);
  record->kind = g_strdup (state->kind);
  record->installed = time (NULL);
  record->files = state->files;
  record->bytes = state->bytes;
  record->id_storage = state->id_storage;
  g_array_append_vals (record->uids, state->uids->data, state->uids->len);
  g_array_append_vals (record->gids, state->gids->data, state->gids->len);
  if (top != NULL)
    g_ptr_array_add (record->layers, g_strdup (top));
  for (guint i = 0; i < state->layers->len; i++)
    g_ptr_array_add (record->layers, g_strdup (g_ptr_array_index (state->layers, i)));
  return bz_snapshot_write (work->context->dirs, state->name, record, error);
}

/* The record of the snapshot comes last: until then the layer is the zone's alone, and no longer
 * written to. */
static gboolean
advance (Work *work, GError **error)
{
  int guard = bz_layers_lock (work->context->dirs, error);

  if (guard < 0)
    return FALSE;
  gboolean done = bz_storage_advance (work->context->dirs, work->state, error)
                  && write_record (work, NULL, error);
  close (guard);
  return done;
}

static gboolean
copy (Work *work, GError **error)
{
  const BzDirs *dirs = work->context->dirs;
  g_auto (BzNewLayer) layer = { .lock = -1 };
  BzStorageWay way = { work->done.way, work->done.running, 0 };

  if (!bz_storage_freeze_limit (work->arguments, &way.hold_limit_ms, error)
      || !bz_storage_copy (dirs, work->state, &way, &layer, &work->done.copied, error))
    return FALSE;
  int guard = bz_layers_lock (dirs, error);
  if (guard < 0)
    return FALSE;
  gboolean done = bz_storage_still_there (dirs, work->state, work->name, FALSE, error)
                  && bz_layer_publish (dirs, &layer, error) && write_record (work, layer.id, error);
  close (guard);
  return done;
}

/* Loads the state now that the zone is locked, or known to run. */
static gboolean
load (Work *work, GError **error)
{
  bz_zone_state_free (work->state);
  work->state = bz_state_load (work->context->dirs, work->name, error);
  return work->state != NULL;
}

static gboolean
take (Work *work, GError **error)
{
  const BzDirs *dirs = work->context->dirs;
  BzStorageDone *how = &work->done;
  int lock = load (work, error)
                 ? bz_zone_lock_if_stopped (dirs, work->name, &how->running, error)
                 : -1;

  if (lock < 0 && !how->running)
    return FALSE;
  gboolean done = load (work, error)
                  && bz_storage_choose (dirs, work->state, &work->wish, how->running, &how->way, error)
                  && (how->way == BZ_COPY_OVERLAY ? advance : copy) (work, error);
  if (work->state == NULL)
    bz_state_forget (dirs, work->name);
  if (lock >= 0)
    close (lock);
  return done;
}

static void
list_json (const BzDirs *dirs, const char *name, char **snapshots)
{
  JsonBuilder *builder = bz_json_begin ();

  json_builder_set_member_name (builder, "snapshots");
  json_builder_begin_array (builder);
  for (char **one = snapshots; *one != NULL; one++)
    {
      g_autoptr (BzZoneState) record = bz_snapshot_load (dirs, name, *one, NULL);
      if (record == NULL)
        continue;
      g_autofree char *when = bz_time_format (record->installed);
      json_builder_begin_object (builder);
      bz_json_text (builder, "name", *one);
      bz_json_text (builder, "taken", when);
      bz_json_number (builder, "layers", record->layers->len);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  bz_json_end (builder);
}

static gboolean
list (const BzContext *context, const char *name, GError **error)
{
  static const char *const headings[] = { "SNAPSHOT", "TAKEN", "LAYERS", NULL };
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, error);
  g_auto (GStrv) snapshots = bz_snapshots_list (context->dirs, name);
  g_autoptr (BzTextTable) table = bz_text_table_new (headings);

  if (state == NULL)
    return FALSE;
  if (context->json)
    {
      list_json (context->dirs, name, snapshots);
      return TRUE;
    }
  for (char **one = snapshots; *one != NULL; one++)
    {
      g_autoptr (BzZoneState) record = bz_snapshot_load (context->dirs, name, *one, NULL);
      if (record == NULL)
        continue;
      g_autofree char *when = bz_time_format (record->installed);
      g_autofree char *layers = g_strdup_printf ("%u", record->layers->len);
      const char *cells[] = { *one, when, layers, NULL };
      bz_text_table_add (table, cells);
    }
  if (snapshots[0] != NULL)
    bz_text_table_print (table);
  else
    bz_context_note (context, "%s has no snapshots", name);
  return TRUE;
}

static gboolean
forget (const BzContext *context, BzZoneState *state, const char *snapshot, GError **error)
{
  g_autoptr (BzZoneState) record
      = bz_snapshot_load (context->dirs, state->name, snapshot, error);

  if (record == NULL || !bz_snapshot_remove (context->dirs, state->name, snapshot, error))
    return FALSE;
  bz_layers_collect (context->dirs);
  return TRUE;
}

/* A snapshot of a zone that runs can be forgotten, too: what needs the lock is only that two do not
 * do it at once, and removing a file twice does no harm. */
static gboolean
remove_one (const BzContext *context, const char *name, const char *snapshot, GError **error)
{
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, error);

  return state != NULL && forget (context, state, snapshot, error);
}

/* how: or NULL. */
static void
report (const BzContext *context, const char *name, const char *snapshot, const char *text,
        const BzStorageDone *how)
{
  if (context->json)
    {
      JsonBuilder *builder = bz_json_begin ();
      bz_json_text (builder, "name", name);
      bz_json_text (builder, "snapshot", snapshot);
      if (how != NULL)
        bz_storage_tell_json (builder, how);
      bz_json_end (builder);
      return;
    }
  g_autofree char *told = how != NULL ? bz_storage_tell (how, NULL, name) : NULL;
  if (!context->quiet)
    printf ("%s: %s %s%s%s%s\n", name, text, snapshot, told != NULL ? " (" : "",
            told != NULL ? told : "", told != NULL ? ")" : "");
}

static gboolean
take_named (const BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *given = bz_arguments_word (arguments, 1);
  g_auto (Work) work = { .context = context,
                         .arguments = arguments,
                         .name = bz_arguments_word (arguments, 0),
                         .snapshot = given != NULL ? g_strdup (given) : name_by_time () };

  if (!bz_name_check (work.snapshot, error) || !load (&work, error)
      || !bz_storage_wish (context, arguments, work.name, &work.wish, error))
    return FALSE;
  if (bz_snapshot_exists (context->dirs, work.name, work.snapshot))
    return bz_fail (error, BZ_ERROR_STATE, "there is a snapshot of this name already",
                    "choose another name, or remove it with --remove", "%s of zone %s",
                    work.snapshot, work.name);
  bz_state_sweep (context->dirs);
  if (!take (&work, error))
    return FALSE;
  report (context, work.name, work.snapshot, "snapshot", &work.done);
  return TRUE;
}

int
bz_verb_snapshot (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0);
  const char *snapshot = bz_arguments_word (arguments, 1);

  if (bz_arguments_flag (arguments, "list"))
    return list (context, name, error) ? 0 : -1;
  if (!bz_arguments_flag (arguments, "remove"))
    return take_named (context, arguments, error) ? 0 : -1;
  if (snapshot == NULL)
    {
      bz_fail (error, BZ_ERROR_USAGE, "it does not say which snapshot",
               "write: brandzone snapshot --remove NAME SNAPSHOT", "brandzone snapshot");
      return -1;
    }
  if (!remove_one (context, name, snapshot, error))
    return -1;
  report (context, name, snapshot, "removed snapshot", NULL);
  return 0;
}

/* --- rollback --- */

static gboolean
return_by_overlay (Work *work, const BzZoneState *snapshot, GError **error)
{
  const BzDirs *dirs = work->context->dirs;
  int guard = bz_layers_lock (dirs, error);

  if (guard < 0)
    return FALSE;
  gboolean done = bz_storage_still_there (dirs, snapshot, work->name, TRUE, error)
                  && bz_storage_return (dirs, work->state, snapshot, error);
  close (guard);
  return done;
}

static gboolean
return_by_copy (Work *work, const BzZoneState *snapshot, GError **error)
{
  const BzDirs *dirs = work->context->dirs;
  g_auto (BzNewLayer) layer = { .lock = -1 };

  if (!bz_storage_copy_snapshot (dirs, snapshot, work->done.way, &layer, &work->done.copied, error))
    return FALSE;
  int guard = bz_layers_lock (dirs, error);
  if (guard < 0)
    return FALSE;
  gboolean done = bz_storage_still_there (dirs, snapshot, work->name, TRUE, error)
                  && bz_layer_publish (dirs, &layer, error)
                  && bz_storage_return_copy (dirs, work->state, snapshot, layer.id, error);
  close (guard);
  return done;
}

static gboolean
go_back (Work *work, GError **error)
{
  const BzDirs *dirs = work->context->dirs;
  g_autoptr (BzZoneState) snapshot = bz_snapshot_load (dirs, work->name, work->snapshot, error);

  if (snapshot == NULL || !load (work, error)
      || !bz_storage_choose_snapshot (dirs, snapshot, &work->wish, &work->done.way, error)
      || !(work->done.way == BZ_COPY_OVERLAY ? return_by_overlay : return_by_copy) (work, snapshot,
                                                                                   error))
    return FALSE;
  g_free (work->snapshot);
  work->snapshot = g_strdup (snapshot->name);
  bz_layers_collect (dirs);
  return TRUE;
}

/* What is running is not changed under its programs' feet: it is stopped first, or nothing is done. */
static gboolean
stop_first (Work *work, gboolean *stopped, GError **error)
{
  g_autofree char *run_dir = bz_dirs_run (work->context->dirs, work->name);
  BzZoneInfo info;
  guint grace_ms;

  if (bz_state_condition (work->context->dirs, work->name, &info) != BZ_ZONE_RUNNING)
    return TRUE;
  if (!bz_arguments_flag (work->arguments, "restart"))
    {
      g_autofree char *hint = g_strdup_printf ("stop it: brandzone stop %s; or stop it and start it "
                                               "again: brandzone rollback --restart %s",
                                               work->name, work->name);
      return bz_fail (error, BZ_ERROR_STATE, "it is running", hint, "zone %s", work->name);
    }
  if (!info.booted)
    return bz_fail (error, BZ_ERROR_STATE, "it runs a command, which can't be started again as it was",
                    "stop the zone, and run the command again afterwards", "zone %s", work->name);
  *stopped = bz_stop_grace (work->arguments, &grace_ms, error)
             && bz_loader_stop (run_dir, grace_ms, error);
  return *stopped;
}

#define LOCK_WAIT_MS 3000

static gboolean
roll_back (Work *work, gboolean *stopped, GError **error)
{
  const BzDirs *dirs = work->context->dirs;
  /* What is not there must not stop a zone. */
  g_autoptr (BzZoneState) snapshot = bz_snapshot_load (dirs, work->name, work->snapshot, error);

  if (snapshot == NULL || !stop_first (work, stopped, error))
    return FALSE;
  int lock = bz_state_lock (dirs, work->name, *stopped ? LOCK_WAIT_MS : 0, error);
  if (lock < 0)
    return FALSE;
  gboolean done = go_back (work, error);
  if (work->state == NULL)
    bz_state_forget (dirs, work->name);
  close (lock);
  return done;
}

int
bz_verb_rollback (BzContext *context, const BzArguments *arguments, GError **error)
{
  g_auto (Work) work = { .context = context,
                         .arguments = arguments,
                         .name = bz_arguments_word (arguments, 0),
                         .snapshot = g_strdup (bz_arguments_word (arguments, 1)) };
  gboolean stopped = FALSE;

  bz_state_sweep (context->dirs);
  if (!load (&work, error) || !bz_storage_wish (context, arguments, work.name, &work.wish, error))
    return -1;
  gboolean done = roll_back (&work, &stopped, error);
  if (done)
    report (context, work.name, work.snapshot, "is again what it was at", &work.done);
  /* Also when it failed: the zone ran before. */
  if (stopped && !bz_start_again (context, arguments, work.name, done ? error : NULL))
    return -1;
  return done ? 0 : -1;
}
