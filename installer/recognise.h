/* What a source is, by its content. */
#pragma once

#include "installer/job.h"

typedef enum {
  BZ_SOURCE_DIRECTORY,
  BZ_SOURCE_ARCHIVE,       /* tar, cpio or zip of a tree */
  BZ_SOURCE_ISO,           /* an ISO 9660 image of a tree */
  BZ_SOURCE_IMAGE,         /* a file system, maybe in a partition, in qcow2, compressed */
  BZ_SOURCE_IMAGE_ARCHIVE, /* an archive that holds images of file systems */
  BZ_SOURCE_SERIES,        /* a directory with a series of packages */
  BZ_SOURCE_SERIES_ISO,    /* an ISO 9660 image with one */
  BZ_SOURCE_PACKAGES_ISO,  /* an ISO 9660 image with RPM or Debian packages */
  BZ_SOURCE_OCI_DIRECTORY,
  BZ_SOURCE_OCI_ARCHIVE,   /* tar of an OCI layout */
  BZ_SOURCE_DOCKER_ARCHIVE, /* docker save */
  BZ_SOURCE_DEB_REPOSITORY, /* dists/SUITE/Release and what it names */
  BZ_SOURCE_RPM_REPOSITORY  /* packages, with or without repodata */
} BzSourceType;

typedef struct {
  BzSourceType type;
  char *kind; /* for the user */
  guint64 bytes;
  gboolean compressed; /* an image that must be unpacked first */
  guint64 offset;      /* where the file system begins in an image that is not compressed */
} BzRecognised;

void bz_recognised_clear (BzRecognised *source);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BzRecognised, bz_recognised_clear)

/* fd: open for reading; label: how the source is called in errors. BZ_ERROR_INPUT says what
 * it is when it is something that can't be installed. */
gboolean bz_recognise (int fd, const char *label, BzRecognised *source, GError **error);

/* How much of the beginning of a stream bz_recognise_bytes wants to see. */
#define BZ_RECOGNISE_BYTES (68 * 1024)

typedef enum {
  BZ_BYTES_UNKNOWN,
  BZ_BYTES_TAR,
  BZ_BYTES_EXT,
  BZ_BYTES_MINIX,
  BZ_BYTES_ISO,
  BZ_BYTES_DISK, /* qcow2, or a partition table */
  BZ_BYTES_REFUSED
} BzBytes;

/* Looks at the (decompressed) beginning of a stream. *name: static text, "ext2 image", "XFS
 * image". */
BzBytes bz_recognise_bytes (const guint8 *head, gsize size, const char **name);

/* TRUE for a path such as "etc/passwd" or "rootfs/bin/sh": part of a userland. */
gboolean bz_recognise_path (const char *path);
