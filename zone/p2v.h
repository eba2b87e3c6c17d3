/* From a physical machine to a zone: what does not come along, by data (brand/machines). */
#pragma once

#include <glib.h>

typedef struct {
  char *check, *file; /* the rule's name, the file in the zone */
  char *says;
  char *example;      /* a line of it, or NULL */
  guint lines;        /* that fit; 0: the file itself */
  const char *done;   /* "commented out", "renamed", or NULL */
} BzLeftBehind;

void bz_left_behind_free (BzLeftBehind *item);

/* Looks at the tree by the rules, and with `unconfigure` does what they say of it. An array of
 * BzLeftBehind, or NULL. */
GPtrArray *bz_p2v (int tree_fd, gboolean unconfigure, GError **error);
