/* brands. */
#include "config.h"

#include "brand/base/error.h"
#include "brand/brand.h"
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
}

static int
list_brands (const BzContext *context)
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

static void
show_text (const BzBrand *brand)
{
  bz_print_field ("Brand", brand->name);
  bz_print_field ("Title", brand->title);
  bz_print_field ("Inherits", brand->inherits);
  bz_print_field ("File", brand->file);
  for (int abi = 0; abi < BZ_ABI_COUNT; abi++)
    {
      g_autofree char *label = g_strconcat ("On ", bz_abi_name ((BzAbi) abi), NULL);
      g_autofree char *text =
          g_strdup_printf ("release %s, machine %s",
                           brand->release[abi] != NULL ? brand->release[abi] : "the host's",
                           brand->machine[abi] != NULL ? brand->machine[abi] : "the host's");
      bz_print_field (label, text);
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
  bz_json_end (builder);
  return 0;
}

/* Loads FILE as the first of its name: what it inherits may lie beside it or among the installed
 * ones. */
static gboolean
verify_file (const char *path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *base = g_path_get_basename (path);
  g_auto (GStrv) standard = bz_brand_directories ();
  g_autoptr (GPtrArray) dirs = g_ptr_array_new ();
  g_autofree char *safe = bz_text_safe (path);

  if (!g_str_has_suffix (base, ".brand"))
    return bz_fail (error, BZ_ERROR_INPUT, "its name does not end in .brand",
                    "name a file like el6.brand", "the brand file %s", safe);
  if (access (path, R_OK) != 0)
    return bz_fail_errno (error, errno, "name a file like el6.brand", "the brand file %s", safe);
  base[strlen (base) - strlen (".brand")] = '\0';
  g_ptr_array_add (dirs, directory);
  for (char **dir = standard; *dir != NULL; dir++)
    g_ptr_array_add (dirs, *dir);
  g_ptr_array_add (dirs, NULL);
  g_autoptr (BzBrand) brand = bz_brand_load ((const char *const *) dirs->pdata, base, error);
  return brand != NULL;
}

static int
verify (const BzContext *context, const BzArguments *arguments, GError **error)
{
  for (guint i = 1; i < bz_arguments_n_words (arguments); i++)
    {
      if (!verify_file (bz_arguments_word (arguments, i), error))
        return -1;
      if (!context->quiet && !context->json)
        printf ("%s: good\n", bz_arguments_word (arguments, i));
    }
  if (context->json)
    {
      JsonBuilder *builder = bz_json_begin ();
      bz_json_number (builder, "verified", bz_arguments_n_words (arguments) - 1);
      bz_json_end (builder);
    }
  return 0;
}

int
bz_verb_brands (BzContext *context, const BzArguments *arguments, GError **error)
{
  static const char *const verbs[] = { "show", "verify", NULL };
  const char *verb = bz_arguments_word (arguments, 0);
  guint count = bz_arguments_n_words (arguments);

  if (verb == NULL)
    return list_brands (context);
  if (g_str_equal (verb, "show") && count == 2)
    return show_brand (context, bz_arguments_word (arguments, 1), error);
  if (g_str_equal (verb, "verify") && count > 1)
    return verify (context, arguments, error);

  g_autofree char *safe = bz_text_quoted (verb);
  const char *nearest = bz_name_nearest (verb, verbs);
  gboolean known = g_strv_contains (verbs, verb);
  g_autofree char *hint =
      !known && nearest != NULL
          ? g_strdup_printf ("did you mean %s?", nearest)
          : g_strdup ("write: brandzone brands, brands show BRAND, or brands verify FILE...");
  bz_fail (error, BZ_ERROR_USAGE, known ? "it takes other words after it" : "there is no such verb",
           hint, "brandzone brands %s", safe);
  return -1;
}
