/* Mounts whose restrictions hold against the zone's root. */
#pragma once

#include <glib.h>

/* Replaces each detached mount of `fds` (-1: skipped) by a copy whose read-only, nodev, nosuid and
 * noexec can't be taken back inside the zone. userns_fd: the zone's user namespace, for the host's
 * root outside; -1: the caller is the root of the zone's namespaces itself. On failure the
 * descriptors are as they were or closed and -1. */
gboolean bz_mounts_lock (int *fds, guint count, int userns_fd, GError **error);
