/* The cgroups that the init of a zone manages by itself.
 *
 * Problem: systemd moves itself and all that it starts into groups that it makes, and freezes when
 * it can't (FAILURES B1 to B3). Before version 226 it knows v1 only, and asks for a hierarchy named
 * systemd; later ones take the unified one, or, told so, the named one.
 *
 * Facts: the kernel lists in /sys/kernel/cgroup/delegate the files of a group that may be given to
 * somebody else; others (the limits) stay the host's, so a zone can't lift its own. In a cgroup
 * namespace the group is the root of what is mounted. In a user namespace nobody may mount a v1
 * hierarchy that does not exist yet. A group that gives controllers to those below it takes no process
 * (EBUSY): neither process 1 of the next boot, nor who joins.
 *
 * Choice: before each boot the groups below are removed and controllers taken back; who joins gets
 * a group of his own below the zone's. */
#include "config.h"

#include "loader/cgroup.h"

#include "brand/base/error.h"
#include "loader/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define JOINED "exec"

static const char *const unified_files[] = { "cgroup.procs", "cgroup.threads",
                                             "cgroup.subtree_control", NULL };
static const char *const named_files[] = { "cgroup.procs", "tasks", NULL };

static gboolean
is_managed (const BzCgroup *cgroup, guint index, BzCgroupView view)
{
  gboolean unified;

  bz_cgroup_path (cgroup, index, &unified);
  return view == BZ_CGROUPS_UNIFIED ? unified
                                    : view == BZ_CGROUPS_NAMED && bz_cgroup_is_named (cgroup, index);
}

/* Not all files of the list exist in each group. */
static gboolean
give (const char *path, const char *const *files, const BzPartition *partition, GError **error)
{
  uid_t uid = bz_userns_root_id (partition->uids);
  gid_t gid = bz_userns_root_id (partition->gids);

  if (geteuid () != 0)
    return TRUE; /* made by whom the zone's root is */
  if (chown (path, uid, gid) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot give %s to the zone's root", path);
  for (guint i = 0; files[i] != NULL; i++)
    {
      g_autofree char *file = g_build_filename (path, files[i], NULL);
      if (chown (file, uid, gid) != 0 && errno != ENOENT)
        return bz_fail_errno (error, errno, NULL, "cannot give %s to the zone's root", file);
    }
  return TRUE;
}

static gboolean
give_unified (const char *path, const BzPartition *partition, GError **error)
{
  g_autofree char *text = NULL;

  if (!g_file_get_contents ("/sys/kernel/cgroup/delegate", &text, NULL, NULL))
    return give (path, unified_files, partition, error);
  g_auto (GStrv) files = g_strsplit (g_strchomp (text), "\n", -1);
  for (char **file = files; *file != NULL; file++)
    if (strchr (*file, '/') != NULL || (*file)[0] == '.')
      (*file)[0] = '\0'; /* not the kernel's list */
  return give (path, (const char *const *) files, partition, error);
}

gboolean
bz_cgroup_delegate (const BzCgroup *cgroup, const BzPartition *partition, GError **error)
{
  gboolean any = partition->cgroup_view == BZ_CGROUPS_NONE;

  for (guint i = 0; i < bz_cgroup_count (cgroup); i++)
    {
      gboolean unified;
      const char *path = bz_cgroup_path (cgroup, i, &unified);

      if (!is_managed (cgroup, i, partition->cgroup_view))
        continue;
      any = TRUE;
      if (!(unified ? give_unified (path, partition, error)
                    : give (path, named_files, partition, error)))
        return FALSE;
    }
  if (any)
    return TRUE;
  bz_fail (error, BZ_ERROR_HOST, "this host lets the zone have no cgroup of the unified hierarchy",
           geteuid () == 0 ? "mount one: mount -t cgroup2 cgroup2 /sys/fs/cgroup"
                           : "start it in a group of yours: systemd-run --user --scope -p Delegate=yes "
                             "brandzone start",
           "cannot give the zone's init its cgroups");
  bz_error_set_row (error != NULL ? *error : NULL, "B2");
  return FALSE;
}

/* --- the next boot --- */

static void
take_controllers_back (const char *path)
{
  g_autofree char *file = g_build_filename (path, "cgroup.subtree_control", NULL);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (file, &text, NULL, NULL))
    return;
  g_auto (GStrv) controllers = g_strsplit (g_strchomp (text), " ", -1);
  int fd = open (file, O_WRONLY | O_CLOEXEC);
  for (char **controller = controllers; fd >= 0 && *controller != NULL; controller++)
    {
      g_autofree char *word = g_strconcat ("-", *controller, NULL);
      if (word[1] != '\0')
        (void) !write (fd, word, strlen (word));
    }
  if (fd >= 0)
    close (fd);
}

void
bz_cgroup_reset (const BzCgroup *cgroup)
{
  for (guint i = 0; i < bz_cgroup_count (cgroup); i++)
    {
      gboolean unified;
      const char *path = bz_cgroup_path (cgroup, i, &unified);

      bz_cgroup_remove_below (path, FALSE);
      if (unified)
        take_controllers_back (path);
    }
}

/* --- who joins --- */

int
bz_cgroup_open_joined (const BzCgroup *cgroup, const BzPartition *partition)
{
  int group = bz_cgroup_unified (cgroup);

  if (group < 0 || partition->cgroup_view != BZ_CGROUPS_UNIFIED)
    return -1;
  if (mkdirat (group, JOINED, 0755) == 0 && geteuid () == 0)
    (void) !fchownat (group, JOINED, bz_userns_root_id (partition->uids),
                      bz_userns_root_id (partition->gids), AT_SYMLINK_NOFOLLOW);
  return openat (group, JOINED, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}
