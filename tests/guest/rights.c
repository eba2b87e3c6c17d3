/* guest-rights one|many [audit] [ping]: what the root of a zone with one id, or with many, may and
 * is told that it may: limits (S13), groups (S14), owners (S15), nodes (S17), ICMP sockets (S18),
 * the audit login id (S20), audit sockets (S21), file capabilities (S16). And what none of it may
 * give: another's file, a file behind a link, or anything to a task without the capability or of
 * another user namespace. */
#include "guest.h"

#define RLIMIT_CORE 4
#define RLIMIT_NOFILE 7
#define CLONE_NEWUSER 0x10000000
#define CHARACTER 0020000
#define FIFO 0010000
#define CREATE 0101 /* O_WRONLY | O_CREAT */
#define EMPTY_PATH 0x1000
#define NO_FOLLOW 0x100
#define CONSOLE 0x501 /* never the host's: null and its like are made (rights.sh) */

#define E_PROTONOSUPPORT 93

#ifdef __i386__
enum {
  NR_unlink = 10,
  NR_chdir = 12,
  NR_mknod = 14,
  NR_chmod = 15,
  NR_utime = 30,
  NR_rename = 38,
  NR_symlink = 83,
  NR_fchown = 95,
  NR_socketcall = 102,
  NR_capset = 185,
  NR_stat64 = 195,
  NR_lchown32 = 198,
  NR_setxattr = 226,
  NR_setgroups32 = 206,
  NR_chown32 = 212,
  NR_FCHOWNAT = 298,
  NR_unshare = 310,
};
#define NR_CHOWN NR_chown32
#define NR_LCHOWN NR_lchown32
#define NR_SETGROUPS NR_setgroups32
#define NR_STAT NR_stat64
#define STAT_MODE 16
#define STAT_UID 24
#define STAT_RDEV 32
#else
enum {
  NR_stat = 4,
  NR_socket = 41,
  NR_chdir = 80,
  NR_rename = 82,
  NR_unlink = 87,
  NR_symlink = 88,
  NR_chmod = 90,
  NR_chown = 92,
  NR_fchown = 93,
  NR_lchown = 94,
  NR_setgroups = 116,
  NR_capset = 126,
  NR_setxattr = 188,
  NR_utime = 132,
  NR_mknod = 133,
  NR_FCHOWNAT = 260,
  NR_unshare = 272,
};
#define NR_CHOWN NR_chown
#define NR_LCHOWN NR_lchown
#define NR_SETGROUPS NR_setgroups
#define NR_STAT NR_stat
#define STAT_MODE 24
#define STAT_UID 28
#define STAT_RDEV 40
#endif

static u8 status[256];

static long
field (const char *path, usize offset)
{
  u32 value;
  long failed = call (NR_STAT, path, status);

  if (failed < 0)
    return failed;
  memcpy (&value, status + offset, sizeof value);
  return (long) value;
}

static long
open_socket (long family, long type, long protocol)
{
#ifdef __i386__
  word arguments[3] = { W (family), W (type), W (protocol) };

  return call (NR_socketcall, 1, arguments);
#else
  return call (NR_socket, family, type, protocol);
#endif
}

static void
make_file (const char *path)
{
  call (NR_unlink, path);
  long fd = call (NR_open, path, CREATE, 0644);
  call (NR_close, fd);
}

static void
limits (void)
{
  word now[2] = { 0, 0 }, wanted[2], after[2] = { 0, 0 };

  call (NR_getrlimit, RLIMIT_NOFILE, now);
  wanted[0] = wanted[1] = now[1] + 1;
  is (call (NR_setrlimit, RLIMIT_NOFILE, wanted), 0, "S13: raising a hard limit");
  call (NR_getrlimit, RLIMIT_NOFILE, after);
  is ((long) after[1], (long) now[1], "the hard limit is what it was");
  is ((long) after[0], (long) now[1], "the soft limit is as near as it can be");
  wanted[0] = now[1] + 2;
  is (call (NR_setrlimit, RLIMIT_NOFILE, wanted), -E_INVAL,
      "a soft limit above the hard is EINVAL");
  wanted[0] = wanted[1] = now[1] - 1;
  is (call (NR_setrlimit, RLIMIT_NOFILE, wanted), 0, "lowering is the kernel's");
  call (NR_getrlimit, RLIMIT_NOFILE, after);
  is ((long) after[1], (long) now[1] - 1, "and has its effect");
  is (call (NR_setrlimit, RLIMIT_NOFILE, 1), -E_FAULT, "a bad address is EFAULT");
}

static void
groups (int one)
{
  u32 list[2] = { 1, 5 };

  is (call (NR_SETGROUPS, 2, list), 0, one ? "S14: setgroups" : "setgroups");
  is (call (NR_SETGROUPS, 65537, list), -E_INVAL, "65537 groups are EINVAL");
  is (call (NR_SETGROUPS, 2, 1), -E_FAULT, "groups at a bad address are EFAULT");
}

static void
owners (int one)
{
  word times[2] = { 1, 1 };

  is (call (NR_CHOWN, "/proc", 0, 0), 0, "S15: chown of /proc");
  is (call (NR_CHOWN, "/sys/", 0, 0), 0, "S15: chown of /sys/");
  is (call (NR_chmod, "/proc", 0555), 0, "S15: chmod of /proc");
  call (NR_chdir, "/"); /* as tar and cpio do */
  is (call (NR_CHOWN, "proc", 0, 0), 0, "S15: chown of proc");
  is (call (NR_chmod, "./proc/", 0555), 0, "S15: chmod of ./proc/");
  is (call (NR_utime, "/proc", times), 0, "S15: utime of /proc");
  is (call (NR_CHOWN, "/proc/cpuinfo", 0, 0), -E_PERM, "a file below /proc is not the zone's");
  is (call (NR_chmod, "/proc/cpuinfo", 0555), -E_PERM, "nor is its mode");
  make_file ("/tmp/owned");
  call (NR_chmod, "/tmp/owned", 04755);
  is (call (NR_CHOWN, "/tmp/owned", 48, 48), 0,
      one ? "S15: chown to an id that is not there" : "chown to 48");
  is (field ("/tmp/owned", STAT_UID), one ? 0 : 48, "its owner");
  is (field ("/tmp/owned", STAT_MODE) & 07777, 0755, "chown takes the set-user-id bit away");
  if (!one)
    {
      /* nfsnobody of 64-bit Enterprise Linux */
      is (call (NR_CHOWN, "/tmp/owned", 4294967294, 48), 0, "S15: chown to an id above the zone's");
      is (field ("/tmp/owned", STAT_UID), 0, "it is the root's");
      is (field ("/tmp/owned", STAT_UID + 4), 48, "its group is who it should be");
    }
  is (call (NR_CHOWN, "/tmp/not-there", 48, 48), -E_NOENT, "a file that is not there");
  is (call (NR_CHOWN, 1, 48, 48), -E_FAULT, "a path at a bad address");
  long fd = call (NR_open, "/tmp/owned", 0);
  is (call (NR_fchown, fd, 48, -1), 0, "fchown");
  call (NR_close, fd);
  call (NR_unlink, "/tmp/link");
  call (NR_symlink, "/tmp/not-there", "/tmp/link");
  is (call (NR_LCHOWN, "/tmp/link", 48, 48), 0, "lchown of a link to nothing");
  long gave = call (NR_FCHOWNAT, -100, "/tmp/link", 48, 48, EMPTY_PATH | NO_FOLLOW);
  if (gave != -E_NOSYS)
    {
      is (gave, 0, "fchownat of a link to nothing, which may be empty");
      fd = call (NR_open, "/tmp/owned", 0);
      is (call (NR_FCHOWNAT, fd, "", 48, 48, 0), -E_NOENT, "fchownat of an empty path");
      is (call (NR_FCHOWNAT, fd, "", 48, 48, EMPTY_PATH), 0, "which is the descriptor where it may be empty");
      call (NR_close, fd);
      call (NR_chdir, "/tmp");
      is (call (NR_FCHOWNAT, -100, "", 0, 0, EMPTY_PATH), 0, "or the working directory");
    }
  /* Another's file: the host's root owns /proc/cpuinfo. */
  call (NR_unlink, "/tmp/link");
  call (NR_symlink, "/proc/cpuinfo", "/tmp/link");
  long failed = call (NR_CHOWN, "/tmp/link", 48, 48);
  ok (failed == -E_PERM || failed == -E_INVAL, "a link to a file of the host's gives nothing");
  ok (field ("/proc/cpuinfo", STAT_UID) != 0, "the host's file is the host's");
  call (NR_unlink, "/tmp/link");
}

static void
nodes (void)
{
  call (NR_unlink, "/tmp/node");
  call (NR_unlink, "/tmp/node2");
  is (call (NR_mknod, "/tmp/node", CHARACTER | 0666, CONSOLE), 0, "S17: mknod of a device");
  is (field ("/tmp/node", STAT_MODE) & 0170000, CHARACTER, "it is a character device");
  is (field ("/tmp/node", STAT_RDEV), 0, "of number 0:0");
  long opened = call (NR_open, "/tmp/node", 0);
  ok (opened == -6 || opened == -E_ACCES, "opening it is ENXIO, or EACCES where nodes do not work");
  is (call (NR_mknod, "/tmp/node", CHARACTER | 0666, CONSOLE), -E_EXIST, "a second one is EEXIST");
  is (call (NR_rename, "/tmp/node", "/tmp/node2"), 0, "it can be renamed");
  is (call (NR_unlink, "/tmp/node2"), 0, "and removed");
  is (call (NR_mknod, "/tmp/node", CHARACTER | 0600, 0), 0,
      "an overlay's whiteout is the kernel's");
  call (NR_unlink, "/tmp/node");
  is (call (NR_mknod, "/tmp/node", FIFO | 0600, 0), 0, "a FIFO is the kernel's");
  call (NR_unlink, "/tmp/node");
  ok (call (NR_mknod, "/proc/node", CHARACTER | 0600, 0x103) < 0, "none where nothing can be made");
}

/* cap_net_raw+ep, as setcap(8) writes it; a tmpfs of before 6.6 keeps no such attributes. */
static void
file_capabilities (void)
{
  u32 value[5] = { 0x02000001, 1u << 13, 0, 0, 0 };
  long result;

  make_file ("/tmp/capable");
  result = call (NR_setxattr, "/tmp/capable", "security.capability", value, sizeof value, 0);
  if (result == -95)
    skip ("S16: file capabilities", "the file system keeps none");
  else
    is (result, 0, "S16: file capabilities");
  call (NR_unlink, "/tmp/capable");
}

/* A child that has given up what it needs. */
static long
in_child (long (*what) (void))
{
  long pid = guest_fork ();

  if (pid == 0)
    call (NR_exit, what ());
  return guest_wait (pid);
}

/* 0: everything was refused. */
static long
try_all (void)
{
  word limit[2] = { 1u << 20, 1u << 20 };
  u32 list[1] = { 1 };

  if (call (NR_setrlimit, RLIMIT_NOFILE, limit) == 0)
    return 1;
  if (call (NR_SETGROUPS, 1, list) == 0)
    return 2;
  if (call (NR_CHOWN, "/proc", 0, 0) == 0 || call (NR_CHOWN, "/tmp/owned", 49, 49) == 0)
    return 3;
  if (call (NR_mknod, "/tmp/node", CHARACTER | 0666, 0x103) == 0)
    return 4;
  return 0;
}

static long
without_capabilities (void)
{
  u32 header[2] = { 0x20080522, 0 }, none[6] = { 0 };

  return call (NR_capset, header, none) != 0 ? 9 : try_all ();
}

static long
in_user_namespace (void)
{
  return call (NR_unshare, CLONE_NEWUSER) != 0 ? 77 : try_all ();
}

static long
as_user (void)
{
  return call (NR_setuid, 1000) != 0 ? 9 : try_all ();
}

/* Two threads: one changes the path while the other has it changed. */
static char racing[32] = "/tmp/owned";
static volatile int stop_racing;

static long
swap (void *data)
{
  (void) data;
  while (!stop_racing)
    {
      memcpy (racing, "/proc/cpuinfo", 14);
      memcpy (racing, "/tmp/owned", 11);
    }
  return 0;
}

static void
race (void)
{
  struct thread thread;
  long failed = 0;

  if (thread_start (&thread, swap, NULL) != 0)
    {
      skip ("a path that changes meanwhile", "no thread");
      return;
    }
  for (int i = 0; i < 200 && failed == 0; i++)
    {
      call (NR_CHOWN, racing, 48, 48);
      failed = field ("/proc/cpuinfo", STAT_UID) == 0 || field ("/proc/cpuinfo", STAT_UID) == 48;
    }
  stop_racing = 1;
  thread_wait (&thread);
  ok (!failed, "a path that changes meanwhile gives no file of the host's");
}

int
guest_main (int argc, char **argv, char **envp)
{
  char text[64];
  int one = argc > 1 && equal (argv[1], "one"), audit = 0, ping = 0;

  (void) envp;
  for (int i = 2; i < argc; i++)
    {
      audit = audit || equal (argv[i], "audit");
      ping = ping || equal (argv[i], "ping");
    }
  limits ();
  groups (one);
  owners (one);
  nodes ();
  file_capabilities ();
  race ();
  if (audit)
    is (open_socket (16, 3, 9), -E_PROTONOSUPPORT, "S21: an audit socket");
  ok (open_socket (16, 3, 0) >= 0, "a socket of rtnetlink");
  if (ping)
    ok (open_socket (2, 2, 1) >= 0, "S18: an ICMP socket");
  if (read_file ("/proc/self/loginuid", text, sizeof text) > 0)
    is_text (text, "4294967295", "S20: the login id is unset");
  else
    skip ("S20: the login id is unset", "the kernel has no audit");
  is (in_child (without_capabilities), 0, "nothing of it without the capabilities");
  long result = in_child (in_user_namespace);
  if (result == 77 << 8)
    skip ("nothing of it in a user namespace inside", "none can be made here");
  else
    is (result, 0, "nothing of it in a user namespace inside");
  if (!one)
    is (in_child (as_user), 0, "nothing of it for a user");
  call (NR_unlink, "/tmp/owned");
  return done ();
}
