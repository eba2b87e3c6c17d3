/* What is left of a zone whose keeper was killed.
 *
 * Problem: the end of the keeper is that of process 1, by PR_SET_PDEATHSIG; but an init may clear
 * that for itself. It would run on, unseen, beside what is started next in the same tree.
 * Facts: nobody leaves his cgroup from inside. cgroup.kill (Linux 5.14) takes all that is in a
 * group and below, also what it forks meanwhile; v1 has no such file, and whoever forks fast
 * enough escapes what reads its list. What is put into a group by CLONE_INTO_CGROUP is killed at
 * once if the group's cgroup.kill was ever used (seen on 6.18: the child's kill_seq is taken from
 * its parent's group): such a group is made anew. Choice: who holds the zone's lock and no keeper
 * with it kills all that is in its cgroups. */
#include "config.h"

#include "loader/cgroup.h"

#include "loader/keeper.h"
#include "loader/loader.h"
#include "loader/net/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOOKS 200
#define LOOK_US 10000

/* One look at a group: kills who is in it. */
static void
kill_listed (int group, gpointer any)
{
  int fd = openat (group, "cgroup.procs", O_RDONLY | O_CLOEXEC);
  FILE *file = fd >= 0 ? fdopen (fd, "r") : NULL;
  char line[32];

  while (file != NULL && fgets (line, sizeof line, file) != NULL)
    {
      pid_t pid = (pid_t) g_ascii_strtoll (line, NULL, 10);

      *(gboolean *) any = TRUE;
      if (pid > 1 && pid != getpid ())
        kill (pid, SIGKILL);
    }
  if (file != NULL)
    fclose (file);
  else if (fd >= 0)
    close (fd);
}

/* The same for it and all below. FALSE: nobody was there. */
static gboolean
kill_tree (const char *directory)
{
  gboolean any = FALSE;

  bz_cgroup_walk (directory, &(BzCgroupVisitor){ .enter = kill_listed, .data = &any });
  return any;
}

static gboolean
kill_group (const char *directory, gboolean unified)
{
  g_autofree char *events = g_build_filename (directory, "cgroup.events", NULL);
  g_autofree char *path = g_build_filename (directory, "cgroup.kill", NULL);
  g_autofree char *text = NULL;

  if (!unified)
    return kill_tree (directory);
  if (!g_file_get_contents (events, &text, NULL, NULL) || strstr (text, "populated 1") == NULL)
    return FALSE;
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  if (fd >= 0)
    {
      (void) !write (fd, "1", 1);
      close (fd);
    }
  return TRUE;
}

gboolean
bz_cgroup_kill (const BzCgroup *cgroup)
{
  gboolean any = FALSE;

  for (guint i = 0; i < bz_cgroup_count (cgroup); i++)
    {
      gboolean unified;
      const char *path = bz_cgroup_path (cgroup, i, &unified);

      for (guint look = 0; look < LOOKS && kill_group (path, unified); look++)
        {
          any = TRUE;
          g_usleep (LOOK_US);
        }
    }
  return any;
}

void
bz_cgroup_end_named (const char *zone, const char *run_dir)
{
  BzCgroup *left = bz_cgroup_none ();

  bz_cgroup_add_left (left, zone, run_dir);
  g_auto (GStrv) names = bz_cgroup_hierarchies (left);
  bz_cgroup_kill (left);
  bz_cgroup_remove (left);
  bz_cgroup_end_hierarchies (names, LOOKS);
}

void
bz_loader_end_left (const char *name, const char *run_dir)
{
  static const char *const files[] = { BZ_CONTROL_NAME, "log" };
  BzCgroup *cgroup = bz_cgroup_create (name, run_dir);

  bz_cgroup_end_named (name, run_dir);
  bz_cgroup_kill (cgroup);
  bz_cgroup_remove (cgroup);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (run_dir, files[i], NULL);
      unlink (path);
    }
  rmdir (run_dir);
  bz_network_end_left (run_dir);
}
