#include "config.h"

#include "zone/listing.h"

#include "brand/base/error.h"
#include "zone/names.h"

int
bz_listing_run (const BzListing *listing, const BzContext *context, const BzArguments *arguments,
                GError **error)
{
  static const char *const words[] = { "show", "verify", NULL };
  const char *word = bz_arguments_word (arguments, 0);

  if (word == NULL)
    return listing->list (context, error);
  if (g_str_equal (word, "show") && bz_arguments_n_words (arguments) == 2)
    return listing->show (context, bz_arguments_word (arguments, 1), error);
  if (g_str_equal (word, "verify"))
    return listing->verify (context, arguments, error);

  g_autofree char *safe = bz_text_quoted (word);
  const char *nearest = bz_name_nearest (word, words);
  gboolean known = g_strv_contains (words, word);
  g_autofree char *hint = !known && nearest != NULL
                              ? g_strdup_printf ("did you mean %s?", nearest)
                              : g_strdup (listing->usage);
  bz_fail (error, BZ_ERROR_USAGE, known ? "it takes other words after it" : "there is no such verb",
           hint, "brandzone %s %s", listing->verb, safe);
  return -1;
}
