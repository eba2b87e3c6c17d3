/* list and show. */
#include "config.h"

#include "brand/base/error.h"
#include "zone/output.h"
#include "zone/names.h"
#include "zone/planning.h"
#include "zone/sharing.h"
#include "zone/snapshots.h"
#include "zone/storage.h"
#include "zone/verbs.h"

#include <stdio.h>
#include <string.h>

/* Of its interfaces now; before they have any, what brandzone gave them. NULL: none of its own. */
static char *
addresses_of (const BzContext *context, const char *name, BzZoneCondition condition,
              const BzZoneInfo *info)
{
  g_autofree char *run_dir = bz_dirs_run (context->dirs, name);
  g_autofree char *live =
      condition == BZ_ZONE_RUNNING ? bz_loader_addresses (run_dir) : NULL;

  if (live != NULL && live[0] != '\0')
    return g_steal_pointer (&live);
  return info->addresses[0] != '\0' ? g_strdup (info->addresses) : NULL;
}

/* NULL: none, or it does not say. */
static GPtrArray *
sessions_of (const BzContext *context, const char *name, BzZoneCondition condition)
{
  g_autofree char *run_dir = bz_dirs_run (context->dirs, name);

  return condition == BZ_ZONE_RUNNING ? bz_loader_sessions (run_dir, NULL) : NULL;
}

static const char *
session_state (const BzSession *session)
{
  return session->ended ? "ended" : session->attached ? "attached" : "detached";
}

static void
add_sessions (JsonBuilder *builder, const GPtrArray *sessions)
{
  json_builder_set_member_name (builder, "sessions");
  json_builder_begin_array (builder);
  for (guint i = 0; sessions != NULL && i < sessions->len; i++)
    {
      const BzSession *session = g_ptr_array_index (sessions, i);
      g_autofree char *started = bz_time_format (session->started);

      json_builder_begin_object (builder);
      bz_json_number (builder, "session", session->number);
      bz_json_text (builder, "state", session_state (session));
      bz_json_text (builder, "command", session->command);
      bz_json_text (builder, "terminal", session->terminal);
      bz_json_text (builder, "started", started);
      if (session->ended)
        bz_json_number (builder, "exit_status", bz_end_exit_status (&session->end));
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

/* "1: su - root (pts/0), detached; 2: ..."; NULL: none. Owned by the caller. */
static char *
sessions_text (const GPtrArray *sessions)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; sessions != NULL && i < sessions->len; i++)
    {
      const BzSession *session = g_ptr_array_index (sessions, i);
      g_autofree char *command = bz_text_safe (session->command != NULL ? session->command : "");
      g_autofree char *terminal = bz_text_safe (session->terminal != NULL ? session->terminal : "");

      g_string_append_printf (text, "%s%u: %s (%s), %s", i > 0 ? "; " : "", session->number, command,
                              terminal, session_state (session));
      if (session->ended)
        g_string_append_printf (text, " with status %d", bz_end_exit_status (&session->end));
    }
  return text->len > 0 ? g_strdup (text->str) : NULL;
}

static void
add_common (JsonBuilder *builder, const BzZoneState *state, BzZoneCondition condition,
            const BzZoneInfo *info, const char *addresses, const GPtrArray *sessions)
{
  g_autofree char *installed = bz_time_format (state->installed);

  bz_json_text (builder, "name", state->name);
  bz_json_text (builder, "state", bz_zone_condition_name (condition));
  bz_json_text (builder, "brand", state->brand);
  bz_json_text (builder, "abi", bz_abi_name (state->abi));
  bz_json_text (builder, "source", state->source);
  bz_json_text (builder, "kind", state->kind);
  bz_json_text (builder, "installed", installed);
  bz_json_number (builder, "files", state->files);
  bz_json_number (builder, "bytes", state->bytes);
  if (condition != BZ_ZONE_RUNNING)
    return;
  g_autofree char *started = bz_time_format (info->started);
  bz_json_text (builder, "started", started);
  bz_json_number (builder, "init_pid", info->init);
  bz_json_number (builder, "keeper_pid", info->keeper);
  bz_json_number (builder, "supervisor_pid", info->supervisor);
  bz_json_text (builder, "version", info->version);
  bz_json_bool (builder, "current", bz_loader_is_current (info->keeper));
  bz_json_text (builder, "addresses", addresses);
  add_sessions (builder, sessions);
}

static void
add_sharing (JsonBuilder *builder, const BzSharing *sharing, gboolean measured)
{
  if (measured)
    {
      bz_json_number (builder, "own_bytes", (gint64) sharing->own);
      bz_json_number (builder, "shared_bytes", (gint64) sharing->shared);
    }
  bz_json_texts (builder, "shared_with", (const char *const *) sharing->zones);
}

/* That there is something to come back to. */
static void
note_sessions (const BzContext *context, const char *name)
{
  g_autoptr (GPtrArray) sessions = sessions_of (context, name, BZ_ZONE_RUNNING);
  g_autofree char *text = sessions_text (sessions);

  if (text != NULL)
    bz_context_note (context, "zone %s has sessions to come back to (brandzone console --session NUMBER %s): %s",
                     name, name, text);
}

/* measure: what it takes of the disk, too. */
static void
list_one (const BzContext *context, const char *name, gboolean measure, JsonBuilder *builder,
          BzTextTable *table)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, &error);
  BzZoneInfo info = { 0 };

  if (state == NULL)
    {
      /* One damaged record must not hide the other zones; one that was just removed is no news. */
      if (!g_error_matches (error, BZ_ERROR, BZ_ERROR_NO_ZONE))
        bz_context_note (context, "%s", error->message);
      return;
    }
  BzZoneCondition condition = bz_state_condition (context->dirs, name, &info);
  g_autofree char *addresses = addresses_of (context, name, condition, &info);
  g_auto (BzSharing) sharing = { 0 };
  if (measure && !bz_sharing_look (context->dirs, state, TRUE, &sharing, &error))
    bz_context_note (context, "%s", error->message);
  if (builder != NULL)
    {
      g_autoptr (GPtrArray) sessions = sessions_of (context, name, condition);
      json_builder_begin_object (builder);
      add_common (builder, state, condition, &info, addresses, sessions);
      if (measure)
        add_sharing (builder, &sharing, TRUE);
      json_builder_end_object (builder);
      return;
    }
  g_autofree char *size = bz_bytes_format (state->bytes);
  g_autofree char *installed = bz_time_format (state->installed);
  if (addresses != NULL)
    addresses[strcspn (addresses, " ")] = '\0'; /* the first; show has all */
  const char *cells[] = { name,         bz_zone_condition_name (condition),
                          state->brand, bz_abi_name (state->abi),
                          size,         installed,
                          addresses != NULL ? addresses : "-",
                          NULL,         NULL,
                          NULL };
  g_autofree char *own = bz_bytes_format (sharing.own);
  g_autofree char *shared = bz_bytes_format (sharing.shared);
  if (measure)
    {
      cells[7] = own;
      cells[8] = shared;
    }
  bz_text_table_add (table, cells);
  if (info.sessions > 0)
    note_sessions (context, name);
}

int
bz_verb_list (BzContext *context, const BzArguments *arguments, GError **error)
{
  gboolean measure = bz_arguments_flag (arguments, "size");
  const char *const headings[] = { "NAME", "STATE",     "BRAND",
                                   "ABI",  "SIZE",      "INSTALLED",
                                   "ADDRESS", measure ? "OWN" : NULL, "SHARED", NULL };
  g_autoptr (BzTextTable) table = bz_text_table_new (headings);
  JsonBuilder *builder = NULL;

  bz_state_sweep (context->dirs);
  g_auto (GStrv) names = bz_state_list (context->dirs, error);
  if (names == NULL)
    return -1;
  if (context->json)
    {
      builder = bz_json_begin ();
      json_builder_set_member_name (builder, "zones");
      json_builder_begin_array (builder);
    }
  bz_text_table_right (table, 4);
  if (measure)
    {
      bz_text_table_right (table, 7);
      bz_text_table_right (table, 8);
    }
  for (char **name = names; *name != NULL; name++)
    list_one (context, *name, measure, builder, table);
  if (builder != NULL)
    {
      json_builder_end_array (builder);
      bz_json_end (builder);
    }
  else if (names[0] != NULL)
    bz_text_table_print (table);
  else
    bz_context_note (context, "no zones in %s (install one: brandzone install NAME SOURCE)",
                     context->dirs->data);
  return 0;
}

static char *
ranges_text (const GArray *ranges)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < ranges->len; i++)
    {
      const BzIdRange *range = &g_array_index (ranges, BzIdRange, i);
      g_string_append_printf (text, "%s%u to %u are the host's %u to %u", i > 0 ? "; " : "",
                              range->inside, range->inside + range->count - 1, range->outside,
                              range->outside + range->count - 1);
    }
  if (ranges->len == 0)
    g_string_assign (text, "0 alone, the caller's");
  return g_string_free (text, FALSE);
}

typedef struct {
  BzZoneCondition condition;
  BzZoneInfo info;
  char *release; /* NULL: could not be planned */
  char *addresses; /* NULL: none */
  char *root, *file, *storage;
  char **snapshots;
  GPtrArray *sessions; /* or NULL */
  BzSharing sharing;
  gboolean measured;
} Shown;

static void
show_json (const BzZoneState *state, const BzZoneFile *file, const Shown *shown)
{
  JsonBuilder *builder = bz_json_begin ();
  g_autofree char *ids = ranges_text (state->uids);

  add_common (builder, state, shown->condition, &shown->info, shown->addresses,
              shown->sessions);
  bz_json_text (builder, "release", shown->release);
  bz_json_text (builder, "description", file->description);
  bz_json_text (builder, "hostname", file->hostname != NULL ? file->hostname : state->name);
  bz_json_text (builder, "network",
                bz_network_name (bz_zone_file_network (file)));
  bz_json_texts (builder, "volumes", (const char *const *) file->volumes);
  bz_json_text (builder, "root", shown->root);
  bz_json_text (builder, "storage", bz_storage_is_layered (state) ? "overlay" : "directory");
  bz_json_number (builder, "layers", state->layers->len);
  add_sharing (builder, &shown->sharing, shown->measured);
  bz_json_texts (builder, "snapshots", (const char *const *) shown->snapshots);
  bz_json_text (builder, "zone_file", shown->file);
  bz_json_text (builder, "ids", ids);
  bz_json_end (builder);
}

/* "12 KiB of its own, 3.9 MiB shared with a, b". NULL: nothing to tell. Owned by the caller. */
static char *
disk_text (const BzSharing *sharing, gboolean measured)
{
  g_autofree char *own = bz_bytes_format (sharing->own);
  g_autofree char *shared = bz_bytes_format (sharing->shared);
  g_autofree char *zones = g_strjoinv (", ", sharing->zones);

  if (!measured)
    return sharing->zones[0] != NULL ? g_strconcat ("shared with ", zones, NULL) : NULL;
  if (sharing->zones[0] == NULL)
    return g_steal_pointer (&own);
  return g_strdup_printf ("%s of its own, %s shared with %s", own, shared, zones);
}

static void
show_text (const BzZoneState *state, const BzZoneFile *file, const Shown *shown)
{
  g_autofree char *size = bz_bytes_format (state->bytes);
  g_autofree char *amount =
      g_strdup_printf ("%s in %" G_GUINT64_FORMAT " files", size, state->files);
  g_autofree char *installed = bz_time_format (state->installed);
  g_autofree char *ids = ranges_text (state->uids);
  g_autofree char *snapshots =
      shown->snapshots[0] != NULL ? g_strjoinv (", ", shown->snapshots) : NULL;
  g_autofree char *disk = disk_text (&shown->sharing, shown->measured);
  g_autofree char *volumes = file->volumes[0] != NULL ? g_strjoinv (", ", file->volumes) : NULL;

  bz_print_field ("Name", state->name);
  bz_print_field ("Description", file->description);
  bz_print_field ("State", bz_zone_condition_name (shown->condition));
  if (shown->condition == BZ_ZONE_RUNNING)
    {
      g_autofree char *started = bz_time_format (shown->info.started);
      g_autofree char *pids =
          g_strdup_printf ("init %d, keeper %d, supervisor %d", (int) shown->info.init,
                           (int) shown->info.keeper, (int) shown->info.supervisor);
      g_autofree char *kept_by = g_strdup_printf (
          "brandzone %s%s", shown->info.version,
          bz_loader_is_current (shown->info.keeper)
              ? ""
              : ", which is not the one that is installed (brandzone refresh)");
      bz_print_field ("Started", started);
      bz_print_field ("Processes", pids);
      bz_print_field ("Kept by", kept_by);
      bz_print_field ("Addresses", shown->addresses);
      g_autofree char *sessions = sessions_text (shown->sessions);
      bz_print_field ("Sessions", sessions);
    }
  bz_print_field ("Brand", file->brand != NULL ? file->brand : state->brand);
  bz_print_field ("ABI", bz_abi_name (file->abi.set ? file->abi.value : state->abi));
  bz_print_field ("Release", shown->release);
  bz_print_field ("Hostname", file->hostname != NULL ? file->hostname : state->name);
  bz_print_field ("Network", bz_network_name (bz_zone_file_network (file)));
  bz_print_field ("Volumes", volumes);
  bz_print_field ("Installed", installed);
  bz_print_field ("From", state->source);
  bz_print_field ("Size", amount);
  bz_print_field ("Ids", ids);
  bz_print_field ("Storage", shown->storage);
  bz_print_field ("On disk", disk);
  bz_print_field ("Snapshots", snapshots);
  bz_print_field ("Root", shown->root);
  bz_print_field ("Zone file", shown->file);
}

int
bz_verb_show (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0);
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, error);
  g_autofree char *path = bz_dirs_zone_file (context->dirs, name);
  Shown shown = { .file = path };

  if (state == NULL)
    return -1;
  g_autofree char *root = bz_storage_tree (context->dirs, state);
  g_autofree char *storage = bz_storage_describe (state);
  g_auto (GStrv) snapshots = bz_snapshots_list (context->dirs, name);
  shown.root = root;
  shown.storage = storage;
  shown.snapshots = snapshots;
  g_autoptr (BzZoneFile) file = bz_zone_file_load (path, error);
  if (file == NULL)
    return -1;
  /* The release is the brand's: a host that can't run the zone must not keep it from being shown.
   */
  g_autoptr (BzPlanning) planning = bz_planning_zone (context, arguments, name, NULL);
  if (planning != NULL)
    shown.release = planning->plan->release;
  shown.condition = bz_state_condition (context->dirs, name, &shown.info);
  g_autofree char *addresses = addresses_of (context, name, shown.condition, &shown.info);
  shown.addresses = addresses;
  g_autoptr (GPtrArray) sessions = sessions_of (context, name, shown.condition);
  shown.sessions = sessions;
  g_autoptr (GError) unmeasured = NULL;
  shown.measured = bz_arguments_flag (arguments, "size");
  if (!bz_sharing_look (context->dirs, state, shown.measured, &shown.sharing, &unmeasured))
    bz_context_note (context, "%s", unmeasured->message);
  (context->json ? show_json : show_text) (state, file, &shown);
  bz_sharing_clear (&shown.sharing);
  return 0;
}
