#include "config.h"

#include "zone/manifest.h"

#include "brand/base/error.h"
#include "brand/brand.h"
#include "zone/ids.h"
#include "zone/installed.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/zone-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FORMAT 1
#define GROUP "Detached zone"

void
bz_manifest_free (BzManifest *manifest)
{
  if (manifest == NULL)
    return;
  g_free (manifest->name);
  g_free (manifest->brand);
  g_free (manifest->source);
  g_free (manifest->digest);
  g_free (manifest->list_digest);
  g_free (manifest);
}

static char *
digest_of (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

  if (fd < 0)
    {
      bz_fail_errno (error, errno, NULL, "reading %s", path);
      return NULL;
    }
  char *digest = bz_installed_digest (fd, path, error);
  close (fd);
  return digest;
}

static guint64
count_ids (const BzZoneState *state)
{
  guint64 ids = 0;

  for (guint i = 0; i < state->uids->len; i++)
    ids += g_array_index (state->uids, BzIdRange, i).count;
  return MAX (ids, 1);
}

gboolean
bz_manifest_write (const char *directory, const BzZoneState *state, GError **error)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autofree char *path = g_build_filename (directory, BZ_MANIFEST, NULL);
  g_autofree char *tree = g_build_filename (directory, BZ_MANIFEST_TREE, NULL);
  g_autofree char *list = g_build_filename (directory, BZ_INSTALLED, NULL);
  g_autofree char *digest = digest_of (tree, error), *list_digest = NULL;
  g_autoptr (GError) cause = NULL;
  gsize length;

  if (digest == NULL
      || (access (list, F_OK) == 0 && (list_digest = digest_of (list, error)) == NULL))
    return FALSE;
  g_key_file_set_integer (keys, GROUP, "Format", FORMAT);
  g_key_file_set_string (keys, GROUP, "Writer", PACKAGE_VERSION);
  g_key_file_set_string (keys, GROUP, "Name", state->name);
  g_key_file_set_string (keys, GROUP, "Brand", state->brand);
  g_key_file_set_string (keys, GROUP, "Abi", bz_abi_name (state->abi));
  if (state->source != NULL)
    g_key_file_set_string (keys, GROUP, "Source", state->source);
  g_key_file_set_uint64 (keys, GROUP, "Files", state->files);
  g_key_file_set_uint64 (keys, GROUP, "Bytes", state->bytes);
  g_key_file_set_uint64 (keys, GROUP, "Ids", count_ids (state));
  g_key_file_set_string (keys, GROUP, "Sha256", digest);
  if (list_digest != NULL)
    g_key_file_set_string (keys, GROUP, "ListSha256", list_digest);
  g_autofree char *data = g_key_file_to_data (keys, &length, NULL);
  return g_file_set_contents_full (path, data, length,
                                   G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                   0644, &cause)
         || bz_fail_file (error, cause, NULL, "writing %s", path);
}

static gboolean
fail_damaged (const char *path, GError **error)
{
  return bz_fail (error, BZ_ERROR_INPUT, "it is damaged", "take it from a backup", "%s", path);
}

BzManifest *
bz_manifest_read (const char *directory, GError **error)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (BzManifest) manifest = g_new0 (BzManifest, 1);
  g_autofree char *path = g_build_filename (directory, BZ_MANIFEST, NULL);
  g_autoptr (GError) cause = NULL;

  if (!g_key_file_load_from_file (keys, path, G_KEY_FILE_NONE, &cause))
    {
      bz_fail (error, BZ_ERROR_INPUT, cause->message,
               "name a directory that `brandzone detach` has made", "the detached zone %s",
               directory);
      return NULL;
    }
  if (g_key_file_get_integer (keys, GROUP, "Format", NULL) > FORMAT)
    {
      bz_fail (error, BZ_ERROR_STATE, "a newer brandzone wrote it", "use that version", "%s", path);
      return NULL;
    }
  manifest->name = g_key_file_get_string (keys, GROUP, "Name", NULL);
  manifest->brand = g_key_file_get_string (keys, GROUP, "Brand", NULL);
  manifest->source = g_key_file_get_string (keys, GROUP, "Source", NULL);
  manifest->digest = g_key_file_get_string (keys, GROUP, "Sha256", NULL);
  manifest->list_digest = g_key_file_get_string (keys, GROUP, "ListSha256", NULL);
  manifest->files = g_key_file_get_uint64 (keys, GROUP, "Files", NULL);
  manifest->bytes = g_key_file_get_uint64 (keys, GROUP, "Bytes", NULL);
  manifest->ids = g_key_file_get_uint64 (keys, GROUP, "Ids", NULL);
  g_autofree char *abi = g_key_file_get_string (keys, GROUP, "Abi", NULL);
  if (manifest->name == NULL || !bz_name_valid (manifest->name) || manifest->brand == NULL
      || manifest->digest == NULL || abi == NULL || !bz_abi_lookup (abi, &manifest->abi))
    {
      fail_damaged (path, error);
      return NULL;
    }
  return g_steal_pointer (&manifest);
}

static gboolean
check_file (const char *directory, const char *name, const char *digest, GError **error)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autofree char *is = digest_of (path, error);

  if (is == NULL)
    return FALSE;
  return g_str_equal (is, digest)
         || bz_fail (error, BZ_ERROR_INPUT, "it is not the one that the manifest names",
                     "take it from a backup", "%s", path);
}

gboolean
bz_manifest_check_tree (const char *directory, const BzManifest *manifest, GError **error)
{
  return check_file (directory, BZ_MANIFEST_TREE, manifest->digest, error)
         && (manifest->list_digest == NULL
             || check_file (directory, BZ_INSTALLED, manifest->list_digest, error));
}

/* --- what a host lacks --- */

static void G_GNUC_PRINTF (2, 3)
lack (GPtrArray *lacks, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (lacks, g_strdup_vprintf (format, args));
  va_end (args);
}

static void
look_for (GPtrArray *lacks, const char *what, const char *path)
{
  g_autofree char *safe = path != NULL ? bz_text_safe (path) : NULL;

  if (path != NULL && access (path, F_OK) != 0)
    lack (lacks, "%s %s: %s", what, safe, g_strerror (errno));
}

static void
look_at_file (GPtrArray *lacks, const BzHost *host, const BzZoneFile *file)
{
  for (char **one = file->volumes; *one != NULL; one++)
    {
      g_autofree char *source = g_strndup (*one, strcspn (*one, ":"));
      look_for (lacks, "volume", source);
    }
  for (guint i = 0; i < file->mounts->len; i++)
    look_for (lacks, "mount", ((BzZoneMount *) g_ptr_array_index (file->mounts, i))->source);
  for (guint i = 0; i < file->devices->len; i++)
    look_for (lacks, "device", ((BzZoneDevice *) g_ptr_array_index (file->devices, i))->source);
  if ((file->memory != 0 || file->cpu_percent != 0 || file->processes != 0)
      && !host->has[BZ_FEATURE_CGROUP])
    lack (lacks, "limits of [Resources] need cgroups: %s", bz_feature_mend (BZ_FEATURE_CGROUP));
  if (file->mac_address != NULL)
    look_for (lacks, "MacAddress needs", "/dev/net/tun");
}

/* An archive is unpacked: both are there for a while. */
static void
look_at_space (const BzContext *context, GPtrArray *lacks, const BzManifest *manifest,
               gboolean *fatal)
{
  struct statvfs space;

  if (statvfs (context->dirs->data, &space) != 0)
    return;
  guint64 available = (guint64) space.f_bavail * space.f_frsize;
  if (available >= manifest->bytes)
    return;
  g_autofree char *needed = bz_bytes_format (manifest->bytes);
  g_autofree char *there = bz_bytes_format (available);
  lack (lacks, "room in %s: it needs %s, and %s are free", context->dirs->data, needed, there);
  *fatal = TRUE;
}

static void
look_at_host (GPtrArray *lacks, const BzHost *host, const BzManifest *manifest, gboolean *fatal)
{
  g_autoptr (GError) cause = NULL;
  g_autoptr (BzBrand) brand = bz_brand_load (NULL, manifest->brand, NULL);
  g_autofree char *safe = bz_text_safe (manifest->brand);

  if (!bz_host_check (host, &cause))
    {
      lack (lacks, "%s", cause->message);
      *fatal = TRUE;
    }
  if (brand == NULL)
    {
      lack (lacks, "the brand %s: copy its file, or attach with --brand", safe);
      *fatal = TRUE;
    }
  if (manifest->abi == BZ_ABI_I386 && !host->has[BZ_FEATURE_IA32])
    lack (lacks, "i386 programs do not run: %s", bz_feature_mend (BZ_FEATURE_IA32));
  if (manifest->ids > 1 && geteuid () != 0 && !host->has[BZ_FEATURE_SUBORDINATE_IDS])
    lack (lacks, "the zone had %" G_GUINT64_FORMAT " user ids, here it has one: %s", manifest->ids,
          bz_feature_mend (BZ_FEATURE_SUBORDINATE_IDS));
}

GPtrArray *
bz_manifest_lacks (const BzContext *context, const BzArguments *arguments, const char *directory,
                   const BzManifest *manifest, gboolean *fatal, GError **error)
{
  g_autoptr (GPtrArray) lacks = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *path = g_build_filename (directory, BZ_MANIFEST_ZONE, NULL);
  g_autoptr (BzHost) host = bz_context_host (context, arguments, error);
  g_autoptr (GError) problem = NULL;

  *fatal = FALSE;
  if (host == NULL)
    return NULL;
  g_autoptr (BzZoneFile) file = bz_zone_file_load (path, &problem);
  look_at_host (lacks, host, manifest, fatal);
  look_at_space (context, lacks, manifest, fatal);
  if (file != NULL)
    look_at_file (lacks, host, file);
  else
    lack (lacks, "%s", problem->message);
  return g_steal_pointer (&lacks);
}
