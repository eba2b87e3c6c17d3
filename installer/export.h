/* Writing a tree as an archive, as a container image, and as a list of what is in it. */
#pragma once

#include <glib.h>

typedef struct archive BzArchiveWriter;

/* --- in brandzone-export --- */

typedef struct {
  int tree_fd;          /* its root directory */
  guint32 id_shift;     /* taken from every owner: trees with shifted ids */
  const char *prefix;   /* of all names: "root/", or "" */
  guint64 files, bytes; /* done */
  guint sockets;        /* left out */
  GString *list;        /* of a list: the lines for attributes (bz_export_list); else NULL */
  gboolean (*step) (gpointer data, GError **error); /* between names: FALSE ends it; or NULL */
  gpointer data;
} BzExport;

/* Writes every name of the tree, in the order of bytes, parents first. */
gboolean bz_export_tree (BzExport *export, BzArchiveWriter *writer, GError **error);

/* A pax archive to `fd`, compressed by one of libarchive's filters (NULL: not). */
BzArchiveWriter *bz_export_open (int fd, const char *filter, GError **error);
gboolean bz_export_close (BzArchiveWriter *writer, GError **error); /* frees in any case */
gboolean bz_export_data (BzArchiveWriter *writer, const char *name, const void *data, gsize size,
                         GError **error);

/* The tree's list, in the form of mtree(5), to `fd`: a line for each name with its type, owner, mode,
 * time, size, SHA-256 of its contents, target. What mtree has no word for stands at the end in comments:
 * "#xattr PATH NAME=BASE64", names escaped as in the lines above. */
gboolean bz_export_list (BzExport *export, int fd, GError **error);

/* An OCI image of one layer, as an archive of its layout. temporary_fd: a place for the layer. */
gboolean bz_export_image (BzExport *export, int fd, int temporary_fd, const char *architecture,
                          const char *name, GError **error);

/* --- its caller's side --- */

typedef struct {
  int tree_fd, out_fd, temporary_fd;
  const char *format;         /* "tar", "oci" or "mtree" */
  const char *filter;         /* "gzip", "xz", "zstd", or NULL */
  const char *prefix;         /* or NULL */
  const char *architecture;   /* oci: "amd64" or "386" */
  const char *name;           /* oci: of the image */
  guint32 id_shift;
  const GArray *uids, *gids; /* plain users: their maps; NULL: as host root */
} BzExportOptions;

typedef struct {
  guint64 files, bytes;
  guint sockets;
} BzExportResult;

gboolean bz_exporter_run (const BzExportOptions *options, BzExportResult *result, GError **error);
