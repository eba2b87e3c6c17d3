/* Opening archives: what libarchive is told, and what it may not do.
 *
 * Facts: "all filters" includes ones that start other programs (lrzip, grzip); "all formats"
 * includes a dozen that never held a Linux tree, each a parser to attack. Names in pax headers are
 * UTF-8 by the standard and raw bytes in practice.
 * Choice: the formats and filters are named one by one; the locale is C.UTF-8 (installer/main.c),
 * and a name that does not convert is taken as its bytes. */
#include "config.h"

#include "installer/archive.h"

#include "brand/base/error.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BLOCK (256 * 1024)

struct BzArchive {
  struct archive *reader;
  BzArchive *outer; /* or NULL: reads fd */
  int fd;
  gboolean stream; /* it can be read once, from its beginning to its end */
  GChecksum *checksum;
  BzJob *job;
  char *label;
  char *last; /* the last name, for "broke off at" */
  guint8 *buffer;
};

static gssize
read_block (struct archive *reader, void *data, const void **block)
{
  BzArchive *archive = data;
  gssize size;

  if (archive->outer != NULL)
    size = archive_read_data (archive->outer->reader, archive->buffer, BLOCK);
  else
    do
      size = read (archive->fd, archive->buffer, BLOCK);
    while (size < 0 && errno == EINTR);
  if (size < 0)
    {
      archive_set_error (reader, archive->outer != NULL ? EINVAL : errno, "%s",
                         archive->outer != NULL ? archive_error_string (archive->outer->reader)
                                                : "can't be read");
      return -1;
    }
  if (archive->checksum != NULL && size > 0)
    g_checksum_update (archive->checksum, archive->buffer, size);
  if (archive->job != NULL)
    archive->job->done += (guint64) size;
  *block = archive->buffer;
  return size;
}

/* Zip has its directory at the end. Never with a checksum, which wants all bytes in order. */
static gint64
seek_block (struct archive *reader G_GNUC_UNUSED, void *data, gint64 offset, int whence)
{
  BzArchive *archive = data;
  gint64 at = lseek (archive->fd, offset, whence);

  return at < 0 ? ARCHIVE_FATAL : at;
}

static void
allow (struct archive *reader, BzArchiveFormats formats)
{
  archive_read_support_filter_gzip (reader);
  archive_read_support_filter_bzip2 (reader);
  archive_read_support_filter_compress (reader);
  archive_read_support_filter_lzma (reader);
  archive_read_support_filter_xz (reader);
  archive_read_support_filter_zstd (reader);
  archive_read_support_filter_lz4 (reader);
  archive_read_support_filter_lzip (reader);
  if (formats == BZ_ARCHIVE_RAW)
    archive_read_support_format_raw (reader);
  else if (formats == BZ_ARCHIVE_ISO)
    archive_read_support_format_iso9660 (reader);
  else if (formats == BZ_ARCHIVE_DEB)
    archive_read_support_format_ar (reader);
  else if (formats == BZ_ARCHIVE_RPM)
    {
      archive_read_support_filter_rpm (reader);
      archive_read_support_format_cpio (reader);
    }
  else
    {
      archive_read_support_format_tar (reader);
      archive_read_support_format_cpio (reader);
      archive_read_support_format_zip (reader);
    }
}

/* Fails with what the reader says. */
static gboolean
fail_reader (BzArchive *archive, GError **error)
{
  const char *why = archive_error_string (archive->reader);
  int saved = archive_errno (archive->reader);

  if (saved == EIO || saved == ENOMEM)
    return bz_fail_errno (error, saved, NULL, "reading %s", archive->label);
  return bz_fail (error, BZ_ERROR_INPUT, why == NULL ? "it is damaged" : why, NULL, "reading %s",
                  archive->label);
}

static BzArchive *
open_reader (BzArchive *archive, BzArchiveFormats formats, GError **error)
{
  archive->reader = archive_read_new ();
  archive->buffer = g_malloc (BLOCK);
  allow (archive->reader, formats);
  archive_read_set_read_callback (archive->reader, read_block);
  if (archive->outer == NULL && archive->checksum == NULL && !archive->stream)
    archive_read_set_seek_callback (archive->reader, seek_block);
  archive_read_set_callback_data (archive->reader, archive);
  if (archive_read_open1 (archive->reader) == ARCHIVE_FATAL)
    {
      fail_reader (archive, error);
      bz_archive_close (archive);
      return NULL;
    }
  return archive;
}

BzArchive *
bz_archive_open (int fd, BzArchiveFormats formats, GChecksum *checksum, BzJob *job,
                 const char *label, GError **error)
{
  BzArchive *archive;

  gboolean stream = lseek (fd, 0, SEEK_SET) < 0 && errno == ESPIPE;
  if (!stream && lseek (fd, 0, SEEK_SET) < 0)
    {
      bz_fail_errno (error, errno, NULL, "reading %s", label);
      return NULL;
    }
  archive = g_new0 (BzArchive, 1);
  archive->fd = fd;
  archive->stream = stream;
  archive->checksum = checksum;
  archive->job = job;
  archive->label = g_strdup (label);
  return open_reader (archive, formats, error);
}

BzArchive *
bz_archive_open_inside (BzArchive *outer, BzArchiveFormats formats, GChecksum *checksum,
                        GError **error)
{
  BzArchive *archive = g_new0 (BzArchive, 1);

  archive->outer = outer;
  archive->fd = -1;
  archive->checksum = checksum;
  archive->label = outer->last == NULL ? g_strdup (outer->label)
                                       : g_strdup_printf ("%s in %s", outer->last, outer->label);
  return open_reader (archive, formats, error);
}

void
bz_archive_close (BzArchive *archive)
{
  archive_read_free (archive->reader);
  g_free (archive->label);
  g_free (archive->last);
  g_free (archive->buffer);
  g_free (archive);
}

const char *
bz_archive_name (struct archive_entry *entry)
{
  const char *name = archive_entry_pathname (entry);

  return name != NULL ? name : archive_entry_pathname_utf8 (entry);
}

struct archive_entry *
bz_archive_next (BzArchive *archive, GError **error)
{
  struct archive_entry *entry;
  int result = archive_read_next_header (archive->reader, &entry);

  if (result == ARCHIVE_EOF)
    return NULL;
  /* ARCHIVE_RETRY, too: a header was damaged, and what it named would be missing. */
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
    {
      fail_reader (archive, error);
      return NULL;
    }
  const char *name = bz_archive_name (entry);
  g_free (archive->last);
  archive->last = g_strdup (name == NULL ? "" : name);
  return entry;
}

gssize
bz_archive_read (BzArchive *archive, void *data, gsize size, GError **error)
{
  gsize got = 0;

  while (got < size)
    {
      gssize count = archive_read_data (archive->reader, (char *) data + got, size - got);

      if (count == ARCHIVE_RETRY)
        continue;
      if (count < 0)
        {
          fail_reader (archive, error);
          return -1;
        }
      if (count == 0)
        break;
      got += (gsize) count;
    }
  return (gssize) got;
}

gboolean
bz_archive_drain (BzArchive *archive, GError **error)
{
  const void *block;
  gssize size;

  /* The reader may have stopped before its source's end (padding after the end of a tar). */
  do
    size = read_block (archive->reader, archive, &block);
  while (size > 0);
  return size == 0 || fail_reader (archive, error);
}

static const char *
filter_suffix (int code)
{
  switch (code)
    {
    case ARCHIVE_FILTER_GZIP:
      return "gz";
    case ARCHIVE_FILTER_BZIP2:
      return "bz2";
    case ARCHIVE_FILTER_COMPRESS:
      return "Z";
    case ARCHIVE_FILTER_LZMA:
      return "lzma";
    case ARCHIVE_FILTER_XZ:
      return "xz";
    case ARCHIVE_FILTER_ZSTD:
      return "zst";
    case ARCHIVE_FILTER_LZ4:
      return "lz4";
    case ARCHIVE_FILTER_LZIP:
      return "lz";
    default:
      return NULL;
    }
}

gboolean
bz_archive_is_zip (BzArchive *archive)
{
  return (archive_format (archive->reader) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP;
}

char *
bz_archive_kind (BzArchive *archive)
{
  int base = archive_format (archive->reader) & ARCHIVE_FORMAT_BASE_MASK;
  GString *kind = g_string_new (base == ARCHIVE_FORMAT_TAR    ? "tar"
                                : base == ARCHIVE_FORMAT_CPIO ? "cpio"
                                : base == ARCHIVE_FORMAT_ZIP  ? "zip"
                                                              : "");

  /* Filter 0 is the outermost one's result: named from the inside out. */
  for (int i = 0; i < archive_filter_count (archive->reader); i++)
    {
      const char *suffix = filter_suffix (archive_filter_code (archive->reader, i));

      if (suffix != NULL)
        g_string_append_printf (kind, "%s%s", kind->len > 0 ? "." : "", suffix);
    }
  return g_string_free (kind, FALSE);
}

struct archive *
bz_archive_reader (BzArchive *archive)
{
  return archive->reader;
}

const char *
bz_archive_label (BzArchive *archive)
{
  return archive->label;
}
