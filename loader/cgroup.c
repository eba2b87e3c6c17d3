#include "config.h"

#include "loader/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CGROUP_MAX 8

/* The v1 controllers that zones use: limits, accounting and freezing. cpuset is left
 * out: a new group of it holds no CPU until it is set up. */
static const char *const wanted_controllers[] = { "pids", "memory", "freezer", "cpu" };

struct BzCgroup {
  char *path[CGROUP_MAX];
  gboolean is_unified[CGROUP_MAX];
  guint count;
  int unified; /* directory, or -1 */
  int tasks[CGROUP_MAX];
  guint task_count;
};

/* One line of /proc/self/mountinfo: the mount point if it is a cgroup file system that zones use. */
static gboolean
parse_mount (const char *line, char mount_point[4096], gboolean *unified)
{
  char type[32], options[512];
  const char *separator = strstr (line, " - ");

  if (separator == NULL || sscanf (separator, " - %31s %*s %511s", type, options) != 2
      || sscanf (line, "%*s %*s %*s %*s %4095s", mount_point) != 1)
    return FALSE;
  if (strcmp (type, "cgroup2") == 0)
    {
      *unified = TRUE;
      return TRUE;
    }
  if (strcmp (type, "cgroup") != 0)
    return FALSE;
  *unified = FALSE;
  g_auto (GStrv) words = g_strsplit (options, ",", -1);
  for (guint i = 0; i < G_N_ELEMENTS (wanted_controllers); i++)
    if (g_strv_contains ((const char *const *) words, wanted_controllers[i]))
      return TRUE;
  return FALSE;
}

/* The cgroup of this process in a hierarchy, as "/…": zones of plain users live below it. */
static char *
own_unified_cgroup (void)
{
  FILE *file = fopen ("/proc/self/cgroup", "re");
  char line[4200];
  char *found = NULL;

  while (file != NULL && found == NULL && fgets (line, sizeof line, file) != NULL)
    if (g_str_has_prefix (line, "0::/"))
      found = g_strdup (g_strchomp (line + 3));
  if (file != NULL)
    fclose (file);
  return found;
}

static void
add_group (BzCgroup *cgroup, const char *mount_point, gboolean unified, const char *zone)
{
  g_autofree char *own = geteuid () != 0 && unified ? own_unified_cgroup () : NULL;
  g_autofree char *parent = g_strconcat (mount_point, own != NULL ? own : "", "/brandzone", NULL);
  g_autofree char *path = g_build_filename (parent, zone, NULL);

  if (cgroup->count == CGROUP_MAX || (geteuid () != 0 && !unified))
    return;
  if ((mkdir (parent, 0755) != 0 && errno != EEXIST) || (mkdir (path, 0755) != 0 && errno != EEXIST))
    return;
  if (unified)
    {
      if (cgroup->unified >= 0)
        return;
      cgroup->unified = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
  else
    {
      g_autofree char *tasks = g_build_filename (path, "tasks", NULL);
      int fd = open (tasks, O_WRONLY | O_CLOEXEC);
      if (fd >= 0)
        cgroup->tasks[cgroup->task_count++] = fd;
    }
  cgroup->is_unified[cgroup->count] = unified;
  cgroup->path[cgroup->count++] = g_steal_pointer (&path);
}

BzCgroup *
bz_cgroup_none (void)
{
  BzCgroup *cgroup = g_new0 (BzCgroup, 1);

  cgroup->unified = -1;
  return cgroup;
}

BzCgroup *
bz_cgroup_create (const char *zone, const char *run_dir)
{
  g_autofree char *name = g_strdup_printf ("%s-%08x", zone, g_str_hash (run_dir));
  BzCgroup *cgroup = bz_cgroup_none ();
  FILE *file = fopen ("/proc/self/mountinfo", "re");
  g_autofree char *line = g_malloc (8192);
  char mount_point[4096];
  gboolean unified;

  while (file != NULL && fgets (line, 8192, file) != NULL)
    if (parse_mount (line, mount_point, &unified))
      add_group (cgroup, mount_point, unified, name);
  if (file != NULL)
    fclose (file);
  return cgroup;
}

guint
bz_cgroup_count (const BzCgroup *cgroup)
{
  return cgroup->count;
}

const char *
bz_cgroup_path (const BzCgroup *cgroup, guint index, gboolean *unified)
{
  *unified = cgroup->is_unified[index];
  return cgroup->path[index];
}

int
bz_cgroup_unified (const BzCgroup *cgroup)
{
  return cgroup->unified;
}

const int *
bz_cgroup_tasks (const BzCgroup *cgroup, guint *count)
{
  *count = cgroup->task_count;
  return cgroup->tasks;
}

void
bz_cgroup_enter (const int *tasks, guint count)
{
  for (guint i = 0; i < count; i++)
    if (write (tasks[i], "0", 1) != 1)
      continue; /* a hierarchy that refuses is no reason not to run */
}

/* The zone's own directories below its cgroup are gone with its tasks only if it
 * removed them: take what is left, deepest first. */
static void
remove_groups_below (const char *path, guint depth)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && depth < 64 && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *below = g_build_filename (path, name, NULL);
      struct stat st;
      if (lstat (below, &st) == 0 && S_ISDIR (st.st_mode))
        remove_groups_below (below, depth + 1);
    }
  rmdir (path);
}

void
bz_cgroup_remove (BzCgroup *cgroup)
{
  if (cgroup == NULL)
    return;
  if (cgroup->unified >= 0)
    close (cgroup->unified);
  for (guint i = 0; i < cgroup->task_count; i++)
    close (cgroup->tasks[i]);
  for (guint i = 0; i < cgroup->count; i++)
    {
      if (rmdir (cgroup->path[i]) != 0 && errno != ENOENT)
        remove_groups_below (cgroup->path[i], 0);
      g_autofree char *parent = g_path_get_dirname (cgroup->path[i]);
      rmdir (parent); /* stays while other zones are in it */
      g_free (cgroup->path[i]);
    }
  g_free (cgroup);
}
