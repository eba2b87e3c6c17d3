/* Images as sources: plain, compressed, in a partition, in an archive. */
#include "config.h"

#include "installer/install.h"

#include "brand/base/error.h"
#include "installer/extfs.h"

#include <unistd.h>

/* Where the file system begins in an image that was unpacked: 0, or a partition. */
static guint64
image_offset (int fd)
{
  g_autofree guint8 *head = g_malloc (BZ_RECOGNISE_BYTES);
  gssize size = pread (fd, head, BZ_RECOGNISE_BYTES, 0);
  const char *name;
  guint64 offset = 0;

  if (size > 0 && bz_recognise_bytes (head, (gsize) size, &name, &offset) == BZ_BYTES_PARTITIONS)
    return offset;
  return 0;
}

static gboolean
extract_image (BzInstall *install, int fd, guint64 offset, const char *label, GError **error)
{
  g_autoptr (BzExtImage) image = bz_ext_open (fd, offset, label, error);

  return image != NULL && bz_ext_extract (image, install->tree, error);
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
  ok = ok && extract_image (install, fd, image_offset (fd), label, error);
  close (fd);
  return ok;
}

/* Unpacks the entry when it is an image. -1 without an error: it is not. */
static int
unpack_if_image (BzInstall *install, BzArchive *archive, const char *name, GError **error)
{
  g_autoptr (BzArchive) inner = bz_archive_open_inside (archive, BZ_ARCHIVE_RAW, NULL, NULL);
  const char *kind;
  guint64 offset;
  guint8 head[4096];
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
  if (size > 0 && bz_recognise_bytes (head, (gsize) size, &kind, &offset) == BZ_BYTES_EXT)
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
      g_autoptr (BzExtImage) image = NULL;
      guint score;
      int fd;

      if (archive_entry_filetype (entry) != AE_IFREG || archive_entry_size (entry) < 4096)
        continue;
      fd = unpack_if_image (install, archive, name == NULL ? "" : name, &failure);
      if (fd < 0)
        continue;
      image = bz_ext_open (fd, 0, name, NULL);
      score = image == NULL ? 0 : 1 + bz_ext_userland_names (image);
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
