/* brands. */
#include "config.h"

#include "brand/base/error.h"
#include "brand/brand.h"
#include "syscall-xlat/table.h"
#include "zone/listing.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *
release_of (const BzBrand *brand)
{
  for (int abi = BZ_ABI_COUNT - 1; abi >= 0; abi--)
    {
      if (brand->release[abi] != NULL)
        return brand->release[abi];
    }
  return NULL;
}

static void
json_brand (JsonBuilder *builder, const BzBrand *brand)
{
  bz_json_text (builder, "name", brand->name);
  bz_json_text (builder, "title", brand->title);
  bz_json_text (builder, "inherits", brand->inherits);
  bz_json_bool (builder, "profile", brand->profile);
  bz_json_text (builder, "release", release_of (brand));
  bz_json_text (builder, "file", brand->file);
  bz_json_text (builder, "source", brand->source);
  bz_json_text (builder, "init", brand->init);
}

static int
list_brands (const BzContext *context, GError **unused G_GNUC_UNUSED)
{
  static const char *const headings[] = { "BRAND", "RELEASE", "TITLE", NULL };
  g_autoptr (BzTextTable) table = bz_text_table_new (headings);
  JsonBuilder *builder = context->json ? bz_json_begin () : NULL;
  g_auto (GStrv) names = bz_brand_list (NULL);
  guint damaged = 0;

  if (builder != NULL)
    {
      json_builder_set_member_name (builder, "brands");
      json_builder_begin_array (builder);
    }
  for (char **name = names; *name != NULL; name++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BzBrand) brand = bz_brand_load (NULL, *name, &error);

      if (brand == NULL)
        {
          bz_context_note (context, "%s", error->message);
          damaged++;
          continue;
        }
      const char *cells[] = { brand->name,
                              release_of (brand) != NULL ? release_of (brand) : "the host's",
                              brand->title, NULL };
      if (builder != NULL)
        {
          json_builder_begin_object (builder);
          json_brand (builder, brand);
          json_builder_end_object (builder);
        }
      else
        bz_text_table_add (table, cells);
    }
  if (builder != NULL)
    {
      json_builder_end_array (builder);
      bz_json_end (builder);
    }
  else
    bz_text_table_print (table);
  return damaged == 0 ? 0 : BZ_ERROR_INPUT;
}

/* Owned by the caller. */
static char *
limit_text (guint64 limit)
{
  return limit == G_MAXUINT64 ? g_strdup ("unlimited")
                              : g_strdup_printf ("%" G_GUINT64_FORMAT, limit);
}

static void
show_text (const BzBrand *brand)
{
  bz_print_field ("Brand", brand->name);
  bz_print_field ("Title", brand->title);
  bz_print_field ("Inherits", brand->inherits);
  bz_print_field ("File", brand->file);
  bz_print_field ("Source", brand->source);
  bz_print_field ("Init", brand->init);
  for (int abi = 0; abi < BZ_ABI_COUNT; abi++)
    {
      g_autofree char *label = g_strconcat ("On ", bz_abi_name ((BzAbi) abi), NULL);
      g_autofree char *text =
          g_strdup_printf ("release %s, machine %s",
                           brand->release[abi] != NULL ? brand->release[abi] : "the host's",
                           brand->machine[abi] != NULL ? brand->machine[abi] : "the host's");
      bz_print_field (label, text);
    }
  for (int kind = 0; kind < BZ_LIMIT_COUNT; kind++)
    {
      const BzLimit *limit = &brand->limits[kind];
      g_autofree char *soft = limit_text (limit->soft), *hard = limit_text (limit->hard);
      g_autofree char *text =
          g_strdup_printf ("%s %s, at most %s", bz_limit_name ((BzLimitKind) kind), soft, hard);
      if (limit->set)
        bz_print_field ("Limit", text);
    }
  for (int quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    {
      if (brand->quirk[quirk] == 0)
        continue;
      g_autofree char *text =
          g_strdup_printf ("%s=%s: %s", bz_quirk_name ((BzQuirk) quirk),
                           bz_quirk_value_name ((BzQuirk) quirk, brand->quirk[quirk]),
                           bz_quirk_meaning ((BzQuirk) quirk));
      bz_print_field ("Quirk", text);
    }
  for (guint i = 0; i < brand->files->len; i++)
    {
      const BzFile *file = g_ptr_array_index (brand->files, i);
      g_autofree char *what = bz_file_describe (file);
      g_autofree char *text = g_strdup_printf ("%s: %s", file->path, what);
      bz_print_field ("File", text);
    }
  for (char **call = brand->calls_present; call != NULL && *call != NULL; call++)
    bz_print_field ("Has call", *call);
  for (char **call = brand->calls_absent; call != NULL && *call != NULL; call++)
    bz_print_field ("Lacks call", *call);
}

static int
show_brand (const BzContext *context, const char *name, GError **error)
{
  g_autoptr (BzBrand) brand = bz_brand_load (NULL, name, error);

  if (brand == NULL)
    return -1;
  if (!context->json)
    {
      show_text (brand);
      return 0;
    }
  JsonBuilder *builder = bz_json_begin ();
  json_brand (builder, brand);
  json_builder_set_member_name (builder, "quirks");
  json_builder_begin_object (builder);
  for (int quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    bz_json_text (builder, bz_quirk_name ((BzQuirk) quirk),
                  bz_quirk_value_name ((BzQuirk) quirk, brand->quirk[quirk]));
  json_builder_end_object (builder);
  bz_json_texts (builder, "calls_present", (const char *const *) brand->calls_present);
  bz_json_texts (builder, "calls_absent", (const char *const *) brand->calls_absent);
  bz_json_files (builder, brand->files);
  bz_json_end (builder);
  return 0;
}

/* --- verify --- */

/* Calls of [Calls] that no table of ours knows: misspelt, or of another CPU. */
static void
check_calls (const BzBrand *brand, char *const *names, GPtrArray *problems)
{
  for (; *names != NULL; names++)
    if (bz_table_row_by_name (BZ_ABI_I386, *names) == NULL
        && bz_table_row_by_name (BZ_ABI_X86_64, *names) == NULL)
      g_ptr_array_add (problems, g_strdup_printf ("%s: [Calls] names %s, which is no system call",
                                                  brand->file, *names));
}

/* The family's file lies beside the brands: zone/boot-family.h. */
static gboolean
family_exists (const char *name)
{
  g_auto (GStrv) brands = bz_brand_directories ();
  g_autofree char *base = g_strconcat (name, ".edits", NULL);

  for (char **brand = brands; *brand != NULL; brand++)
    {
      g_autofree char *parent = g_path_get_dirname (*brand);
      g_autofree char *path = g_build_filename (parent, "boot", base, NULL);
      if (g_file_test (path, G_FILE_TEST_EXISTS))
        return TRUE;
    }
  return FALSE;
}

/* What is wrong with a brand that loads: one line each. Owned by the caller. */
static GPtrArray *
problems_of (const BzBrand *brand)
{
  GPtrArray *problems = g_ptr_array_new_with_free_func (g_free);

  for (char **line = brand->warnings; *line != NULL; line++)
    g_ptr_array_add (problems, g_strdup (*line));
  for (char **line = brand->unsourced; *line != NULL; line++)
    g_ptr_array_add (problems, g_strdup (*line));
  if (brand->quirk[BZ_QUIRK_RELEASE] != 0 && release_of (brand) == NULL)
    g_ptr_array_add (problems,
                     g_strdup_printf ("%s: the quirk release=brand has no Release to tell", brand->file));
  if (brand->quirk[BZ_QUIRK_RELEASE] != brand->quirk[BZ_QUIRK_PROC_RELEASE])
    g_ptr_array_add (
        problems,
        g_strdup_printf ("%s: uname and /proc/version differ (set release and proc-release together)",
                         brand->file));
  if (brand->init != NULL && !family_exists (brand->init))
    g_ptr_array_add (problems, g_strdup_printf ("%s: Init=%s is no known family of inits",
                                                brand->file, brand->init));
  check_calls (brand, brand->calls_present, problems);
  check_calls (brand, brand->calls_absent, problems);
  return problems;
}

/* Loads FILE as the first of its name: what it inherits may lie beside it or among the installed
 * ones. */
static BzBrand *
load_file (const char *path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *base = g_path_get_basename (path);
  g_auto (GStrv) standard = bz_brand_directories ();
  g_autoptr (GPtrArray) dirs = g_ptr_array_new ();
  g_autofree char *safe = bz_text_safe (path);

  if (!g_str_has_suffix (base, ".brand"))
    {
      bz_fail (error, BZ_ERROR_INPUT, "its name does not end in .brand",
               "name a file like el6.brand", "the brand file %s", safe);
      return NULL;
    }
  if (access (path, R_OK) != 0)
    {
      bz_fail_errno (error, errno, "name a file like el6.brand", "the brand file %s", safe);
      return NULL;
    }
  base[strlen (base) - strlen (".brand")] = '\0';
  g_ptr_array_add (dirs, directory);
  for (char **dir = standard; *dir != NULL; dir++)
    g_ptr_array_add (dirs, *dir);
  g_ptr_array_add (dirs, NULL);
  return bz_brand_load ((const char *const *) dirs->pdata, base, error);
}

typedef struct {
  guint verified, problems;
  JsonBuilder *builder; /* or NULL */
} Verdict;

static void
judge (const BzContext *context, const char *shown, const BzBrand *brand, Verdict *verdict)
{
  g_autoptr (GPtrArray) problems = problems_of (brand);

  verdict->verified++;
  verdict->problems += problems->len;
  for (guint i = 0; i < problems->len; i++)
    {
      g_autofree char *safe = bz_text_safe (problems->pdata[i]);
      if (verdict->builder != NULL)
        json_builder_add_string_value (verdict->builder, safe);
      else
        printf ("%s\n", safe);
    }
  if (problems->len == 0 && !context->quiet && verdict->builder == NULL)
    printf ("%s: good\n", shown);
}

/* Files, or all brands that are installed. */
static gboolean
verify_all (const BzContext *context, const BzArguments *arguments, Verdict *verdict,
            GError **error)
{
  g_auto (GStrv) names = bz_brand_list (NULL);
  guint count = bz_arguments_n_words (arguments);

  for (guint i = 1; i < count; i++)
    {
      const char *path = bz_arguments_word (arguments, i);
      g_autoptr (BzBrand) brand = load_file (path, error);
      if (brand == NULL)
        return FALSE;
      judge (context, path, brand, verdict);
    }
  for (char **name = names; count == 1 && *name != NULL; name++)
    {
      g_autoptr (BzBrand) brand = bz_brand_load (NULL, *name, error);
      if (brand == NULL)
        return FALSE;
      judge (context, *name, brand, verdict);
    }
  return TRUE;
}

static int
verify (const BzContext *context, const BzArguments *arguments, GError **error)
{
  Verdict verdict = { .builder = context->json ? bz_json_begin () : NULL };

  if (verdict.builder != NULL)
    {
      json_builder_set_member_name (verdict.builder, "problems");
      json_builder_begin_array (verdict.builder);
    }
  gboolean loaded = verify_all (context, arguments, &verdict, error);
  if (verdict.builder != NULL && !loaded)
    g_object_unref (verdict.builder);
  else if (verdict.builder != NULL)
    {
      json_builder_end_array (verdict.builder);
      bz_json_number (verdict.builder, "verified", verdict.verified);
      bz_json_end (verdict.builder);
    }
  return !loaded ? -1 : verdict.problems > 0 ? BZ_ERROR_INPUT : 0;
}

int
bz_verb_brands (BzContext *context, const BzArguments *arguments, GError **error)
{
  static const BzListing listing = {
    .verb = "brands",
    .usage = "write: brandzone brands, brands show BRAND, or brands verify [FILE]...",
    .list = list_brands,
    .show = show_brand,
    .verify = verify,
  };

  return bz_listing_run (&listing, context, arguments, error);
}
