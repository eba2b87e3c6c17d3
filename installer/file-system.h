/* A file system in an image, of any kind that we can read. */
#pragma once

#include "installer/disk.h"
#include "installer/tree.h"

typedef struct BzFileSystem BzFileSystem;

/* NULL with BZ_ERROR_INPUT when none that we can read begins there. */
BzFileSystem *bz_file_system_open (BzDisk *disk, guint64 offset, const char *label,
                                   GError **error);
void bz_file_system_close (BzFileSystem *fs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzFileSystem, bz_file_system_close)

const char *bz_file_system_kind (const BzFileSystem *fs); /* "ext2 image" */
guint bz_file_system_userland_names (BzFileSystem *fs);
gboolean bz_file_system_extract (BzFileSystem *fs, BzTree *tree, GError **error);

/* The file system of a disk that looks most like a userland: of the whole disk, or of one of its
 * partitions. */
typedef struct {
  guint64 offset;
  char *kind;  /* "ext4 image in partition 2 (GPT, qcow2)" */
  guint count; /* of file systems that could be read */
} BzFoundSystem;
gboolean bz_file_system_find (BzDisk *disk, int fd, const char *label, BzFoundSystem *found,
                              GError **error);
