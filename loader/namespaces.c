#include "config.h"

#include "loader/namespaces.h"

#include "brand/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

static const char *const names[BZ_NAMESPACE_COUNT] = { "user", "ipc",    "uts", "net",
                                                       "pid",  "cgroup", "mnt" };

gboolean
bz_namespaces_open (pid_t pid, int fds[BZ_NAMESPACE_COUNT], GError **error)
{
  for (guint i = 0; i < BZ_NAMESPACE_COUNT; i++)
    {
      g_autofree char *path = g_strdup_printf ("/proc/%d/ns/%s", (int) pid, names[i]);

      fds[i] = -1;
      if (i != BZ_NAMESPACE_CGROUP && (fds[i] = open (path, O_RDONLY | O_CLOEXEC)) < 0)
        return bz_fail_errno (error, errno, NULL, "cannot open %s", path);
    }
  return TRUE;
}

int
bz_namespaces_own_cgroup (GError **error)
{
  int fd = open ("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    bz_fail_errno (error, errno, NULL, "cannot open the zone's cgroup namespace");
  return fd;
}

gboolean
bz_namespaces_enter (const int fds[BZ_NAMESPACE_COUNT], guint set, GError **error)
{
  for (guint i = 0; i < BZ_NAMESPACE_COUNT; i++)
    if ((set & (1u << i)) != 0 && fds[i] >= 0 && setns (fds[i], 0) != 0)
      return bz_fail_errno (error, errno, NULL, "cannot enter the zone's %s namespace", names[i]);
  return TRUE;
}

void
bz_namespaces_close (int fds[BZ_NAMESPACE_COUNT])
{
  for (guint i = 0; i < BZ_NAMESPACE_COUNT; i++)
    {
      if (fds[i] >= 0)
        close (fds[i]);
      fds[i] = -1;
    }
}
