/* A GKeyFile whose messages can name the line. */
#pragma once

#include "brand/base/error.h"

typedef struct {
  char *file; /* as messages name it */
  GKeyFile *keys;
  GHashTable *lines; /* "group\nkey", or "group": its line, GUINT_TO_POINTER */
} BzKeyLines;

/* Reads a key file: a regular file of at most 256 KiB without NUL bytes, in UTF-8. Stricter than
 * GKeyFile: a line that is none, a group or key that comes twice, is BZ_ERROR_INPUT with the line.
 */
BzKeyLines *bz_key_lines_read (const char *file, GError **error);
void bz_key_lines_free (BzKeyLines *lines);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzKeyLines, bz_key_lines_free)

/* The line of a key, or of its group when key is NULL; 0 if there is none. */
guint bz_key_lines_line (const BzKeyLines *lines, const char *group, const char *key);

/* The key's value without surrounding blanks, or NULL. Owned by the caller. */
char *bz_key_lines_get (const BzKeyLines *lines, const char *group, const char *key);

/* Sets a BZ_ERROR_INPUT that names file, line, group and key; always FALSE. */
gboolean bz_key_lines_fail (const BzKeyLines *lines, const char *group, const char *key,
                            const char *why, const char *hint, GError **error);
