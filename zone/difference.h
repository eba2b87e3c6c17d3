/* What differs between two trees. */
#pragma once

#include <glib.h>

typedef enum { BZ_ADDED = 'A', BZ_CHANGED = 'C', BZ_DELETED = 'D' } BzChange;

typedef void (*BzChangeFunc) (BzChange change, const char *path, gpointer data);

/* Tells every name of `now` that `then` does not have, or has otherwise: its kind, permissions,
 * owner, contents, or where a link leads; and every name that only `then` has. Of a directory that
 * came or went as a whole only its own name is told. Paths begin with "/". Names in the order of
 * bytes. Fails where a tree can't be read. */
gboolean bz_difference (int then, int now, BzChangeFunc tell, gpointer data, GError **error);
