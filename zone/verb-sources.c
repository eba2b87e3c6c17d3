/* sources. */
#include "config.h"

#include "brand/base/error.h"
#include "zone/named-source.h"
#include "zone/listing.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/verbs.h"

#include <stdio.h>

static void
json_source (JsonBuilder *builder, const BzNamedSource *source)
{
  json_builder_begin_object (builder);
  bz_json_text (builder, "name", source->name);
  bz_json_texts (builder, "names", (const char *const *) source->names);
  bz_json_text (builder, "abi", bz_abi_name (source->abi));
  bz_json_text (builder, "title", source->title);
  bz_json_text (builder, "kind", source->kind);
  bz_json_text (builder, "url", source->url);
  bz_json_text (builder, "sha256", source->sha256);
  bz_json_text (builder, "unverified", source->unverified);
  bz_json_text (builder, "source", source->source);
  json_builder_end_object (builder);
}

static int
list_sources (const BzContext *context, GError **error)
{
  static const char *const headings[] = { "NAME", "ABI", "CHECKSUM", "TITLE", NULL };
  g_autoptr (BzTextTable) table = bz_text_table_new (headings);
  g_autoptr (GPtrArray) all = bz_named_sources_load (error);

  if (all == NULL)
    return -1;
  JsonBuilder *builder = context->json ? bz_json_begin () : NULL;
  if (builder != NULL)
    {
      json_builder_set_member_name (builder, "sources");
      json_builder_begin_array (builder);
    }
  for (guint i = 0; i < all->len; i++)
    {
      const BzNamedSource *source = all->pdata[i];
      const char *cells[] = { source->name, bz_abi_name (source->abi),
                              source->sha256 != NULL ? "known" : "-", source->title, NULL };
      if (builder != NULL)
        json_source (builder, source);
      else
        bz_text_table_add (table, cells);
    }
  if (builder == NULL)
    {
      bz_text_table_print (table);
      return 0;
    }
  json_builder_end_array (builder);
  bz_json_end (builder);
  return 0;
}

static void
show_text (const BzNamedSource *source)
{
  g_autofree char *names = g_strjoinv (", ", source->names);

  bz_print_field ("Name", source->name);
  bz_print_field ("Other names", names[0] != '\0' ? names : NULL);
  bz_print_field ("Title", source->title);
  bz_print_field ("ABI", bz_abi_name (source->abi));
  bz_print_field ("Kind", source->kind);
  bz_print_field ("Address", source->url);
  bz_print_field ("SHA-256", source->sha256);
  bz_print_field ("Unverified", source->unverified);
  bz_print_field ("Source", source->source);
  bz_print_field ("File", source->file);
}

static int
show_source (const BzContext *context, const char *name, GError **error)
{
  g_autoptr (GPtrArray) all = bz_named_sources_load (error);
  gboolean first = TRUE;

  if (all == NULL || bz_named_source_find (all, name, FALSE, BZ_ABI_I386, error) == NULL)
    return -1;
  JsonBuilder *builder = context->json ? bz_json_begin () : NULL;
  if (builder != NULL)
    {
      json_builder_set_member_name (builder, "sources");
      json_builder_begin_array (builder);
    }
  for (guint abi = 0; abi < BZ_ABI_COUNT; abi++)
    {
      const BzNamedSource *source = bz_named_source_find (all, name, TRUE, (BzAbi) abi, NULL);
      if (source == NULL)
        continue;
      if (builder != NULL)
        json_source (builder, source);
      else
        {
          if (!first)
            putchar ('\n');
          show_text (source);
        }
      first = FALSE;
    }
  if (builder != NULL)
    {
      json_builder_end_array (builder);
      bz_json_end (builder);
    }
  return 0;
}

/* Prints what is wrong; how much that is. */
static guint
judge (const BzContext *context, const GPtrArray *all)
{
  guint problems = 0;

  for (guint i = 0; i < all->len; i++)
    {
      const BzNamedSource *source = all->pdata[i];
      if (source->source != NULL && source->source[0] != '\0')
        continue;
      if (!context->quiet)
        printf ("%s: [%s %s] names no Source\n", source->file, source->name,
                bz_abi_name (source->abi));
      problems++;
    }
  return problems;
}

static int
verify (const BzContext *context, const BzArguments *arguments, GError **error)
{
  guint count = bz_arguments_n_words (arguments), problems = 0, verified = 0;

  for (guint i = 1; i < count || (count == 1 && i == 1); i++)
    {
      const char *file = bz_arguments_word (arguments, i);
      g_autoptr (GPtrArray) all =
          file != NULL ? bz_named_sources_read (file, error) : bz_named_sources_load (error);
      if (all == NULL)
        return -1;
      problems += judge (context, all);
      verified += all->len;
    }
  if (context->json)
    {
      JsonBuilder *builder = bz_json_begin ();
      bz_json_number (builder, "verified", verified);
      bz_json_number (builder, "problems", problems);
      bz_json_end (builder);
    }
  else if (!context->quiet)
    printf ("%u sources, %u without a word on where they were read\n", verified, problems);
  return problems == 0 ? 0 : BZ_ERROR_INPUT;
}

int
bz_verb_sources (BzContext *context, const BzArguments *arguments, GError **error)
{
  static const BzListing listing = {
    .verb = "sources",
    .usage = "write: brandzone sources, sources show NAME, or sources verify [FILE]...",
    .list = list_sources,
    .show = show_source,
    .verify = verify,
  };

  return bz_listing_run (&listing, context, arguments, error);
}
