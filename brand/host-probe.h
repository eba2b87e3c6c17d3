/* The probes behind bz_host_probe: each tries one thing, in a short-lived child where it could
 * touch the caller. */
#pragma once

#include "brand/host.h"

/* A child's work: TRUE if the host gives the feature. Runs between fork and _exit: no allocation,
 * no locks. */
typedef gboolean (*BzProbeFunc) (const char *path);

/* Runs `probe` in a child that ends after 3 seconds at the latest. */
gboolean bz_probe_in_child (BzProbeFunc probe, const char *path);

gboolean bz_probe_user_namespaces (const char *path);
gboolean bz_probe_user_notify (const char *path);
gboolean bz_probe_wait_killable (const char *path);
gboolean bz_probe_sync_wake_up (const char *path);
gboolean bz_probe_ia32 (const char *path);
gboolean bz_probe_overlay (const char *path);
/* Needs the host's root, as private networks do. */
gboolean bz_probe_nftables (const char *path);
/* path: a directory of the file system asked about. Needs the host's root. */
gboolean bz_probe_idmapped_mounts (const char *path);

/* Without a child: reading files. */
gboolean bz_probe_subordinate_ids (char **detail);
gboolean bz_probe_vsyscall (char **detail);
gboolean bz_probe_fchmodat2 (void);
gboolean bz_probe_fuse (void);
gboolean bz_probe_modify_ldt (void); /* asks for nothing: changes nothing */
gboolean bz_probe_cgroup (char **detail);
gboolean bz_probe_dnsmasq (char **detail);
gboolean bz_probe_pasta (char **detail);
