/* Probes that read files, or make one call that changes nothing. */
#include "config.h"

#include "brand/host-probe.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define CGROUP2_MAGIC 0x63677270
#define NR_FCHMODAT2 452

/* The caller's first range in /etc/subuid or /etc/subgid: "100000:65536", or NULL. */
static char *
first_range (const char *file, const char *user, const char *uid)
{
  g_autofree char *text = NULL;

  if (!g_file_get_contents (file, &text, NULL, NULL))
    return NULL;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (g_strstrip (lines[i]), ":", -1);
      guint64 first, count;

      if (g_strv_length (parts) == 3
          && (g_strcmp0 (parts[0], user) == 0 || strcmp (parts[0], uid) == 0)
          && g_ascii_string_to_unsigned (parts[1], 10, 1, G_MAXUINT32 - 1, &first, NULL)
          && g_ascii_string_to_unsigned (parts[2], 10, 1, G_MAXUINT32 - first, &count, NULL))
        return g_strdup_printf ("%s:%s", parts[1], parts[2]);
    }
  return NULL;
}

gboolean
bz_probe_subordinate_ids (char **detail)
{
  if (geteuid () == 0)
    {
      *detail = g_strdup ("root needs none");
      return TRUE;
    }

  struct passwd *entry = getpwuid (geteuid ());
  g_autofree char *user = entry != NULL ? g_strdup (entry->pw_name) : NULL;
  g_autofree char *uid = g_strdup_printf ("%u", (guint) geteuid ());
  g_autofree char *uids = first_range ("/etc/subuid", user, uid);
  g_autofree char *gids = first_range ("/etc/subgid", user, uid);
  g_autofree char *newuidmap = g_find_program_in_path ("newuidmap");
  g_autofree char *newgidmap = g_find_program_in_path ("newgidmap");

  if (uids == NULL || gids == NULL)
    *detail = g_strdup_printf ("no range in %s", uids == NULL ? "/etc/subuid" : "/etc/subgid");
  else if (newuidmap == NULL || newgidmap == NULL)
    *detail =
        g_strdup_printf ("%s is not installed", newuidmap == NULL ? "newuidmap" : "newgidmap");
  else
    {
      *detail = g_steal_pointer (&uids);
      return TRUE;
    }
  return FALSE;
}

/* The command line of the kernel may say what its configuration can't do: the map tells what is. */
gboolean
bz_probe_vsyscall (char **detail)
{
  g_autofree char *maps = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL)
      || (line = strstr (maps, "[vsyscall]")) == NULL)
    {
      *detail = g_strdup ("none");
      return FALSE;
    }
  while (line > maps && line[-1] != '\n')
    line--;
  const char *permissions = strchr (line, ' ');
  *detail = g_strdup (permissions != NULL && permissions[1] == 'r' ? "emulate" : "xonly");
  return TRUE;
}

gboolean
bz_probe_modify_ldt (void)
{
  return syscall (SYS_modify_ldt, 0, NULL, 0) == 0;
}

/* Asked with flags that no kernel knows. */
gboolean
bz_probe_fchmodat2 (void)
{
  return syscall (NR_FCHMODAT2, -1, "", 0, ~0) == 0 || errno != ENOSYS;
}

/* A user namespace may mount it since Linux 4.18, with a device that was opened in it. */
gboolean
bz_probe_fuse (void)
{
  int fd = open ("/dev/fuse", O_RDWR | O_CLOEXEC);

  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

/* The caller's own cgroup in the unified hierarchy, relative: "/user.slice/...", or NULL. */
static char *
own_cgroup (void)
{
  g_autofree char *text = NULL;

  if (!g_file_get_contents ("/proc/self/cgroup", &text, NULL, NULL))
    return NULL;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], "0::"))
      return g_strdup (lines[i] + 3);
  return NULL;
}

/* Whether the caller may make groups in the unified hierarchy that is mounted there; *dir: where. */
static gboolean
may_make_groups (const char *mount_point, char **dir)
{
  g_autofree char *own = geteuid () == 0 ? g_strdup ("/") : own_cgroup ();

  *dir = g_build_filename (mount_point, own != NULL ? own : "/", NULL);
  return euidaccess (*dir, W_OK) == 0;
}

gboolean
bz_probe_cgroup (char **detail)
{
  struct statfs status;
  g_autofree char *dir = NULL;

  if (statfs ("/sys/fs/cgroup", &status) != 0 || status.f_type != CGROUP2_MAGIC)
    {
      gboolean unified =
          statfs ("/sys/fs/cgroup/unified", &status) == 0 && status.f_type == CGROUP2_MAGIC;
      gboolean old = access ("/sys/fs/cgroup/pids/tasks", F_OK) == 0;
      *detail = g_strdup (unified && old ? "v1 with v2 beside it" : old ? "v1" : "none");
      /* Only root may make groups in hierarchies of v1. */
      return (geteuid () == 0 && (old || unified))
             || (unified && may_make_groups ("/sys/fs/cgroup/unified", &dir));
    }

  if (!may_make_groups ("/sys/fs/cgroup", &dir))
    {
      *detail = g_strdup_printf ("v2, %s is not writable", dir);
      return FALSE;
    }
  *detail = g_strdup ("v2");
  return TRUE;
}
