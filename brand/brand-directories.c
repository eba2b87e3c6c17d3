#include "config.h"

#include "brand/brand-directories.h"
#include "brand/brand-file.h"

#include <string.h>

char **
bz_data_directories (const char *variable, const char *kind, const char *installed)
{
  const char *path = g_getenv (variable);
  if (path != NULL && *path != '\0')
    return g_strsplit (path, ":", -1);

  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *of_host = g_build_filename (BZ_SYSCONFDIR, kind, NULL);
  g_autofree char *of_user = g_build_filename (g_get_user_config_dir (), "brandzone", kind, NULL);

  g_strv_builder_add (builder, of_host);
  g_strv_builder_add (builder, of_user);
  g_strv_builder_add (builder, installed);
  return g_strv_builder_end (builder);
}

char **
bz_brand_directories (void)
{
  return bz_data_directories ("BRANDZONE_BRAND_PATH", "brands", BZ_BRANDDIR);
}

char *
bz_brand_find (const char *const *dirs, const char *name)
{
  if (!bz_brand_name_valid (name))
    return NULL;

  g_autofree char *base = g_strconcat (name, BZ_BRAND_SUFFIX, NULL);
  for (; *dirs != NULL; dirs++)
    {
      if (**dirs == '\0')
        continue;
      g_autofree char *file = g_build_filename (*dirs, base, NULL);
      if (g_file_test (file, G_FILE_TEST_EXISTS))
        return g_steal_pointer (&file);
    }
  return NULL;
}

static void
list_directory (const char *directory, GHashTable *names)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *base;

  while (dir != NULL && (base = g_dir_read_name (dir)) != NULL)
    {
      if (!g_str_has_suffix (base, BZ_BRAND_SUFFIX))
        continue;
      g_autofree char *name = g_strndup (base, strlen (base) - strlen (BZ_BRAND_SUFFIX));
      if (bz_brand_name_valid (name))
        g_hash_table_add (names, g_steal_pointer (&name));
    }
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

char **
bz_brand_list (const char *const *dirs)
{
  g_auto (GStrv) own = dirs == NULL ? bz_brand_directories () : NULL;
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer name;
  guint count = 0;

  for (const char *const *dir = dirs != NULL ? dirs : (const char *const *) own; *dir != NULL;
       dir++)
    list_directory (*dir, names);

  char **list = g_new0 (char *, g_hash_table_size (names) + 1);
  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    list[count++] = g_strdup (name);
  qsort (list, count, sizeof *list, by_name);
  return list;
}
