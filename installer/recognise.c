/* What a source is.
 *
 * Problem: names lie ("rootfs.tar" that is gzip, ".taz", a zip in which a gzipped ext2 image is the
 * root). Choice: decompress the beginning and look; if it is an archive, read entries until one
 * belongs to a userland, or names an image format, or is itself a file-system image. A big tree is
 * decided by its first entries; only an archive that holds nothing of the kind is read to its end.
 */
#include "config.h"

#include "installer/recognise.h"

#include "brand/base/error.h"
#include "installer/archive.h"
#include "installer/file-system.h"
#include "installer/series.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define HINT \
  "give a tree's directory, a tar, cpio or zip archive, an image of a disk or of an ext2/3/4, " \
  "minix or ISO 9660 file system, an OCI layout or a docker archive"

typedef struct {
  gboolean tree, oci, docker;
  const char *image; /* "ext2 image" of the first that was found */
  const char *refused;
  guint64 entries;
  guint packages; /* files named so */
  guint rpms, debs;
  gboolean medium; /* an ISO 9660 image: its top alone says whether it is a tree */
} Contents;

void
bz_recognised_clear (BzRecognised *source)
{
  g_clear_pointer (&source->kind, g_free);
}

static gboolean
recognise_directory (int fd, BzRecognised *source)
{
  gboolean oci = faccessat (fd, "oci-layout", F_OK, AT_SYMLINK_NOFOLLOW) == 0
                 && faccessat (fd, "index.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0;

  source->type = oci ? BZ_SOURCE_OCI_DIRECTORY : BZ_SOURCE_DIRECTORY;
  source->kind = g_strdup (oci ? "OCI layout" : "directory");
  source->bytes = 0;
  if (oci)
    return TRUE;

  guint64 bytes;
  g_autoptr (GPtrArray) packages = bz_series_find (fd, &bytes);
  if (packages->len == 0)
    return TRUE;
  source->type = BZ_SOURCE_SERIES;
  g_free (source->kind);
  source->kind = g_strdup_printf ("series of %u package%s", packages->len,
                                  packages->len == 1 ? "" : "s");
  source->bytes = bytes;
  return TRUE;
}

/* A file in an archive: is it an image, maybe compressed? */
static void
look_inside (BzArchive *archive, Contents *contents)
{
  g_autofree guint8 *head = g_malloc (BZ_RECOGNISE_BYTES);
  g_autoptr (BzArchive) inner = bz_archive_open_inside (archive, BZ_ARCHIVE_RAW, NULL, NULL);
  const char *name;

  if (inner == NULL || bz_archive_next (inner, NULL) == NULL)
    return;
  gssize size = bz_archive_read (inner, head, BZ_RECOGNISE_BYTES, NULL);
  if (size <= 0)
    return;
  switch (bz_recognise_bytes (head, (gsize) size, &name))
    {
    case BZ_BYTES_EXT:
    case BZ_BYTES_MINIX:
      contents->image = name;
      break;
    case BZ_BYTES_REFUSED:
      if (g_str_has_suffix (name, "image"))
        contents->refused = name;
      break;
    default:
      break;
    }
}

static gboolean
is_top (const char *name)
{
  static const char *const top[] = { "bin", "etc", "lib", "sbin" };
  gsize length = strcspn (name, "/");

  for (gsize i = 0; i < G_N_ELEMENTS (top); i++)
    if (strlen (top[i]) == length && memcmp (top[i], name, length) == 0)
      return TRUE;
  return FALSE;
}

static void
look_at_entry (BzArchive *archive, struct archive_entry *entry, Contents *contents)
{
  const char *name = bz_archive_name (entry);

  contents->entries++;
  if (name == NULL)
    return;
  while (g_str_has_prefix (name, "./"))
    name += 2;
  if (strcmp (name, "oci-layout") == 0)
    contents->oci = TRUE;
  else if (strcmp (name, "manifest.json") == 0 || strcmp (name, "repositories") == 0)
    contents->docker = TRUE;
  else if (g_str_has_suffix (name, ".rpm"))
    contents->rpms++;
  else if (g_str_has_suffix (name, ".deb"))
    contents->debs++;
  else if (bz_series_name (name))
    contents->packages++;
  else if (contents->medium ? is_top (name) : bz_recognise_path (name))
    contents->tree = TRUE;
  else if (contents->medium)
    ; /* boot floppies and live systems lie on every distribution's medium */
  else if (contents->image == NULL && archive_entry_filetype (entry) == AE_IFREG
           && archive_entry_size (entry) > 4096 && !contents->docker && !contents->oci
           && !g_str_has_prefix (name, "blobs/") && !g_str_has_suffix (name, "/layer.tar"))
    look_inside (archive, contents);
}

static gboolean
recognise_archive (int fd, const char *label, BzArchiveFormats formats, BzRecognised *source,
                   GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (BzArchive) archive = bz_archive_open (fd, formats, NULL, NULL, label, &failure);
  g_autofree char *kind = NULL;
  struct archive_entry *entry;
  Contents contents = { .medium = formats == BZ_ARCHIVE_ISO };

  while (archive != NULL && !contents.tree && (entry = bz_archive_next (archive, &failure)) != NULL)
    look_at_entry (archive, entry, &contents);
  if (contents.entries == 0)
    return bz_fail (error, BZ_ERROR_INPUT, "it is not an archive or an image that brandzone knows",
                    HINT, "%s", label);

  kind = bz_archive_kind (archive);
  if (contents.oci && !contents.tree)
    {
      source->type = BZ_SOURCE_OCI_ARCHIVE;
      source->kind = g_strdup_printf ("OCI layout in a %s archive", kind);
    }
  else if (contents.docker && !contents.tree)
    {
      source->type = BZ_SOURCE_DOCKER_ARCHIVE;
      source->kind = g_strdup ("docker archive");
    }
  else if (contents.image != NULL && !contents.tree)
    {
      source->type = BZ_SOURCE_IMAGE_ARCHIVE;
      source->kind = g_strdup_printf ("%s in a %s archive", contents.image, kind);
    }
  else if (contents.refused != NULL && !contents.tree)
    {
      g_autofree char *why =
          g_strdup_printf ("it holds a %s, which brandzone can't read", contents.refused);
      return bz_fail (error, BZ_ERROR_INPUT, why, HINT, "%s", label);
    }
  else if (formats == BZ_ARCHIVE_ISO && !contents.tree
           && MAX (contents.rpms, contents.debs) > contents.packages)
    {
      source->type = BZ_SOURCE_PACKAGES_ISO;
      source->kind = g_strdup_printf ("medium of %s packages in an ISO 9660 image",
                                      contents.rpms > contents.debs ? "RPM" : "Debian");
    }
  else if (formats == BZ_ARCHIVE_ISO && !contents.tree && contents.packages > 0)
    {
      source->type = BZ_SOURCE_SERIES_ISO;
      source->kind = g_strdup_printf ("series of %u package%s in an ISO 9660 image",
                                      contents.packages, contents.packages == 1 ? "" : "s");
    }
  else if (formats == BZ_ARCHIVE_ISO && !contents.tree)
    return bz_fail (error, BZ_ERROR_INPUT,
                    "it is an ISO 9660 image with neither a tree nor packages in it",
                    "mount or unpack it, and install from what it holds", "%s", label);
  else if (formats == BZ_ARCHIVE_ISO)
    {
      source->type = BZ_SOURCE_ISO;
      source->kind = g_strdup_printf ("ISO 9660 image%s%s%s", *kind == '\0' ? "" : " (", kind,
                                      *kind == '\0' ? "" : ")");
    }
  else
    {
      source->type = BZ_SOURCE_ARCHIVE;
      source->kind = g_strdup_printf ("%s archive", kind);
    }
  return TRUE;
}

/* A disk or a file system, read where it lies. */
static gboolean
recognise_image (int fd, const char *label, BzRecognised *source, GError **error)
{
  g_autoptr (BzDisk) disk = bz_disk_open (fd, label, error);
  BzFoundSystem found;

  if (disk == NULL || !bz_file_system_find (disk, fd, label, &found, error))
    return FALSE;
  source->type = BZ_SOURCE_IMAGE;
  source->kind = found.kind;
  source->offset = found.offset;
  return TRUE;
}

static gboolean
recognise_head (int fd, const char *label, const guint8 *head, gsize size, const char *filters,
                BzRecognised *source, GError **error)
{
  const char *name = NULL;
  g_autofree char *why = NULL;
  BzBytes bytes = bz_recognise_bytes (head, size, &name);

  source->compressed = *filters != '\0';
  switch (bytes)
    {
    case BZ_BYTES_EXT:
    case BZ_BYTES_MINIX:
    case BZ_BYTES_DISK:
      if (!source->compressed)
        return recognise_image (fd, label, source, error);
      source->type = BZ_SOURCE_IMAGE;
      source->kind = g_strdup_printf ("%s (%s)", name, filters);
      return TRUE;
    case BZ_BYTES_REFUSED:
      why = g_strdup_printf ("it is %s %s, which brandzone can't read",
                             strchr ("AEFIO", name[0]) != NULL ? "an" : "a", name);
      return bz_fail (error, BZ_ERROR_INPUT, why, HINT, "%s", label);
    case BZ_BYTES_ISO:
      return recognise_archive (fd, label, BZ_ARCHIVE_ISO, source, error);
    case BZ_BYTES_TAR:
    case BZ_BYTES_UNKNOWN:
    default:
      return recognise_archive (fd, label, BZ_ARCHIVE_TREE, source, error);
    }
}

gboolean
bz_recognise (int fd, const char *label, BzRecognised *source, GError **error)
{
  struct stat st;

  *source = (BzRecognised){ 0 };
  if (fstat (fd, &st) < 0)
    return bz_fail_errno (error, errno, NULL, "reading %s", label);
  if (S_ISDIR (st.st_mode))
    return recognise_directory (fd, source);
  if (!S_ISREG (st.st_mode) && !S_ISBLK (st.st_mode))
    return bz_fail (error, BZ_ERROR_INPUT, "it is neither a file nor a directory", HINT, "%s",
                    label);
  if (S_ISREG (st.st_mode) && st.st_size == 0)
    return bz_fail (error, BZ_ERROR_INPUT, "it is empty", "get it again", "%s", label);
  source->bytes = (guint64) st.st_size;

  g_autofree guint8 *head = g_malloc0 (BZ_RECOGNISE_BYTES);
  g_autoptr (GError) failure = NULL;
  g_autoptr (BzArchive) raw = bz_archive_open (fd, BZ_ARCHIVE_RAW, NULL, NULL, label, &failure);
  gssize size = -1;
  if (raw != NULL && bz_archive_next (raw, &failure) != NULL)
    size = bz_archive_read (raw, head, BZ_RECOGNISE_BYTES, &failure);
  if (size < 0)
    {
      /* A compressed file that breaks off within its first block: the archive reader tells where.
       */
      memset (head, 0, BZ_RECOGNISE_BYTES);
      size = 0;
    }
  g_autofree char *filters = raw == NULL ? g_strdup ("") : bz_archive_kind (raw);
  return recognise_head (fd, label, head, (gsize) size, filters, source, error);
}
