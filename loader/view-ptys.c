/* The terminals that programs of libc 5 and glibc 2.0 open (catalogue row B8): BSD ptys, /dev/ptyp0 and
 * /dev/ttyp0 to /dev/ptypf and /dev/ttypf.
 *
 * Problem: a program opens the first master that it can and the slave of the same name; today's masters
 * are given numbers as they are opened, and only a name of that number leads to the slave.
 *
 * Choice: each pair is a devpts of its own with room for one pty, whose number then is 0. Its ptmx is
 * the master: taken once, it is busy until it is closed, as a BSD pty is. The names are links. What is
 * left for the supervisor is to unlock what a program opens, since a BSD pty never was locked
 * (syscall-xlat/calls/ptys.c).
 *
 * Limits: all slaves have the device number 136:0, so ps shows them by one name, and ttyname(3) does not
 * find them. chown(2) of Linux 2.0 changes the link: the slave stays its opener's.
 *
 * Cost: 16 mounts at the start of a zone that has them, which tests/e2e/ptys.sh measures. */
#include "config.h"

#include "loader/view-private.h"

#include "brand/base/error.h"
#include "loader/kernel.h"

#include <errno.h>
#include <fcntl.h>

#define PAIRS 16
#define PLACE "/dev/.bsd/p%x"

static gboolean
make_pair (int root, int devices, guint number, GError **error)
{
  static const char *const with_group[] = { "mode=0620", "ptmxmode=0666", "max=1", "gid=5", NULL };
  static const char *const without[] = { "mode=0620", "ptmxmode=0666", "max=1", NULL };
  g_autofree char *place = g_strdup_printf (PLACE, number);
  g_autofree char *master = g_strdup_printf (".bsd/p%x/ptmx", number);
  g_autofree char *slave = g_strdup_printf (".bsd/p%x/0", number);
  g_autofree char *pty = g_strdup_printf ("ptyp%x", number);
  g_autofree char *tty = g_strdup_printf ("ttyp%x", number);
  unsigned attributes = BZ_MOUNT_ATTR_NOSUID | BZ_MOUNT_ATTR_NOEXEC;

  /* Group tty does not exist in a zone with one id. */
  if (!bz_view_mount_new (root, place, "devpts", with_group, attributes, NULL)
      && !bz_view_mount_new (root, place, "devpts", without, attributes, error))
    return FALSE;
  return (symlinkat (master, devices, pty) == 0 && symlinkat (slave, devices, tty) == 0)
         || bz_fail_errno (error, errno, NULL, "cannot make the zone's /dev/%s", pty);
}

gboolean
bz_view_make_ptys (int root, GError **error)
{
  int devices = bz_openat2 (root, "/dev", O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
                            BZ_RESOLVE_IN_ROOT | BZ_RESOLVE_NO_MAGICLINKS);
  gboolean good = devices >= 0 || bz_fail_errno (error, errno, NULL, "cannot open the zone's /dev");

  for (guint i = 0; good && i < PAIRS; i++)
    good = make_pair (root, devices, i, error);
  if (devices >= 0)
    close (devices);
  return good;
}
