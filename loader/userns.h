/* User namespaces: maps of ids, by root directly, by plain users through newuidmap(1). */
#pragma once

#include "loader/loader.h"

#include <sys/types.h>

/* Writes the maps of process `pid`, which sits in a user namespace made by the caller's child.
 * Empty arrays, or a plain user's own id alone: that id becomes 0 and setgroups(2) is denied (the
 * kernel's condition, Linux 3.19). */
gboolean bz_userns_write_maps (pid_t pid, const GArray *uids, const GArray *gids, GError **error);

/* Becomes the root of the user namespace that the process has entered: no supplementary groups
 * (where setgroups is not denied), gid 0, uid 0. Returns 0 or an errno. */
int bz_userns_become_root (void);

/* The outside id of the namespace's id 0, or (guint32) -1. */
guint32 bz_userns_root_id (const GArray *ranges);
