/* setgroups(2) in a zone with one id (catalogue row S14).
 *
 * A plain user may map his own id alone only after setgroups is denied (Linux 3.19): it would let
 * him drop a group that denies him a file. apt, su and sshd call it before they become somebody
 * else, and stop. A task with CAP_SETGID in the zone is told that it worked, and it is counted as
 * pretended: the groups stay what they were. The errors are the kernel's, in its order. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/remote.h"

#include <errno.h>
#include <linux/capability.h>

#define GROUPS_MAX 65536
#define AT_ONCE 4096

/* i386 has a call of 16-bit groups too. */
static gsize
group_size (const BzCall *call)
{
  return call->abi == BZ_ABI_I386 && !g_str_has_suffix (call->row->name, "32") ? 2 : 4;
}

static int
check_list (BzCall *call, guint64 address, gsize length)
{
  guint8 bytes[AT_ONCE];
  int failed = 0;

  for (gsize done = 0; failed == 0 && done < length; done += AT_ONCE)
    failed = bz_call_read (call, address + done, bytes, MIN (length - done, AT_ONCE));
  return failed;
}

BzVerdict
bz_call_setgroups (BzCall *call)
{
  guint32 count = (guint32) call->args[0];

  if (!bz_call_capable (call, CAP_SETGID))
    return bz_errno (EPERM);
  if (count > GROUPS_MAX)
    return bz_errno (EINVAL);
  int failed = check_list (call, call->args[1], count * group_size (call));
  return failed != 0 ? bz_errno (failed) : bz_pretend (0);
}
