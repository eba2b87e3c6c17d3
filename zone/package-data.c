#include "config.h"

#include "zone/package-data.h"

#include "brand/base/error.h"
#include "brand/brand-directories.h"
#include "brand/key-lines.h"
#include "zone/names.h"

#include <string.h>

#define PROFILE "Profile "

void
bz_package_data_free (BzPackageData *data)
{
  if (data == NULL)
    return;
  g_strfreev (data->seed);
  g_strfreev (data->profile);
  g_free (data->script);
  g_free (data);
}

/* Beside the brands, as the boot families are: in `packages` next to each of their directories. */
static char *
find (const char *manager, const char *suffix)
{
  g_auto (GStrv) brands = bz_brand_directories ();
  g_autofree char *base = g_strconcat (manager, suffix, NULL);

  for (char **brand = brands; *brand != NULL; brand++)
    {
      g_autofree char *parent = g_path_get_dirname (*brand);
      g_autofree char *path = g_build_filename (parent, "packages", base, NULL);

      if (g_file_test (path, G_FILE_TEST_EXISTS))
        return g_steal_pointer (&path);
    }
  return NULL;
}

char *
bz_package_key_find (const char *word)
{
  static const char *const suffixes[] = { ".asc", ".gpg", ".pgp" };
  g_auto (GStrv) brands = bz_brand_directories ();

  for (char **brand = brands; strchr (word, '/') == NULL && *brand != NULL; brand++)
    for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
      {
        g_autofree char *parent = g_path_get_dirname (*brand);
        g_autofree char *base = g_strconcat (word, suffixes[i], NULL);
        g_autofree char *path = g_build_filename (parent, "keys", base, NULL);

        if (g_file_test (path, G_FILE_TEST_EXISTS))
          return g_steal_pointer (&path);
      }
  return g_strdup (word);
}

static char **
get_list (const BzKeyLines *lines, const char *group)
{
  g_autofree char *value = bz_key_lines_get (lines, group, "Packages");

  return value == NULL ? NULL : g_strsplit (value, ";", -1);
}

static gboolean
fail_profile (const BzKeyLines *lines, const char *profile, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (lines->keys, NULL);
  g_autoptr (GString) hint = g_string_new ("there are:");
  g_autofree char *safe = bz_text_safe (profile);

  for (char **group = groups; *group != NULL; group++)
    if (g_str_has_prefix (*group, PROFILE))
      g_string_append_printf (hint, " %s", *group + strlen (PROFILE));
  return bz_fail (error, BZ_ERROR_USAGE, "there is no such profile", hint->str, "--profile %s",
                  safe);
}

BzPackageData *
bz_package_data_read (const char *manager, const char *profile, GError **error)
{
  g_autofree char *path = find (manager, ".packages");
  g_autofree char *script = find (manager, ".sh");
  g_autofree char *group = profile == NULL ? NULL : g_strconcat (PROFILE, profile, NULL);
  g_autoptr (BzPackageData) data = g_new0 (BzPackageData, 1);
  g_autoptr (GError) failure = NULL;

  if (path == NULL || script == NULL)
    {
      bz_fail (error, BZ_ERROR_FAILED, "its file is missing",
               "is brandzone installed completely?", "the packages of %s", manager);
      return NULL;
    }
  g_autoptr (BzKeyLines) lines = bz_key_lines_read (path, error);
  if (lines == NULL)
    return NULL;
  data->seed = get_list (lines, "Seed");
  if (data->seed == NULL)
    {
      bz_key_lines_fail (lines, "Seed", NULL, "names no packages", NULL, error);
      return NULL;
    }
  if (!g_file_get_contents (script, &data->script, NULL, &failure))
    {
      bz_fail (error, BZ_ERROR_FAILED, failure->message, NULL, "the packages of %s", manager);
      return NULL;
    }
  if (group != NULL && (data->profile = get_list (lines, group)) == NULL)
    {
      fail_profile (lines, profile, error);
      return NULL;
    }
  return g_steal_pointer (&data);
}
