#include "config.h"

#include "zone/counts.h"

#include "syscall-xlat/table.h"

static const char *
name_of (const BzCount *count)
{
  const BzRow *row = bz_table_row (count->abi, count->nr);

  return row != NULL ? row->name : "unknown";
}

static const char *
rows_of (const BzCount *count)
{
  const BzRow *row = bz_table_row (count->abi, count->nr);

  return row != NULL ? row->rows : "";
}

static guint64
answered (const BzCount *count)
{
  return count->count - count->continued - count->pretended;
}

static guint64
passed_on (const BzCount *count)
{
  return count->continued;
}

static guint64
without_effect (const BzCount *count)
{
  return count->pretended;
}

static gboolean
has_both_abis (const GArray *counts)
{
  for (guint i = 1; i < counts->len; i++)
    {
      if (g_array_index (counts, BzCount, i).abi != g_array_index (counts, BzCount, 0).abi)
        return TRUE;
    }
  return FALSE;
}

static void
append_part (GString *line, const char *label, const GArray *counts,
             guint64 (*amount) (const BzCount *))
{
  gboolean both = has_both_abis (counts), first = TRUE;

  for (guint i = 0; i < counts->len; i++)
    {
      const BzCount *count = &g_array_index (counts, BzCount, i);

      if (amount (count) == 0)
        continue;
      if (first)
        g_string_append_printf (line, "%s%s: ", line->len > 0 ? "; " : "", label);
      g_string_append_printf (line, "%s%s%s%s%s %" G_GUINT64_FORMAT, first ? "" : ", ",
                              name_of (count), both ? " (" : "",
                              both ? bz_abi_name (count->abi) : "", both ? ")" : "",
                              amount (count));
      first = FALSE;
    }
}

char *
bz_counts_line (const GArray *counts)
{
  GString *line = g_string_new (NULL);

  append_part (line, "answered", counts, answered);
  append_part (line, "passed on", counts, passed_on);
  append_part (line, "without effect", counts, without_effect);
  if (line->len == 0)
    g_string_assign (line, "no call was answered or passed on");
  return g_string_free (line, FALSE);
}

static char *
number (guint64 value)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, value);
}

static void
add_row (BzTextTable *table, const BzCount *count, gint64 seconds)
{
  g_autofree char *calls = number (count->count);
  g_autofree char *own = number (answered (count));
  g_autofree char *passed = number (count->continued);
  g_autofree char *failed = number (count->failed);
  g_autofree char *pretended = number (count->pretended);
  g_autofree char *rate = g_strdup_printf ("%.1f", (double) count->count / (double) MAX (seconds, 1));
  g_autofree char *mean =
      g_strdup_printf ("%.1f", count->count > 0 ? count->nanoseconds / 1e3 / count->count : 0.0);
  const char *cells[] = {
    name_of (count), bz_abi_name (count->abi), calls, own, passed, failed, pretended, rate, mean,
    rows_of (count)
  };

  bz_text_table_add (table, cells);
}

BzTextTable *
bz_counts_table (const GArray *counts, gint64 seconds)
{
  static const char *const headings[] = { "CALL",   "ABI",       "COUNT",   "ANSWERED", "PASSED ON",
                                          "FAILED", "NO EFFECT", "PER SECOND", "MEAN US", "ROWS", NULL };
  BzTextTable *table = bz_text_table_new (headings);

  for (guint column = 2; column <= 8; column++)
    bz_text_table_right (table, column);
  for (guint i = 0; i < counts->len; i++)
    add_row (table, &g_array_index (counts, BzCount, i), seconds);
  return table;
}

void
bz_counts_json (JsonBuilder *builder, const GArray *counts, guint64 successions, gint64 seconds)
{
  json_builder_set_member_name (builder, "calls");
  json_builder_begin_array (builder);
  for (guint i = 0; i < counts->len; i++)
    {
      const BzCount *count = &g_array_index (counts, BzCount, i);

      json_builder_begin_object (builder);
      bz_json_text (builder, "name", name_of (count));
      bz_json_text (builder, "abi", bz_abi_name (count->abi));
      bz_json_number (builder, "number", count->nr);
      bz_json_number (builder, "count", count->count);
      bz_json_number (builder, "answered", answered (count));
      bz_json_number (builder, "passed_on", count->continued);
      bz_json_number (builder, "failed", count->failed);
      bz_json_number (builder, "without_effect", count->pretended);
      bz_json_number (builder, "over_budget", count->over_budget);
      bz_json_number (builder, "nanoseconds", count->nanoseconds);
      bz_json_text (builder, "rows", rows_of (count));
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  bz_json_number (builder, "successions", successions);
  if (seconds > 0)
    bz_json_number (builder, "seconds", seconds);
}
