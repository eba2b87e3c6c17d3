/* JSON of images.
 *
 * Facts: json-glib parses nested arrays by recursion and its getters log criticals when a member
 * has another type. Both are in a stranger's hands here. Choice: depth is bounded before parsing,
 * and members are read by getters of ours that check first. Digests are checked to be "sha256:" or
 * "sha512:" and lower-case hex, because they become paths. */
#include "config.h"

#include "installer/oci.h"

#include "brand/base/error.h"
#include "installer/tree.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define DEPTH_MAX 32
#define LAYERS_MAX 1024

static gboolean
fail_json (const char *why, GError **error)
{
  return bz_fail (error, BZ_ERROR_INPUT, why, "this image is damaged: get it again",
                  "reading the image's description");
}

static gboolean
depth_ok (const char *json, gsize size)
{
  gboolean in_string = FALSE;
  guint depth = 0;

  for (gsize i = 0; i < size; i++)
    {
      if (in_string && json[i] == '\\')
        i++;
      else if (json[i] == '"')
        in_string = !in_string;
      else if (!in_string && (json[i] == '[' || json[i] == '{') && ++depth > DEPTH_MAX)
        return FALSE;
      else if (!in_string && (json[i] == ']' || json[i] == '}') && depth > 0)
        depth--;
    }
  return TRUE;
}

static JsonParser *
parse (const char *json, gsize size, JsonNodeType type, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) failure = NULL;

  if (size > G_MAXSSIZE || memchr (json, '\0', size) != NULL
      || !g_utf8_validate (json, (gssize) size, NULL) || !depth_ok (json, size))
    {
      fail_json ("it is not the JSON that it should be", error);
      return NULL;
    }
  if (!json_parser_load_from_data (parser, json, (gssize) size, &failure))
    {
      fail_json (failure->message, error);
      return NULL;
    }
  JsonNode *root = json_parser_get_root (parser);
  if (root == NULL || json_node_get_node_type (root) != type)
    {
      fail_json ("it is not the JSON that it should be", error);
      return NULL;
    }
  return g_steal_pointer (&parser);
}

static JsonNode *
member (JsonObject *object, const char *name, JsonNodeType type)
{
  JsonNode *node = object == NULL ? NULL : json_object_get_member (object, name);

  return node != NULL && json_node_get_node_type (node) == type ? node : NULL;
}

static JsonObject *
object_member (JsonObject *object, const char *name)
{
  JsonNode *node = member (object, name, JSON_NODE_OBJECT);

  return node == NULL ? NULL : json_node_get_object (node);
}

static JsonArray *
array_member (JsonObject *object, const char *name)
{
  JsonNode *node = member (object, name, JSON_NODE_ARRAY);

  return node == NULL ? NULL : json_node_get_array (node);
}

static const char *
node_text (JsonNode *node)
{
  return node != NULL && json_node_get_node_type (node) == JSON_NODE_VALUE
                 && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

static const char *
text_member (JsonObject *object, const char *name)
{
  return node_text (member (object, name, JSON_NODE_VALUE));
}

static gint64
number_member (JsonObject *object, const char *name)
{
  JsonNode *node = member (object, name, JSON_NODE_VALUE);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_INT64 ? json_node_get_int (node)
                                                                         : -1;
}

gboolean
bz_oci_digest_ok (const char *digest, GChecksumType *type)
{
  gsize length;

  if (digest == NULL)
    return FALSE;
  if (g_str_has_prefix (digest, "sha256:"))
    *type = G_CHECKSUM_SHA256;
  else if (g_str_has_prefix (digest, "sha512:"))
    *type = G_CHECKSUM_SHA512;
  else
    return FALSE;
  length = strspn (digest + 7, "0123456789abcdef");
  return digest[7 + length] == '\0' && length == (*type == G_CHECKSUM_SHA256 ? 64 : 128);
}

char *
bz_oci_blob_path (const char *digest)
{
  return g_strdup_printf ("blobs/%.6s/%s", digest, digest + 7);
}

void
bz_oci_descriptor_free (BzOciDescriptor *descriptor)
{
  if (descriptor == NULL)
    return;
  g_free (descriptor->media_type);
  g_free (descriptor->digest);
  g_free (descriptor->os);
  g_free (descriptor->architecture);
  g_free (descriptor->name);
  g_free (descriptor);
}

static BzOciDescriptor *
parse_descriptor (JsonObject *object, GError **error)
{
  const char *digest = text_member (object, "digest");
  gint64 size = number_member (object, "size");
  JsonObject *platform = object_member (object, "platform");
  GChecksumType type;

  if (!bz_oci_digest_ok (digest, &type) || size < 0)
    {
      fail_json ("a digest or size is missing or malformed", error);
      return NULL;
    }
  BzOciDescriptor *descriptor = g_new0 (BzOciDescriptor, 1);
  descriptor->digest = g_strdup (digest);
  descriptor->size = (guint64) size;
  descriptor->media_type = g_strdup (text_member (object, "mediaType"));
  descriptor->os = g_strdup (text_member (platform, "os"));
  descriptor->architecture = g_strdup (text_member (platform, "architecture"));
  descriptor->name = g_strdup (
      text_member (object_member (object, "annotations"), "org.opencontainers.image.ref.name"));
  return descriptor;
}

static GPtrArray *
parse_descriptors (JsonArray *array, GError **error)
{
  g_autoptr (GPtrArray) all =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bz_oci_descriptor_free);

  if (array == NULL || json_array_get_length (array) > LAYERS_MAX)
    {
      fail_json ("its list is missing or too long", error);
      return NULL;
    }
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      BzOciDescriptor *descriptor =
          json_node_get_node_type (node) == JSON_NODE_OBJECT
              ? parse_descriptor (json_node_get_object (node), error)
              : (fail_json ("its list holds something else", error), NULL);

      if (descriptor == NULL)
        return NULL;
      g_ptr_array_add (all, descriptor);
    }
  return g_steal_pointer (&all);
}

GPtrArray *
bz_oci_parse_index (const char *json, gsize size, GError **error)
{
  g_autoptr (JsonParser) parser = parse (json, size, JSON_NODE_OBJECT, error);

  if (parser == NULL)
    return NULL;
  return parse_descriptors (array_member (json_node_get_object (json_parser_get_root (parser)),
                                          "manifests"),
                            error);
}

gboolean
bz_oci_is_index (const char *json, gsize size)
{
  g_autoptr (JsonParser) parser = parse (json, size, JSON_NODE_OBJECT, NULL);

  return parser != NULL
         && array_member (json_node_get_object (json_parser_get_root (parser)), "manifests")
                != NULL;
}

void
bz_oci_manifest_free (BzOciManifest *manifest)
{
  bz_oci_descriptor_free (manifest->config);
  g_clear_pointer (&manifest->layers, g_ptr_array_unref);
  g_free (manifest);
}

BzOciManifest *
bz_oci_parse_manifest (const char *json, gsize size, GError **error)
{
  g_autoptr (JsonParser) parser = parse (json, size, JSON_NODE_OBJECT, error);
  g_autoptr (BzOciManifest) manifest = g_new0 (BzOciManifest, 1);

  if (parser == NULL)
    return NULL;
  JsonObject *root = json_node_get_object (json_parser_get_root (parser));
  manifest->layers = parse_descriptors (array_member (root, "layers"), error);
  if (manifest->layers == NULL)
    return NULL;
  manifest->config = parse_descriptor (object_member (root, "config"), error);
  return manifest->config == NULL ? NULL : g_steal_pointer (&manifest);
}

void
bz_docker_manifest_free (BzDockerManifest *manifest)
{
  g_free (manifest->config);
  g_strfreev (manifest->layers);
  g_free (manifest->tag);
  g_free (manifest);
}

static char *
clean_text (const char *text, GError **error)
{
  gboolean absolute;

  if (text == NULL || *text == '\0')
    {
      fail_json ("a file's name is missing", error);
      return NULL;
    }
  return bz_tree_clean_path (text, &absolute, error);
}

BzDockerManifest *
bz_docker_parse_manifest (const char *json, gsize size, GError **error)
{
  g_autoptr (JsonParser) parser = parse (json, size, JSON_NODE_ARRAY, error);
  g_autoptr (BzDockerManifest) manifest = g_new0 (BzDockerManifest, 1);
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func (g_free);

  if (parser == NULL)
    return NULL;
  JsonArray *images = json_node_get_array (json_parser_get_root (parser));
  manifest->images = json_array_get_length (images);
  JsonNode *first = manifest->images > 0 ? json_array_get_element (images, 0) : NULL;
  JsonObject *image = first != NULL && json_node_get_node_type (first) == JSON_NODE_OBJECT
                          ? json_node_get_object (first)
                          : NULL;
  JsonArray *names = array_member (image, "Layers"), *tags = array_member (image, "RepoTags");
  if (names == NULL || json_array_get_length (names) > LAYERS_MAX)
    {
      fail_json ("it lists no layers, or too many", error);
      return NULL;
    }
  for (guint i = 0; i < json_array_get_length (names); i++)
    {
      char *name = clean_text (node_text (json_array_get_element (names, i)), error);

      if (name == NULL)
        return NULL;
      g_ptr_array_add (layers, name);
    }
  manifest->config = clean_text (text_member (image, "Config"), error);
  if (manifest->config == NULL)
    return NULL;
  if (tags != NULL && json_array_get_length (tags) > 0)
    manifest->tag = g_strdup (node_text (json_array_get_element (tags, 0)));
  g_ptr_array_add (layers, NULL);
  manifest->layers = (char **) g_ptr_array_free (g_steal_pointer (&layers), FALSE);
  return g_steal_pointer (&manifest);
}

void
bz_oci_config_free (BzOciConfig *config)
{
  g_free (config->os);
  g_free (config->architecture);
  g_strfreev (config->diff_ids);
  g_free (config);
}

BzOciConfig *
bz_oci_parse_config (const char *json, gsize size, GError **error)
{
  g_autoptr (JsonParser) parser = parse (json, size, JSON_NODE_OBJECT, error);
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);

  if (parser == NULL)
    return NULL;
  JsonObject *root = json_node_get_object (json_parser_get_root (parser));
  JsonArray *list = array_member (object_member (root, "rootfs"), "diff_ids");
  for (guint i = 0; list != NULL && i < json_array_get_length (list) && i < LAYERS_MAX; i++)
    {
      const char *id = node_text (json_array_get_element (list, i));
      GChecksumType type;

      if (!bz_oci_digest_ok (id, &type))
        {
          fail_json ("a layer's digest is malformed", error);
          return NULL;
        }
      g_ptr_array_add (ids, g_strdup (id));
    }
  g_ptr_array_add (ids, NULL);
  BzOciConfig *config = g_new0 (BzOciConfig, 1);
  config->os = g_strdup (text_member (root, "os"));
  config->architecture = g_strdup (text_member (root, "architecture"));
  config->diff_ids = (char **) g_ptr_array_free (g_steal_pointer (&ids), FALSE);
  return config;
}

static int
rank (const char *architecture)
{
  return architecture == NULL                  ? 1
         : strcmp (architecture, "amd64") == 0 ? 3
         : strcmp (architecture, "386") == 0   ? 2
                                               : 0;
}

gboolean
bz_oci_machine_runs (const char *architecture)
{
  return rank (architecture) > 0;
}

const BzOciDescriptor *
bz_oci_choose (const GPtrArray *descriptors, GError **error)
{
  g_autoptr (GString) there = g_string_new (NULL);
  const BzOciDescriptor *best = NULL;

  for (guint i = 0; i < descriptors->len; i++)
    {
      const BzOciDescriptor *one = descriptors->pdata[i];
      gboolean linux_os = one->os == NULL || strcmp (one->os, "linux") == 0;

      if (linux_os && rank (one->architecture) > (best == NULL ? 0 : rank (best->architecture)))
        best = one;
      if (there->len < 400)
        g_string_append_printf (there, "%s%.40s/%.40s", there->len > 0 ? ", " : "",
                                one->os == NULL ? "?" : one->os,
                                one->architecture == NULL ? "?" : one->architecture);
    }
  if (best == NULL)
    {
      g_autofree char *why =
          there->len == 0
              ? g_strdup ("it holds no image")
              : g_strdup_printf ("it holds images for %s, and none for linux/amd64 or linux/386",
                                 there->str);
      bz_fail (error, BZ_ERROR_INPUT, why, NULL, "choosing an image");
    }
  return best;
}
