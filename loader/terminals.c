/* Terminals of a zone: the pty of a command, the console and virtual terminals of one that boots.
 *
 * Facts: a node of a pty works only on a devpts (pts_unix98_lookup looks at the file system), so
 * what is called /dev/console or /dev/tty1 has to be a bind of one. A bind keeps its name where
 * programs ask for it (ttyname reads /proc/self/fd/0; securetty lists tty1), a link does not.
 *
 * Choice: the console of a zone that boots is what the first virtual terminal shows, as on a
 * machine of that time: console, tty0 and tty1 are one pty. tty2 to tty6 get one each: inittabs
 * of two decades start a getty on each of six, and one that finds no device is started again until
 * init gives up, with a message every five minutes. systemd starts gettys on what it finds, and the
 * console's besides: its family (brand/boot) asks for a console alone.
 *
 * The shutdown scripts of that time, and whoever types it, run umount -a, which would take a bound
 * name away where a node would stay, and uncover the host's release in /proc. A mount that is open
 * is busy: the keeper holds each by an O_PATH descriptor.
 *
 * Limits: bound names cannot be removed inside (EBUSY); umount -l does it. */
#include "config.h"

#include "loader/terminals.h"

#include "brand/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Whether the zone's root has put nothing else in the place of a device: only a real one has
 * its number, for nobody in a zone may make device nodes. */
static gboolean
is_device (int fd, guint major_number, guint minor_number)
{
  struct stat st;

  return fstat (fd, &st) == 0 && S_ISCHR (st.st_mode)
         && st.st_rdev == makedev (major_number, minor_number);
}

int
bz_terminal_open_null (int flags, GError **error)
{
  int fd = open ("/dev/null", flags | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

  if (fd < 0)
    bz_fail_errno (error, errno, NULL, "cannot open the zone's /dev/null");
  else if (!is_device (fd, 1, 3))
    {
      close (fd);
      fd = -1;
      bz_fail (error, BZ_ERROR_FAILED, "it is something else", NULL,
               "cannot use the zone's /dev/null");
    }
  if (fd >= 0)
    fcntl (fd, F_SETFL, flags);
  return fd;
}

/* A new pty of the zone's devpts. */
static gboolean
open_pty (int *master, int *slave, GError **error)
{
  int unlock = 0;

  *slave = -1;
  /* O_NONBLOCK: not to wait at a FIFO. */
  *master = open ("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (*master >= 0 && !is_device (*master, 5, 2))
    return bz_fail (error, BZ_ERROR_FAILED, "the zone's /dev/pts/ptmx is something else", NULL,
                    "cannot open a pty of the zone");
  if (*master < 0 || fcntl (*master, F_SETFL, O_RDWR) != 0
      || ioctl (*master, TIOCSPTLCK, &unlock) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot open a pty of the zone");
  /* Not by its name, which may be a link (Linux 4.13). */
  *slave = ioctl (*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (*slave < 0)
    return bz_fail_errno (error, errno, NULL, "cannot open the other side of the zone's pty");
  return TRUE;
}

gboolean
bz_terminal_choose_stdio (const BzCommand *command, int stdio[3], int *master, GError **error)
{
  *master = -1;
  for (int i = 0; i < 3; i++)
    stdio[i] = i;
  if (command->terminal)
    {
      if (!open_pty (master, &stdio[0], error))
        return FALSE;
      stdio[1] = stdio[2] = stdio[0];
    }
  else if (!command->interactive)
    stdio[0] = bz_terminal_open_null (O_RDONLY, error);
  return stdio[0] >= 0;
}

void
bz_terminal_bind (int slave, const char *path)
{
  g_autofree char *source = g_strdup_printf ("/proc/self/fd/%d", slave);
  int place = open (path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

  if (place >= 0)
    close (place);
  /* A zone without it runs: nothing else depends on it. */
  (void) !mount (source, path, NULL, MS_BIND, NULL);
}

static const struct winsize usual_size = { .ws_row = 25, .ws_col = 80 };

gboolean
bz_terminals_make (guint count, int masters[BZ_TERMINALS_MAX], int *console, GError **error)
{
  for (guint i = 0; i < count; i++)
    {
      g_autofree char *path = g_strdup_printf ("/dev/tty%u", i + 1);
      int slave;

      if (!open_pty (&masters[i], &slave, error))
        return FALSE;
      ioctl (masters[i], TIOCSWINSZ, &usual_size);
      if (count > 1)
        bz_terminal_bind (slave, path);
      if (i > 0)
        close (slave);
      else
        *console = slave;
    }
  if (count > 1)
    bz_terminal_bind (*console, "/dev/tty0");
  bz_terminal_bind (*console, "/dev/console");
  return TRUE;
}

guint
bz_pins_open (int pins[BZ_PINS_MAX])
{
  static const char *const paths[BZ_PINS_MAX] = {
    "/dev/console",
    "/dev/tty0",
    "/dev/tty1",
    "/dev/tty2",
    "/dev/tty3",
    "/dev/tty4",
    "/dev/tty5",
    "/dev/tty6",
    /* Without a proc that is there none can be mounted again (mount_too_revealing). */
    "/proc",
    "/sys",
    "/proc/version",
    "/proc/sys/kernel/osrelease",
    "/proc/sys/kernel/version",
  };
  guint count = 0;

  for (guint i = 0; i < BZ_PINS_MAX && paths[i] != NULL; i++)
    if ((pins[count] = open (paths[i], O_PATH | O_NOFOLLOW | O_CLOEXEC)) >= 0)
      count++;
  return count;
}
