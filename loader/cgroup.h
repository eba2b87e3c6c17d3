/* A cgroup of its own for each zone, in the unified hierarchy and in the v1 hierarchies that the host has. */
#pragma once

#include "loader/hand-over.h"
#include "loader/loader.h"

typedef struct BzCgroup BzCgroup;

/* Makes the zone's cgroups where the caller may; a host without any gives an empty set, no error.
 * run_dir tells zones of one name apart: those of other users and of other state directories. Removes
 * what killed keepers of other zones have left beside them. */
BzCgroup *bz_cgroup_create (const char *zone, const char *run_dir);

/* Adds a v1 hierarchy without controllers to the set, by its name; it need not be mounted anywhere,
 * nor exist. BZ_ERROR_HOST where the host lets nobody mount it. */
gboolean bz_cgroup_add_named (BzCgroup *cgroup, const char *name, const char *zone,
                              const char *run_dir, GError **error);

/* Adds the groups of that zone in all such hierarchies, if there are any: what a killed keeper has
 * left. */
void bz_cgroup_add_left (BzCgroup *cgroup, const char *zone, const char *run_dir);

/* The names of the hierarchies in the set. Owned by the caller. */
char **bz_cgroup_hierarchies (const BzCgroup *cgroup);

/* Ends hierarchies that are not used any more, after the set was removed. One that loses its last mount
 * while a removed group is not yet gone (that takes the kernel some milliseconds, or seconds when it
 * is busy) stays for ever: it has to be mounted and unmounted again. Those that the host has
 * mounted, or that another zone has groups in, are not ours to end. A try takes 10 ms. */
void bz_cgroup_end_hierarchies (char **names, guint tries);

/* cgroup-delegate.c. Gives the groups that an init manages to the zone's root: of the unified
 * hierarchy, or of the named one. BZ_ERROR_HOST when the set has no such. */
gboolean bz_cgroup_delegate (const BzCgroup *cgroup, const BzPartition *partition, GError **error);

/* cgroup-delegate.c. Puts those back as they were before an init used them. */
void bz_cgroup_reset (const BzCgroup *cgroup);

/* cgroup-delegate.c. A group for who joins a zone whose init manages the unified hierarchy: a group
 * with others below it may be one that no process can enter. A descriptor for CLONE_INTO_CGROUP, the
 * caller's; -1: none. */
int bz_cgroup_open_joined (const BzCgroup *cgroup, const BzPartition *partition);

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

/* cgroup-freeze.c: tells all that is in the zone to stand still, or to go on. FALSE: there is no
 * cgroup that can. It stands still when bz_cgroup_is_frozen. */
gboolean bz_cgroup_freeze (const BzCgroup *cgroup, gboolean freeze);
gboolean bz_cgroup_is_frozen (const BzCgroup *cgroup);

/* Kills what is in the cgroups and waits for its end, two seconds at most for each. TRUE: something
 * was, and these cgroups are good for nothing any more but to be removed. */
gboolean bz_cgroup_kill (const BzCgroup *cgroup);

/* Kills and removes what a killed keeper has left of that zone in named hierarchies. */
void bz_cgroup_end_named (const char *zone, const char *run_dir);

/* Removes the empty groups below one, and perhaps itself. */
void bz_cgroup_remove_below (const char *path, gboolean itself);

/* cgroup-walk.c. Goes through a group and all below it, however many there are. */
typedef struct {
  void (*enter) (int group, gpointer data);                     /* each, before those below it; or NULL */
  void (*leave) (int parent, const char *name, gpointer data); /* each but the first, after them; or NULL */
  gpointer data;
} BzCgroupVisitor;
void bz_cgroup_walk (const char *directory, const BzCgroupVisitor *visitor);

/* Whether the group at this place of the set is of a hierarchy that bz_cgroup_add_named() added. */
gboolean bz_cgroup_is_named (const BzCgroup *cgroup, guint index);

/* Leaves the set to the next program, and takes it there: NULL when it was not left whole. */
void bz_cgroup_leave (const BzCgroup *cgroup, BzHandOver *left);
BzCgroup *bz_cgroup_take (GVariantDict *values);

/* Removes the (empty) cgroups and frees the set. */
void bz_cgroup_remove (BzCgroup *cgroup);
