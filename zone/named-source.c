#include "config.h"

#include "zone/named-source.h"

#include "brand/base/error.h"
#include "brand/brand-directories.h"
#include "brand/key-lines.h"
#include "zone/names.h"

#include <string.h>

#define SUFFIX ".sources"

void
bz_named_source_free (BzNamedSource *source)
{
  if (source == NULL)
    return;
  g_free (source->name);
  g_strfreev (source->names);
  g_free (source->title);
  g_free (source->kind);
  g_free (source->url);
  g_free (source->sha256);
  g_free (source->unverified);
  g_free (source->source);
  g_free (source->file);
  g_free (source);
}

gboolean
bz_named_source_like (const char *given)
{
  gsize colons = 0;

  for (const char *p = given; *p != '\0'; p++)
    {
      if (!g_ascii_isalnum (*p) && strchr (".:_-", *p) == NULL)
        return FALSE;
      colons += *p == ':';
    }
  return colons == 1 && given[0] != ':' && given[strlen (given) - 1] != ':';
}

static gboolean
is_sha256 (const char *text)
{
  return strlen (text) == 64 && strspn (text, "0123456789abcdef") == 64;
}

static gboolean
check (const BzKeyLines *lines, const char *group, const BzNamedSource *source, GError **error)
{
  if (source->title == NULL || source->kind == NULL)
    return bz_key_lines_fail (lines, group, NULL, "lacks Title or Kind", NULL, error);
  if (source->url == NULL
      || !(g_str_has_prefix (source->url, "http://") || g_str_has_prefix (source->url, "https://")))
    return bz_key_lines_fail (lines, group, source->url != NULL ? "Url" : NULL,
                              "has no address of a web server",
                              "write Url=https://... (or http)", error);
  if (source->sha256 != NULL && !is_sha256 (source->sha256))
    return bz_key_lines_fail (lines, group, "Sha256", "is no SHA-256 checksum",
                              "64 digits of 0-9 a-f, as sha256sum prints them", error);
  if ((source->sha256 == NULL) == (source->unverified == NULL))
    return bz_key_lines_fail (lines, group, NULL, "has neither Sha256 nor Unverified, or both",
                              "give the checksum, or say why there is none", error);
  return TRUE;
}

static BzNamedSource *
read_one (const BzKeyLines *lines, const char *group, GError **error)
{
  g_auto (GStrv) words = g_strsplit (group, " ", -1);
  BzNamedSource *source = g_new0 (BzNamedSource, 1);
  g_autofree char *names = bz_key_lines_get (lines, group, "Names");

  source->names = g_strsplit (names != NULL ? names : "", ";", -1);
  source->file = g_strdup_printf ("%s:%u", lines->file, bz_key_lines_line (lines, group, NULL));
  if (g_strv_length (words) != 2 || !bz_named_source_like (words[0])
      || !bz_abi_lookup (words[1], &source->abi))
    {
      bz_key_lines_fail (lines, group, NULL, "is no name with an ABI behind it",
                         "write [debian:etch i386], or x86_64", error);
      bz_named_source_free (source);
      return NULL;
    }
  source->name = g_strdup (words[0]);
  source->title = bz_key_lines_get (lines, group, "Title");
  source->kind = bz_key_lines_get (lines, group, "Kind");
  source->url = bz_key_lines_get (lines, group, "Url");
  source->sha256 = bz_key_lines_get (lines, group, "Sha256");
  source->unverified = bz_key_lines_get (lines, group, "Unverified");
  source->source = bz_key_lines_get (lines, group, "Source");
  if (check (lines, group, source, error))
    return source;
  bz_named_source_free (source);
  return NULL;
}

GPtrArray *
bz_named_sources_read (const char *file, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) bz_named_source_free);
  g_autoptr (BzKeyLines) lines = bz_key_lines_read (file, error);

  if (lines == NULL)
    return NULL;
  g_auto (GStrv) groups = g_key_file_get_groups (lines->keys, NULL);
  for (char **group = groups; *group != NULL; group++)
    {
      BzNamedSource *source = read_one (lines, *group, error);
      if (source == NULL)
        return NULL;
      g_ptr_array_add (all, source);
    }
  return g_steal_pointer (&all);
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  const BzNamedSource *first = *(BzNamedSource *const *) a, *second = *(BzNamedSource *const *) b;
  int order = strcmp (first->name, second->name);

  return order != 0 ? order : (int) first->abi - (int) second->abi;
}

/* Adds the sources of a directory that `all` does not have by name and ABI. */
static gboolean
add_directory (const char *directory, GPtrArray *all, GHashTable *seen, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *base;

  while (dir != NULL && (base = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *file = g_build_filename (directory, base, NULL);
      if (!g_str_has_suffix (base, SUFFIX))
        continue;
      g_autoptr (GPtrArray) some = bz_named_sources_read (file, error);
      if (some == NULL)
        return FALSE;
      while (some->len > 0)
        {
          BzNamedSource *source = g_ptr_array_steal_index (some, 0);
          char *key = g_strdup_printf ("%s %s", source->name, bz_abi_name (source->abi));
          if (g_hash_table_add (seen, key))
            g_ptr_array_add (all, source);
          else
            bz_named_source_free (source);
        }
    }
  return TRUE;
}

GPtrArray *
bz_named_sources_load (GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) bz_named_source_free);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) dirs = bz_data_directories ("BRANDZONE_SOURCES_PATH", "sources", BZ_SOURCESDIR);

  for (char **dir = dirs; *dir != NULL; dir++)
    if (!add_directory (*dir, all, seen, error))
      return NULL;
  g_ptr_array_sort (all, by_name);
  return g_steal_pointer (&all);
}

static gboolean
called (const BzNamedSource *source, const char *name)
{
  return g_str_equal (source->name, name)
         || g_strv_contains ((const char *const *) source->names, name);
}

const BzNamedSource *
bz_named_source_find (const GPtrArray *all, const char *name, gboolean has_abi, BzAbi abi,
                      GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const BzNamedSource *found = NULL;
  gboolean other = FALSE;

  for (guint i = 0; i < all->len; i++)
    {
      const BzNamedSource *source = all->pdata[i];
      g_ptr_array_add (names, source->name);
      if (!called (source, name))
        continue;
      if (has_abi && source->abi != abi)
        other = TRUE;
      else if (found == NULL || source->abi == BZ_ABI_X86_64)
        found = source;
    }
  g_ptr_array_add (names, NULL);
  if (found != NULL)
    return found;

  g_autofree char *safe = bz_text_safe (name);
  const char *nearest = bz_name_nearest (name, (const char *const *) names->pdata);
  g_autofree char *hint =
      other             ? g_strdup ("leave --abi out, or name an archive of your own")
      : nearest != NULL ? g_strdup_printf ("did you mean %s? `brandzone sources` lists them", nearest)
                        : g_strdup ("name a directory, archive or image; `brandzone sources` lists names");
  bz_fail (error, BZ_ERROR_INPUT,
           other ? "it is known for another ABI only"
                 : "there is no file and no source of this name",
           hint, "the source %s", safe);
  return NULL;
}
