/* A tree as an OCI image: one layer, in an archive of the layout that the image specification 1.0
 * describes. The layer is written first, because its name is its digest. */
#include "config.h"

#include "installer/export.h"

#include "brand/base/error.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (1024 * 1024)
#define TYPE "application/vnd.oci.image."

static void
text (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static JsonBuilder *
begin_json (void)
{
  JsonBuilder *builder = json_builder_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "schemaVersion");
  json_builder_add_int_value (builder, 2);
  return builder;
}

/* Ends the object, frees the builder. */
static char *
end_json (JsonBuilder *builder)
{
  g_autoptr (JsonGenerator) generator = json_generator_new ();

  json_builder_end_object (builder);
  JsonNode *root = json_builder_get_root (builder);
  json_generator_set_root (generator, root);
  char *data = json_generator_to_data (generator, NULL);
  json_node_unref (root);
  g_object_unref (builder);
  return data;
}

static void
descriptor (JsonBuilder *builder, const char *type, const char *digest, guint64 size)
{
  g_autofree char *whole = g_strconcat ("sha256:", digest, NULL);

  text (builder, "mediaType", type);
  text (builder, "digest", whole);
  json_builder_set_member_name (builder, "size");
  json_builder_add_int_value (builder, (gint64) size);
}

static char *
config_json (const char *architecture, const char *layer)
{
  JsonBuilder *builder = json_builder_new ();
  g_autofree char *digest = g_strconcat ("sha256:", layer, NULL);

  json_builder_begin_object (builder);
  text (builder, "architecture", architecture);
  text (builder, "os", "linux");
  json_builder_set_member_name (builder, "config");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "Cmd");
  json_builder_begin_array (builder);
  json_builder_add_string_value (builder, "/bin/sh");
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  json_builder_set_member_name (builder, "rootfs");
  json_builder_begin_object (builder);
  text (builder, "type", "layers");
  json_builder_set_member_name (builder, "diff_ids");
  json_builder_begin_array (builder);
  json_builder_add_string_value (builder, digest);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  return end_json (builder);
}

static char *
manifest_json (const char *config, gsize config_size, const char *layer, guint64 layer_size)
{
  JsonBuilder *builder = begin_json ();

  text (builder, "mediaType", TYPE "manifest.v1+json");
  json_builder_set_member_name (builder, "config");
  json_builder_begin_object (builder);
  descriptor (builder, TYPE "config.v1+json", config, config_size);
  json_builder_end_object (builder);
  json_builder_set_member_name (builder, "layers");
  json_builder_begin_array (builder);
  json_builder_begin_object (builder);
  descriptor (builder, TYPE "layer.v1.tar", layer, layer_size);
  json_builder_end_object (builder);
  json_builder_end_array (builder);
  return end_json (builder);
}

static char *
index_json (const char *manifest, gsize size, const char *name)
{
  JsonBuilder *builder = begin_json ();

  json_builder_set_member_name (builder, "manifests");
  json_builder_begin_array (builder);
  json_builder_begin_object (builder);
  descriptor (builder, TYPE "manifest.v1+json", manifest, size);
  json_builder_set_member_name (builder, "annotations");
  json_builder_begin_object (builder);
  text (builder, "org.opencontainers.image.ref.name", name);
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  json_builder_end_array (builder);
  return end_json (builder);
}

static char *
digest_of (int fd, guint64 *size, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guchar *piece = g_malloc (PIECE);
  ssize_t got;

  *size = 0;
  while ((got = pread (fd, piece, PIECE, (off_t) *size)) > 0)
    {
      g_checksum_update (checksum, piece, got);
      *size += (guint64) got;
    }
  if (got < 0)
    {
      bz_fail_errno (error, errno, NULL, "reading the image's layer");
      return NULL;
    }
  return g_strdup (g_checksum_get_string (checksum));
}

static gboolean
add_blob_file (BzArchiveWriter *writer, const char *digest, int fd, guint64 size, GError **error)
{
  g_autofree char *name = g_strconcat ("blobs/sha256/", digest, NULL);
  g_autofree char *piece = g_malloc (PIECE);
  struct archive_entry *entry = archive_entry_new ();
  guint64 at = 0;

  archive_entry_set_pathname (entry, name);
  archive_entry_set_filetype (entry, AE_IFREG);
  archive_entry_set_perm (entry, 0644);
  archive_entry_set_size (entry, (la_int64_t) size);
  gboolean good = archive_write_header (writer, entry) >= ARCHIVE_WARN;
  archive_entry_free (entry);
  while (good && at < size)
    {
      ssize_t got = pread (fd, piece, PIECE, (off_t) at);
      good = got > 0 && archive_write_data (writer, piece, (size_t) got) == got;
      at += (guint64) MAX (got, 0);
    }
  if (good)
    return TRUE;
  int saved = archive_errno (writer);
  return bz_fail_errno (error, saved > 0 ? saved : EIO, NULL, "writing the image");
}

static gboolean
add_blob (BzArchiveWriter *writer, const char *digest, const char *data, GError **error)
{
  g_autofree char *name = g_strconcat ("blobs/sha256/", digest, NULL);

  return bz_export_data (writer, name, data, strlen (data), error);
}

static char *
digest_of_text (const char *data)
{
  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, data, -1);
}

gboolean
bz_export_image (BzExport *export, int fd, int temporary_fd, const char *architecture,
                 const char *name, GError **error)
{
  static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
  BzArchiveWriter *writer = bz_export_open (temporary_fd, NULL, error);
  guint64 size = 0;

  if (writer == NULL)
    return FALSE;
  gboolean written = bz_export_tree (export, writer, error);
  if (!bz_export_close (writer, written ? error : NULL) || !written)
    return FALSE;
  g_autofree char *layer = digest_of (temporary_fd, &size, error);
  if (layer == NULL)
    return FALSE;
  g_autofree char *config = config_json (architecture, layer);
  g_autofree char *config_digest = digest_of_text (config);
  g_autofree char *manifest = manifest_json (config_digest, strlen (config), layer, size);
  g_autofree char *manifest_digest = digest_of_text (manifest);
  g_autofree char *index = index_json (manifest_digest, strlen (manifest), name);

  writer = bz_export_open (fd, NULL, error);
  if (writer == NULL)
    return FALSE;
  gboolean good = bz_export_data (writer, "oci-layout", layout, strlen (layout), error)
                  && bz_export_data (writer, "index.json", index, strlen (index), error)
                  && add_blob (writer, manifest_digest, manifest, error)
                  && add_blob (writer, config_digest, config, error)
                  && add_blob_file (writer, layer, temporary_fd, size, error);
  return bz_export_close (writer, good ? error : NULL) && good;
}
