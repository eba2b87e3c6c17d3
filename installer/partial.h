/* The directory in which a tree is made before it gets its name.
 *
 * TARGET.partial, beside the target, mode 0700 and locked (flock) by the one who works in it:
 *   root/   the tree, renamed to TARGET at the end
 *   image/  layers and images on the way
 *   list    what is in the tree (installer/list.h)
 * One without a holder of its lock was left by a process that was killed. */
#pragma once

#include <glib.h>

#define BZ_PARTIAL_LIST "list"

typedef struct {
  int parent_fd, fd;
  char *target, *name, *partial_name;
  gboolean synced; /* what is in it is on the disk */
} BzPartial;

/* Makes it, after removing a left one. BZ_ERROR_LOCKED when another works on the target,
 * BZ_ERROR_STATE when the target is there already. */
gboolean bz_partial_begin (const char *target, BzPartial *partial, GError **error);

/* Renames root/SUBDIRECTORY ("": root itself) to the target, durably, and removes the rest. list: the name that the
 * file list gets beside the target; NULL: there is none. */
gboolean bz_partial_commit (BzPartial *partial, const char *subdirectory, const char *list,
                            GError **error);

/* Removes all of it, and frees. After a commit only frees. */
gboolean bz_partial_end (BzPartial *partial, GError **error);

/* Removes TARGET.partial when nobody holds its lock. */
gboolean bz_partial_clear (const char *target, GError **error);
