/* snapshot and rollback: what a zone was, and back to it. */
#include "config.h"

#include "brand/base/error.h"
#include "zone/layers.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/snapshots.h"
#include "zone/storage.h"
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

static gboolean
check_overlay (const BzContext *context, const BzArguments *arguments, const char *name,
               GError **error)
{
  g_autoptr (BzHost) host = bz_context_host (context, arguments, error);

  if (host == NULL)
    return FALSE;
  return host->has[BZ_FEATURE_OVERLAY]
         || bz_fail (error, BZ_ERROR_HOST, "this host has no overlay file system",
                     bz_feature_mend (BZ_FEATURE_OVERLAY), "a snapshot of zone %s", name);
}

/* The record of the snapshot comes last: until then the layer is the zone's alone, and no longer
 * written to. */
static gboolean
take (const BzContext *context, BzZoneState *state, const char *snapshot, GError **error)
{
  g_autoptr (BzZoneState) record = bz_zone_state_new (snapshot);
  int guard = bz_layers_lock (context->dirs, error);

  if (guard < 0)
    return FALSE;
  gboolean done = bz_storage_advance (context->dirs, state, error);
  if (done)
    {
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
      for (guint i = 0; i < state->layers->len; i++)
        g_ptr_array_add (record->layers, g_strdup (g_ptr_array_index (state->layers, i)));
      done = bz_snapshot_write (context->dirs, state->name, record, error);
    }
  close (guard);
  return done;
}

/* Works on the zone while nobody else does, and it does not run. */
typedef gboolean (*Work) (const BzContext *context, BzZoneState *state, const char *snapshot,
                          GError **error);

static gboolean
with_lock (const BzContext *context, const char *name, const char *snapshot, Work work,
           GError **error)
{
  g_autoptr (BzZoneState) before = bz_state_load (context->dirs, name, error);
  int lock = before != NULL ? bz_state_lock (context->dirs, name, 0, error) : -1;

  if (lock < 0)
    return FALSE;
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, error);
  gboolean done = state != NULL && work (context, state, snapshot, error);
  if (state == NULL)
    bz_state_forget (context->dirs, name);
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

static void
report (const BzContext *context, const char *name, const char *snapshot, const char *text)
{
  if (context->json)
    {
      JsonBuilder *builder = bz_json_begin ();
      bz_json_text (builder, "name", name);
      bz_json_text (builder, "snapshot", snapshot);
      bz_json_end (builder);
    }
  else if (!context->quiet)
    printf ("%s: %s %s\n", name, text, snapshot);
}

static gboolean
take_named (const BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0);
  const char *given = bz_arguments_word (arguments, 1);
  g_autofree char *snapshot = given != NULL ? g_strdup (given) : name_by_time ();

  if (!bz_name_check (snapshot, error) || !check_overlay (context, arguments, name, error))
    return FALSE;
  if (bz_snapshot_exists (context->dirs, name, snapshot))
    return bz_fail (error, BZ_ERROR_STATE, "there is a snapshot of this name already",
                    "choose another name, or remove it with --remove", "%s of zone %s", snapshot,
                    name);
  bz_state_sweep (context->dirs);
  if (!with_lock (context, name, snapshot, take, error))
    return FALSE;
  report (context, name, snapshot, "snapshot");
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
  report (context, name, snapshot, "removed snapshot");
  return 0;
}

static gboolean
go_back (const BzContext *context, BzZoneState *state, const char *snapshot, GError **error)
{
  g_autoptr (BzZoneState) record
      = bz_snapshot_load (context->dirs, state->name, snapshot, error);
  int guard = record != NULL ? bz_layers_lock (context->dirs, error) : -1;

  if (guard < 0)
    return FALSE;
  gboolean done = bz_storage_return (context->dirs, state, record, error);
  close (guard);
  if (!done)
    return FALSE;
  bz_layers_collect (context->dirs);
  report (context, state->name, record->name, "is again what it was at");
  return TRUE;
}

int
bz_verb_rollback (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0);

  bz_state_sweep (context->dirs);
  return with_lock (context, name, bz_arguments_word (arguments, 1), go_back, error) ? 0 : -1;
}
