/* struct nfs_mount_data: what mount(8) gave mount(2) for NFS until 2007, and BusyBox still does. */
#pragma once

#include <glib.h>

#define BZ_NFS_DATA_MAX 1024

/* Whether `data` begins as such a structure does: text begins otherwise. */
gboolean bz_nfs_is_binary (const guint8 *data, gsize length);

/* The options of that structure as the kernel's text ("vers=3,addr=192.0.2.1,..."). FALSE: it is none
 * of its versions (1 to 6), or shorter than its version is. */
gboolean bz_nfs_options (const guint8 *data, gsize length, GString *options);
