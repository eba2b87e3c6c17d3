/* Probes that mount. Everything happens in the child's own mount namespace, or on
 * a mount that is attached nowhere, and ends with it. */
#include "config.h"

#include "brand/host-probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Newer than the oldest headers that we build with. */
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#define PROBE_ATTR_IDMAP 0x00100000ULL /* MOUNT_ATTR_IDMAP, Linux 5.12 */

struct probe_mount_attr {
  guint64 attr_set, attr_clr, propagation, userns_fd;
};

static gboolean
write_file (const char *path, const char *text)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gssize length = (gssize) strlen (text);

  if (fd < 0)
    return FALSE;
  gboolean done = write (fd, text, (gsize) length) == length;
  close (fd);
  return done;
}

/* A user namespace that maps one id, held by a process that waits to be killed. */
static int
mapped_namespace (pid_t *holder)
{
  char path[64];
  int ready[2];
  char byte;

  if (pipe2 (ready, O_CLOEXEC) != 0)
    return -1;
  *holder = fork ();
  if (*holder == 0)
    {
      alarm (3);
      if (unshare (CLONE_NEWUSER) != 0 || write (ready[1], "", 1) != 1)
        _exit (1);
      pause ();
      _exit (0);
    }
  close (ready[1]);
  if (*holder < 0 || read (ready[0], &byte, 1) != 1)
    return -1;
  snprintf (path, sizeof path, "/proc/%d/uid_map", (int) *holder);
  if (!write_file (path, "0 100000 1"))
    return -1;
  snprintf (path, sizeof path, "/proc/%d/gid_map", (int) *holder);
  if (!write_file (path, "0 100000 1"))
    return -1;
  snprintf (path, sizeof path, "/proc/%d/ns/user", (int) *holder);
  return open (path, O_RDONLY | O_CLOEXEC);
}

gboolean
bz_probe_idmapped_mounts (const char *path)
{
  pid_t holder = -1;
  int tree = (int) syscall (SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | O_CLOEXEC);
  int namespace = tree >= 0 ? mapped_namespace (&holder) : -1;
  gboolean works = FALSE;

  if (namespace >= 0)
    {
      struct probe_mount_attr attr = { .attr_set = PROBE_ATTR_IDMAP,
                                       .userns_fd = (guint64) namespace };
      works = syscall (SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof attr) == 0;
    }
  if (holder > 0)
    {
      kill (holder, SIGKILL);
      waitpid (holder, NULL, 0);
    }
  return works;
}

/* The caller's own id as 0 of a new user namespace. */
static gboolean
enter_own_namespace (void)
{
  char uids[32], gids[32];

  snprintf (uids, sizeof uids, "0 %u 1", (guint) geteuid ());
  snprintf (gids, sizeof gids, "0 %u 1", (guint) getegid ());
  if (unshare (CLONE_NEWUSER | CLONE_NEWNS) != 0)
    return FALSE;
  return write_file ("/proc/self/setgroups", "deny") && write_file ("/proc/self/uid_map", uids)
         && write_file ("/proc/self/gid_map", gids)
         && mount (NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0;
}

gboolean
bz_probe_overlay (const char *path G_GNUC_UNUSED)
{
  static const char *const places[] = { "/tmp", "/mnt", "/var/tmp", "/run" };
  guint at = 0;

  if (!enter_own_namespace ())
    return FALSE;
  while (at < G_N_ELEMENTS (places) && mount ("tmpfs", places[at], "tmpfs", 0, "size=64k") != 0)
    at++;
  return at < G_N_ELEMENTS (places) && chdir (places[at]) == 0 && mkdir ("lower", 0700) == 0
         && mkdir ("upper", 0700) == 0 && mkdir ("work", 0700) == 0 && mkdir ("merged", 0700) == 0
         && mount ("overlay", "merged", "overlay", 0,
                   "lowerdir=lower,upperdir=upper,workdir=work,userxattr")
                == 0
         && mkdir ("merged/directory", 0700) == 0;
}
