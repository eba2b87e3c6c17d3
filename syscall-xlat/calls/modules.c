/* The module calls of Linux 2.0 to 2.4 (catalogue row S2): a kernel that holds no modules and
 * exports no symbols.
 *
 * query_module and get_kernel_syms need no privilege and tell so, with the errors of 2.4's
 * kernel/module.c. What would change the kernel is refused with EPERM to everybody: the zone's root
 * has no CAP_SYS_MODULE over the host, as on an old kernel whose administrator had taken it out of
 * the capability bound. Not ENOSYS, which made modprobe of that time complain about its own
 * version. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/remote.h"

#include <errno.h>

#define PAGE 4096

enum { QM_MODULES = 1, QM_DEPS, QM_REFS, QM_SYMBOLS, QM_INFO };

BzVerdict
bz_call_create_module (BzCall *call G_GNUC_UNUSED)
{
  return bz_errno (EPERM);
}

BzVerdict
bz_call_init_module (BzCall *call G_GNUC_UNUSED)
{
  return bz_errno (EPERM);
}

BzVerdict
bz_call_delete_module (BzCall *call G_GNUC_UNUSED)
{
  return bz_errno (EPERM);
}

/* (struct kernel_sym *table): how many symbols there are. */
BzVerdict
bz_call_get_kernel_syms (BzCall *call G_GNUC_UNUSED)
{
  return bz_value (0);
}

/* (name, which, buffer, size, *returned). Without a name the kernel itself is meant. */
BzVerdict
bz_call_query_module (BzCall *call)
{
  char name[PAGE];

  if (call->args[0] != 0)
    {
      int failed = bz_call_read_string (call, call->args[0], name, sizeof name);

      if (failed != 0)
        return bz_errno (failed);
      return bz_errno (name[0] == '\0' ? EINVAL : ENOENT);
    }
  switch ((guint32) call->args[1])
    {
    case 0: /* is there such a call? */
      return bz_value (0);
    case QM_MODULES:
      case QM_SYMBOLS: {
        int failed = bz_call_write_word (call, call->args[4], 0);
        return failed != 0 ? bz_errno (failed) : bz_value (0);
      }
    default: /* the kernel itself depends on nothing; QM_DEPS, QM_REFS and QM_INFO are of modules */
      return bz_errno (EINVAL);
    }
}
