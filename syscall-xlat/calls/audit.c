/* Sockets of the kernel's audit (catalogue row S21).
 *
 * A zone can open one, and the kernel refuses what is sent through it (ECONNREFUSED in a user
 * namespace, 3.13 to 6.18): sshd, login and sudo take that for a failure of the audit and refuse to
 * go on. EPROTONOSUPPORT is what a kernel without audit answers, and what they all look for. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/remote.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#define SOCKETCALL_SOCKET 1

static BzVerdict
refuse_audit (guint32 family, guint32 protocol)
{
  return family == AF_NETLINK && protocol == NETLINK_AUDIT ? bz_errno (EPROTONOSUPPORT)
                                                           : bz_continue ();
}

BzVerdict
bz_call_socket (BzCall *call)
{
  return refuse_audit ((guint32) call->args[0], (guint32) call->args[2]);
}

/* (1, {family, type, protocol}): the kernel reads them again when it goes on, and a task that
 * changes them meanwhile gets the audit socket that it could have anyway. */
BzVerdict
bz_call_socketcall (BzCall *call)
{
  guint32 arguments[3];

  if ((guint32) call->args[0] != SOCKETCALL_SOCKET
      || bz_call_read (call, call->args[1], arguments, sizeof arguments) != 0)
    return bz_continue ();
  return refuse_audit (arguments[0], arguments[2]);
}
