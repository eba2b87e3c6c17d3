/* Reading minix file systems of version 1, the first that Linux had, without mounting. */
#pragma once

#include "installer/disk.h"
#include "installer/tree.h"

typedef struct BzMinixImage BzMinixImage;

/* It begins `offset` bytes into the disk, which must stay open. */
BzMinixImage *bz_minix_open (BzDisk *disk, guint64 offset, const char *label, GError **error);
void bz_minix_close (BzMinixImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzMinixImage, bz_minix_close)

/* How many names of a userland's top level its root has. */
guint bz_minix_userland_names (BzMinixImage *image);

gboolean bz_minix_extract (BzMinixImage *image, BzTree *tree, GError **error);
