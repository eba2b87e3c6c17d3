/* Opening below a directory.
 *
 * Problem: names come from archives; a name, or a link that an earlier entry made, must never
 * lead out of the tree, also when somebody changes the tree meanwhile.
 * Facts: openat2(2) (Linux 5.6) resolves a whole path with such rules in the kernel. A path
 * argument is limited to PATH_MAX (4096) bytes, but trees may be deeper.
 * Choice: openat2 for every name; longer paths are walked in pieces, each below the last.
 * Limits: pieces are resolved one after the other, so for BZ_BENEATH_AS_ROOT a link in a later
 * piece is seen relative to that piece and not to the tree: such paths fail instead (ENAMETOOLONG).
 */
#include "config.h"

#include "installer/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PIECE_MAX 3000

static int
open_piece (int dir_fd, const char *path, int flags, mode_t mode, BzBeneath how)
{
  static const guint64 resolve[] = {
    [BZ_BENEATH_NO_LINKS] =
        RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    [BZ_BENEATH_LINKS] = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    [BZ_BENEATH_AS_ROOT] = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
  };
  struct open_how args = { .flags = (guint64) (unsigned) (flags | O_CLOEXEC),
                           .mode = mode,
                           .resolve = resolve[how] };
  int fd;

  /* EAGAIN: a rename elsewhere raced with the lookup; the kernel asks to try again. */
  for (int tries = 0; tries < 1000; tries++)
    {
      fd = (int) syscall (SYS_openat2, dir_fd, path, &args, sizeof args);
      if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
        return fd;
    }
  return fd;
}

int
bz_beneath_open (int dir_fd, const char *path, int flags, mode_t mode, BzBeneath how)
{
  int at = dir_fd;

  while (strlen (path) > PIECE_MAX)
    {
      char piece[PIECE_MAX + 1];
      gsize length = PIECE_MAX;

      while (length > 0 && path[length] != '/')
        length--;
      if (length == 0 || how == BZ_BENEATH_AS_ROOT)
        {
          errno = ENAMETOOLONG;
          length = 0;
        }
      else
        {
          memcpy (piece, path, length);
          piece[length] = '\0';
        }
      int next = length == 0 ? -1 : open_piece (at, piece, O_PATH | O_DIRECTORY, 0, how);
      int saved = errno;
      if (at != dir_fd)
        close (at);
      if (next < 0)
        {
          errno = saved;
          return -1;
        }
      at = next;
      path += length + 1;
    }

  int fd = open_piece (at, *path == '\0' ? "." : path, flags, mode, how);
  int saved = errno;
  if (at != dir_fd)
    close (at);
  errno = saved;
  return fd;
}
