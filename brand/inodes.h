/* Whether the file systems that a zone gets number files beyond 32 bits (catalogue rows O1, O2). */
#pragma once

#include <glib.h>

typedef enum {
  BZ_INODES_SHORT, /* never: nothing is looked at */
  BZ_INODES_LONG,  /* the server, or the user of the file system, chooses them */
  BZ_INODES_COUNT  /* counted up, or another file system's: some are looked at */
} BzInodes;

/* What is known of a file system of this type (as in /proc/self/mountinfo) and size. */
BzInodes bz_inodes_of_type (const char *type, guint64 bytes);

/* A line of /proc/self/mountinfo. Strings are owned by the caller. */
typedef struct {
  guint64 id;
  char *point, *type;
} BzMountLine;
/* FALSE: it is not such a line. */
gboolean bz_mount_line_parse (const char *text, BzMountLine *line);
void bz_mount_line_clear (BzMountLine *line);

/* Looks at the file system of `path` and at those that are mounted below it: the first reason why
 * 32-bit programs may meet numbers there that they can't hold ("/srv is fuse.sshfs"), or NULL.
 * Opens nothing that a server would have to answer for. Owned by the caller. */
char *bz_inodes_look (const char *path);
