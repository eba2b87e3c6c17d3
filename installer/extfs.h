/* Reading ext2, ext3 and ext4 images through libext2fs, without mounting. */
#pragma once

#include "installer/disk.h"
#include "installer/tree.h"

#include <ext2fs/ext2fs.h>

typedef struct BzExtImage BzExtImage;

/* It begins `offset` bytes into the disk, which must stay open. */
BzExtImage *bz_ext_open (BzDisk *disk, guint64 offset, const char *label, GError **error);
void bz_ext_close (BzExtImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzExtImage, bz_ext_close)

/* How many names of a userland's top level its root has. */
guint bz_ext_userland_names (BzExtImage *image);

gboolean bz_ext_extract (BzExtImage *image, BzTree *tree, GError **error);

/* installer/extfs-io.c: opens the file system that begins `offset` bytes into the disk. */
errcode_t bz_ext_open_disk (BzDisk *disk, guint64 offset, ext2_filsys *fs);

/* installer/extfs-data.c: writes an inode's data into `to`. */
gboolean bz_ext_copy_data (ext2_filsys fs, ext2_ino_t ino, struct ext2_inode *inode, BzTree *tree,
                           int to, const char *path, GError **error);
gboolean bz_ext_fail (errcode_t code, const char *path, GError **error);
