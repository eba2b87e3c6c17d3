/* Changing a text file of a tree that may be hostile. */
#pragma once

#include <glib.h>
#include <sys/stat.h>

typedef struct {
  int dir, fd; /* -1: there is none */
  struct stat st;
  char *base;
} BzTreeFile;

/* Opens a file of the tree as the zone sees it: no path leads out, its end is no link. FALSE:
 * there is no such regular file, or it is too large for a text. To be closed in any case. */
gboolean bz_tree_file_find (int tree_fd, const char *path, BzTreeFile *file);
void bz_tree_file_done (BzTreeFile *file);
/* Its text, owned by the caller; NULL: it is none. */
char *bz_tree_file_text (const BzTreeFile *file);
/* Replaces it in one step; owner, mode and time stay. hint: for the error, or NULL. */
gboolean bz_tree_file_replace (const BzTreeFile *file, const char *text, const char *path,
                               const char *hint, GError **error);
