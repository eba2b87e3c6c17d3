/* Calls that the brand's kernel had, the host's lacks, and no other handler answers (quirk gone).
 *
 * They fail with ENOSYS, as the host's kernel has it. Being trapped, they are counted; with
 * gone=stop (strict) the program is killed, and the user is told by which call: what fails in
 * silence is found so. Each costs a notification, and only when it is made.
 *
 * sysfs(2) is a choice of who builds the kernel, off by default since Linux 6.15: where the host has it, it is the host's. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/remote.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* By trying what looks at nothing: how many file systems there are. */
static gboolean
host_has (const BzRow *row)
{
  return strcmp (row->name, "sysfs") == 0 && (syscall (SYS_sysfs, 3, 0, 0) >= 0 || errno != ENOSYS);
}

BzVerdict
bz_call_gone (BzCall *call)
{
  if (host_has (call->row))
    return bz_continue ();
  if (call->plan->quirk[BZ_QUIRK_GONE] == BZ_GONE_STOP)
    bz_call_stop (call);
  return bz_errno (ENOSYS);
}
