/* Reading archives with libarchive. */
#pragma once

#include "installer/tree.h"

#include <archive.h>
#include <archive_entry.h>

typedef struct BzArchive BzArchive;

typedef enum {
  BZ_ARCHIVE_TREE, /* tar, cpio, zip */
  BZ_ARCHIVE_ISO,  /* ISO 9660 with Rock Ridge or Joliet names */
  BZ_ARCHIVE_RPM,  /* an RPM package */
  BZ_ARCHIVE_DEB,  /* the outside of a Debian package */
  BZ_ARCHIVE_RAW   /* one stream, decompressed */
} BzArchiveFormats;

/* Opens what `fd` (not taken; read from its beginning) holds. checksum: updated with every byte
 * read from fd, or NULL. job: gets its `done`, or NULL. label: how the source is called in errors.
 */
BzArchive *bz_archive_open (int fd, BzArchiveFormats formats, GChecksum *checksum, BzJob *job,
                            const char *label, GError **error);
/* Opens the data of the entry that `outer` stands at. outer must live longer. */
BzArchive *bz_archive_open_inside (BzArchive *outer, BzArchiveFormats formats, GChecksum *checksum,
                                   GError **error);
void bz_archive_close (BzArchive *archive);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzArchive, bz_archive_close)

/* For installer/extract.c. Owned by the archive. */
struct archive *bz_archive_reader (BzArchive *archive);
const char *bz_archive_label (BzArchive *archive);

/* The next entry, owned by the archive. NULL without an error: the end. */
struct archive_entry *bz_archive_next (BzArchive *archive, GError **error);
/* The entry's name as bytes, or NULL. */
const char *bz_archive_name (struct archive_entry *entry);

/* Up to `size` bytes of the entry's data, holes as zeros; less only at its end; -1: error. */
gssize bz_archive_read (BzArchive *archive, void *data, gsize size, GError **error);
/* Reads what is left of the source, so that a checksum covers all of it. */
gboolean bz_archive_drain (BzArchive *archive, GError **error);

/* "tar.gz", "cpio", "zip", "gz" ... valid after the first bz_archive_next. Owned by the caller. */
char *bz_archive_kind (BzArchive *archive);
gboolean bz_archive_is_zip (BzArchive *archive);

/* Writes the rest of the archive into the tree. */
typedef struct {
  gboolean layer;        /* entries named .wh.* are whiteouts */
  gboolean keep_partial; /* a source that breaks off is no error once something was read */
  gboolean (*wanted) (const char *path); /* NULL: all; hard links to what is not are left out, too */
  GString *names;        /* or NULL: gets the clean paths, a line each, directories with "/" */
} BzArchiveOptions;
gboolean bz_archive_extract (BzArchive *archive, BzTree *tree, const BzArchiveOptions *options,
                             GError **error);

/* Copies the entry's data into fd, leaving holes where it is zero; counted against the job's
 * limits. */
gboolean bz_archive_save (BzArchive *archive, BzTree *tree, int fd, const char *label,
                          GError **error);
