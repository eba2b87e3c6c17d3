/* A brand's files. Where they are shown, and what becomes of a tree's own: loader/view-files.c.
 *
 * A plan may come from bytes that others wrote, and a release from a command line: so each path is
 * checked once more when it is whole. */
#include "config.h"

#include "brand/brand-files.h"

#include "brand/base/error.h"
#include "brand/brand-file.h"
#include "brand/quirk.h"

#include <string.h>

#define PREFIX "File "
#define PATH_LONGEST 255
#define VALUE_LONGEST 4096

static const char *const kinds[BZ_FILE_KIND_COUNT] = { "Text", "Form", "Same", "Link", "Directory" };
static const char *const whens[BZ_FILE_WHEN_COUNT] = { "always", "run", "boot" };

static const struct {
  const char *name;
  BzQuirk quirk;
} forms[BZ_FORM_COUNT] = {
#define BZ_FORM(id, name, quirk) [BZ_FORM_##id] = { name, BZ_QUIRK_##quirk },
#include "brand/forms.def"
#undef BZ_FORM
};

BzForm
bz_form_find (const char *name)
{
  BzForm form = 0;

  while (form < BZ_FORM_COUNT && strcmp (name, forms[form].name) != 0)
    form++;
  return form;
}

const char *
bz_form_name (BzForm form)
{
  return (guint) form < BZ_FORM_COUNT ? forms[form].name : NULL;
}

BzFile *
bz_file_new (const char *path, BzFileKind kind, BzFileWhen when, const char *value)
{
  BzFile *file = g_new0 (BzFile, 1);

  file->path = g_strdup (path);
  file->kind = kind;
  file->when = when;
  file->value = g_strdup (value);
  return file;
}

void
bz_file_free (BzFile *file)
{
  if (file == NULL)
    return;
  g_free (file->name);
  g_free (file->path);
  g_free (file->value);
  g_free (file);
}

const char *
bz_file_kind_name (BzFileKind kind)
{
  return (guint) kind < BZ_FILE_KIND_COUNT ? kinds[kind] : NULL;
}

const char *
bz_file_when_name (BzFileWhen when)
{
  return (guint) when < BZ_FILE_WHEN_COUNT ? whens[when] : NULL;
}

char *
bz_file_describe (const BzFile *file)
{
  switch (file->kind)
    {
    case BZ_FILE_TEXT:
      return g_strdup (*file->value != '\0' ? "a file with the brand's text" : "an empty file");
    case BZ_FILE_FORM:
      return g_strdup_printf ("written as %s", file->value);
    case BZ_FILE_SAME:
      return g_strdup_printf ("the same as %s", file->value);
    case BZ_FILE_LINK:
      return g_strdup_printf ("a link to %s", file->value);
    default:
      return g_strdup ("a directory in memory");
    }
}

/* --- checks --- */

/* Absolute, in its shortest form, below a directory. */
static gboolean
path_valid (const char *path)
{
  if (!bz_brand_word_valid (path, PATH_LONGEST) || path[0] != '/' || path[1] == '\0')
    return FALSE;
  g_auto (GStrv) parts = g_strsplit (path + 1, "/", -1);
  for (char **part = parts; *part != NULL; part++)
    if (**part == '\0' || strcmp (*part, ".") == 0 || strcmp (*part, "..") == 0)
      return FALSE;
  return TRUE;
}

static gboolean
name_valid (const char *name)
{
  return bz_brand_word_valid (name, 64) && strchr (name, '/') == NULL && name[0] != '.';
}

static gboolean
names_valid (const char *value)
{
  g_auto (GStrv) names = g_strsplit (value, ";", -1);

  for (char **name = names; *name != NULL; name++)
    if (**name != '\0' && !name_valid (*name))
      return FALSE;
  return TRUE;
}

gboolean
bz_file_valid (const BzFile *file, const char **why)
{
  gboolean dev = g_str_has_prefix (file->path, "/dev/");
  gboolean kernel = g_str_has_prefix (file->path, "/proc/") || g_str_has_prefix (file->path, "/sys/");

  *why = NULL;
  if (!path_valid (file->path))
    *why = "is no absolute path in its shortest form";
  else if (dev != (file->kind == BZ_FILE_LINK))
    *why = "below /dev there are links, and links are there alone";
  else if (kernel && file->kind == BZ_FILE_DIRECTORY)
    *why = "no directory can be made in /proc and /sys";
  else if (strlen (file->value) > VALUE_LONGEST || !g_str_is_ascii (file->value))
    *why = "holds more than 4096 bytes, or others than ASCII";
  else if (file->kind == BZ_FILE_FORM && bz_form_find (file->value) == BZ_FORM_COUNT)
    *why = "names no form";
  else if (file->kind == BZ_FILE_SAME
           && (!path_valid (file->value) || !g_str_has_prefix (file->value, "/proc/")))
    *why = "is no path below /proc";
  else if (file->kind == BZ_FILE_LINK && !bz_brand_word_valid (file->value, PATH_LONGEST))
    *why = "is no path to link to";
  else if (file->kind == BZ_FILE_DIRECTORY && !names_valid (file->value))
    *why = "is no list of names";
  return *why == NULL;
}

/* --- brand files --- */

gboolean
bz_file_is_group (const char *group)
{
  return g_str_has_prefix (group, PREFIX) && name_valid (group + strlen (PREFIX));
}

const char *const *
bz_file_keys (void)
{
  static const char *const keys[] = { "Path", "When",      "Source", "Text", "Form",
                                      "Same", "Link", "Directory", NULL };

  return keys;
}

/* \n, \t and \\ of a Text; anything else stays. */
static char *
unescape (const char *value)
{
  GString *text = g_string_new (NULL);

  for (; *value != '\0'; value++)
    if (*value != '\\' || value[1] == '\0')
      g_string_append_c (text, *value);
    else
      {
        value++;
        g_string_append_c (text, *value == 'n' ? '\n' : *value == 't' ? '\t' : *value);
      }
  return g_string_free (text, FALSE);
}

/* What the file is: exactly one key of `kinds`. */
static gboolean
read_kind (const BzKeyLines *lines, const char *group, BzFile *file, GError **error)
{
  guint found = 0;

  for (guint kind = 0; kind < BZ_FILE_KIND_COUNT; kind++)
    {
      g_autofree char *value = bz_key_lines_get (lines, group, kinds[kind]);
      if (value == NULL)
        continue;
      found++;
      g_free (file->value);
      file->kind = kind;
      file->value = kind == BZ_FILE_TEXT ? unescape (value) : g_steal_pointer (&value);
    }
  return found == 1
         || bz_key_lines_fail (lines, group, NULL, "does not say one thing that the file is",
                               "one of Text, Form, Same, Link and Directory", error);
}

static gboolean
read_when (const BzKeyLines *lines, const char *group, BzFile *file, GError **error)
{
  g_autofree char *value = bz_key_lines_get (lines, group, "When");

  if (value == NULL)
    return TRUE;
  for (guint when = 0; when < BZ_FILE_WHEN_COUNT; when++)
    if (strcmp (value, whens[when]) == 0)
      {
        file->when = when;
        return TRUE;
      }
  return bz_key_lines_fail (lines, group, "When", "is not a kind of zone", "always, run or boot", error);
}

static void
take_away (GPtrArray *files, const char *name)
{
  for (guint i = 0; i < files->len; i++)
    if (strcmp (((BzFile *) g_ptr_array_index (files, i))->name, name) == 0)
      {
        g_ptr_array_remove_index (files, i);
        return;
      }
}

static gboolean
read_group (const BzKeyLines *lines, const char *group, GPtrArray *files, GError **error)
{
  g_autofree char *path = bz_key_lines_get (lines, group, "Path");
  const char *name = group + strlen (PREFIX), *why = NULL;

  take_away (files, name);
  if (path == NULL)
    return bz_key_lines_fail (lines, group, NULL, "says no Path", "Path=/proc/swaps, say", error);
  if (*path == '\0')
    return TRUE;
  if (files->len >= BZ_FILES_MAX)
    return bz_key_lines_fail (lines, group, NULL, "is one file too many",
                              "a brand has at most 64, with those that it inherits", error);
  BzFile *file = bz_file_new (path, BZ_FILE_TEXT, BZ_FILE_ALWAYS, "");
  file->name = g_strdup (name);
  g_ptr_array_add (files, file);
  if (!read_kind (lines, group, file, error) || !read_when (lines, group, file, error))
    return FALSE;
  return bz_file_valid (file, &why)
         || bz_key_lines_fail (lines, group, NULL, why, "brandzone-brand(5) tells what may be where",
                               error);
}

gboolean
bz_files_read (const BzKeyLines *lines, GPtrArray *files, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (lines->keys, NULL);

  for (char **group = groups; *group != NULL; group++)
    if (bz_file_is_group (*group) && !read_group (lines, *group, files, error))
      return FALSE;
  return TRUE;
}

/* --- plans --- */

static GPtrArray *
new_list (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) bz_file_free);
}

/* What the file needs to be shown. */
static BzQuirk
quirk_of (const BzFile *file)
{
  BzForm form = file->kind == BZ_FILE_FORM ? bz_form_find (file->value) : BZ_FORM_COUNT;

  return form < BZ_FORM_COUNT ? forms[form].quirk : BZ_QUIRK_FILES;
}

GPtrArray *
bz_files_for_plan (const GPtrArray *files, const guint8 *quirk, const char *release, GError **error)
{
  g_autoptr (GPtrArray) list = new_list ();

  for (guint i = 0; files != NULL && i < files->len; i++)
    {
      const BzFile *file = g_ptr_array_index (files, i);
      if (quirk[quirk_of (file)] == 0)
        continue;
      g_auto (GStrv) parts = g_strsplit (file->path, "%r", -1);
      g_autofree char *path = g_strjoinv (release, parts);
      BzFile *whole = bz_file_new (path, file->kind, file->when, file->value);
      const char *why;

      g_ptr_array_add (list, whole);
      if (!bz_file_valid (whole, &why))
        {
          bz_fail (error, BZ_ERROR_INPUT, why, "another release", "the zone's file %s", path);
          return NULL;
        }
    }
  return g_steal_pointer (&list);
}

GVariant *
bz_files_to_variant (const GPtrArray *files)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(syys)"));
  for (guint i = 0; files != NULL && i < files->len; i++)
    {
      const BzFile *file = g_ptr_array_index (files, i);
      g_variant_builder_add (&builder, "(syys)", file->path, (guint8) file->kind,
                             (guint8) file->when, file->value);
    }
  return g_variant_builder_end (&builder);
}

GPtrArray *
bz_files_from_variant (GVariant *variant)
{
  g_autoptr (GPtrArray) files = new_list ();
  GVariantIter iter;
  const char *path, *value, *why;
  guint8 kind, when;

  if (g_variant_n_children (variant) > BZ_FILES_MAX)
    return NULL;
  g_variant_iter_init (&iter, variant);
  while (g_variant_iter_next (&iter, "(&syy&s)", &path, &kind, &when, &value))
    {
      if (kind >= BZ_FILE_KIND_COUNT || when >= BZ_FILE_WHEN_COUNT)
        return NULL;
      BzFile *file = bz_file_new (path, kind, when, value);
      g_ptr_array_add (files, file);
      if (!bz_file_valid (file, &why))
        return NULL;
    }
  return g_steal_pointer (&files);
}
