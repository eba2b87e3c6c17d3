/* Removing a tree that may be hostile. */
#pragma once

#include <glib.h>

/* Removes `name` in the directory `dir_fd` and everything below it. Never follows a
 * link, never crosses a mount point, needs a fixed number of descriptors and no deep
 * stack. What can't be removed is left, the rest goes; the error then names the first
 * and says how many. `label`: how the tree is called in errors. An absent name is success. */
gboolean bz_remove_at (int dir_fd, const char *name, const char *label, GError **error);
