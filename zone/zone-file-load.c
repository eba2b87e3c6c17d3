/* Zone files and their drop-ins on disk. */
#include "config.h"

#include "zone/zone-file.h"

#include "brand/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Regular files only: a fifo in the directory must not hang the start of a zone. */
gboolean
bz_zone_file_read (const char *path, GString *into, gboolean *missing, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat st;
  gssize n = 0;

  if (missing != NULL)
    *missing = fd < 0 && (errno == ENOENT || errno == ENOTDIR);
  if (fd < 0)
    return (missing != NULL && *missing) || bz_fail_errno (error, errno, NULL, "reading %s", path);
  if (fstat (fd, &st) == 0 && !S_ISREG (st.st_mode))
    {
      close (fd);
      return bz_fail (error, BZ_ERROR_INPUT, "it is not a regular file", NULL, "reading %s", path);
    }
  g_string_set_size (into, BZ_ZONE_FILE_MAX + 1);
  gsize length = 0;
  while (length < into->len && (n = read (fd, into->str + length, into->len - length)) > 0)
    length += n;
  int saved = errno;
  close (fd);
  g_string_set_size (into, length);
  return n >= 0 || bz_fail_errno (error, saved, NULL, "reading %s", path);
}

static gboolean
load_one (BzZoneFile *file, const char *path, GError **error)
{
  g_autoptr (GString) data = g_string_new (NULL);
  gboolean missing;

  if (!bz_zone_file_read (path, data, &missing, error))
    return FALSE;
  return missing || bz_zone_file_parse (file, data->str, data->len, path, error);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

GPtrArray *
bz_zone_file_drop_ins (const char *path)
{
  g_autofree char *directory = g_strconcat (path, ".d", NULL);
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);

  for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
    {
      if (name[0] != '.' && g_str_has_suffix (name, ".conf"))
        g_ptr_array_add (paths, g_build_filename (directory, name, NULL));
    }
  g_ptr_array_sort (paths, compare_names);
  return paths;
}

/* Lays the drop-ins over `file`, which it takes. */
static BzZoneFile *
load_rest (BzZoneFile *main_part, const char *path, GError **error)
{
  g_autoptr (BzZoneFile) file = main_part;
  g_autoptr (GPtrArray) paths = bz_zone_file_drop_ins (path);

  for (guint i = 0; i < paths->len; i++)
    {
      if (!load_one (file, g_ptr_array_index (paths, i), error))
        return NULL;
    }
  if (!bz_zone_file_check (file, path, error))
    return NULL;
  return g_steal_pointer (&file);
}

BzZoneFile *
bz_zone_file_load (const char *path, GError **error)
{
  g_autoptr (BzZoneFile) file = bz_zone_file_new ();

  return load_one (file, path, error) ? load_rest (g_steal_pointer (&file), path, error) : NULL;
}

BzZoneFile *
bz_zone_file_load_with (const char *path, const char *data, gsize length, GError **error)
{
  g_autoptr (BzZoneFile) file = bz_zone_file_new ();

  return bz_zone_file_parse (file, data, length, path, error)
             ? load_rest (g_steal_pointer (&file), path, error)
             : NULL;
}

gboolean
bz_zone_file_write (const char *path, const char *data, gsize length, GError **error)
{
  g_autoptr (GError) cause = NULL;

  if (g_file_set_contents_full (path, data, (gssize) length,
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0644,
                                &cause))
    return TRUE;
  return bz_fail_file (error, cause, NULL, "writing the zone file %s", path);
}

gboolean
bz_zone_file_create (const char *path, const char *brand, GError **error)
{
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  g_autofree char *text = g_strdup_printf ("# A zone of brandzone; see brandzone-zone(5).\n"
                                           "[Zone]\nFormat=1\n\n[Brand]\nName=%s\n",
                                           brand);
  return bz_zone_file_write (path, text, strlen (text), error);
}

/* What g_file_set_contents() leaves beside the file when it is killed: its name, a dot and six
 * capitals or digits. */
static void
remove_partial (const char *path)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *base = g_path_get_basename (path);
  g_autofree char *prefix = g_strconcat (base, ".", NULL);
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);

  for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
    {
      if (!g_str_has_prefix (name, prefix) || strlen (name) != strlen (prefix) + 6
          || strspn (name + strlen (prefix), G_CSET_A_2_Z G_CSET_DIGITS) != 6)
        continue;
      g_autofree char *partial = g_build_filename (directory, name, NULL);
      g_unlink (partial);
    }
}

gboolean
bz_zone_file_remove (const char *path, GError **error)
{
  g_autofree char *directory = g_strconcat (path, ".d", NULL);
  g_autoptr (GPtrArray) paths = bz_zone_file_drop_ins (path);

  for (guint i = 0; i < paths->len; i++)
    g_unlink (g_ptr_array_index (paths, i));
  remove_partial (path);
  if (g_unlink (path) != 0 && errno != ENOENT && errno != ENOTDIR)
    return bz_fail_errno (error, errno, NULL, "removing the zone file %s", path);
  /* Files of other names are the user's own: then the directory stays. */
  g_rmdir (directory);
  return TRUE;
}
