/* Our program's file, seen from inside a zone.
 *
 * Problem: a process of ours that is about to become a program of the zone can be made to
 * execute its own file, by a program of the zone that is a link to /proc/self/exe or
 * has it as its interpreter. What then runs, by the zone's dynamic loader, may open that file of
 * the host. Root's zones have other ids and may only read it. In a plain user's zone root is the
 * user: a program that he has built and owns himself would be overwritten, and run outside the next
 * time.
 *
 * Choice: where the file is the user's own or writable, run from a copy in a memfd
 * sealed against change. Programs installed by the host's root need none. */
#include "config.h"

#include "loader/shield.h"

#include "brand/base/error.h"
#include "loader/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define SELF "/proc/self/exe"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

static gboolean
is_exposed (int self)
{
  struct stat st;
  int seals = fcntl (self, F_GET_SEALS);

  if (seals >= 0 && (seals & SEALS) == SEALS)
    return FALSE;
  return fstat (self, &st) == 0 && (st.st_uid == geteuid () || access (SELF, W_OK) == 0);
}

static int
new_memory (void)
{
  /* MFD_EXEC is known, and may be required, from Linux 6.3 on. */
  int fd = memfd_create ("brandzone", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

  return fd >= 0 || errno != EINVAL ? fd
                                    : memfd_create ("brandzone", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

/* A descriptor without the right to write, which execve(2) wants; -1 and errno. */
static int
sealed_copy (int self)
{
  char path[64];
  struct stat st;
  off_t done = 0;
  int copy = -1, memory = new_memory ();
  gboolean good = memory >= 0 && fstat (self, &st) == 0;

  while (good && done < st.st_size)
    good = sendfile (memory, self, &done, (size_t) (st.st_size - done)) > 0;
  if (good && fchmod (memory, 0500) == 0 && fcntl (memory, F_ADD_SEALS, SEALS) == 0)
    {
      g_snprintf (path, sizeof path, "/proc/self/fd/%d", memory);
      copy = open (path, O_RDONLY | O_CLOEXEC);
    }
  int saved = errno;
  if (memory >= 0)
    close (memory);
  errno = saved;
  return copy;
}

gboolean
bz_shield (char **argv, GError **error)
{
  int self, copy;

  if (geteuid () == 0)
    return TRUE;
  self = open (SELF, O_RDONLY | O_CLOEXEC);
  if (self >= 0 && !is_exposed (self))
    {
      close (self);
      return TRUE;
    }
  copy = self >= 0 ? sealed_copy (self) : -1;
  if (copy >= 0)
    fexecve (copy, argv, environ);
  bz_fail_errno (error, errno, "let root install brandzone", "cannot keep %s from the zone",
                 argv[0]);
  if (copy >= 0)
    close (copy);
  if (self >= 0)
    close (self);
  return FALSE;
}
