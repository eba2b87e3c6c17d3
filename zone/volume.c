/* Values that the zone file and the command line share. */
#include "config.h"

#include "brand/base/error.h"
#include "zone/dirs.h"
#include "zone/names.h"
#include "zone/zone-file.h"

#include <string.h>

static const char *const network_names[] = {
  [BZ_NETWORK_NONE] = "none", [BZ_NETWORK_HOST] = "host", [BZ_NETWORK_PRIVATE] = "private",
  [BZ_NETWORK_MACVLAN] = "macvlan"
};

gboolean
bz_network_lookup (const char *name, BzNetwork *network)
{
  for (gsize i = 0; i < G_N_ELEMENTS (network_names); i++)
    {
      if (g_str_equal (network_names[i], name))
        {
          *network = (BzNetwork) i;
          return TRUE;
        }
    }
  return FALSE;
}

const char *
bz_network_name (BzNetwork network)
{
  return network_names[network];
}

static gboolean
bad_volume (const char *text, const char *why, GError **error)
{
  g_autofree char *safe = bz_text_safe (text);

  return bz_fail (error, BZ_ERROR_USAGE, why, "write -v SOURCE:/TARGET or -v SOURCE:/TARGET:ro",
                  "volume %s", safe);
}

/* A target with .. in it would be resolved twice, by us and by the kernel. */
static gboolean
has_parent (const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);

  return g_strv_contains ((const char *const *) parts, "..");
}

gboolean
bz_volume_parse (const char *text, char **source, char **target, gboolean *read_only,
                 GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ":", -1);
  guint count = g_strv_length (parts);

  if (count < 2 || parts[0][0] == '\0')
    return bad_volume (text, "it does not say what is to appear where", error);
  if (count > 3)
    return bad_volume (text, "it has too many parts", error);
  if (count == 3 && !g_str_equal (parts[2], "ro") && !g_str_equal (parts[2], "rw"))
    return bad_volume (text, "its third part is neither ro nor rw", error);
  if (parts[1][0] != '/' || strspn (parts[1], "/") == strlen (parts[1]))
    return bad_volume (text, "its place in the zone is not an absolute path below /", error);
  if (has_parent (parts[1]))
    return bad_volume (text, "its place in the zone goes through ..", error);

  *source = bz_path_absolute (parts[0]);
  *target = g_canonicalize_filename (parts[1], "/");
  *read_only = count == 3 && g_str_equal (parts[2], "ro");
  return TRUE;
}
