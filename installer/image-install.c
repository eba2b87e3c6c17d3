/* Images as sources: plain, in a partition, in qcow2, compressed, in an archive. */
#include "config.h"

#include "installer/install.h"

#include "brand/base/error.h"
#include "installer/file-system.h"

#include <unistd.h>

static gboolean
extract_image (BzInstall *install, int fd, guint64 offset, const char *label, GError **error)
{
  g_autoptr (BzDisk) disk = bz_disk_open (fd, label, error);
  g_autoptr (BzFileSystem) fs =
      disk == NULL ? NULL : bz_file_system_open (disk, offset, label, error);

  if (disk != NULL && fd == install->source_fd)
    bz_disk_count (disk, &install->job->done);
  return fs != NULL && bz_file_system_extract (fs, install->tree, error);
}

/* What was unpacked is a file system, or a disk with some. */
static gboolean
extract_unpacked (BzInstall *install, int fd, const char *label, GError **error)
{
  g_autoptr (BzDisk) disk = bz_disk_open (fd, label, error);
  BzFoundSystem found;

  if (disk == NULL || !bz_file_system_find (disk, fd, label, &found, error))
    return FALSE;
  bz_job_notice (install->job, "unpacked: %s", found.kind);
  g_free (found.kind);
  return extract_image (install, fd, found.offset, label, error);
}

/* The unpacked image was data on the way, not data of the tree. */
static void
forget_bytes (BzInstall *install)
{
  install->job->bytes = 0;
}

gboolean
bz_install_image (BzInstall *install, GError **error)
{
  const char *label = install->args->source;
  g_autoptr (BzArchive) raw = NULL;
  gboolean ok;
  int fd;

  if (!install->source->compressed)
    return extract_image (install, install->source_fd, install->source->offset, label, error);
  raw = bz_archive_open (install->source_fd, BZ_ARCHIVE_RAW, NULL, install->job, label, error);
  if (raw == NULL || bz_archive_next (raw, error) == NULL)
    return FALSE;
  fd = bz_install_temporary (install, error);
  if (fd < 0)
    return FALSE;
  ok = bz_archive_save (raw, install->tree, fd, label, error);
  forget_bytes (install);
  ok = ok && extract_unpacked (install, fd, label, error);
  close (fd);
  return ok;
}

/* Unpacks the entry when it is an image. -1 without an error: it is not. */
static int
unpack_if_image (BzInstall *install, BzArchive *archive, const char *name, GError **error)
{
  g_autoptr (BzArchive) inner = bz_archive_open_inside (archive, BZ_ARCHIVE_RAW, NULL, NULL);
  const char *kind;
  guint8 head[4096];
  BzBytes bytes;
  gboolean ok;
  int fd;

  if (inner == NULL || bz_archive_next (inner, NULL) == NULL)
    return -1;
  fd = bz_install_temporary (install, error);
  if (fd < 0)
    return -1;
  ok = bz_archive_save (inner, install->tree, fd, name, error);
  forget_bytes (install);
  gssize size = ok ? pread (fd, head, sizeof head, 0) : -1;
  bytes = size > 0 ? bz_recognise_bytes (head, (gsize) size, &kind) : BZ_BYTES_UNKNOWN;
  if (bytes == BZ_BYTES_EXT || bytes == BZ_BYTES_MINIX)
    return fd;
  close (fd);
  return -1;
}

/* Of the images in the archive, the one whose root looks most like a userland; the first of equals.
 */
static int
find_image (BzInstall *install, BzArchive *archive, char **best_name, GError **error)
{
  g_autoptr (GError) failure = NULL;
  guint best_score = 0, images = 0;
  struct archive_entry *entry;
  int best = -1;

  while (failure == NULL && (entry = bz_archive_next (archive, &failure)) != NULL)
    {
      g_autofree char *name = g_strdup (bz_archive_name (entry));
      g_autoptr (BzDisk) disk = NULL;
      g_autoptr (BzFileSystem) image = NULL;
      guint score;
      int fd;

      if (archive_entry_filetype (entry) != AE_IFREG || archive_entry_size (entry) < 4096)
        continue;
      fd = unpack_if_image (install, archive, name == NULL ? "" : name, &failure);
      if (fd < 0)
        continue;
      disk = bz_disk_open (fd, name, NULL);
      image = disk == NULL ? NULL : bz_file_system_open (disk, 0, name, NULL);
      score = image == NULL ? 0 : 1 + bz_file_system_userland_names (image);
      images++;
      if (score <= best_score)
        {
          close (fd);
          continue;
        }
      if (best >= 0)
        close (best);
      best = fd;
      best_score = score;
      g_free (*best_name);
      *best_name = g_steal_pointer (&name);
    }
  if (failure != NULL)
    {
      if (best >= 0)
        close (best);
      g_propagate_error (error, g_steal_pointer (&failure));
      return -1;
    }
  if (images > 1)
    bz_job_notice (install->job, "the archive holds %u file system images; %s was taken", images,
                   *best_name);
  if (best < 0)
    bz_fail (error, BZ_ERROR_INPUT, "none of its images can be read", NULL, "%s",
             install->args->source);
  return best;
}

gboolean
bz_install_image_archive (BzInstall *install, GError **error)
{
  g_autoptr (BzArchive) archive = bz_archive_open (install->source_fd, BZ_ARCHIVE_TREE, NULL,
                                                   install->job, install->args->source, error);
  g_autofree char *name = NULL;
  gboolean ok;
  int fd;

  if (archive == NULL)
    return FALSE;
  fd = find_image (install, archive, &name, error);
  if (fd < 0)
    return FALSE;
  ok = extract_image (install, fd, 0, name, error);
  close (fd);
  return ok;
}
