/* vhangup(2) (catalogue row B13): what getty and login do to a terminal before they use it.
 *
 * It takes CAP_SYS_TTY_CONFIG in the initial user namespace, which nobody in a zone has. Most
 * programs go on without it; mingetty ends, and init starts it again for ever. So a privileged task
 * is told that it was done, which is counted as pretended.
 *
 * Limits: a program that was left behind keeps a terminal that it has open. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/remote.h"

#include <errno.h>
#include <linux/capability.h>

BzVerdict
bz_call_vhangup (BzCall *call)
{
  return bz_call_capable (call, CAP_SYS_TTY_CONFIG) ? bz_pretend (0) : bz_errno (EPERM);
}
