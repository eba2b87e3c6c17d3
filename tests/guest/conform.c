/* guest-conform DIRECTORY: makes calls of each family in ways that succeed and in ways that fail, and prints each result:
 * what it prints is compared with what it prints on the host (tests/e2e/calls.sh). Numbers that differ from run to
 * run (descriptors are not among them, process numbers are) are not printed, and nothing that a brand answers. */
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
  print ("# files\n");
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

  print ("# descriptors\n");
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
  print ("# processes\n");
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
  print ("# memory\n");
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
  says ("brk", call (NR_brk, 1) == call (NR_brk, 1));
}

int
guest_main (int argc, char **argv, char **envp)
{
  (void) envp;
  if (argc != 2 || call (NR_chdir, argv[1]) != 0)
    return 2;
  memset (long_name, 'a', sizeof long_name - 1);
  files ();
  descriptors ();
  processes ();
  memory ();
  return 0;
}
