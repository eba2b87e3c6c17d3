/* The sandbox of brandzone-install.
 *
 * Problem: libarchive and libext2fs parse hostile bytes, as root for root's zones.
 * Choice: root's process keeps six capabilities (owner, mode and xattr of any file, devices, set-id
 * bits), and a filter denies what unpacking never does: EPERM, so that a surprise is an error and
 * not a death. Limits: it is a deny list; libraries below are free in what else they call. What may
 * be written is bounded by openat2 (installer/beneath.h), not by this. */
#include "config.h"

#include "installer/sandbox.h"

#include "brand/base/error.h"

#include <cap-ng.h>
#include <errno.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static const int kept[] = { CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,
                            CAP_FSETID, CAP_MKNOD,        CAP_SETFCAP };

static gboolean
drop_capabilities (GError **error)
{
  capng_get_caps_process ();
  if (capng_have_capabilities (CAPNG_SELECT_CAPS) == CAPNG_NONE)
    return TRUE; /* a plain user */

  gboolean have[G_N_ELEMENTS (kept)];
  gboolean bounding = capng_have_capability (CAPNG_EFFECTIVE, CAP_SETPCAP) != 0;
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    have[i] = capng_have_capability (CAPNG_PERMITTED, (unsigned) kept[i]) != 0;
  capng_clear (bounding ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS);
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    if (have[i])
      capng_update (CAPNG_ADD,
                    (capng_type_t) (CAPNG_EFFECTIVE | CAPNG_PERMITTED
                                    | (bounding ? CAPNG_BOUNDING_SET : 0)),
                    (unsigned) kept[i]);
  int result = capng_apply (bounding ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS);
  if (result < 0)
    return bz_fail (error, BZ_ERROR_HOST, "the kernel refuses to give capabilities up", NULL,
                    "entering the installer's sandbox (step %d)", -result);
  return TRUE;
}

/* The leak checker forks and traces itself. */
#if defined(__SANITIZE_ADDRESS__)
#define BZ_NO_FILTER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BZ_NO_FILTER
#endif
#endif

#ifndef BZ_NO_FILTER
static const int denied[] = {
  SCMP_SYS (execve),
  SCMP_SYS (execveat),
  SCMP_SYS (socket),
  SCMP_SYS (socketpair),
  SCMP_SYS (connect),
  SCMP_SYS (ptrace),
  SCMP_SYS (process_vm_writev),
  SCMP_SYS (process_vm_readv),
  SCMP_SYS (mount),
  SCMP_SYS (umount2),
  SCMP_SYS (move_mount),
  SCMP_SYS (open_tree),
  SCMP_SYS (fsopen),
  SCMP_SYS (fsmount),
  SCMP_SYS (pivot_root),
  SCMP_SYS (chroot),
  SCMP_SYS (unshare),
  SCMP_SYS (setns),
  SCMP_SYS (fork),
  SCMP_SYS (vfork),
  SCMP_SYS (bpf),
  SCMP_SYS (perf_event_open),
  SCMP_SYS (keyctl),
  SCMP_SYS (add_key),
  SCMP_SYS (request_key),
  SCMP_SYS (init_module),
  SCMP_SYS (finit_module),
  SCMP_SYS (kexec_load),
  SCMP_SYS (userfaultfd),
  SCMP_SYS (io_uring_setup),
  SCMP_SYS (setuid),
  SCMP_SYS (setgid),
  SCMP_SYS (setresuid),
  SCMP_SYS (setresgid),
  SCMP_SYS (kill),
  SCMP_SYS (tkill),
  SCMP_SYS (reboot),
  SCMP_SYS (swapon),
  SCMP_SYS (swapoff),
  SCMP_SYS (open_by_handle_at),
};

static gboolean
install_filter (GError **error)
{
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ALLOW);
  int result = filter == NULL ? -ENOMEM : 0;

  for (gsize i = 0; result == 0 && i < G_N_ELEMENTS (denied); i++)
    if (denied[i] >= 0) /* negative: not a call of this machine */
      result = seccomp_rule_add (filter, SCMP_ACT_ERRNO (EPERM), denied[i], 0);
  if (result == 0)
    result = seccomp_load (filter);
  seccomp_release (filter);
  if (result < 0)
    return bz_fail_errno (error, -result, NULL, "loading the installer's system call filter");
  return TRUE;
}
#endif

gboolean
bz_sandbox_enter (unsigned first_fd, GError **error)
{
  if (syscall (SYS_close_range, first_fd, ~0U, 0) < 0)
    return bz_fail_errno (error, errno, NULL, "closing inherited files");
  if (!drop_capabilities (error))
    return FALSE;
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return bz_fail_errno (error, errno, NULL, "giving privileges up");
#ifdef BZ_NO_FILTER
  return TRUE;
#else
  return install_filter (error);
#endif
}
