/* Limits of a zone's cgroups.
 *
 * Facts: in the unified hierarchy a controller is there only where each parent has it in
 * cgroup.subtree_control, and a group with processes of its own (but the hierarchy's root) can't
 * give its controllers away: EBUSY for most plain users. In v1 the file is there or not. What was
 * enabled stays: others may use it by then. */
#include "config.h"

#include "loader/cgroup.h"

#include "brand/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* 0 or an errno. */
static int
write_text (const char *directory, const char *file, const char *text)
{
  g_autofree char *path = g_build_filename (directory, file, NULL);
  int fd = open (path, O_WRONLY | O_CLOEXEC);

  if (fd < 0)
    return errno;
  int failed = write (fd, text, strlen (text)) == (ssize_t) strlen (text) ? 0 : errno;
  close (fd);
  return failed;
}

static gboolean
has_file (const char *directory, const char *file)
{
  g_autofree char *path = g_build_filename (directory, file, NULL);

  return access (path, F_OK) == 0;
}

/* Enables `controller` for `directory`, in its parents from the top down. A parent above the
 * hierarchy's mount point has no such file. */
static void
enable (const char *directory, const char *controller)
{
  g_autofree char *parent = g_path_get_dirname (directory);
  g_autofree char *word = g_strconcat ("+", controller, NULL);

  if (!has_file (parent, "cgroup.subtree_control"))
    return;
  enable (parent, controller);
  write_text (parent, "cgroup.subtree_control", word);
}

typedef struct {
  const char *what, *controller;
  const char *unified_file, *unified_value;
  const char *old_file, *old_value;
  const char *property; /* by which systemd-run(1) limits it from outside */
} Limit;

static gboolean
set_limit (const BzCgroup *cgroup, const Limit *limit, GError **error)
{
  int failed = 0;
  gboolean unified;

  for (guint i = 0; i < bz_cgroup_count (cgroup); i++)
    {
      const char *path = bz_cgroup_path (cgroup, i, &unified);
      const char *file = unified ? limit->unified_file : limit->old_file;

      if (unified && !has_file (path, file))
        enable (path, limit->controller);
      if (!has_file (path, file))
        continue;
      failed = write_text (path, file, unified ? limit->unified_value : limit->old_value);
      if (failed == 0)
        return TRUE;
    }
  if (failed != 0)
    return bz_fail_errno (error, failed, NULL, "cannot limit the zone's %s", limit->what);
  g_autofree char *why =
      g_strdup_printf ("this host gives the zone no cgroup with the controller %s",
                       limit->controller);
  g_autofree char *outside =
      g_strdup_printf ("limit it from outside: systemd-run --user --scope -p %s", limit->property);
  return bz_fail (error, BZ_ERROR_HOST, why,
                  geteuid () == 0 ? "is it in /sys/fs/cgroup/cgroup.controllers?" : outside,
                  "cannot limit the zone's %s", limit->what);
}

#define PERIOD_US 100000

gboolean
bz_cgroup_limit (const BzCgroup *cgroup, const BzSettings *settings, GError **error)
{
  g_autofree char *memory = g_strdup_printf ("%" G_GUINT64_FORMAT, settings->memory);
  g_autofree char *processes = g_strdup_printf ("%" G_GUINT64_FORMAT, settings->processes);
  guint64 quota_us = (guint64) settings->cpu_percent * PERIOD_US / 100;
  g_autofree char *quota = g_strdup_printf ("%" G_GUINT64_FORMAT, quota_us);
  g_autofree char *cpu = g_strdup_printf ("%" G_GUINT64_FORMAT " %d", quota_us, PERIOD_US);
  const Limit limits[] = {
    { "memory", "memory", "memory.max", memory, "memory.limit_in_bytes", memory,
      "MemoryMax=512M" },
    { "processors", "cpu", "cpu.max", cpu, "cpu.cfs_quota_us", quota,
      "CPUQuota=50%" },
    { "processes", "pids", "pids.max", processes, "pids.max", processes,
      "TasksMax=100" },
  };
  const gboolean wanted[] = { settings->memory != 0, settings->cpu_percent != 0,
                              settings->processes != 0 };

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      if (wanted[i] && !set_limit (cgroup, &limits[i], error))
        return FALSE;
    }
  return TRUE;
}
