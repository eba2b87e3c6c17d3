/* The /dev of a zone. */
#pragma once

#include <glib.h>

/* As the host's root, in the initial namespaces: a detached tmpfs with real device nodes that
 * belong to the zone's root, so that MAKEDEV and package scripts can remove them. -1 and error when
 * nodes can't be made here. */
int bz_devices_make (guint32 root_uid, guint32 root_gid, guint32 tty_gid, GError **error);

/* In a plain user's zone: fills the fresh tmpfs that `dir` is the top of with the host's nodes,
 * bound one by one. */
gboolean bz_devices_bind (int dir, GError **error);
