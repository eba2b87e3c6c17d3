/* Parts of the view that its other files use. */
#pragma once

#include "loader/views.h"

/* Shows `data` as the read-only file `path` of the zone; name: unique among such files. */
gboolean bz_view_bind_data (int root, const char *name, const char *path, const char *data,
                            gsize length, GError **error);

/* Shows the file `source` of the zone, below its /proc, as `path` too. */
gboolean bz_view_bind_same (int root, const char *path, const char *source, GError **error);

/* Whether the zone has `path`; its links are followed inside it. */
gboolean bz_view_exists (int root, const char *path);

/* Opens the directory `path` of the zone, making what is missing. -1 with error. */
int bz_view_make_directory (int root, const char *path, GError **error);

/* Mounts a new file system of the zone's own. options: "key=value" or "flag", ended by NULL. */
gboolean bz_view_mount_new (int root, const char *path, const char *type,
                            const char *const *options, unsigned attributes, GError **error);

/* The same on a file, for a file system whose root is one. */
gboolean bz_view_mount_file (int root, const char *path, const char *type, const char *const *options,
                             unsigned attributes, GError **error);

/* view-figures.c: puts a file of the form in the place of `path`, and its device into *views. */
gboolean bz_view_mount_figures (int root, const char *path, BzForm form, BzViews *views, GError **error);

/* view-ptys.c: the names of BSD ptys in /dev, where /dev and /dev/pts are mounted. */
gboolean bz_view_make_ptys (int root, GError **error);

/* view-cgroup.c: what an init that manages cgroups finds at /sys/fs/cgroup. */
gboolean bz_view_mount_cgroups (const BzPartition *partition, int root, GError **error);
