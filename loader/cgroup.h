/* A cgroup of its own for each zone, in the unified hierarchy and in the v1 hierarchies that the host has. */
#pragma once

#include "loader/settings.h"

typedef struct BzCgroup BzCgroup;

/* Makes the zone's cgroups where the caller may; a host without any gives an empty set, no error.
 * run_dir tells zones of one name apart: those of other users and of other state directories. */
BzCgroup *bz_cgroup_create (const char *zone, const char *run_dir);

/* The empty set: the zone stays where its caller is. */
BzCgroup *bz_cgroup_none (void);

/* The directories of the set. unified: whether it is of the unified hierarchy. Borrowed. */
guint bz_cgroup_count (const BzCgroup *cgroup);
const char *bz_cgroup_path (const BzCgroup *cgroup, guint index, gboolean *unified);

/* cgroup-limits.c: sets what the settings limit. BZ_ERROR_HOST when the host gives no means. */
gboolean bz_cgroup_limit (const BzCgroup *cgroup, const BzSettings *settings, GError **error);

/* A descriptor for CLONE_INTO_CGROUP (Linux 5.7), or -1. Owned by the set. */
int bz_cgroup_unified (const BzCgroup *cgroup);

/* Descriptors of the `tasks` files of v1: a task enters by writing "0", which needs no global lock
 * (cgroup_procs_write_start, Linux 5.14 to 6.18: one task that moves itself skips cgroup_threadgroup_rwsem, whose
 * write side waits for an RCU grace period). Owned by the set. */
const int *bz_cgroup_tasks (const BzCgroup *cgroup, guint *count);

/* Moves the calling task into the hierarchies of `tasks`. Safe after fork. */
void bz_cgroup_enter (const int *tasks, guint count);

/* Kills what is in the cgroups and waits for its end, two seconds at most for each. TRUE: something
 * was, and these cgroups are good for nothing any more but to be removed. */
gboolean bz_cgroup_kill (const BzCgroup *cgroup);

/* Removes the (empty) cgroups and frees the set. */
void bz_cgroup_remove (BzCgroup *cgroup);
