/* Calls that the brand's kernel had, the host's lacks, and no other handler answers (quirk gone).
 *
 * They fail with ENOSYS, as the host's kernel has it. Being trapped, they are counted; with
 * gone=stop (strict) the program is killed, and the user is told by which call: what fails in
 * silence is found so. Each costs a notification, and only when it is made. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/remote.h"

#include <errno.h>

BzVerdict
bz_call_gone (BzCall *call)
{
  if (call->plan->quirk[BZ_QUIRK_GONE] == BZ_GONE_STOP)
    bz_call_stop (call);
  return bz_errno (ENOSYS);
}
