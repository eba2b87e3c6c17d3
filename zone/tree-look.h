/* What a tree takes on its disk, and since when nobody has changed it. */
#pragma once

#include <glib.h>

typedef struct {
  guint64 bytes;         /* of its blocks, each inode counted once */
  gint64 oldest, newest; /* ctime, nanoseconds since the epoch */
} BzTreeLook;

/* Goes through all of it, never through links or to another file system. Maps: as the root of a plain
 * user's trees; NULL: as the caller. */
gboolean bz_tree_look (const char *tree, const GArray *uids, const GArray *gids, BzTreeLook *look,
                       GError **error);
