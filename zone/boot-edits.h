/* Edits of a tree's files that a boot in a zone cannot do without (boot-family.h). */
#pragma once

#include "zone/boot-family.h"

typedef enum {
  BZ_EDIT_NEEDED,  /* the line is there */
  BZ_EDIT_MADE,    /* our mark is there */
  BZ_EDIT_FOREIGN, /* the tree has no such file or line: nothing to do */
} BzEditState;

typedef enum { BZ_EDITS_LOOK, BZ_EDITS_MAKE, BZ_EDITS_UNDO } BzEditsMode;

typedef struct {
  const BzBootEdit *edit; /* borrowed */
  BzEditState state;      /* before this was called */
  guint line;             /* from 1; 0: FOREIGN */
  char *before, *after;   /* the line, as it would be without and with the edit; NULL: FOREIGN */
} BzEditResult;

const char *bz_edit_state_name (BzEditState state);

/* Looks at every edit, makes or undoes it. Files are replaced in one step and keep owner, mode and
 * time; links are not followed at their end, and no path leads out of the tree. Returns an array of
 * BzEditResult, in the family's order, or NULL with an error (what was done before it stays). */
GPtrArray *bz_boot_edits (int tree_fd, const BzBootFamily *family, BzEditsMode mode,
                          GError **error);
