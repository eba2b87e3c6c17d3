/* Copies of the trees that zones write to, exact to the last attribute. */
#pragma once

#include <glib.h>

/* How a tree is copied. The order is that of copy-way.c's names. */
typedef enum {
  BZ_COPY_AUTO,    /* the best that the place has */
  BZ_COPY_OVERLAY, /* not at all: both lie on it */
  BZ_COPY_BTRFS,   /* a snapshot of a subvolume */
  BZ_COPY_REFLINK, /* files that share their blocks until one is written to */
  BZ_COPY_PLAIN    /* file by file */
} BzCopyWay;

typedef struct {
  const char *from, *to; /* directories; `to` must not exist, its parent does */
  BzCopyWay way;         /* not AUTO, not OVERLAY; REFLINK fails where it can't be, PLAIN never shares */
  gboolean try_reflink;  /* with PLAIN: share blocks all the same, file by file, where it can be */
  const GArray *uids, *gids; /* plain users: the maps of who owns the tree; NULL: as the caller */

  /* What is to be held still while the second pass looks at it, or NULL: the tree is nobody's. A
   * descriptor that ends it when closed, or -1. */
  int (*hold) (gpointer data, GError **error);
  gpointer data;
  guint hold_limit_ms; /* 0: none */
} BzTreeCopy;

typedef struct {
  guint64 held_us; /* how long it was held still */
  gboolean shared; /* blocks are shared with the tree that was copied */
} BzTreeCopied;

/* On failure what was made of `to` is left to be removed with what holds it. BZ_ERROR_STATE: it would
 * have taken longer than hold_limit_ms. */
gboolean bz_tree_copy (const BzTreeCopy *copy, BzTreeCopied *copied, GError **error);
