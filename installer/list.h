/* The list of what was installed, beside the tree. */
#pragma once

#include "installer/partial.h"
#include "installer/tree.h"

/* Writes the list of the tree at root/SUBDIRECTORY of `partial` to its file list, while what was
 * unpacked goes to the disk. All of it is there when this returns. */
gboolean bz_list_make (BzJob *job, BzPartial *partial, const char *subdirectory, guint32 id_shift,
                       GError **error);
