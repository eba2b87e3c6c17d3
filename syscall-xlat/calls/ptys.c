/* open(2) of a BSD pty's master (catalogue row B8).
 *
 * Facts: a zone that wants such names has each of them as a link to the ptmx of a devpts of its own, with
 * room for one pty (loader/view-ptys.c), so that the kernel opens both ends. But what it opens is locked:
 * the slave gives EIO until TIOCSPTLCK, which libc 5 does not know.
 *
 * Choice: the filter traps open(2) for reading and writing without O_CREAT, which few calls are (a
 * terminal, utmp); of others than these names the first bytes are looked at, and the kernel has the call.
 * The master is opened by a child as the task, unlocked, and given to it. One that is in use is EIO, as
 * it was: the program tries the next.
 *
 * Limits: only by these absolute names. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static gboolean
is_master (const char *path)
{
  static const char prefix[] = "/dev/pty";
  const char *rest = path + strlen (prefix);

  return strncmp (path, prefix, strlen (prefix)) == 0 && g_ascii_isalpha (rest[0])
         && g_ascii_isxdigit (rest[1]) && rest[2] == '\0';
}

BzVerdict
bz_call_open (BzCall *call)
{
  char path[12];
  int fd, number;

  if (bz_call_read_string (call, call->args[0], path, sizeof path) != 0 || !is_master (path))
    return bz_continue ();
  int failed = bz_call_open_master (call, path, (guint) call->args[1], &fd);
  if (failed == ENOTSUP)
    return bz_continue ();
  if (failed != 0)
    return bz_errno (failed == ENOSPC ? EIO : failed);
  failed = bz_call_add_fd (call, fd, (call->args[1] & O_CLOEXEC) != 0, &number);
  close (fd);
  return failed != 0 ? bz_errno (failed) : bz_value (number);
}
