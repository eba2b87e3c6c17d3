/* explain: the catalogue of failures, and what answers each of its rows. */
#include "config.h"

#include "brand/base/error.h"
#include "brand/quirk.h"
#include "syscall-xlat/table.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/verbs.h"

#include <stdio.h>
#include <string.h>

typedef struct {
  const char *row, *symptom, *cause, *remedy;
} KnownRow;

static const KnownRow known_rows[] = {
#define BZ_KNOWN_ROW(row, symptom, cause, remedy) { row, symptom, cause, remedy },
#define BZ_ROW_DONE(row, what)
#include "zone/rows.def"
#undef BZ_KNOWN_ROW
#undef BZ_ROW_DONE
};

/* What is done about a row besides quirks and calls. */
static const struct {
  const char *row, *what;
} done_rows[] = {
#define BZ_KNOWN_ROW(row, symptom, cause, remedy)
#define BZ_ROW_DONE(row, what) { row, what },
#include "zone/rows.def"
#undef BZ_KNOWN_ROW
#undef BZ_ROW_DONE
};

static const KnownRow *
find_row (const char *row)
{
  for (guint i = 0; i < G_N_ELEMENTS (known_rows); i++)
    if (strcmp (known_rows[i].row, row) == 0)
      return &known_rows[i];
  return NULL;
}

/* NULL: nothing. */
static const char *
find_done (const char *row)
{
  for (guint i = 0; i < G_N_ELEMENTS (done_rows); i++)
    if (strcmp (done_rows[i].row, row) == 0)
      return done_rows[i].what;
  return NULL;
}

/* Whether "E30" is one of the words of `rows`. */
static gboolean
has_word (const char *rows, const char *row)
{
  g_auto (GStrv) words = g_strsplit (rows, " ", -1);

  return g_strv_contains ((const char *const *) words, row);
}

typedef void (*AnswerFunc) (const char *kind, const char *name, const char *abi,
                            const char *meaning, gpointer data);

/* Calls `func` for each quirk and each system call that answers the row; returns how many. */
static guint
each_answer (const char *row, AnswerFunc func, gpointer data)
{
  guint found = 0;

  for (int quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    if (bz_quirk_has_row ((BzQuirk) quirk, row))
      {
        found++;
        func ("quirk", bz_quirk_name ((BzQuirk) quirk), NULL, bz_quirk_meaning ((BzQuirk) quirk),
              data);
      }
  for (int abi = 0; abi < BZ_ABI_COUNT; abi++)
    {
      gsize count;
      const BzRow *rows = bz_table ((BzAbi) abi, &count);

      for (gsize i = 0; i < count; i++)
        if (has_word (rows[i].rows, row))
          {
            found++;
            func ("call", rows[i].name, bz_abi_name ((BzAbi) abi), rows[i].reason, data);
          }
    }
  return found;
}

static void
add_line (const char *kind, const char *name, const char *abi, const char *meaning, gpointer data)
{
  const char *cells[] = { kind, name, abi, meaning, NULL };

  bz_text_table_add (data, cells);
}

static void
add_object (const char *kind, const char *name, const char *abi, const char *meaning, gpointer data)
{
  JsonBuilder *builder = data;

  json_builder_begin_object (builder);
  bz_json_text (builder, "kind", kind);
  bz_json_text (builder, "name", name);
  bz_json_text (builder, "abi", abi);
  bz_json_text (builder, "meaning", meaning);
  json_builder_end_object (builder);
}

/* Calls that are gone fail all the same. */
static const char *
how_answered (const char *row)
{
  const char *how = find_done (row) != NULL ? "yes" : "no";

  for (BzQuirk quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    if (bz_quirk_has_row (quirk, row))
      how = quirk == BZ_QUIRK_GONE && strcmp (how, "no") == 0 ? "counted" : "yes";
  return how;
}

static void
json_row (JsonBuilder *builder, const KnownRow *row)
{
  bz_json_text (builder, "row", row->row);
  bz_json_text (builder, "symptom", row->symptom);
  bz_json_text (builder, "cause", row->cause);
  bz_json_text (builder, "does", find_done (row->row));
  bz_json_text (builder, "hint", row->remedy);
  json_builder_set_member_name (builder, "answered_by");
  json_builder_begin_array (builder);
  each_answer (row->row, add_object, builder);
  json_builder_end_array (builder);
}

static void
print_row (const KnownRow *row)
{
  static const char *const headings[] = { "KIND", "NAME", "ABI", "MEANING", NULL };
  g_autoptr (BzTextTable) table = bz_text_table_new (headings);

  bz_print_field ("Row", row->row);
  bz_print_field ("Symptom", row->symptom);
  bz_print_field ("Cause", row->cause);
  const char *done = find_done (row->row);
  bz_print_field ("Brandzone", done);
  if (each_answer (row->row, add_line, table) > 0)
    {
      puts ("\nBrands that need it answer it by:");
      bz_text_table_print (table);
    }
  else if (done == NULL)
    bz_print_field ("Answered by", "nothing in brandzone");
  bz_print_field ("What to do", row->remedy);
}

static void
print_all (void)
{
  static const char *const headings[] = { "ROW", "ANSWERED", "SYMPTOM", NULL };
  g_autoptr (BzTextTable) table = bz_text_table_new (headings);

  for (guint i = 0; i < G_N_ELEMENTS (known_rows); i++)
    {
      const char *row = known_rows[i].row;
      const char *cells[] = { row, how_answered (row), known_rows[i].symptom, NULL };

      bz_text_table_add (table, cells);
    }
  bz_text_table_print (table);
}

static void
json_all (void)
{
  JsonBuilder *builder = bz_json_begin ();

  json_builder_set_member_name (builder, "rows");
  json_builder_begin_array (builder);
  for (guint i = 0; i < G_N_ELEMENTS (known_rows); i++)
    {
      json_builder_begin_object (builder);
      json_row (builder, &known_rows[i]);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  bz_json_end (builder);
}

int
bz_verb_explain (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *word = bz_arguments_word (arguments, 0);

  if (word == NULL)
    {
      (context->json ? json_all : print_all) ();
      return 0;
    }
  g_autofree char *name = g_ascii_strup (word, -1);
  const KnownRow *row = find_row (name);
  if (row == NULL)
    {
      g_autofree char *safe = bz_text_quoted (name);
      bz_fail (error, BZ_ERROR_INPUT, "the catalogue of failures has no such row",
               "`brandzone explain` lists them", "row %s", safe);
      return -1;
    }
  if (context->json)
    {
      JsonBuilder *builder = bz_json_begin ();
      json_row (builder, row);
      bz_json_end (builder);
    }
  else
    print_row (row);
  return 0;
}
