/* Groups that a zone's init has made: in a hierarchy of the first version, made for the test. */
#include "config.h"

#include "loader/cgroup.h"
#include "tests/unit/cmocka-all.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIERARCHY "brandzone-unit"
#define DEEP 100 /* the kernel takes some 10 ms for each to forget it */
#define NAME "a-name-of-which-a-hundred-are-longer-than-any-path-be"

/* The descriptor of the lowest of so many groups, one in the other. */
static int
make_deep (const char *top, guint levels)
{
  int group = open (top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  for (guint i = 0; i < levels; i++)
    {
      assert_true (mkdirat (group, NAME, 0755) == 0);
      int below = openat (group, NAME, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      assert_true (below >= 0);
      close (group);
      group = below;
    }
  return group;
}

static pid_t
start_in (int group)
{
  int tasks = openat (group, "tasks", O_WRONLY | O_CLOEXEC);
  pid_t child = fork ();

  if (child == 0)
    {
      if (write (tasks, "0", 1) == 1)
        pause ();
      _exit (1);
    }
  close (tasks);
  return child;
}

/* Waits until it is in the group. */
static void
await (int group)
{
  char text[16];
  int fd;

  do
    {
      fd = openat (group, "cgroup.procs", O_RDONLY | O_CLOEXEC);
      ssize_t got = read (fd, text, sizeof text);
      close (fd);
      if (got != 0)
        return;
      g_usleep (1000);
    }
  while (TRUE);
}

static void
deep_groups (void **state G_GNUC_UNUSED)
{
  g_autofree char *run_dir = g_strdup_printf ("/nowhere/%d", (int) getpid ());
  BzCgroup *cgroup = bz_cgroup_none ();
  gboolean unified;
  int status;

  if (geteuid () != 0 || !bz_cgroup_add_named (cgroup, HIERARCHY, "unit", run_dir, NULL))
    {
      bz_cgroup_remove (cgroup);
      print_message ("it takes root and a kernel with cgroups of the first version\n");
      skip ();
    }
  g_auto (GStrv) names = bz_cgroup_hierarchies (cgroup);
  g_autofree char *path = g_strdup (bz_cgroup_path (cgroup, 0, &unified));
  int lowest = make_deep (path, DEEP);
  pid_t child = start_in (lowest);
  await (lowest);
  gboolean killed = bz_cgroup_kill (cgroup);
  gboolean ended = killed && waitpid (child, &status, WNOHANG) == child;
  if (!ended)
    {
      kill (child, SIGKILL);
      waitpid (child, &status, 0);
    }
  close (lowest);
  g_autofree char *below = g_build_filename (path, NAME, NULL);
  bz_cgroup_remove_below (path, FALSE);
  gboolean removed = access (below, F_OK) != 0;
  bz_cgroup_remove (cgroup);
  bz_cgroup_end_hierarchies (names, 500);
  assert_true (ended);
  assert_true (removed);
}

int
main (void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test (deep_groups) };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
