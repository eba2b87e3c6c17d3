/* Asking a running zone's keeper for volumes (keeper-volumes.c). */
#include "config.h"

#include "loader/client.h"
#include "loader/loader.h"

#include <unistd.h>

static gboolean
ask (const char *run_dir, const char *kind, GVariant *body, GError **error)
{
  g_autoptr (GVariant) kept = g_variant_ref_sink (body);
  int connection = bz_client_connect (run_dir, error);

  if (connection < 0)
    return FALSE;
  g_autoptr (BzMessage) answer = bz_client_ask (connection, kind, kept, NULL, 0, error);
  close (connection);
  return answer != NULL;
}

gboolean
bz_loader_mount (const char *run_dir, const BzVolume *volume, GError **error)
{
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert_value (&body, "source", g_variant_new_bytestring (volume->source));
  g_variant_dict_insert_value (&body, "target", g_variant_new_bytestring (volume->target));
  g_variant_dict_insert (&body, "read-only", "b", volume->read_only);
  return ask (run_dir, "mount", g_variant_dict_end (&body), error);
}

gboolean
bz_loader_umount (const char *run_dir, const char *target, GError **error)
{
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert_value (&body, "target", g_variant_new_bytestring (target));
  return ask (run_dir, "umount", g_variant_dict_end (&body), error);
}
