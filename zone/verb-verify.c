/* verify: whether zones are in order, without starting them, and what in their trees is not as
 * installed. */
#include "config.h"

#include "brand/base/error.h"
#include "zone/installed.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/planning.h"
#include "zone/tree-list.h"
#include "zone/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  GPtrArray *problems, *warnings; /* of char * */
  GPtrArray *then, *now;          /* what the changes borrow; NULL: not compared */
  GArray *changes;                /* of BzTreeChange */
  guint counts[BZ_N_PLACES];
  gboolean all; /* those of data are told one by one, too */
} Findings;

static void
findings_clear (Findings *findings)
{
  g_clear_pointer (&findings->problems, g_ptr_array_unref);
  g_clear_pointer (&findings->warnings, g_ptr_array_unref);
  g_clear_pointer (&findings->changes, g_array_unref);
  g_clear_pointer (&findings->then, g_ptr_array_unref);
  g_clear_pointer (&findings->now, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Findings, findings_clear)

static void
add_source (Findings *findings, const char *what, const char *path)
{
  if (access (path, F_OK) != 0)
    g_ptr_array_add (findings->problems,
                     g_strdup_printf ("%s %s: %s", what, path, g_strerror (errno)));
}

static void
check_sources (const BzZoneFile *file, Findings *findings)
{
  for (char **one = file->volumes; *one != NULL; one++)
    {
      g_autofree char *source = g_strndup (*one, strcspn (*one, ":"));
      add_source (findings, "volume", source);
    }
  for (guint i = 0; i < file->mounts->len; i++)
    add_source (findings, "mount", ((BzZoneMount *) g_ptr_array_index (file->mounts, i))->source);
  for (guint i = 0; i < file->devices->len; i++)
    add_source (findings, "device",
                ((BzZoneDevice *) g_ptr_array_index (file->devices, i))->source);
}

static void
check_host (const BzPlanning *planning, Findings *findings)
{
  const BzZoneFile *file = planning->file;
  g_autoptr (GError) cause = NULL;

  if (!bz_host_check (planning->host, &cause))
    g_ptr_array_add (findings->problems, g_strdup (cause->message));
  if ((file->memory != 0 || file->cpu_percent != 0 || file->processes != 0)
      && !planning->host->has[BZ_FEATURE_CGROUP])
    g_ptr_array_add (findings->problems,
                     g_strdup ("[Resources] limits need cgroups, which this host does not give"));
  if (file->mac_address != NULL && bz_zone_file_network (file) == BZ_NETWORK_NONE)
    add_source (findings, "MacAddress needs", "/dev/net/tun");
}

/* The host's users must not reach the set-uid programs of a tree. */
static void
check_place (const BzContext *context, const char *name, Findings *findings)
{
  g_autofree char *path = bz_dirs_zone (context->dirs, name);
  struct stat st;

  if (stat (path, &st) == 0 && (st.st_mode & 077) != 0)
    g_ptr_array_add (findings->problems,
                     g_strdup_printf ("%s is open to others (chmod 700 %s)", path, path));
}

static void
verify_one (const BzContext *context, const BzArguments *arguments, const char *name,
            Findings *findings)
{
  BzContext silent = *context; /* what the planning warns of is told here */
  g_autoptr (GError) cause = NULL;

  silent.quiet = TRUE;
  g_autoptr (BzPlanning) planning = bz_planning_zone (&silent, arguments, name, &cause);
  if (planning == NULL)
    {
      g_ptr_array_add (findings->problems, g_strdup (cause->message));
      return;
    }
  for (guint i = 0; i < planning->file->warnings->len; i++)
    g_ptr_array_add (findings->warnings,
                     g_strdup (g_ptr_array_index (planning->file->warnings, i)));
  for (char **one = planning->brand->warnings; *one != NULL; one++)
    g_ptr_array_add (findings->warnings, g_strdup (*one));
  check_place (context, name, findings);
  check_sources (planning->file, findings);
  check_host (planning, findings);
}

static void
compare_tree (const BzContext *context, const char *name, Findings *findings)
{
  g_autoptr (GError) cause = NULL;
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, &cause);

  if (state == NULL)
    return; /* told already */
  findings->changes =
      bz_installed_compare (context, state, &findings->then, &findings->now, &cause);
  if (cause != NULL)
    g_ptr_array_add (findings->problems, g_strdup (cause->message));
  else if (findings->changes == NULL)
    g_ptr_array_add (findings->warnings,
                     g_strdup ("nothing says what was installed: an older brandzone made it"));
  for (guint i = 0; findings->changes != NULL && i < findings->changes->len; i++)
    findings->counts[g_array_index (findings->changes, BzTreeChange, i).place]++;
}

/* What a zone at work writes is no reason to doubt it. */
static gboolean
is_changed (const Findings *findings)
{
  return findings->counts[BZ_PLACE_PROGRAM] > 0 || findings->counts[BZ_PLACE_CONFIGURATION] > 0;
}

static void
report_changes (const BzContext *context, const char *name, const Findings *findings)
{
  const guint *counts = findings->counts;

  for (guint i = 0; findings->changes != NULL && i < findings->changes->len; i++)
    {
      const BzTreeChange *change = &g_array_index (findings->changes, BzTreeChange, i);
      if (change->place == BZ_PLACE_DATA && !findings->all)
        continue;
      g_autofree char *path = bz_text_safe (bz_tree_change_path (change));
      g_autofree char *text = bz_tree_change_text (change);
      g_autofree char *safe = bz_text_safe (text);
      printf ("%s: /%s: %s\n", name, path, safe);
    }
  if (findings->changes != NULL && findings->changes->len > 0 && !context->quiet)
    printf ("%s: not as installed: %u of programs, %u of configuration, %u of data%s\n", name,
            counts[BZ_PLACE_PROGRAM], counts[BZ_PLACE_CONFIGURATION], counts[BZ_PLACE_DATA],
            counts[BZ_PLACE_DATA] > 0 && !findings->all ? " (--all names those, too)" : "");
}

static void
report_text (const BzContext *context, const char *name, const Findings *findings)
{
  for (guint i = 0; i < findings->problems->len; i++)
    {
      g_autofree char *safe = bz_text_safe (g_ptr_array_index (findings->problems, i));
      printf ("%s: %s\n", name, safe);
    }
  for (guint i = 0; i < findings->warnings->len; i++)
    {
      g_autofree char *safe = bz_text_safe (g_ptr_array_index (findings->warnings, i));
      printf ("%s: warning: %s\n", name, safe);
    }
  report_changes (context, name, findings);
  if (findings->problems->len == 0 && !context->quiet)
    printf ("%s: ready to start\n", name);
}

static void
changes_json (JsonBuilder *builder, const Findings *findings)
{
  json_builder_set_member_name (builder, "changes");
  if (findings->changes == NULL)
    {
      json_builder_add_null_value (builder);
      return;
    }
  json_builder_begin_array (builder);
  for (guint i = 0; i < findings->changes->len; i++)
    {
      const BzTreeChange *change = &g_array_index (findings->changes, BzTreeChange, i);
      g_auto (GStrv) words = bz_differs_words (change->differs);
      g_autofree char *path = g_strconcat ("/", bz_tree_change_path (change), NULL);
      g_autofree char *text = bz_tree_change_text (change);

      json_builder_begin_object (builder);
      bz_json_text (builder, "path", path);
      bz_json_text (builder, "place", bz_place_name (change->place));
      bz_json_texts (builder, "differs", (const char *const *) words);
      bz_json_text (builder, "says", text);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
report_json (JsonBuilder *builder, const char *name, const Findings *findings)
{
  json_builder_begin_object (builder);
  bz_json_text (builder, "name", name);
  bz_json_bool (builder, "ready", findings->problems->len == 0);
  g_ptr_array_add (findings->problems, NULL);
  g_ptr_array_add (findings->warnings, NULL);
  bz_json_texts (builder, "problems", (const char *const *) findings->problems->pdata);
  bz_json_texts (builder, "warnings", (const char *const *) findings->warnings->pdata);
  changes_json (builder, findings);
  json_builder_end_object (builder);
}

/* The names that were given, or all. Owned by the caller. */
static char **
names_of (const BzContext *context, const BzArguments *arguments, GError **error)
{
  guint count = bz_arguments_n_words (arguments);

  if (count == 0)
    return bz_state_list (context->dirs, error);
  char **names = g_new0 (char *, count + 1);
  for (guint i = 0; i < count; i++)
    names[i] = g_strdup (bz_arguments_word (arguments, i));
  return names;
}

int
bz_verb_verify (BzContext *context, const BzArguments *arguments, GError **error)
{
  g_auto (GStrv) names = names_of (context, arguments, error);
  JsonBuilder *builder = NULL;
  int status = 0;

  if (names == NULL)
    return -1;
  for (char **name = names; *name != NULL; name++)
    {
      /* A name that is none is the caller's mistake, not a finding. */
      g_autoptr (GError) cause = NULL;
      g_autoptr (BzZoneState) state = bz_state_load (context->dirs, *name, &cause);
      if (state == NULL && g_error_matches (cause, BZ_ERROR, BZ_ERROR_NO_ZONE))
        {
          g_propagate_error (error, g_steal_pointer (&cause));
          return -1;
        }
    }
  if (context->json)
    {
      builder = bz_json_begin ();
      json_builder_set_member_name (builder, "zones");
      json_builder_begin_array (builder);
    }
  for (char **name = names; *name != NULL; name++)
    {
      g_auto (Findings) findings = { .problems = g_ptr_array_new_with_free_func (g_free),
                                     .warnings = g_ptr_array_new_with_free_func (g_free),
                                     .all = bz_arguments_flag (arguments, "all") };

      verify_one (context, arguments, *name, &findings);
      if (bz_arguments_n_words (arguments) > 0 && !bz_arguments_flag (arguments, "ready"))
        compare_tree (context, *name, &findings);
      if (findings.problems->len > 0 || is_changed (&findings))
        status = 1;
      if (builder != NULL)
        report_json (builder, *name, &findings);
      else
        report_text (context, *name, &findings);
    }
  if (builder != NULL)
    {
      json_builder_end_array (builder);
      bz_json_end (builder);
    }
  return status;
}
