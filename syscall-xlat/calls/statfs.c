/* statfs(2) and fstatfs(2) of 32-bit programs (catalogue row O3, statfs=clamp).
 *
 * The kernel answers EOVERFLOW where a count does not fit 32 bits. Programs of the time also
 * compute with what fits: in KiB, in signed 32 bits, so that above 2 TiB (more than a disk of then
 * could have) nothing is free, or less than nothing. Counts of blocks are told up to 2^31-1 KiB,
 * counts of files up to 2^31-1: what is free is as much as a program of the time can count, or what
 * there is. The f_bsize stays the file system's. Smaller ones are the kernel's to answer. */
#include "config.h"

#include "syscall-xlat/calls/guest.h"
#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/calls/statfs-guest.h"
#include "syscall-xlat/files.h"

#include <errno.h>

static BzVerdict
answer (BzCall *call, int failed, const struct statfs *host)
{
  BzGuestStatfs32 guest;

  if (failed != 0 || !bz_statfs_differs (host))
    return bz_continue ();
  bz_statfs_fill (host, &guest);
  failed = bz_call_write (call, call->args[1], &guest, sizeof guest);
  return failed != 0 ? bz_errno (failed) : bz_value (0);
}

BzVerdict
bz_call_statfs (BzCall *call)
{
  char path[4096];
  struct statfs host;

  if (bz_call_read_string (call, call->args[0], path, sizeof path) != 0 || path[0] == '\0')
    return bz_continue ();
  return answer (call, bz_call_file_system (call, -1, path, &host), &host);
}

BzVerdict
bz_call_fstatfs (BzCall *call)
{
  struct statfs host;

  return answer (call, bz_call_file_system (call, (int) call->args[0], NULL, &host), &host);
}
