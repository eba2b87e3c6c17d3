#include "config.h"

#include "zone/output.h"

#include "brand/base/error.h"
#include "zone/names.h"

#include <stdio.h>
#include <string.h>

struct BzTextTable {
  GPtrArray *rows; /* of char **, cells made safe */
  guint columns;
  guint64 right; /* bit n: column n is aligned to the right */
  gboolean headings;
};

static char **
copy_cells (const char *const *cells, guint columns)
{
  char **copy = g_new0 (char *, columns + 1);

  for (guint i = 0; i < columns; i++)
    copy[i] = cells[i] != NULL ? bz_text_safe (cells[i]) : g_strdup ("-");
  return copy;
}

BzTextTable *
bz_text_table_new (const char *const *headings)
{
  BzTextTable *table = g_new0 (BzTextTable, 1);

  table->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  if (headings != NULL)
    {
      table->columns = g_strv_length ((char **) headings);
      table->headings = TRUE;
      g_ptr_array_add (table->rows, copy_cells (headings, table->columns));
    }
  return table;
}

void
bz_text_table_add (BzTextTable *table, const char *const *cells)
{
  if (table->columns == 0)
    table->columns = g_strv_length ((char **) cells);
  g_ptr_array_add (table->rows, copy_cells (cells, table->columns));
}

void
bz_text_table_right (BzTextTable *table, guint column)
{
  table->right |= G_GUINT64_CONSTANT (1) << column;
}

static guint
width_of (const char *text)
{
  guint width = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar c = g_utf8_get_char (text);
      width += g_unichar_iszerowidth (c) ? 0 : g_unichar_iswide (c) ? 2 : 1;
    }
  return width;
}

static void
append_spaces (GString *line, guint count)
{
  while (count-- > 0)
    g_string_append_c (line, ' ');
}

static void
append_row (const BzTextTable *table, char **cells, const guint *widths, GString *text)
{
  gsize start = text->len;

  for (guint i = 0; i < table->columns; i++)
    {
      guint fill = widths[i] - width_of (cells[i]);
      gboolean right = (table->right >> i) & 1;

      if (i > 0)
        append_spaces (text, 2);
      if (right)
        append_spaces (text, fill);
      g_string_append (text, cells[i]);
      if (!right)
        append_spaces (text, fill);
    }
  while (text->len > start && text->str[text->len - 1] == ' ')
    g_string_truncate (text, text->len - 1);
  g_string_append_c (text, '\n');
}

char *
bz_text_table_format (const BzTextTable *table)
{
  g_autofree guint *widths = g_new0 (guint, table->columns + 1);
  GString *text = g_string_new (NULL);

  for (guint r = 0; r < table->rows->len; r++)
    {
      char **cells = g_ptr_array_index (table->rows, r);
      for (guint i = 0; i < table->columns; i++)
        widths[i] = MAX (widths[i], width_of (cells[i]));
    }
  for (guint r = 0; r < table->rows->len; r++)
    append_row (table, g_ptr_array_index (table->rows, r), widths, text);
  return g_string_free (text, FALSE);
}

void
bz_text_table_print (const BzTextTable *table)
{
  g_autofree char *text = bz_text_table_format (table);

  fputs (text, stdout);
}

void
bz_text_table_free (BzTextTable *table)
{
  if (table == NULL)
    return;
  g_ptr_array_unref (table->rows);
  g_free (table);
}

void
bz_print_field (const char *name, const char *value)
{
  if (value == NULL)
    return;
  g_autofree char *safe = bz_text_safe (value);
  g_autofree char *label = g_strconcat (name, ":", NULL);
  printf ("%-16s %s\n", label, safe);
}

char *
bz_bytes_format (guint64 bytes)
{
  if (bytes < 1024)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " B", bytes);

  static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
  double value = bytes / 1024.0;
  guint unit = 0;
  while (value >= 1023.95 && unit + 1 < G_N_ELEMENTS (units))
    {
      value /= 1024;
      unit++;
    }
  return g_strdup_printf ("%.1f %s", value, units[unit]);
}

char *
bz_time_format (gint64 seconds)
{
  g_autoptr (GDateTime) when = g_date_time_new_from_unix_utc (seconds);

  return when != NULL ? g_date_time_format (when, "%Y-%m-%dT%H:%M:%SZ") : g_strdup ("unknown");
}

char *
bz_error_format (const GError *error, gboolean json)
{
  const BzErrorParts *parts = bz_error_parts (error);

  if (json)
    {
      JsonBuilder *builder = bz_json_begin ();
      bz_json_text (builder, "error", parts != NULL ? parts->what : error->message);
      bz_json_text (builder, "why", parts != NULL ? parts->why : NULL);
      bz_json_text (builder, "hint", parts != NULL ? parts->hint : NULL);
      bz_json_text (builder, "row", parts != NULL ? parts->row : NULL);
      bz_json_number (builder, "code", bz_error_exit_status (error));
      g_autofree char *line = bz_json_end_line (builder);
      return g_strconcat (line, "\n", NULL);
    }

  g_autofree char *safe = bz_text_safe (error->message);
  const char *row = parts != NULL ? parts->row : NULL;
  return g_strconcat ("brandzone: ", safe, row != NULL ? " [" : "", row != NULL ? row : "",
                      row != NULL ? "]" : "", "\n", NULL);
}
