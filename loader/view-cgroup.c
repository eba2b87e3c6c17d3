/* /sys/fs/cgroup for inits that manage cgroups. Mounted in the zone's cgroup namespace, a hierarchy
 * shows the zone's own group as its root. */
#include "config.h"

#include "loader/view-private.h"

#include "loader/kernel.h"

#define PLACE "/sys/fs/cgroup"
#define QUIET (BZ_MOUNT_ATTR_NOSUID | BZ_MOUNT_ATTR_NODEV | BZ_MOUNT_ATTR_NOEXEC)

static gboolean
mount_named (const char *name, int root, GError **error)
{
  static const char *const tmpfs[] = { "mode=0755", "inode32", NULL };
  g_autofree char *place = g_build_filename (PLACE, name, NULL);
  g_autofree char *which = g_strconcat ("name=", name, NULL);
  const char *const options[] = { "none", which, "xattr", NULL };

  return bz_view_mount_new (root, PLACE, "tmpfs", tmpfs, QUIET, error)
         && bz_view_mount_new (root, place, "cgroup", options, QUIET, error);
}

gboolean
bz_view_mount_cgroups (const BzPartition *partition, int root, GError **error)
{
  static const char *const no_options[] = { NULL };

  switch (partition->cgroup_view)
    {
    case BZ_CGROUPS_UNIFIED:
      return bz_view_mount_new (root, PLACE, "cgroup2", no_options, QUIET, error);
    case BZ_CGROUPS_NAMED:
      return mount_named (partition->cgroup_name, root, error);
    default:
      return TRUE;
    }
}
