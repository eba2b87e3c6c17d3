/* reboot(2) (catalogue row S24): the switch of Ctrl-Alt-Del.
 *
 * init of old distributions turns it off at its start and gives up, or complains, when that fails;
 * in a pid namespace the kernel knows only halting and restarting (those continue: they end the
 * zone). Nobody can press these keys in a zone, so both settings are accepted from a privileged
 * task, and counted as pretended. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/remote.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/reboot.h>

static gboolean
is_magic (guint32 first, guint32 second)
{
  return first == LINUX_REBOOT_MAGIC1
         && (second == LINUX_REBOOT_MAGIC2 || second == LINUX_REBOOT_MAGIC2A
             || second == LINUX_REBOOT_MAGIC2B || second == LINUX_REBOOT_MAGIC2C);
}

BzVerdict
bz_call_reboot (BzCall *call)
{
  guint32 command = (guint32) call->args[2];

  if (command != LINUX_REBOOT_CMD_CAD_ON && command != LINUX_REBOOT_CMD_CAD_OFF)
    return bz_continue ();
  if (!bz_call_capable (call, CAP_SYS_BOOT))
    return bz_errno (EPERM);
  if (!is_magic ((guint32) call->args[0], (guint32) call->args[1]))
    return bz_errno (EINVAL);
  return bz_pretend (0);
}
