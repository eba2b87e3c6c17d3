#include "config.h"

#include "loader/listener.h"

#include "brand/base/error.h"
#include "loader/kernel.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW (1UL << 2)
#endif

int
bz_listener_install (GBytes *program, gboolean wait_killable, GError **error)
{
  gsize size;
  const void *instructions = g_bytes_get_data (program, &size);
  struct sock_fprog prog = { .len = (unsigned short) (size / sizeof (struct sock_filter)),
                             .filter = (struct sock_filter *) instructions };
  /* SPEC_ALLOW: before 5.16 a filter switched the CPU's speculation off for its tasks, which costs
   * old userlands far more than the filter does. The filter is no sandbox. */
  unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW;

  if (wait_killable)
    flags |= SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  int listener = (int) syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
  if (listener < 0 && errno == EBUSY)
    bz_fail (error, BZ_ERROR_HOST, "an outer container already listens to system calls",
             "run brandzone outside of it", "cannot install the zone's filter");
  else if (listener < 0)
    bz_fail_errno (error, errno, "see `brandzone doctor`, user-notify",
                   "cannot install the zone's filter");
  return listener;
}
