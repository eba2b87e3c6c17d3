/* Parts of the view that its other files use. */
#pragma once

#include <glib.h>

/* Shows `data` as the read-only file `path` of the zone; name: unique among such files. */
gboolean bz_view_bind_data (int root, const char *name, const char *path, const char *data,
                            gsize length, GError **error);

/* Whether the zone has `path`; its links are followed inside it. */
gboolean bz_view_exists (int root, const char *path);
