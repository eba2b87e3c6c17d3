/* load-modules FILE...: loads kernel modules in the order given, as insmod does.
 *
 * The machine that makes a guest for tests/hosts need not have kmod, and the modules' order is
 * known: one system call each is all that is left. A module that is there already is no error.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
load (const char *path)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  int failed;

  if (fd < 0)
    {
      fprintf (stderr, "load-modules: %s: %s\n", path, strerror (errno));
      return 1;
    }
  failed = syscall (SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST;
  if (failed)
    fprintf (stderr, "load-modules: %s: %s\n", path, strerror (errno));
  close (fd);
  return failed;
}

int
main (int argc, char **argv)
{
  int failed = 0;

  for (int i = 1; i < argc; i++)
    failed |= load (argv[i]);
  return failed;
}
