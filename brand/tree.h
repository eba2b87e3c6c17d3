/* Reading single files of a tree that may be hostile. */
#pragma once

#include <glib.h>

/* At most `limit` bytes from the start of a regular file of the tree, into *bytes (a private
 * copy). Paths are resolved with the tree as the root: absolute links stay inside. FALSE when there
 * is no such file, it is no regular file, or it can't be read. */
gboolean bz_tree_read (int tree_fd, const char *path, gsize limit, GBytes **bytes);

/* Whether anything but a directory has this name. */
gboolean bz_tree_has_file (int tree_fd, const char *path);

/* What the symbolic link of this name holds; NULL when it is none. Owned by the caller. */
char *bz_tree_link (int tree_fd, const char *path);

/* Names in a directory of the tree, sorted, without . and .., at most 4096; NULL when it is none.
 */
char **bz_tree_list (int tree_fd, const char *path);
