/* OCI layouts and docker archives: from layers to a tree.
 *
 * Facts: an archive of layers has its index anywhere, so it is unpacked beside the tree first. The
 * digest of an OCI layer is of its compressed bytes, the one docker's configuration gives of the
 * unpacked tar. Older docker archives make a layer that is there twice a link to the first. Choice:
 * a layer's digest is computed while it is applied and compared at its end: nothing has the
 * target's name before that. */
#include "config.h"

#include "installer/install.h"

#include "brand/base/error.h"
#include "installer/oci.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define JSON_MAX (4 * 1024 * 1024)
#define INDEX_DEPTH_MAX 3

static gboolean
fail_digest (const char *what, GError **error)
{
  return bz_fail (error, BZ_ERROR_INPUT, "its content is not what its digest says",
                  "the image is damaged: get it again", "%s", what);
}

static int
open_blob (int image_fd, const char *path, struct stat *st, GError **error)
{
  int fd = bz_beneath_open (image_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, BZ_BENEATH_LINKS);

  if (fd < 0)
    {
      bz_fail (error, BZ_ERROR_INPUT, g_strerror (errno), "the image is incomplete: get it again",
               "%s of the image", path);
      return -1;
    }
  if (fstat (fd, st) == 0 && S_ISREG (st->st_mode))
    return fd;
  close (fd);
  bz_fail (error, BZ_ERROR_INPUT, "it is not a file", NULL, "%s of the image", path);
  return -1;
}

/* A small file, whole. digest NULL: not checked. */
static char *
read_json (int image_fd, const char *path, const char *digest, gsize *size, GError **error)
{
  struct stat st;
  int fd = open_blob (image_fd, path, &st, error);
  g_autofree char *text = NULL;
  GChecksumType type;

  if (fd < 0)
    return NULL;
  *size = 0;
  if (st.st_size <= JSON_MAX)
    {
      gssize got = 1;

      text = g_malloc ((gsize) st.st_size + 1);
      while (*size < (gsize) st.st_size && got > 0)
        if ((got = read (fd, text + *size, (gsize) st.st_size - *size)) > 0)
          *size += (gsize) got;
      text[*size] = '\0';
    }
  close (fd);
  if (text == NULL)
    {
      bz_fail (error, BZ_ERROR_INPUT, "it is larger than 4 MiB", NULL, "%s of the image", path);
      return NULL;
    }
  if (digest != NULL && bz_oci_digest_ok (digest, &type))
    {
      g_autofree char *sum = g_compute_checksum_for_data (type, (const guchar *) text, *size);

      if (strcmp (sum, digest + 7) != 0)
        {
          fail_digest (path, error);
          return NULL;
        }
    }
  return g_steal_pointer (&text);
}

static gboolean
check_sum (GChecksum *sum, const char *digest, const char *path, GError **error)
{
  return digest == NULL || strcmp (g_checksum_get_string (sum), digest + 7) == 0
         || fail_digest (path, error);
}

/* Applies one layer. digest: of the file's bytes, or with `unpacked` of the tar in it; or NULL. */
static gboolean
apply_layer (BzInstall *install, int image_fd, const char *path, const char *digest,
             gboolean unpacked, gboolean first, GError **error)
{
  BzArchiveOptions options = { .layer = TRUE };
  GChecksumType type = G_CHECKSUM_SHA256;
  struct stat st;
  int fd = open_blob (image_fd, path, &st, error);
  gboolean ok;

  if (fd < 0)
    return FALSE;
  if (digest != NULL)
    bz_oci_digest_ok (digest, &type);
  install->tree->parents = first ? BZ_BENEATH_NO_LINKS : BZ_BENEATH_AS_ROOT;
  bz_tree_begin_layer (install->tree);

  g_autoptr (GChecksum) sum = g_checksum_new (type);
  g_autoptr (BzArchive) raw = NULL;
  g_autoptr (BzArchive) layer = NULL;
  if (unpacked)
    {
      raw = bz_archive_open (fd, BZ_ARCHIVE_RAW, NULL, install->job, path, error);
      if (raw != NULL && bz_archive_next (raw, error) != NULL)
        layer = bz_archive_open_inside (raw, BZ_ARCHIVE_TREE, sum, error);
    }
  else
    layer = bz_archive_open (fd, BZ_ARCHIVE_TREE, sum, install->job, path, error);
  ok = layer != NULL && bz_archive_extract (layer, install->tree, &options, error)
       && bz_archive_drain (layer, error) && check_sum (sum, digest, path, error);
  g_clear_pointer (&layer, bz_archive_close);
  g_clear_pointer (&raw, bz_archive_close);
  close (fd);
  return ok;
}

static void
expect_layers (BzInstall *install, int image_fd, char **paths)
{
  for (guint i = 0; paths[i] != NULL; i++)
    {
      struct stat st;

      if (fstatat (image_fd, paths[i], &st, 0) == 0 && S_ISREG (st.st_mode))
        install->job->total += (guint64) st.st_size;
    }
}

static gboolean
check_machine (const BzOciConfig *config, GError **error)
{
  if ((config->os == NULL || strcmp (config->os, "linux") == 0)
      && bz_oci_machine_runs (config->architecture))
    return TRUE;

  g_autofree char *why =
      g_strdup_printf ("it is for %.40s/%.40s, not for linux/amd64 or linux/386",
                       config->os == NULL ? "?" : config->os,
                       config->architecture == NULL ? "?" : config->architecture);
  return bz_fail (error, BZ_ERROR_INPUT, why, NULL, "choosing an image");
}

static BzOciConfig *
read_config (int image_fd, const char *path, const char *digest, GError **error)
{
  gsize size;
  g_autofree char *json = read_json (image_fd, path, digest, &size, error);
  BzOciConfig *config = json == NULL ? NULL : bz_oci_parse_config (json, size, error);

  if (config != NULL && !check_machine (config, error))
    g_clear_pointer (&config, bz_oci_config_free);
  return config;
}

static gboolean
apply_manifest (BzInstall *install, int image_fd, const BzOciManifest *manifest, GError **error)
{
  g_autofree char *config_path = bz_oci_blob_path (manifest->config->digest);
  g_autoptr (BzOciConfig) config = NULL;
  g_auto (GStrv) paths = g_new0 (char *, manifest->layers->len + 1);

  config = read_config (image_fd, config_path, manifest->config->digest, error);
  if (config == NULL)
    return FALSE;
  for (guint i = 0; i < manifest->layers->len; i++)
    paths[i] = bz_oci_blob_path (((BzOciDescriptor *) manifest->layers->pdata[i])->digest);
  expect_layers (install, image_fd, paths);
  for (guint i = 0; i < manifest->layers->len; i++)
    {
      const BzOciDescriptor *layer = manifest->layers->pdata[i];

      if (!apply_layer (install, image_fd, paths[i], layer->digest, FALSE, i == 0, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
install_layout (BzInstall *install, int image_fd, GError **error)
{
  g_autofree char *path = g_strdup ("index.json");
  g_autofree char *digest = NULL;

  for (int depth = 0; depth < INDEX_DEPTH_MAX; depth++)
    {
      gsize size;
      g_autofree char *json = read_json (image_fd, path, digest, &size, error);
      g_autoptr (GPtrArray) all = NULL;
      const BzOciDescriptor *chosen;

      if (json == NULL)
        return FALSE;
      if (depth > 0 && !bz_oci_is_index (json, size))
        {
          g_autoptr (BzOciManifest) manifest = bz_oci_parse_manifest (json, size, error);
          return manifest != NULL && apply_manifest (install, image_fd, manifest, error);
        }
      all = bz_oci_parse_index (json, size, error);
      chosen = all == NULL ? NULL : bz_oci_choose (all, error);
      if (chosen == NULL)
        return FALSE;
      if (all->len > 1)
        bz_job_notice (install->job, "of %u images the one for %s was taken (%.80s)", all->len,
                       chosen->architecture == NULL ? "an unnamed machine" : chosen->architecture,
                       chosen->name == NULL ? chosen->digest : chosen->name);
      g_free (path);
      path = bz_oci_blob_path (chosen->digest);
      g_free (digest);
      digest = g_strdup (chosen->digest);
    }
  return bz_fail (error, BZ_ERROR_INPUT, "its index leads to an index, and again", NULL,
                  "choosing an image");
}

static gboolean
install_docker (BzInstall *install, int image_fd, GError **error)
{
  gsize size;
  g_autofree char *json = read_json (image_fd, "manifest.json", NULL, &size, error);
  g_autoptr (BzDockerManifest) manifest =
      json == NULL ? NULL : bz_docker_parse_manifest (json, size, error);
  g_autoptr (BzOciConfig) config =
      manifest == NULL ? NULL : read_config (image_fd, manifest->config, NULL, error);

  if (config == NULL)
    return FALSE;
  if (manifest->images > 1)
    bz_job_notice (install->job, "the archive holds %u images; the first was taken (%.80s)",
                   manifest->images, manifest->tag == NULL ? manifest->config : manifest->tag);
  if (g_strv_length (config->diff_ids) != g_strv_length (manifest->layers))
    return bz_fail (error, BZ_ERROR_INPUT,
                    "its manifest and its configuration name different layers",
                    "the image is damaged: get it again", "%s", install->args->source);
  expect_layers (install, image_fd, manifest->layers);
  for (guint i = 0; manifest->layers[i] != NULL; i++)
    if (!apply_layer (install, image_fd, manifest->layers[i], config->diff_ids[i], TRUE, i == 0,
                      error))
      return FALSE;
  return TRUE;
}

gboolean
bz_install_oci_directory (BzInstall *install, GError **error)
{
  return install_layout (install, install->source_fd, error);
}

gboolean
bz_install_oci_archive (BzInstall *install, GError **error)
{
  return bz_install_beside (install, BZ_ARCHIVE_TREE, install_layout, error);
}

gboolean
bz_install_docker_archive (BzInstall *install, GError **error)
{
  return bz_install_beside (install, BZ_ARCHIVE_TREE, install_docker, error);
}
