#pragma once

#include "zone/check.h"

/* check-rules.c */
/* The symbols whose import means something. */
GHashTable *bz_check_names (void);
void bz_check_image (BzCheck *check, const char *path, const struct stat *status,
                     const BzScan *scan);

/* check.c; row NULL: the finding's own. `cover` and `how` (taken) as bz_finding_cover() gives
 * them. */
void bz_check_add (BzCheck *check, BzFinding finding, const char *row, const char *detail,
                   BzCover cover, char *how, const char *path);
/* The same, with what covers it looked up. */
void bz_check_add_row (BzCheck *check, BzFinding finding, const char *row, const char *detail,
                       const char *path);

/* check-libraries.c: the interpreter and libraries of a program, each once. FALSE: enough seen. */
typedef gboolean (*BzLibraryFunc) (const char *path, const BzScan *scan, gpointer data);
void bz_check_libraries (int tree_fd, const BzScan *program, GHashTable *names, BzLibraryFunc func,
                         gpointer data);

/* check-shadow.c: asks the finder of shadow text about the images that call the vsyscall page. */
void bz_check_refine (BzCheck *check);
