/* The configuration of one zone for another: a new name, or a clone. */
#include "config.h"

#include "brand/base/error.h"
#include "zone/zone-file.h"

#include <errno.h>
#include <glib/gstdio.h>

/* Copies a file, unless the same is there already. */
static gboolean
copy_file (const char *from, const char *to, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GString) there = g_string_new (NULL);
  gboolean missing;

  if (!bz_zone_file_read (from, text, &missing, error))
    return FALSE;
  if (missing)
    return TRUE;
  if (!bz_zone_file_read (to, there, &missing, error))
    return FALSE;
  if (!missing && !g_string_equal (text, there))
    return bz_fail (error, BZ_ERROR_STATE, "it is there already, with other contents",
                    "remove or rename it", "the zone file %s", to);
  return !missing || bz_zone_file_write (to, text->str, text->len, error);
}

gboolean
bz_zone_file_copy (const char *from, const char *to, GError **error)
{
  g_autoptr (GPtrArray) drop_ins = bz_zone_file_drop_ins (from);
  g_autofree char *directory = g_strconcat (to, ".d", NULL);

  if (!copy_file (from, to, error))
    return FALSE;
  if (drop_ins->len > 0 && g_mkdir (directory, 0755) != 0 && errno != EEXIST)
    return bz_fail_errno (error, errno, NULL, "making %s", directory);
  for (guint i = 0; i < drop_ins->len; i++)
    {
      const char *one = g_ptr_array_index (drop_ins, i);
      g_autofree char *base = g_path_get_basename (one);
      g_autofree char *copy = g_build_filename (directory, base, NULL);
      if (!copy_file (one, copy, error))
        return FALSE;
    }
  return TRUE;
}
