#include "config.h"

#include "loader/cgroup.h"

#include "brand/base/error.h"
#include "loader/client.h"
#include "loader/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define CGROUP_MAX 8

/* The v1 controllers that zones use: limits, accounting and freezing. cpuset is left
 * out: a new group of it holds no CPU until it is set up. */
static const char *const wanted_controllers[] = { "pids", "memory", "freezer", "cpu" };

struct BzCgroup {
  char *path[CGROUP_MAX];
  gboolean is_unified[CGROUP_MAX];
  int hierarchy[CGROUP_MAX]; /* a mount of ours that its path leads through, or -1 */
  char *hierarchy_name[CGROUP_MAX]; /* then */
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

/* Takes the path. */
static void
add_path (BzCgroup *cgroup, char *path, gboolean unified)
{
  if (unified)
    cgroup->unified = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  else
    {
      g_autofree char *tasks = g_build_filename (path, "tasks", NULL);
      int fd = open (tasks, O_WRONLY | O_CLOEXEC);
      if (fd >= 0)
        cgroup->tasks[cgroup->task_count++] = fd;
    }
  cgroup->is_unified[cgroup->count] = unified;
  cgroup->path[cgroup->count++] = path;
}

/* --- what nobody is left to remove --- */

/* A group tells whose it is by the run-time directory of its zone, where the keeper listens: a hash is
 * all that its name has of that. */
#define YOUNG_SECONDS 5 /* between the group and the socket of a zone that starts */

static const char *
mark_name (void)
{
  return geteuid () == 0 ? "trusted.brandzone" : "user.brandzone";
}

static gboolean
holds_processes (const char *path, gboolean unified)
{
  g_autofree char *file = g_build_filename (path, unified ? "cgroup.events" : "cgroup.procs", NULL);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (file, &text, NULL, NULL))
    return TRUE;
  return unified ? strstr (text, "populated 0") == NULL : text[0] != '\0';
}

static gboolean
has_no_keeper (const char *path)
{
  g_autoptr (GError) error = NULL;
  char run_dir[PATH_MAX];
  ssize_t length = getxattr (path, mark_name (), run_dir, sizeof run_dir - 1);

  if (length <= 0)
    return FALSE;
  run_dir[length] = '\0';
  int connection = bz_client_connect (run_dir, &error);
  if (connection >= 0)
    close (connection);
  return connection < 0 && g_error_matches (error, BZ_ERROR, BZ_ERROR_STATE);
}

/* Removes the empty groups of zones that are gone for ever, whose names nobody will use again: of killed
 * throw-away zones, of state directories that were deleted. */
static void
sweep (const char *parent, gboolean unified)
{
  g_autoptr (GDir) dir = g_dir_open (parent, 0, NULL);
  const char *name;
  struct stat st;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (parent, name, NULL);
      if (lstat (path, &st) != 0 || !S_ISDIR (st.st_mode) || time (NULL) - st.st_ctime < YOUNG_SECONDS
          || holds_processes (path, unified) || !has_no_keeper (path))
        continue;
      /* The lists of version 1 leave out who is in no pid namespace of ours: only what is no parent. */
      if (unified)
        bz_cgroup_remove_below (path, TRUE);
      else
        rmdir (path);
    }
}

static void
add_group (BzCgroup *cgroup, const char *mount_point, gboolean unified, const char *zone,
           const char *run_dir)
{
  g_autofree char *own = geteuid () != 0 && unified ? own_unified_cgroup () : NULL;
  g_autofree char *parent = g_strconcat (mount_point, own != NULL ? own : "", "/brandzone", NULL);
  g_autofree char *path = g_build_filename (parent, zone, NULL);

  if (cgroup->count == CGROUP_MAX || (geteuid () != 0 && !unified)
      || (unified && cgroup->unified >= 0))
    return;
  sweep (parent, unified);
  if ((mkdir (parent, 0755) != 0 && errno != EEXIST) || (mkdir (path, 0755) != 0 && errno != EEXIST))
    return;
  /* Without a mark it stays until the zone's next start. */
  setxattr (path, mark_name (), run_dir, strlen (run_dir), 0);
  add_path (cgroup, g_steal_pointer (&path), unified);
}

BzCgroup *
bz_cgroup_none (void)
{
  BzCgroup *cgroup = g_new0 (BzCgroup, 1);

  cgroup->unified = -1;
  for (guint i = 0; i < CGROUP_MAX; i++)
    cgroup->hierarchy[i] = -1;
  return cgroup;
}

static char *
group_name (const char *zone, const char *run_dir)
{
  return g_strdup_printf ("%s-%08x", zone, g_str_hash (run_dir));
}

BzCgroup *
bz_cgroup_create (const char *zone, const char *run_dir)
{
  g_autofree char *name = group_name (zone, run_dir);
  BzCgroup *cgroup = bz_cgroup_none ();
  FILE *file = fopen ("/proc/self/mountinfo", "re");
  g_autofree char *line = g_malloc (8192);
  char mount_point[4096];
  gboolean unified;

  while (file != NULL && fgets (line, 8192, file) != NULL)
    if (parse_mount (line, mount_point, &unified))
      add_group (cgroup, mount_point, unified, name, run_dir);
  if (file != NULL)
    fclose (file);
  return cgroup;
}

/* --- v1 hierarchies without controllers --- */

#define TRIES 50
#define TRY_US 10000

static int
try_to_mount (const char *name)
{
  int fs = bz_fsopen ("cgroup");
  int fd = -1;

  if (fs >= 0 && bz_fsconfig (fs, BZ_FSCONFIG_SET_FLAG, "none", NULL) == 0
      && bz_fsconfig (fs, BZ_FSCONFIG_SET_STRING, "name", name) == 0
      && bz_fsconfig (fs, BZ_FSCONFIG_SET_FLAG, "xattr", NULL) == 0
      && bz_fsconfig (fs, BZ_FSCONFIG_CMD_CREATE, NULL, NULL) == 0)
    fd = bz_fsmount (fs, BZ_MOUNT_ATTR_NOSUID | BZ_MOUNT_ATTR_NODEV | BZ_MOUNT_ATTR_NOEXEC);
  int saved = errno;
  if (fs >= 0)
    close (fs);
  errno = saved;
  return fd;
}

/* Such a hierarchy lives as long as it is mounted somewhere or has groups: a mount that is attached
 * nowhere will do, and nobody else sees it. Where the host has it mounted already this is the same
 * hierarchy once more. While one of that name is just ending the kernel has the call restarted, for
 * which fsconfig(2) has its own answer: EBUSY. */
static int
mount_named (const char *name)
{
  int fd = try_to_mount (name);

  for (guint i = 0; i < TRIES && fd < 0 && errno == EBUSY; i++)
    {
      g_usleep (TRY_US);
      fd = try_to_mount (name);
    }
  return fd;
}

/* Its number, by which the kernel tells a hierarchy from another of that name; 0: there is none. */
static guint64
number_of (const char *name)
{
  g_autofree char *text = NULL;
  g_autofree char *pattern = g_strdup_printf ("(?m)^([0-9]+):name=%s:", name);
  g_autoptr (GRegex) regex = g_regex_new (pattern, 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;

  if (!g_file_get_contents ("/proc/self/cgroup", &text, NULL, NULL)
      || !g_regex_match (regex, text, 0, &match))
    return 0;
  g_autofree char *number = g_match_info_fetch (match, 1);
  return g_ascii_strtoull (number, NULL, 10);
}

static gboolean
host_has_mounted (const char *name)
{
  g_autofree char *text = NULL;
  g_autofree char *pattern = g_strdup_printf ("[, ]name=%s[,\n]", name);

  return g_file_get_contents ("/proc/self/mountinfo", &text, NULL, NULL)
         && g_regex_match_simple (pattern, text, 0, 0);
}

char **
bz_cgroup_hierarchies (const BzCgroup *cgroup)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (guint i = 0; i < cgroup->count; i++)
    if (cgroup->hierarchy[i] >= 0)
      g_strv_builder_add (names, cgroup->hierarchy_name[i]);
  return g_strv_builder_end (names);
}

static gboolean
is_used (const char *name)
{
  int fd = mount_named (name);
  g_autofree char *groups = g_strdup_printf ("/proc/self/fd/%d/brandzone", fd);
  gboolean used = fd < 0 || access (groups, F_OK) == 0;

  if (fd >= 0)
    close (fd);
  return used;
}

/* What is mounted in the place of one that is ending is another one, which ends with its mount. */
static void
end_hierarchy (const char *name, guint tries)
{
  guint64 number = number_of (name);

  for (guint i = 0; i < tries && number != 0 && number_of (name) == number && !is_used (name); i++)
    g_usleep (TRY_US);
}

void
bz_cgroup_end_hierarchies (char **names, guint tries)
{
  for (char **name = names; *name != NULL; name++)
    if (!host_has_mounted (*name))
      end_hierarchy (*name, tries);
}

static void
add_hierarchy (BzCgroup *cgroup, int fd, const char *name, char *path)
{
  cgroup->hierarchy[cgroup->count] = fd;
  cgroup->hierarchy_name[cgroup->count] = g_strdup (name);
  add_path (cgroup, path, FALSE);
}

gboolean
bz_cgroup_add_named (BzCgroup *cgroup, const char *name, const char *zone, const char *run_dir,
                     GError **error)
{
  int fd = cgroup->count < CGROUP_MAX ? mount_named (name) : -1;

  if (fd < 0)
    {
      g_autofree char *why = g_strdup_printf ("a v1 hierarchy named %s cannot be mounted (%s)", name,
                                              g_strerror (errno));
      bz_fail (error, BZ_ERROR_HOST, why,
               geteuid () == 0 ? "the kernel needs CONFIG_CGROUPS and the initial namespaces"
                               : "the host's root can: install the zone as root",
               "cannot give the zone's init its cgroups");
      bz_error_set_row (error != NULL ? *error : NULL, "B1");
      return FALSE;
    }
  g_autofree char *group = group_name (zone, run_dir);
  g_autofree char *parent = g_strdup_printf ("/proc/self/fd/%d/brandzone", fd);
  g_autofree char *path = g_build_filename (parent, group, NULL);
  if ((mkdir (parent, 0755) != 0 && errno != EEXIST) || (mkdir (path, 0755) != 0 && errno != EEXIST))
    {
      int saved = errno;
      close (fd);
      return bz_fail_errno (error, saved, NULL, "cannot make the zone's group in the hierarchy %s",
                            name);
    }
  add_hierarchy (cgroup, fd, name, g_steal_pointer (&path));
  return TRUE;
}

void
bz_cgroup_add_left (BzCgroup *cgroup, const char *zone, const char *run_dir)
{
  FILE *file = geteuid () == 0 ? fopen ("/proc/self/cgroup", "re") : NULL;
  g_autofree char *group = group_name (zone, run_dir);
  char line[4200], name[64];

  while (file != NULL && fgets (line, sizeof line, file) != NULL && cgroup->count < CGROUP_MAX)
    {
      int fd = sscanf (line, "%*d:name=%63[^:,]:", name) == 1 ? mount_named (name) : -1;
      g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d/brandzone/%s", fd, group);
      if (fd >= 0 && access (path, F_OK) == 0)
        add_hierarchy (cgroup, fd, name, g_steal_pointer (&path));
      else if (fd >= 0)
        close (fd);
    }
  if (file != NULL)
    fclose (file);
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

gboolean
bz_cgroup_is_named (const BzCgroup *cgroup, guint index)
{
  return cgroup->hierarchy[index] >= 0;
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

static void
remove_one (int parent, const char *name, gpointer data G_GNUC_UNUSED)
{
  unlinkat (parent, name, AT_REMOVEDIR);
}

/* The zone's own directories below its cgroup are gone with its tasks only if it
 * removed them: take what is left, deepest first. */
void
bz_cgroup_remove_below (const char *path, gboolean itself)
{
  bz_cgroup_walk (path, &(BzCgroupVisitor){ .leave = remove_one });
  if (itself)
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
        bz_cgroup_remove_below (cgroup->path[i], TRUE);
      g_autofree char *parent = g_path_get_dirname (cgroup->path[i]);
      rmdir (parent); /* stays while other zones are in it */
      if (cgroup->hierarchy[i] >= 0)
        close (cgroup->hierarchy[i]);
      g_free (cgroup->hierarchy_name[i]);
      g_free (cgroup->path[i]);
    }
  g_free (cgroup);
}

/* --- for the next program --- */

void
bz_cgroup_leave (const BzCgroup *cgroup, BzHandOver *left)
{
  GVariantBuilder groups;

  g_variant_builder_init (&groups, G_VARIANT_TYPE ("a(aybay)"));
  for (guint i = 0; i < cgroup->count; i++)
    {
      const char *name = cgroup->hierarchy_name[i] != NULL ? cgroup->hierarchy_name[i] : "";
      g_variant_builder_add (&groups, "(@ayb@ay)", g_variant_new_bytestring (cgroup->path[i]),
                             cgroup->is_unified[i], g_variant_new_bytestring (name));
    }
  g_variant_dict_insert_value (&left->values, "cgroup-groups", g_variant_builder_end (&groups));
  bz_hand_over_fds (left, "cgroup-hierarchies", cgroup->hierarchy, cgroup->count);
  bz_hand_over_fds (left, "cgroup-tasks", cgroup->tasks, cgroup->task_count);
  bz_hand_over_fd (left, "cgroup-unified", cgroup->unified);
}

BzCgroup *
bz_cgroup_take (GVariantDict *values)
{
  g_autoptr (GVariant) groups =
      g_variant_dict_lookup_value (values, "cgroup-groups", G_VARIANT_TYPE ("a(aybay)"));
  BzCgroup *cgroup = bz_cgroup_none ();
  const char *path, *name;
  gboolean unified, bad = groups == NULL || g_variant_n_children (groups) > CGROUP_MAX;
  GVariantIter iter;

  if (!bad)
    g_variant_iter_init (&iter, groups);
  while (!bad && g_variant_iter_next (&iter, "(^&ayb^&ay)", &path, &unified, &name))
    {
      cgroup->path[cgroup->count] = g_strdup (path);
      cgroup->hierarchy_name[cgroup->count] = name[0] != '\0' ? g_strdup (name) : NULL;
      cgroup->is_unified[cgroup->count++] = unified;
    }
  bad |= bz_hand_over_take_fds (values, "cgroup-hierarchies", cgroup->hierarchy, CGROUP_MAX, &bad)
         != cgroup->count;
  cgroup->task_count =
      bz_hand_over_take_fds (values, "cgroup-tasks", cgroup->tasks, CGROUP_MAX, &bad);
  cgroup->unified = bz_hand_over_take_fd (values, "cgroup-unified", &bad);
  return bad ? NULL : cgroup;
}
