/* guest-conform DIRECTORY: makes calls of each family in ways that succeed and in ways that fail, and prints each result:
 * what it prints is compared with what it prints on the host (tests/e2e/calls.sh). Numbers that differ from run to
 * run (descriptors are not among them, process numbers are) are not printed, and nothing that a brand answers. Each file of
 * syscall-xlat/calls is a family below; the others are of calls that no brand answers. */
#include "guest.h"

#ifdef __i386__
enum {
  NR_creat = 8, NR_link = 9, NR_unlink = 10, NR_chdir = 12, NR_lseek = 19, NR_access = 33, NR_rename = 38, NR_rmdir = 40,
  NR_dup = 41, NR_pipe = 42, NR_umask = 60, NR_dup2 = 63, NR_setsid = 66, NR_getpgid = 132, NR_symlink = 83,
  NR_readlink = 85, NR_truncate = 92, NR_ftruncate = 93, NR_chmod = 15, NR_fchmod = 94, NR_fcntl = 55, NR_ioctl = 54,
  NR_mprotect = 125, NR_msync = 144, NR_mremap = 163, NR_poll = 168, NR_flock = 143, NR_fsync = 118, NR_getdents = 141,
  NR_utime = 30, NR_alarm = 27, NR_sched_getscheduler = 157, NR_sync = 36, NR_socketpair = 0, NR_nice = 34, NR_getcwd = 183,
  NR_readv = 145, NR_writev = 146, NR_select = 142, NR_getpriority = 96, NR_times = 43, NR_sigprocmask = 126, NR_getitimer = 105,
  NR_mmap2 = 192, NR_fchdir = 133, NR_pread = 180, NR_pwrite = 181, NR_sigpending = 73, NR_mlock = 150, NR_personality_ = 136,
};
#else
enum {
  NR_creat = 85, NR_link = 86, NR_unlink = 87, NR_chdir = 80, NR_lseek = 8, NR_access = 21, NR_rename = 82, NR_rmdir = 84,
  NR_dup = 32, NR_pipe = 22, NR_umask = 95, NR_dup2 = 33, NR_setsid = 112, NR_getpgid = 121, NR_symlink = 88,
  NR_readlink = 89, NR_truncate = 76, NR_ftruncate = 77, NR_chmod = 90, NR_fchmod = 91, NR_fcntl = 72, NR_ioctl = 16,
  NR_mprotect = 10, NR_msync = 26, NR_mremap = 25, NR_poll = 7, NR_flock = 73, NR_fsync = 74, NR_getdents = 78,
  NR_utime = 132, NR_alarm = 37, NR_sched_getscheduler = 145, NR_sync = 162, NR_getcwd = 79,
  NR_readv = 19, NR_writev = 20, NR_select = 23, NR_getpriority = 140, NR_times = 100, NR_getitimer = 36,
  NR_mmap2 = 9, NR_fchdir = 81, NR_pread = 17, NR_pwrite = 18, NR_mlock = 149,
};
#endif

enum { O_WRONLY_ = 1, O_RDWR_ = 2, O_CREAT_ = 0100, O_EXCL_ = 0200, O_APPEND_ = 02000, O_DIRECTORY_ = 0200000 };

static char buffer[8192], long_name[5000];
static volatile word nowhere = 8;

static void
says (const char *name, long got)
{
  print ("%s %ld\n", name, got);
}

#define SAYS(name, ...) says (#name, call (NR_##name, __VA_ARGS__))

static void
files (void)
{
  SAYS (umask, 022);
  SAYS (mkdir, "d", 0755);
  SAYS (mkdir, "d", 0755);
  SAYS (mkdir, "no/such", 0755);
  long fd = call (NR_open, "d/f", O_RDWR_ | O_CREAT_ | O_EXCL_, 0644);
  says ("open", fd);
  SAYS (open, "d/f", O_RDWR_ | O_CREAT_ | O_EXCL_, 0644);
  SAYS (open, "d/none", 0);
  SAYS (open, "d/f/x", 0);
  SAYS (open, "d", O_WRONLY_);
  SAYS (open, "d/f", O_DIRECTORY_);
  SAYS (open, long_name, 0);
  SAYS (open, 1, 0);
  SAYS (write, fd, "0123456789", 10);
  SAYS (write, fd, 1, 10);
  SAYS (write, 99, "x", 1);
  SAYS (lseek, fd, 4, 0);
  SAYS (lseek, fd, 0, 2);
  SAYS (lseek, fd, -20, 1);
  SAYS (lseek, fd, 0, 9);
  SAYS (lseek, fd, 2, 0);
  SAYS (read, fd, buffer, 4);
  print ("%c%c%c%c\n", buffer[0], buffer[1], buffer[2], buffer[3]);
  SAYS (read, fd, 1, 4);
  SAYS (pread, fd, buffer, 100, 8, 0);
  SAYS (pwrite, fd, "ab", 2, 20, 0);
  SAYS (ftruncate, fd, 5);
  SAYS (ftruncate, fd, -1);
  SAYS (truncate, "d/f", 3);
  SAYS (truncate, "d", 3);
  SAYS (fsync, fd);
  SAYS (fsync, 99);
  SAYS (flock, fd, 2);
  SAYS (flock, fd, 77);
  SAYS (fchmod, fd, 0600);
  SAYS (chmod, "d/none", 0600);
  SAYS (access, "d/f", 4);
  SAYS (access, "d/none", 0);
  SAYS (access, "d/f", 077);
  SAYS (link, "d/f", "d/g");
  SAYS (link, "d/f", "d/g");
  SAYS (link, "d", "d/h");
  SAYS (symlink, "g", "d/l");
  SAYS (symlink, "loop", "d/loop");
  SAYS (open, "d/loop", 0);
  SAYS (readlink, "d/l", buffer, 10);
  SAYS (readlink, "d/f", buffer, 10);
  SAYS (readlink, "d/l", buffer, 0);
  SAYS (rename, "d/g", "d/k");
  SAYS (rename, "d", "d/sub");
  SAYS (rename, "d/none", "d/x");
  SAYS (rmdir, "d");
  SAYS (rmdir, "d/k");
  SAYS (chdir, "d/f");
  SAYS (chdir, "d");
  SAYS (getcwd, buffer, 2);
  SAYS (chdir, "..");
  SAYS (utime, "d/f", 1);
  SAYS (utime, "d/none", 0);
  SAYS (close, fd);
  SAYS (close, fd);
  for (u32 i = 0; i < 5; i++)
    {
      static const char *const names[] = { "d/f", "d/k", "d/l", "d/loop", "d" };
      says (names[i], call (NR_unlink, names[i]));
    }
  SAYS (rmdir, "d");
}

static void
descriptors (void)
{
  s32 ends[2] = { -1, -1 };
  struct { s32 fd; u16 events, revents; } wait;
  struct { void *at; word length; } parts[2] = { { "ab", 2 }, { "cde", 3 } };

  SAYS (pipe, ends);
  SAYS (pipe, 1);
  SAYS (writev, ends[1], parts, 2);
  SAYS (writev, ends[1], parts, -1);
  wait.fd = ends[0];
  wait.events = 1;
  SAYS (poll, &wait, 1, 0);
  says ("revents", wait.revents);
  SAYS (poll, 1, 1, 0);
  SAYS (read, ends[0], buffer, 3);
  SAYS (ioctl, ends[0], 0x541b, &wait.fd);
  says ("FIONREAD", wait.fd);
  SAYS (ioctl, ends[0], 0x5401, buffer);
  SAYS (dup, ends[0]);
  SAYS (dup, 999);
  SAYS (dup2, ends[0], 20);
  SAYS (dup2, ends[0], -1);
  SAYS (fcntl, 20, 1, 0);
  SAYS (fcntl, 20, 2, 1);
  SAYS (fcntl, 20, 1, 0);
  SAYS (fcntl, 20, 0, 30);
  SAYS (fcntl, 20, 9999, 0);
  SAYS (fcntl, ends[0], 4, 04000);
  SAYS (read, ends[0], buffer, 3);
  SAYS (read, ends[0], buffer, 3);
  SAYS (lseek, ends[0], 0, 0);
  SAYS (close, ends[1]);
  SAYS (read, 20, buffer, 3);
  SAYS (select, -1, 0, 0, 0, 0);
}

static void
processes (void)
{
  for (int how = 0; how < 4; how++)
    {
      long child = call (NR_fork);
      if (child == 0)
        {
          if (how == 1)
            call (NR_kill, call (NR_getpid), 9);
          if (how == 2)
            *(volatile int *) nowhere = 0;
          if (how == 3)
            call (NR_alarm, 0);
          call (NR_exit, how + 40);
        }
      says ("status", guest_wait (child) & ~0x80); /* without the bit of a core dump */
    }
  SAYS (wait4, -1, 0, 0, 0);
  SAYS (wait4, -1, 0, 0x7777, 0);
  SAYS (kill, 0x7ffffff0, 0);
  SAYS (kill, call (NR_getpid), 999);
  SAYS (execve, "/none", 0, 0);
  SAYS (execve, "/", 0, 0);
  SAYS (execve, 1, 0, 0);
  SAYS (getpgid, 0x7ffffff0);
  SAYS (sched_getscheduler, 0);
  SAYS (sched_getscheduler, -1);
  SAYS (getpriority, 9, 0);
  SAYS (getitimer, 9, buffer);
  SAYS (alarm, 100);
  SAYS (alarm, 0);
  says ("times", call (NR_times, 0) != 0);
}

static void
memory (void)
{
#ifdef __i386__
  word old[6] = { 0, 8192, 3, 0x22, ~0ul, 0 };
  char *at = (char *) call (NR_mmap, old);
#else
  char *at = (char *) call (NR_mmap2, 0, 8192, 3, 0x22, -1, 0);
#endif
  says ("mapped", (word) at < ~0ul - 4096);
  at[0] = 'x';
  SAYS (mprotect, at, 4096, 1);
  SAYS (mprotect, at + 1, 4096, 1);
  SAYS (read, 0, at, 1);
  SAYS (msync, at, 4096, 4);
  SAYS (msync, at, 4096, 077);
  SAYS (mlock, 1, 4096);
  SAYS (munmap, at + 4096, 4096);
  SAYS (munmap, at + 1, 4096);
  SAYS (msync, at + 4096, 4096, 4);
  SAYS (mremap, at + 4096, 4096, 8192, 0);
}

/* The call's number on this ABI. */
#ifdef __i386__
#define N(i386, x86_64) (i386)
#else
#define N(i386, x86_64) (x86_64)
#endif
#define MAKES(name, i386, x86_64, ...) says (name, call (N (i386, x86_64), ##__VA_ARGS__))

static void
make_file (const char *path)
{
  call (NR_close, call (NR_creat, path, 0640));
}

static u32
part (const u8 *bytes, u32 at)
{
  u32 value;

  memcpy (&value, bytes + at, sizeof value);
  return value;
}

static void
stat_family (void)
{
  static u8 status[256];
  static const char *const paths[] = { "s", "s/f", "s/l", "s/dangling", "s/none", "s/f/x", "" };

  call (NR_mkdir, "s", 0750);
  make_file ("s/f");
  call (NR_link, "s/f", "s/g");
  call (NR_truncate, "s/f", 12345);
  call (NR_symlink, "f", "s/l");
  call (NR_symlink, "none", "s/dangling");
  for (u32 i = 0; i < COUNT (paths); i++)
    for (int how = 0; how < 3; how++)
      {
        long nr = how == 0 ? N (195, 4) : how == 1 ? N (196, 6) : N (106, 4);
        long got = call (nr, paths[i], status);

        print ("%s %d %ld\n", paths[i], how, got);
        if (got != 0)
          continue;
        if (how == 2)
          print ("mode %x\n", part (status, N (8, 24)) & 0xffff);
        else
          print ("mode %x links %u size %u\n", part (status, N (16, 24)), part (status, N (20, 16)),
                 i == 0 ? 0 : part (status, N (44, 48)));
      }
  long fd = call (NR_open, "s/f", 0, 0);
  says ("fstat", call (N (197, 5), fd, status));
  print ("mode %x\n", part (status, N (16, 24)));
  MAKES ("fstat", 197, 5, 99, status);
  MAKES ("fstatat", 300, 262, fd, "x", status, 0);
  MAKES ("fstatat", 300, 262, -100, "s/l", status, 0x100);
  MAKES ("fstatat", 300, 262, -100, "s/l", status, 0x7);
  MAKES ("fstatat", 300, 262, fd, "", status, 0x1000);
  MAKES ("statx", 383, 332, -100, "s/f", 0, 0x7ff, status);
  print ("mode %x\n", part (status, 28) & 0xffff);
  MAKES ("statx", 383, 332, -100, "s/f", 0x60000000, 0x7ff, status);
  MAKES ("statx", 383, 332, -100, 1, 0, 0x7ff, status);
  call (NR_close, fd);
}

/* Of what stat_family has made: names and kinds, in any order. */
static void
directory (void)
{
  static u8 entries[4096];
  long fd = call (NR_open, "s", O_DIRECTORY_, 0), length;
  u32 names = 0, count = 0, kinds = 0;

  while ((length = call (N (220, 217), fd, entries, 200)) > 0)
    for (long at = 0; at < length; at += entries[at + 16] | entries[at + 17] << 8)
      {
        count++;
        kinds += entries[at + 18];
        for (const u8 *c = entries + at + 19; *c != 0; c++)
          names += *c;
      }
  print ("getdents64 %ld: %u entries, kinds %u, letters %u\n", length, count, kinds, names);
  SAYS (lseek, fd, 0, 0);
  count = 0;
  while ((length = call (N (141, 78), fd, entries, 64)) > 0)
    for (long at = 0; at < length; at += entries[at + 2 * sizeof (word)] | entries[at + 2 * sizeof (word) + 1] << 8)
      count++;
  print ("getdents %ld: %u entries\n", length, count);
  SAYS (lseek, fd, 0, 0);
  SAYS (getdents, fd, entries, 8);
  SAYS (getdents, fd, 1, 4096);
  SAYS (getdents, 99, entries, 4096);
  SAYS (read, fd, entries, 10);
  call (NR_close, fd);
  fd = call (NR_open, "s/f", 0, 0);
  SAYS (getdents, fd, entries, 4096);
  call (NR_close, fd);
}

static void
statfs_family (void)
{
  static u8 answer[256];

  MAKES ("statfs", 99, 137, "/proc", answer);
  print ("type %x\n", part (answer, 0));
  MAKES ("statfs", 99, 137, "s/none", answer);
  MAKES ("statfs", 99, 137, "s/f/x", answer);
  MAKES ("fstatfs", 100, 138, 99, answer);
#ifdef __i386__
  MAKES ("statfs64", 268, 0, "/proc", 84, answer);
  print ("type %x\n", part (answer, 0));
  MAKES ("statfs64", 268, 0, "/proc", 80, answer);
#endif
}

static void
affinity (void)
{
  static u8 mask[1024];

  MAKES ("sched_getaffinity", 242, 204, 0x7ffffff0, 1024, mask);
  MAKES ("sched_getaffinity", 242, 204, 0, 1024, 1);
  MAKES ("sched_getaffinity", 242, 204, 0, 3, mask);
  long length = call (N (242, 204), 0, 1024, mask);
  says ("sched_setaffinity", call (N (241, 203), 0, length, mask));
  memset (mask, 0, sizeof mask);
  MAKES ("sched_setaffinity", 241, 203, 0, 1024, mask);
  MAKES ("sched_setaffinity", 241, 203, 0, 1024, 1);
}

/* Sockets but the kernel's audit. */
static void
audit (void)
{
  s32 pair[2] = { -1, -1 };
  static u8 address[110] = { 1, 0, 'c', '/', 's', 0 };

#ifdef __i386__
#define SOCKET(number, nr, ...) \
  ({ \
    word arguments[6] = { __VA_ARGS__ }; \
    call (102, number, arguments); \
  })
#else
#define SOCKET(number, nr, ...) call (nr, __VA_ARGS__)
#endif
  says ("socketpair", SOCKET (8, 53, 1, 1, 0, W (pair)));
  says ("socketpair", SOCKET (8, 53, 1, 1, 0, 1));
  says ("socketpair", SOCKET (8, 53, 2, 1, 0, W (pair)));
  SAYS (write, pair[0], "abc", 3);
  SAYS (read, pair[1], buffer, 10);
  says ("socket", SOCKET (1, 41, 99, 1, 0));
  says ("socket", SOCKET (1, 41, 1, 77, 0));
  says ("socket", SOCKET (1, 41, 2, 1, 17));
  long fd = SOCKET (1, 41, 1, 1, 0);
  says ("connect", SOCKET (3, 42, W (fd), W (address), 7));
  says ("connect", SOCKET (3, 42, W (fd), 1, 7));
  says ("connect", SOCKET (3, 42, 99, W (address), 7));
  says ("listen", SOCKET (4, 50, W (fd), 1));
  says ("accept", SOCKET (5, 43, W (fd), 0, 0));
  says ("shutdown", SOCKET (13, 48, W (fd), 9));
  call (NR_close, fd);
  call (NR_close, pair[0]);
  SAYS (read, pair[1], buffer, 10);
  call (NR_close, pair[1]);
}

static void
brk_family (void)
{
  word end = (word) call (NR_brk, 0);
  word page = (end + 4095) / 4096 * 4096;

  says ("grown", call (NR_brk, page + 8192) == (long) (page + 8192));
  *(volatile char *) (page + 8191) = 'x';
  says ("shrunk", call (NR_brk, page + 4096) == (long) (page + 4096));
  says ("too far", call (NR_brk, ~0ul) == (long) (page + 4096));
}

/* Not those that are rows: sysfs(2), which some of today's kernels have. */
static void
gone (void)
{
  MAKES ("sysfs", 135, 139, 1, "proc");
  MAKES ("sysfs", 135, 139, 1, "none such");
  MAKES ("sysfs", 135, 139, 2, 0, buffer);
  MAKES ("sysfs", 135, 139, 3);
  MAKES ("sysfs", 135, 139, 4);
}

static void
clock_family (void)
{
  word time[4] = { 0, 2000000000, 0, 0 };

  MAKES ("clock_gettime", 265, 228, 99, time);
  MAKES ("clock_gettime", 265, 228, 1, 1);
  MAKES ("clock_getres", 266, 229, 1, time);
  MAKES ("clock_getres", 266, 229, 99, time);
  MAKES ("clock_settime", 264, 227, 1, time);
  MAKES ("gettimeofday", 78, 96, 1, 0);
  time[0] = 0;
  time[1] = 2000000000;
  MAKES ("nanosleep", 162, 35, time, 0);
  MAKES ("nanosleep", 162, 35, 1, 0);
  time[1] = 1000;
  MAKES ("nanosleep", 162, 35, time, 0);
  MAKES ("clock_nanosleep", 267, 230, 99, 0, time, 0);
  MAKES ("timer_delete", 263, 226, 77);
  MAKES ("setitimer", 104, 38, 7, time, 0);
}

static void
groups (void)
{
  MAKES ("getgroups", 205, 115, -1, buffer);
  MAKES ("setgroups", 206, 116, 70000, buffer);
  MAKES ("getresuid", 209, 118, 1, 1, 1);
  MAKES ("setuid", 213, 105, -1);
  MAKES ("setfsuid", 215, 122, -1);
}

static void
image (void)
{
  static const char script[] = "#!/none/such\n", nothing[] = "\177ELF but no program";
  long fd = call (NR_creat, "script", 0755);

  call (NR_write, fd, script, sizeof script - 1);
  call (NR_close, fd);
  fd = call (NR_creat, "program", 0755);
  call (NR_write, fd, nothing, sizeof nothing - 1);
  call (NR_close, fd);
  make_file ("plain");
  SAYS (execve, "script", 0, 0);
  SAYS (execve, "program", 0, 0);
  SAYS (execve, "plain", 0, 0);
  SAYS (execve, "plain/x", 0, 0);
  SAYS (execve, "script", 1, 0);
  SAYS (execve, long_name, 0, 0);
  MAKES ("execveat", 358, 322, -100, "program", 0, 0, 0x7);
  MAKES ("execveat", 358, 322, 99, "program", 0, 0, 0);
  MAKES ("chroot", 61, 161, "none");
  MAKES ("chroot", 61, 161, "plain");
  MAKES ("unshare", 310, 272, 1);
  MAKES ("setns", 346, 308, 99, 0);
}

static void
mount_family (void)
{
  MAKES ("umount2", 52, 166, "plain", 0);
  MAKES ("umount2", 52, 166, "none", 0);
  MAKES ("umount2", 52, 166, "plain", 0x7777);
}

static void
nodes (void)
{
  MAKES ("mknod", 14, 133, "fifo", 0010644, 0);
  MAKES ("mknod", 14, 133, "fifo", 0010644, 0);
  MAKES ("mknod", 14, 133, "regular", 0100644, 0);
  MAKES ("mknod", 14, 133, "d/none/x", 0010644, 0);
  MAKES ("mknod", 14, 133, "x", 0040755, 0);
  MAKES ("mknod", 14, 133, 1, 0010644, 0);
  long fd = call (NR_open, "fifo", 04000, 0);
  says ("reader", fd);
  SAYS (open, "fifo", O_WRONLY_ | 04000, 0);
  SAYS (read, fd, buffer, 1);
}

static void
owners (void)
{
  MAKES ("chown", 212, 92, "plain", -1, -1);
  MAKES ("chown", 212, 92, "none", -1, -1);
  MAKES ("chown", 212, 92, "plain/x", -1, -1);
  MAKES ("chown", 212, 92, 1, -1, -1);
  MAKES ("chown", 212, 92, long_name, -1, -1);
  MAKES ("fchown", 207, 93, 99, -1, -1);
  MAKES ("fchownat", 298, 260, -100, "plain", -1, -1, 0x7);
  SAYS (chmod, "plain", 0555);
  SAYS (chmod, "none", 0555);
  SAYS (chmod, 1, 0555);
  MAKES ("fchmodat", 306, 268, 99, "plain", 0555);
  MAKES ("fchmodat2", 452, 452, -100, "plain", 0640, 0);
  MAKES ("fchmodat2", 452, 452, -100, "none", 0640, 0);
  MAKES ("utimensat", 320, 280, -100, "none", 0, 0);
  MAKES ("utimensat", 320, 280, -100, "plain", 1, 0);
  MAKES ("utimensat", 320, 280, -100, "plain", 0, 0x7);
}

/* Opened for reading and writing, as a BSD pty's master is. */
static void
ptys (void)
{
  make_file ("p");
  long fd = call (NR_open, "p", O_RDWR_, 0);
  says ("open", fd);
  SAYS (write, fd, "x", 1);
  SAYS (close, fd);
  SAYS (open, "none", O_RDWR_, 0);
  SAYS (open, ".", O_RDWR_, 0);
  SAYS (open, 1, O_RDWR_, 0);
}

static void
rlimits (void)
{
  word limit[2] = { 5, 4 };

  MAKES ("getrlimit", 191, 97, 99, limit);
  MAKES ("getrlimit", 191, 97, 4, 1);
  limit[0] = 5;
  limit[1] = 4;
  MAKES ("setrlimit", 75, 160, 4, limit);
  limit[0] = limit[1] = 0;
  MAKES ("setrlimit", 75, 160, 4, limit);
  MAKES ("getrlimit", 191, 97, 4, limit);
  print ("limits %lu %lu\n", limit[0], limit[1]);
  MAKES ("prlimit64", 340, 302, 0x7ffffff0, 4, 0, limit);
  MAKES ("prlimit64", 340, 302, 0, 99, 0, limit);
}

static void
release (void)
{
  MAKES ("uname", 122, 63, 1);
  MAKES ("sethostname", 74, 170, buffer, -1);
}

static void
reboot (void)
{
  MAKES ("reboot", 88, 169, 1, 2, 3, 0);
}

static void
sysinfo (void)
{
  MAKES ("sysinfo", 116, 99, 1);
}

/* --- families that no brand answers --- */

static volatile u32 signals;

static void
count_signal (int signal)
{
  signals += (u32) signal;
}

static void
signal_family (void)
{
  u64 mask = 1u << 9; /* SIGUSR1 */

  on_signal (10, count_signal);
  SAYS (kill, call (NR_getpid), 10);
  says ("handled", signals);
  MAKES ("rt_sigprocmask", 175, 14, 0, &mask, 0, 8);
  MAKES ("rt_sigprocmask", 175, 14, 9, &mask, 0, 8);
  MAKES ("rt_sigprocmask", 175, 14, 0, &mask, 0, 7);
  SAYS (kill, call (NR_getpid), 10);
  says ("blocked", signals);
  MAKES ("rt_sigpending", 176, 127, buffer, 8);
  says ("pending", buffer[1] & 2);
  MAKES ("rt_sigprocmask", 175, 14, 1, &mask, 0, 8);
  says ("handled", signals);
  MAKES ("rt_sigaction", 174, 13, 9, buffer, 0, 8);
  MAKES ("rt_sigaction", 174, 13, 99, 0, buffer, 8);
  MAKES ("tgkill", 270, 234, call (NR_getpid), 0x7ffffff0, 0);
  MAKES ("sigaltstack", 186, 131, 1, 0);
}

static void
ipc_family (void)
{
  long id = call (N (395, 29), 0, 4096, 01600); /* IPC_PRIVATE, IPC_CREAT */

  says ("shmget", id >= 0);
  MAKES ("shmget", 395, 29, 0, 0, 01600);
  long at = call (N (397, 30), id, 0, 0);
  says ("shmat", at > 0 || at < -4096);
  says ("shmdt", call (N (398, 67), at));
  MAKES ("shmdt", 398, 67, 4096);
  says ("IPC_RMID", call (N (396, 31), id, 0, 0));
  says ("shmat", call (N (397, 30), id, 0, 0));
  id = call (N (393, 64), 0, 1, 01600);
  says ("semget", id >= 0);
  says ("IPC_RMID", call (N (394, 66), id, 0, 0, 0));
  id = call (N (399, 68), 0, 01600);
  says ("msgget", id >= 0);
  struct { word type; char text[8]; } message = { 7, "abc" };
  says ("msgsnd", call (N (400, 69), id, &message, 4, 04000));
  says ("msgrcv", call (N (401, 70), id, &message, 8, 7, 04000));
  says ("msgrcv", call (N (401, 70), id, &message, 8, 7, 04000));
  says ("IPC_RMID", call (N (402, 71), id, 0, 0));
}

static void
event_family (void)
{
  u32 futex = 5;
  struct { u32 events; u64 data; } __attribute__ ((packed)) event = { 1, 42 };
  u64 value = 3;
  long epoll = call (N (329, 291), 0), fd = call (N (328, 290), 0, 0);

  MAKES ("futex", 240, 202, &futex, 0, 4, 0);
  MAKES ("futex", 240, 202, &futex, 1, 1, 0);
  MAKES ("futex", 240, 202, &futex, 77, 1, 0);
  MAKES ("futex", 240, 202, 1, 0, 4, 0);
  says ("epoll_ctl", call (N (255, 233), epoll, 1, fd, &event));
  says ("epoll_ctl", call (N (255, 233), epoll, 1, fd, &event));
  says ("epoll_ctl", call (N (255, 233), epoll, 1, epoll, &event));
  says ("epoll_wait", call (N (256, 232), epoll, buffer, 2, 0));
  says ("write", call (NR_write, fd, &value, 8));
  says ("epoll_wait", call (N (256, 232), epoll, buffer, 2, 0));
  says ("epoll_wait", call (N (256, 232), epoll, buffer, 0, 0));
  says ("read", call (NR_read, fd, &value, 8));
  says ("value", (long) value);
  says ("read", call (NR_read, fd, &value, 4));
  call (NR_close, epoll);
  call (NR_close, fd);
  fd = call (N (332, 294), 0);
  says ("inotify_add_watch", call (N (292, 254), fd, "none", 0xfff));
  says ("inotify_rm_watch", call (N (293, 255), fd, 77));
  call (NR_close, fd);
}

/* Requests for loop devices, of what is none. */
static void
loops (void)
{
  s32 ends[2] = { -1, -1 };

  long fd = call (NR_open, "lp", O_RDWR_ | O_CREAT_, 0600);
  call (NR_pipe, ends);
  for (word request = 0x4c00; request <= 0x4c0a; request++)
    {
      says ("ioctl of a file", call (NR_ioctl, fd, request, buffer));
      says ("ioctl of a pipe", call (NR_ioctl, ends[0], request, 1));
      says ("ioctl of nothing", call (NR_ioctl, 99, request, buffer));
    }
  call (NR_close, ends[0]);
  call (NR_close, ends[1]);
  call (NR_close, fd);
  SAYS (unlink, "lp");
}

/* A family without a function has calls that today's kernels lack, that are rows of the brand in every way in which they can be
 * called without harm, or that are the host's root's alone: their own guests say what they must answer. */
static const struct {
  const char *name;
  void (*calls) (void);
} families[] = {
  { "files", files },
  { "descriptors", descriptors },
  { "processes", processes },
  { "memory", memory },
  { "signals", signal_family },
  { "ipc", ipc_family },
  { "events", event_family },
  { "stat", stat_family },
  { "directory", directory },
  { "statfs", statfs_family },
  { "affinity", affinity },
  { "audit", audit },
  { "bdflush", NULL },
  { "brk", brk_family },
  { "clock", clock_family },
  { "gone", gone },
  { "groups", groups },
  { "image", image },
  { "loops", loops },
  { "modules", NULL },
  { "mount", mount_family },
  { "newer", owners },
  { "nodes", nodes },
  { "owners", owners },
  { "personality", NULL },
  { "ptys", ptys },
  { "reboot", reboot },
  { "release", release },
  { "rlimits", rlimits },
  { "sysctl", NULL },
  { "sysinfo", sysinfo },
  { "syslog", NULL },
  { "terminal", NULL },
};

int
guest_main (int argc, char **argv, char **envp)
{
  (void) envp;
  if (argc != 2 || call (NR_chdir, argv[1]) != 0)
    return 2;
  memset (long_name, 'a', sizeof long_name - 1);
  for (u32 i = 0; i < COUNT (families); i++)
    if (families[i].calls != NULL)
      {
        print ("# %s\n", families[i].name);
        families[i].calls ();
      }
  return 0;
}
