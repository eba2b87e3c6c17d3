/* Probes by trying. Problem: a failed try must leave no trace and a hung one must
 * not hang the caller. Choice: each runs in a child that is killed after 3 seconds (alarm) and
 * changes only its own namespaces and filters. */
#include "config.h"

#include "brand/host-probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Newer than the oldest headers that we build with. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW (4, __u64) /* Linux 6.6 */
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif

/* The answer comes through a pipe, not as an exit status: a caller that ignores SIGCHLD gets none.
 */
static G_GNUC_NORETURN void
answer (BzProbeFunc probe, const char *path, int pipe_end)
{
  sigset_t none;

  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
  signal (SIGALRM, SIG_DFL);
  signal (SIGCHLD, SIG_DFL);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  alarm (3);
  if (probe (path) && write (pipe_end, "", 1) == 1)
    _exit (0);
  _exit (1);
}

gboolean
bz_probe_in_child (BzProbeFunc probe, const char *path)
{
  int ends[2];
  char byte;
  gssize got;

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return FALSE;
  pid_t child = fork ();
  if (child == 0)
    answer (probe, path, ends[1]);
  close (ends[1]);
  do
    got = read (ends[0], &byte, 1);
  while (got < 0 && errno == EINTR);
  close (ends[0]);
  while (child > 0 && waitpid (child, NULL, 0) < 0 && errno == EINTR)
    ;
  return child > 0 && got == 1;
}

/* Some hosts let a plain user make a user namespace but take the capabilities in it (AppArmor). */
gboolean
bz_probe_user_namespaces (const char *path G_GNUC_UNUSED)
{
  return unshare (CLONE_NEWUSER) == 0
         && unshare (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) == 0
         && sethostname ("probe", 5) == 0;
}

/* Seccomp */

/* A filter that allows everything, with a listener: its descriptor, or -1. */
static int
install_listener (guint extra_flags)
{
  struct sock_filter allow = BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = { .len = 1, .filter = &allow };

  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return -1;
  return (int) syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                        SECCOMP_FILTER_FLAG_NEW_LISTENER | extra_flags, &program);
}

gboolean
bz_probe_user_notify (const char *path G_GNUC_UNUSED)
{
  return install_listener (0) >= 0;
}

gboolean
bz_probe_wait_killable (const char *path G_GNUC_UNUSED)
{
  return install_listener (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) >= 0;
}

gboolean
bz_probe_sync_wake_up (const char *path G_GNUC_UNUSED)
{
  int listener = install_listener (0);

  /* The flags are the argument itself, not a pointer to them. */
  return listener >= 0
         && ioctl (listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
                == 0;
}

/* i386: an ELF file of 96 bytes that is executed from a memfd and exits with 42 through int 0x80.
 */

#define IA32_EXIT 42

static const guint8 ia32_program[] = {
  0x7f, 'E',       'L',  'F', 1,  1, 1,  0, 0,    0,    0,    0,    0,
  0,    0,         0,                                               /* 32 bits, little-endian */
  2,    0,         3,    0,   1,  0, 0,  0, 0x54, 0x80, 0x04, 0x08, /* ET_EXEC, EM_386, entry
                                                                       0x8048054 */
  52,   0,         0,    0,   0,  0, 0,  0, 0,    0,    0,    0,    /* program headers at 52, no
                                                                       sections */
  52,   0,         32,   0,   1,  0, 40, 0, 0,    0,    0,    0, /* one program header of 32 bytes
                                                                  */
  1,    0,         0,    0,   0,  0, 0,  0, 0x00, 0x80, 0x04, 0x08, 0x00,
  0x80, 0x04,      0x08, /* PT_LOAD at 0x8048000 */
  96,   0,         0,    0,   96, 0, 0,  0, 5,    0,    0,    0,    0,
  0x10, 0,         0,            /* 96 bytes, r-x, aligned to a page */
  0xb8, 1,         0,    0,   0, /* mov $1 (exit), %eax */
  0xbb, IA32_EXIT, 0,    0,   0, /* mov $42, %ebx */
  0xcd, 0x80,                    /* int $0x80 */
};

gboolean
bz_probe_ia32 (const char *path G_GNUC_UNUSED)
{
  char *const argv[] = { (char *) "ia32", NULL }, *const environment[] = { NULL };
  int fd = memfd_create ("ia32", MFD_CLOEXEC | MFD_EXEC);
  int status;

  if (fd < 0)
    fd = memfd_create ("ia32", MFD_CLOEXEC);
  if (fd < 0 || write (fd, ia32_program, sizeof ia32_program) != (gssize) sizeof ia32_program)
    return FALSE;

  pid_t child = fork ();
  if (child == 0)
    {
      alarm (2);
      syscall (SYS_execveat, fd, "", argv, environment, AT_EMPTY_PATH);
      _exit (1);
    }
  return child > 0 && waitpid (child, &status, 0) == child && WIFEXITED (status)
         && WEXITSTATUS (status) == IA32_EXIT;
}
