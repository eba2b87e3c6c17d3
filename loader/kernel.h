/* System calls and constants that the C library or its headers may lack.
 * (glibc 2.31 has none of the new mount API; 2.36 has most of it.) */
#pragma once

#include <linux/sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define BZ_OPEN_TREE_CLONE 1
#define BZ_AT_RECURSIVE 0x8000
#define BZ_MOVE_MOUNT_F_EMPTY_PATH 0x00000004
#define BZ_MOVE_MOUNT_T_EMPTY_PATH 0x00000040
#define BZ_MOUNT_ATTR_RDONLY 0x00000001
#define BZ_MOUNT_ATTR_NOSUID 0x00000002
#define BZ_MOUNT_ATTR_NODEV 0x00000004
#define BZ_MOUNT_ATTR_NOEXEC 0x00000008
#define BZ_MOUNT_ATTR_NOATIME 0x00000010
#define BZ_MOUNT_ATTR_IDMAP 0x00100000
#define BZ_FSCONFIG_SET_FLAG 0
#define BZ_FSCONFIG_SET_STRING 1
#define BZ_FSCONFIG_CMD_CREATE 6
#define BZ_RESOLVE_NO_XDEV 0x01
#define BZ_RESOLVE_NO_MAGICLINKS 0x02
#define BZ_RESOLVE_NO_SYMLINKS 0x04
#define BZ_RESOLVE_BENEATH 0x08
#define BZ_RESOLVE_IN_ROOT 0x10

struct bz_mount_attr {
  uint64_t attr_set, attr_clr, propagation, userns_fd;
};

struct bz_open_how {
  uint64_t flags, mode, resolve;
};

static inline int
bz_open_tree (int dir, const char *path, unsigned flags)
{
  return (int) syscall (SYS_open_tree, dir, path, flags);
}

static inline int
bz_move_mount (int from, const char *from_path, int to, const char *to_path, unsigned flags)
{
  return (int) syscall (SYS_move_mount, from, from_path, to, to_path, flags);
}

static inline int
bz_fsopen (const char *type)
{
  return (int) syscall (SYS_fsopen, type, 1 /* FSOPEN_CLOEXEC */);
}

static inline int
bz_fsconfig (int fd, unsigned command, const char *key, const char *value)
{
  return (int) syscall (SYS_fsconfig, fd, command, key, value, 0);
}

static inline int
bz_fsmount (int fd, unsigned attributes)
{
  return (int) syscall (SYS_fsmount, fd, 1 /* FSMOUNT_CLOEXEC */, attributes);
}

static inline int
bz_mount_setattr (int fd, const char *path, unsigned flags, struct bz_mount_attr *attr)
{
  return (int) syscall (442 /* mount_setattr, Linux 5.12 */, fd, path, flags, attr, sizeof *attr);
}

static inline int
bz_openat2 (int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
  struct bz_open_how how = { .flags = flags, .mode = mode, .resolve = resolve };

  return (int) syscall (SYS_openat2, dir, path, &how, sizeof how);
}

static inline int
bz_pidfd_open (pid_t pid)
{
  return (int) syscall (SYS_pidfd_open, pid, 0);
}

static inline int
bz_pidfd_send_signal (int pidfd, int sig)
{
  return (int) syscall (SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

static inline int
bz_close_range (unsigned first, unsigned last, unsigned flags)
{
  return (int) syscall (436 /* close_range, Linux 5.9 */, first, last, flags);
}
#define BZ_CLOSE_RANGE_CLOEXEC 4

/* Forks with the flags of struct clone_args; *pidfd gets a descriptor of the child. Linux 5.3. */
static inline pid_t
bz_clone (uint64_t flags, int *pidfd, int cgroup)
{
  struct clone_args args = { .flags = flags, .exit_signal = (flags & CLONE_PARENT) ? 0 : SIGCHLD };

  if (pidfd != NULL)
    {
      args.flags |= CLONE_PIDFD;
      args.pidfd = (uint64_t) (uintptr_t) pidfd;
    }
  if (cgroup >= 0)
    {
      args.flags |= CLONE_INTO_CGROUP;
      args.cgroup = (uint64_t) cgroup;
    }
  return (pid_t) syscall (SYS_clone3, &args, sizeof args);
}
