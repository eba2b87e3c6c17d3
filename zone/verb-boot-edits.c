/* boot-edits: what a boot needs edited in a zone's files, as a list or a difference, and back. */
#include "config.h"

#include "brand/base/error.h"
#include "zone/boot-edits.h"
#include "zone/names.h"
#include "zone/network.h"
#include "zone/output.h"
#include "zone/storage.h"
#include "zone/verbs.h"

#include <stdio.h>
#include <unistd.h>

#define LOCK_WAIT_MS 3000

static void
print_list (const GPtrArray *results)
{
  static const char *const headings[] = { "EDIT", "STATE", "FILE", NULL };
  g_autoptr (BzTextTable) table = bz_text_table_new (headings);

  for (guint i = 0; i < results->len; i++)
    {
      const BzEditResult *result = g_ptr_array_index (results, i);
      const char *cells[] = { result->edit->name, bz_edit_state_name (result->state),
                              result->edit->file, NULL };
      bz_text_table_add (table, cells);
    }
  bz_text_table_print (table);
  for (guint i = 0; i < results->len; i++)
    {
      const BzEditResult *result = g_ptr_array_index (results, i);
      printf ("%s: %s\n", result->edit->name, result->edit->reason);
    }
}

/* From the file as the distribution shipped it to the edited one, whichever it is now. */
static void
print_difference (const GPtrArray *results)
{
  for (guint i = 0; i < results->len; i++)
    {
      const BzEditResult *result = g_ptr_array_index (results, i);
      if (result->state == BZ_EDIT_FOREIGN)
        continue;
      g_autofree char *before = bz_text_safe (result->before);
      g_autofree char *after = bz_text_safe (result->after);
      printf ("--- a%s\n+++ b%s\n@@ -%u +%u @@\n-%s\n+%s\n", result->edit->file, result->edit->file,
              result->line, result->line, before, after);
    }
}

static void
print_json (const BzBootFamily *family, const GPtrArray *results)
{
  JsonBuilder *builder = bz_json_begin ();

  bz_json_text (builder, "family", family != NULL ? family->name : NULL);
  json_builder_set_member_name (builder, "edits");
  json_builder_begin_array (builder);
  for (guint i = 0; results != NULL && i < results->len; i++)
    {
      const BzEditResult *result = g_ptr_array_index (results, i);
      json_builder_begin_object (builder);
      bz_json_text (builder, "name", result->edit->name);
      bz_json_text (builder, "state", bz_edit_state_name (result->state));
      bz_json_text (builder, "file", result->edit->file);
      bz_json_text (builder, "reason", result->edit->reason);
      bz_json_number (builder, "line", result->line);
      bz_json_text (builder, "before", result->before);
      bz_json_text (builder, "after", result->after);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  bz_json_end (builder);
}

/* Those of network scripts follow: what is made, and what the network of the zone file needs. */
static gboolean
add_network (const BzContext *context, int tree_fd, const char *name, BzEditsMode mode,
             BzBootFamily **edits, GPtrArray *results, GError **error)
{
  g_autofree char *path = bz_dirs_zone_file (context->dirs, name);
  g_autoptr (BzZoneFile) file = bz_zone_file_load (path, error);
  g_autoptr (GPtrArray) found = NULL;

  if (file == NULL || (*edits = bz_boot_network_edits (error)) == NULL
      || (mode == BZ_EDITS_UNDO && (found = bz_boot_edits (tree_fd, *edits, mode, error)) == NULL))
    return FALSE;
  g_clear_pointer (&found, g_ptr_array_unref);
  found = bz_boot_edits (tree_fd, *edits, BZ_EDITS_LOOK, error);
  gboolean wanted = bz_network_configures (bz_zone_file_network (file), &file->net);
  for (guint i = 0; found != NULL && i < found->len;)
    {
      const BzEditResult *result = g_ptr_array_index (found, i);
      if (result->state == BZ_EDIT_MADE || (wanted && result->state == BZ_EDIT_NEEDED))
        g_ptr_array_add (results, g_ptr_array_steal_index (found, i));
      else
        i++;
    }
  return found != NULL;
}

static void
tell (const BzContext *context, const BzArguments *arguments, const BzBootFamily *family,
      const GPtrArray *results, const char *name)
{
  if (context->json)
    print_json (family, results);
  else if (family == NULL)
    bz_context_note (context, "the init of %s is of no known family: nothing is edited", name);
  else if (results->len == 0)
    bz_context_note (context, "%s needs no edits", family->title);
  else if (bz_arguments_flag (arguments, "diff"))
    print_difference (results);
  else
    print_list (results);
}

int
bz_verb_boot_edits (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0);
  BzEditsMode mode = bz_arguments_flag (arguments, "undo") ? BZ_EDITS_UNDO : BZ_EDITS_LOOK;
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, error);
  g_autoptr (BzBootFamily) family = NULL;
  g_autoptr (BzBootFamily) network = NULL; /* results borrow from both */
  g_autoptr (GPtrArray) results = NULL;
  int lock = -1;

  if (state == NULL)
    return -1;
  /* Before the tree is opened: it is written to. */
  if (mode == BZ_EDITS_UNDO
      && (lock = bz_state_lock (context->dirs, name, LOCK_WAIT_MS, error)) < 0)
    return -1;
  int tree_fd = bz_storage_open (context->dirs, state, mode == BZ_EDITS_UNDO, error);
  g_autofree char *init = tree_fd >= 0 ? bz_boot_find_init (tree_fd, NULL, error) : NULL;
  gboolean good = init != NULL && bz_boot_family_find (tree_fd, init, &family, error);
  if (good && family != NULL)
    good = (results = bz_boot_edits (tree_fd, family, mode, error)) != NULL;
  /* What is shown is what is there now. */
  if (good && family != NULL && mode == BZ_EDITS_UNDO)
    {
      g_ptr_array_unref (results);
      good = (results = bz_boot_edits (tree_fd, family, BZ_EDITS_LOOK, error)) != NULL;
    }
  if (good && family != NULL)
    good = add_network (context, tree_fd, name, mode, &network, results, error);
  if (tree_fd >= 0)
    close (tree_fd);
  if (lock >= 0)
    close (lock);
  if (!good)
    return -1;
  tell (context, arguments, family, results, name);
  return 0;
}
