/* The JSON of OCI layouts and docker archives: parsed, checked, no files touched. */
#pragma once

#include <glib.h>

typedef struct {
  char *media_type; /* or NULL */
  char *digest;     /* "sha256:HEX": of a known kind and the right length */
  guint64 size;
  char *os, *architecture; /* or NULL */
  char *name;              /* annotation org.opencontainers.image.ref.name, or NULL */
} BzOciDescriptor;

void bz_oci_descriptor_free (BzOciDescriptor *descriptor);

/* An image index (or index.json): descriptors of manifests. */
GPtrArray *bz_oci_parse_index (const char *json, gsize size, GError **error);

/* TRUE when the JSON is an index and not a manifest. */
gboolean bz_oci_is_index (const char *json, gsize size);

typedef struct {
  BzOciDescriptor *config;
  GPtrArray *layers; /* of BzOciDescriptor *, lowest first */
} BzOciManifest;
BzOciManifest *bz_oci_parse_manifest (const char *json, gsize size, GError **error);
void bz_oci_manifest_free (BzOciManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzOciManifest, bz_oci_manifest_free)

/* manifest.json of docker save. */
typedef struct {
  char *config;  /* path in the archive, clean */
  char **layers; /* likewise, lowest first */
  char *tag;     /* or NULL */
  guint images;  /* how many the archive holds: this is the first */
} BzDockerManifest;
BzDockerManifest *bz_docker_parse_manifest (const char *json, gsize size, GError **error);
void bz_docker_manifest_free (BzDockerManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzDockerManifest, bz_docker_manifest_free)

typedef struct {
  char *os, *architecture; /* or NULL */
  char **diff_ids;         /* digests of the uncompressed layers; never NULL */
} BzOciConfig;
BzOciConfig *bz_oci_parse_config (const char *json, gsize size, GError **error);
void bz_oci_config_free (BzOciConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzOciConfig, bz_oci_config_free)

/* Of manifests for several machines the one to run here: linux, amd64 before 386 before
 * one that does not say. NULL with BZ_ERROR_INPUT naming what there is. */
const BzOciDescriptor *bz_oci_choose (const GPtrArray *descriptors, GError **error);
/* TRUE for a machine that zones can have. NULL is not known: TRUE. */
gboolean bz_oci_machine_runs (const char *architecture);

/* "blobs/sha256/HEX" of a checked digest. */
char *bz_oci_blob_path (const char *digest);
gboolean bz_oci_digest_ok (const char *digest, GChecksumType *type);
