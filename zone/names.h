/* Names of zones, nearest names for typing errors, and text made safe for a terminal. */
#pragma once

#include <glib.h>

#define BZ_NAME_MAX 63

/* Whether `name` is [a-z0-9][a-z0-9_.-]{0,62}. Such a name is a safe file name, host name
 * label and cgroup name, and never begins with a dot. */
gboolean bz_name_valid (const char *name);

/* The same with an error of BZ_ERROR_USAGE that says what is wrong with it. */
gboolean bz_name_check (const char *name, GError **error);

/* A valid name made of the last component of `path`; "image" when nothing is left.
 * Owned by the caller. */
char *bz_name_from_path (const char *path);

/* Edits (insert, delete, replace, swap neighbours) that lead from a to b. Compares bytes. */
guint bz_name_distance (const char *a, const char *b);

/* The candidate that `typed` was probably meant to be, or NULL: at most one edit for
 * each three characters, or a longer candidate that begins with it. Borrowed from candidates
 * (NULL-terminated). */
const char *bz_name_nearest (const char *typed, const char *const *candidates);

/* `text` (a name out of a tree or archive, possibly no UTF-8) with everything a terminal
 * might act on written as \xNN or \u{N}: controls, invalid bytes, marks that reorder text.
 * Owned by the caller. */
char *bz_text_safe (const char *text);

/* `text` as one word of a shell line: quoted when it needs to be, and safe as above. Owned by the
 * caller. */
char *bz_text_quoted (const char *text);
