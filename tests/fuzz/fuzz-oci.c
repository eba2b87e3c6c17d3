/* The JSON of images: any bytes give a description that is complete, or an error. */
#include "config.h"

#include "installer/oci.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What is used as a path must stay below. */
static void
check_path (const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);

  if (path[0] == '/')
    abort ();
  for (guint i = 0; parts[i] != NULL; i++)
    if (strcmp (parts[i], "..") == 0)
      abort ();
}

static void
check_descriptors (const GPtrArray *all)
{
  for (guint i = 0; i < all->len; i++)
    {
      g_autofree char *path = bz_oci_blob_path (((const BzOciDescriptor *) all->pdata[i])->digest);
      check_path (path);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *json = g_strndup ((const char *) data, size);
  g_autoptr (GPtrArray) index = bz_oci_parse_index ((const char *) data, size, NULL);
  g_autoptr (BzOciManifest) manifest = bz_oci_parse_manifest ((const char *) data, size, NULL);
  g_autoptr (BzDockerManifest) docker = bz_docker_parse_manifest ((const char *) data, size, NULL);
  g_autoptr (BzOciConfig) config = bz_oci_parse_config (json, strlen (json), NULL);
  g_autoptr (GError) error = NULL;

  if (config != NULL && config->diff_ids == NULL)
    abort ();
  if (index != NULL)
    {
      check_descriptors (index);
      if ((bz_oci_choose (index, &error) == NULL) != (error != NULL))
        abort ();
    }
  if (manifest != NULL)
    check_descriptors (manifest->layers);
  if (docker != NULL)
    {
      check_path (docker->config);
      for (guint i = 0; docker->layers[i] != NULL; i++)
        check_path (docker->layers[i]);
    }
  return 0;
}
