/* detect and plan. */
#include "config.h"

#include "brand/base/error.h"
#include "syscall-xlat/table.h"
#include "zone/output.h"
#include "zone/planning.h"
#include "zone/verbs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_WIDTH 96

int
bz_verb_detect (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *tree = bz_arguments_word (arguments, 0);
  int fd = bz_tree_open (tree, error);

  if (fd < 0)
    return -1;
  g_autoptr (BzDetection) detection = bz_detect (fd, NULL, error);
  close (fd);
  if (detection == NULL)
    return -1;

  const char *abi = detection->foreign ? NULL : bz_abi_name (detection->abi);
  g_autoptr (BzBrand) brand = bz_brand_load (NULL, detection->brand, NULL);
  if (context->json)
    {
      JsonBuilder *builder = bz_json_begin ();
      bz_json_text (builder, "tree", tree);
      bz_json_text (builder, "brand", detection->brand);
      bz_json_text (builder, "title", brand != NULL ? brand->title : NULL);
      bz_json_text (builder, "abi", abi);
      bz_json_bool (builder, "foreign", detection->foreign);
      bz_json_bool (builder, "nearest", detection->nearest);
      bz_json_texts (builder, "reasons", (const char *const *) detection->reasons);
      bz_json_end (builder);
      return 0;
    }
  bz_print_field ("Brand", detection->brand);
  bz_print_field ("Title", brand != NULL ? brand->title : NULL);
  bz_print_field ("ABI", detection->foreign ? "of another CPU: its programs do not run here" : abi);
  for (char **reason = detection->reasons; *reason != NULL; reason++)
    bz_print_field (reason == detection->reasons ? "Because" : "and", *reason);
  if (detection->nearest)
    bz_context_note (context,
                     "no brand is made for this tree: %s is the nearest (doc/adding-a-brand.md "
                     "tells how to make one)",
                     detection->brand);
  return 0;
}

/* Calls of an ABI that get `action`, sorted by number. Owned by the caller. */
static GPtrArray *
rows_with (const BzPlan *plan, BzAbi abi, BzAction action)
{
  GPtrArray *rows = g_ptr_array_new ();
  gsize count;
  const BzRow *table = bz_table (abi, &count);

  for (gsize i = 0; i < count; i++)
    {
      if (bz_row_action (&table[i], plan, abi) == action)
        g_ptr_array_add (rows, (gpointer) &table[i]);
    }
  return rows;
}

static char *
limit_text (guint64 value)
{
  return value == G_MAXUINT64 ? g_strdup ("unlimited")
                              : g_strdup_printf ("%" G_GUINT64_FORMAT, value);
}

static void
print_limits (const BzPlan *plan)
{
  for (int kind = 0; kind < BZ_LIMIT_COUNT; kind++)
    {
      const BzLimit *limit = &plan->limits[kind];
      g_autofree char *name = g_strconcat ("Limit ", bz_limit_name ((BzLimitKind) kind), NULL);
      g_autofree char *soft = limit_text (limit->soft);
      g_autofree char *hard = limit_text (limit->hard);
      g_autofree char *value = g_strdup_printf ("%s, at most %s", soft, hard);

      if (limit->set)
        bz_print_field (name, value);
    }
}

static void
print_quirks (const BzPlan *plan)
{
  static const char *const headings[] = { "QUIRK", "VALUE", "ROWS", "MEANING", NULL };
  g_autoptr (BzTextTable) table = bz_text_table_new (headings);

  for (int quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    {
      const char *cells[] = { bz_quirk_name ((BzQuirk) quirk),
                              bz_quirk_value_name ((BzQuirk) quirk, plan->quirk[quirk]),
                              bz_quirk_rows ((BzQuirk) quirk), bz_quirk_meaning ((BzQuirk) quirk),
                              NULL };
      bz_text_table_add (table, cells);
    }
  putchar ('\n');
  bz_text_table_print (table);
}

static void
print_files (const BzPlan *plan)
{
  static const char *const headings[] = { "FILE", "IS", "IN ZONES THAT", NULL };
  static const char *const whens[] = { "run and boot", "run", "boot" };
  g_autoptr (BzTextTable) table = bz_text_table_new (headings);

  if (plan->files == NULL || plan->files->len == 0)
    return;
  for (guint i = 0; i < plan->files->len; i++)
    {
      const BzFile *file = g_ptr_array_index (plan->files, i);
      g_autofree char *what = bz_file_describe (file);
      const char *cells[] = { file->path, what, whens[file->when], NULL };
      bz_text_table_add (table, cells);
    }
  putchar ('\n');
  bz_text_table_print (table);
}

static void
print_wrapped (const GPtrArray *rows)
{
  gsize column = 0;

  for (guint i = 0; i < rows->len; i++)
    {
      const BzRow *row = g_ptr_array_index (rows, i);
      gsize length = strlen (row->name);

      if (column > 0 && column + 1 + length > LINE_WIDTH)
        {
          putchar ('\n');
          column = 0;
        }
      column += printf ("%s%s", column == 0 ? "  " : " ", row->name);
    }
  putchar ('\n');
}

static void
print_calls (const BzPlan *plan, BzAbi abi)
{
  static const char *const headings[] = { "  CALL", "NUMBER", "ROWS", "REASON", NULL };
  g_autoptr (GPtrArray) trapped = rows_with (plan, abi, BZ_ACTION_NOTIFY);
  g_autoptr (GPtrArray) refused = rows_with (plan, abi, BZ_ACTION_ENOSYS);
  g_autoptr (BzTextTable) table = bz_text_table_new (headings);

  bz_text_table_right (table, 1);
  for (guint i = 0; i < trapped->len; i++)
    {
      const BzRow *row = g_ptr_array_index (trapped, i);
      g_autofree char *name = g_strconcat ("  ", row->name, NULL);
      g_autofree char *number = g_strdup_printf ("%d", row->nr);
      const char *cells[] = { name, number, row->rows, row->reason, NULL };
      bz_text_table_add (table, cells);
    }
  printf (
      "\n%s: %u calls answered or looked at, %u refused (ENOSYS), the others go to the kernel\n",
      bz_abi_name (abi), trapped->len, refused->len);
  if (trapped->len > 0)
    bz_text_table_print (table);
  if (refused->len > 0)
    {
      puts ("  refused:");
      print_wrapped (refused);
    }
}

static void
print_plan (const BzPlanning *planning)
{
  const BzPlan *plan = planning->plan;
  g_autofree char *personality = g_strdup_printf ("0x%" G_GINT64_MODIFIER "x", plan->personality);

  if (planning->state != NULL)
    bz_print_field ("Zone", planning->state->name);
  bz_print_field ("Tree", planning->tree);
  bz_print_field ("Brand", plan->brand);
  bz_print_field ("Title", planning->brand->title);
  bz_print_field ("ABI", bz_abi_name (plan->abi));
  bz_print_field ("Release", plan->release);
  bz_print_field ("Host release", planning->host->release_text);
  bz_print_field ("Version", plan->version);
  bz_print_field ("Machine", plan->machine[plan->abi]);
  bz_print_field ("/proc/version", plan->proc_version);
  bz_print_field ("Personality", personality);
  bz_print_field ("Inodes folded", planning->long_inodes);
  print_limits (plan);
  print_quirks (plan);
  print_files (plan);
  for (int abi = 0; abi < BZ_ABI_COUNT; abi++)
    print_calls (plan, (BzAbi) abi);
}

static void
json_calls (JsonBuilder *builder, const BzPlan *plan, BzAbi abi)
{
  g_autoptr (GPtrArray) trapped = rows_with (plan, abi, BZ_ACTION_NOTIFY);
  g_autoptr (GPtrArray) refused = rows_with (plan, abi, BZ_ACTION_ENOSYS);

  json_builder_set_member_name (builder, bz_abi_name (abi));
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "trapped");
  json_builder_begin_array (builder);
  for (guint i = 0; i < trapped->len; i++)
    {
      const BzRow *row = g_ptr_array_index (trapped, i);

      json_builder_begin_object (builder);
      bz_json_text (builder, "name", row->name);
      bz_json_number (builder, "number", row->nr);
      bz_json_text (builder, "rows", row->rows);
      bz_json_text (builder, "reason", row->reason);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "refused");
  json_builder_begin_array (builder);
  for (guint i = 0; i < refused->len; i++)
    json_builder_add_string_value (builder, ((const BzRow *) g_ptr_array_index (refused, i))->name);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

/* -1 stands for no limit: JSON's numbers end before 2^64. */
static void
json_limits (JsonBuilder *builder, const BzPlan *plan)
{
  json_builder_set_member_name (builder, "limits");
  json_builder_begin_object (builder);
  for (int kind = 0; kind < BZ_LIMIT_COUNT; kind++)
    {
      if (!plan->limits[kind].set)
        continue;
      json_builder_set_member_name (builder, bz_limit_name ((BzLimitKind) kind));
      json_builder_begin_object (builder);
      bz_json_number (builder, "soft", (gint64) plan->limits[kind].soft);
      bz_json_number (builder, "hard", (gint64) plan->limits[kind].hard);
      json_builder_end_object (builder);
    }
  json_builder_end_object (builder);
}

static void
json_plan (const BzPlanning *planning)
{
  const BzPlan *plan = planning->plan;
  JsonBuilder *builder = bz_json_begin ();

  bz_json_text (builder, "zone", planning->state != NULL ? planning->state->name : NULL);
  bz_json_text (builder, "tree", planning->tree);
  bz_json_text (builder, "brand", plan->brand);
  bz_json_text (builder, "abi", bz_abi_name (plan->abi));
  bz_json_text (builder, "release", plan->release);
  bz_json_text (builder, "host_release", planning->host->release_text);
  bz_json_text (builder, "version", plan->version);
  json_builder_set_member_name (builder, "machine");
  json_builder_begin_object (builder);
  for (int abi = 0; abi < BZ_ABI_COUNT; abi++)
    bz_json_text (builder, bz_abi_name ((BzAbi) abi), plan->machine[abi]);
  json_builder_end_object (builder);
  bz_json_text (builder, "proc_version", plan->proc_version);
  bz_json_number (builder, "personality", (gint64) plan->personality);
  bz_json_text (builder, "inodes_folded", planning->long_inodes);
  json_limits (builder, plan);
  json_builder_set_member_name (builder, "quirks");
  json_builder_begin_object (builder);
  for (int quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    bz_json_text (builder, bz_quirk_name ((BzQuirk) quirk),
                  bz_quirk_value_name ((BzQuirk) quirk, plan->quirk[quirk]));
  json_builder_end_object (builder);
  bz_json_files (builder, plan->files);
  bz_json_bool (builder, "sync_wake_up", plan->sync_wake_up);
  bz_json_bool (builder, "wait_killable", plan->wait_killable);
  bz_json_bool (builder, "fuse", plan->fuse);
  json_builder_set_member_name (builder, "calls");
  json_builder_begin_object (builder);
  for (int abi = 0; abi < BZ_ABI_COUNT; abi++)
    json_calls (builder, plan, (BzAbi) abi);
  json_builder_end_object (builder);
  bz_json_end (builder);
}

int
bz_verb_plan (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0);
  const char *image = bz_arguments_string (arguments, "image");
  const char *brand = bz_arguments_string (arguments, "brand");
  g_autoptr (BzPlanning) planning = NULL;

  if (name != NULL && image != NULL)
    {
      bz_fail (error, BZ_ERROR_USAGE, "both a zone and a tree are named", "leave one of them out",
               "brandzone plan");
      return -1;
    }
  if (name != NULL)
    planning = bz_planning_zone (context, arguments, name, error);
  else if (image != NULL)
    planning = bz_planning_tree (context, arguments, image, error);
  else if (brand != NULL)
    planning = bz_planning_brand (context, arguments, brand, error);
  else
    bz_fail (error, BZ_ERROR_USAGE, "nothing says what to plan for",
             "write: brandzone plan NAME, or --image TREE, or --brand BRAND", "brandzone plan");
  if (planning == NULL)
    return -1;
  (context->json ? json_plan : print_plan) (planning);
  return 0;
}
