/* The namespaces of a zone as descriptors.
 *
 * A pidfd of process 1 would name them all at once, but process 1 can't be inspected (inside.c),
 * and setns(2) by a pidfd asks for the right to inspect: a plain user's supervisor does not have
 * it. So the keeper opens them while it still may. */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef enum {
  BZ_NAMESPACE_USER, /* first: it gives the rights to enter the others */
  BZ_NAMESPACE_IPC,
  BZ_NAMESPACE_UTS,
  BZ_NAMESPACE_NET,
  BZ_NAMESPACE_PID, /* holds for children only */
  BZ_NAMESPACE_CGROUP,
  BZ_NAMESPACE_MOUNT, /* last: it changes what paths mean */
  BZ_NAMESPACE_COUNT
} BzNamespace;

/* Opens the process's namespaces; all but the cgroup namespace, which it makes later (-1). */
gboolean bz_namespaces_open (pid_t pid, int fds[BZ_NAMESPACE_COUNT], GError **error);

/* The calling process's own cgroup namespace, or -1 and error. */
int bz_namespaces_own_cgroup (GError **error);

/* Enters those of `fds` that are in the set of bits (1 << BZ_NAMESPACE_...) and open. */
gboolean bz_namespaces_enter (const int fds[BZ_NAMESPACE_COUNT], guint set, GError **error);
#define BZ_NAMESPACES_ALL ((1u << BZ_NAMESPACE_COUNT) - 1)

void bz_namespaces_close (int fds[BZ_NAMESPACE_COUNT]);
