/* guest-intrude: tries to make the supervisor do what the task may not, by every call that a plan can trap
 * (tests/e2e/intrude.sh looks that none is missing): to fill memory that the task can only read, that is not there or the
 * kernel's; and, as an ordinary user and as the root of a user namespace inside the zone's, to carry out what is the root's.
 * A kernel without brandzone refuses all of it as well. */
#include "guest.h"

#define PAGE 4096
#define PROT_READ 1
#define CLONE_NEWNS 0x20000
#define CLONE_NEWUSER 0x10000000
#define SIGCHLD 17
#define CREATE 0101
#define CHARACTER 0020000
#define HERE (-100) /* AT_FDCWD */
#define NONE (-1)
#define E_OVERFLOW 75
#define E_BUSY 16
#define E_NOTTY 25

/* The call's number, or NONE. */
#ifdef __i386__
#define N(i386, x86_64) (i386)
#define KERNEL 0xfffff000ul
#else
#define N(i386, x86_64) (x86_64)
#define KERNEL 0xffffffff81000000ul
#endif

/* One to write, one that can only be read, one that is not mapped. */
static u8 pages[3 * PAGE] __attribute__ ((aligned (PAGE)));

static void
map_pages (void)
{
  memset (pages, 0x5a, 2 * PAGE);
  call (NR_munmap, pages + 2 * PAGE, PAGE);
  call (N (125, 10), pages + PAGE, PAGE, PROT_READ);
}

static int
untouched (void)
{
  for (u32 i = PAGE; i < 2 * PAGE; i++)
    if (pages[i] != 0x5a)
      return 0;
  return 1;
}

/* --- what writes to memory --- */

/* A call whose argument `at` (from 0) is written to. DIRECTORY and FILE stand for open descriptors. */
#define DIRECTORY 0xd1d1d1d1ul
#define FILE 0xf1f1f1f1ul
typedef struct {
  const char *name;
  long nr;
  int at;
  word arguments[5];
} Writer;

static const u64 high_limit[2] = { 1u << 30, 1u << 30 };

static const Writer writers[] = {
  { "uname", N (122, 63), 0, { 0 } },
  { "olduname", N (109, NONE), 0, { 0 } },
  { "oldolduname", N (59, NONE), 0, { 0 } },
  { "sysinfo", N (116, 99), 0, { 0 } },
  { "statfs", N (99, 137), 1, { (word) "/" } },
  { "fstatfs", N (100, 138), 1, { DIRECTORY } },
  { "sched_getaffinity", N (242, 204), 2, { 0, 8 } },
  { "query_module", N (167, 178), 4, { 0, 1, (word) pages, 64 } },
  { "oldstat", N (18, NONE), 1, { (word) "/" } },
  { "oldlstat", N (84, NONE), 1, { (word) "/" } },
  { "oldfstat", N (28, NONE), 1, { DIRECTORY } },
  { "stat", N (106, 4), 1, { (word) "/" } },
  { "lstat", N (107, 6), 1, { (word) "/" } },
  { "fstat", N (108, 5), 1, { DIRECTORY } },
  { "stat64", N (195, NONE), 1, { (word) "/" } },
  { "lstat64", N (196, NONE), 1, { (word) "/" } },
  { "fstat64", N (197, NONE), 1, { DIRECTORY } },
  { "newfstatat", N (300, 262), 2, { DIRECTORY, (word) "." } },
  { "statx", N (383, 332), 4, { DIRECTORY, (word) ".", 0, 0x7ff } },
  { "readdir", N (89, NONE), 1, { DIRECTORY, 0, 1 } },
  { "getdents", N (141, 78), 1, { DIRECTORY, 0, 1024 } },
  { "getdents64", N (220, 217), 1, { DIRECTORY, 0, 1024 } },
  { "prlimit64", N (340, 302), 3, { 0, 7, (word) high_limit } },
  { "_llseek", N (140, NONE), 3, { FILE, 0, 0x70000001, 0, 0 } },
};

static long
write_by (const Writer *writer, word at)
{
  word arguments[6] = { 0 };
  long fd = -1;

  for (u32 i = 0; i < 5; i++)
    {
      arguments[i] = writer->arguments[i];
      if (arguments[i] == DIRECTORY || arguments[i] == FILE)
        {
          fd = call (NR_open, arguments[i] == FILE ? "/proc/self/exe" : "/", 0, 0);
          arguments[i] = W (fd);
        }
    }
  arguments[writer->at] = at;
  long got = call (writer->nr, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], 0);
  if (fd >= 0)
    call (NR_close, fd);
  return got;
}

/* _sysctl has its addresses in a structure. */
static long
write_sysctl (word at)
{
  static s32 name[2] = { 1, 4 }; /* CTL_KERN, KERN_VERSION */
  word length = 64;
  word arguments[10] = { W (name), 2, at, W (&length), 0, 0 };

  return call (NR_sysctl, arguments);
}

static long
write_to (const Writer *writer, const void *at)
{
  return writer != NULL ? write_by (writer, W (at)) : write_sysctl (W (at));
}

static void
each_address (const Writer *writer)
{
  static const word bad[] = { 1, 8, KERNEL, ~0ul - 3 };
  const char *name = writer != NULL ? writer->name : "_sysctl";
  int good = 1;

  if (write_to (writer, pages) < 0)
    {
      skip (name, "the kernel does not have it, or no answer that fits");
      return;
    }
  for (u32 i = 0; i < COUNT (bad); i++)
    {
      long got = write_to (writer, (void *) bad[i]);
      if (got != -E_FAULT)
        {
          print ("# %s to %lx: %ld\n", name, bad[i], got);
          good = 0;
        }
    }
  ok (good, name);
  ok (write_to (writer, pages + PAGE) == -E_FAULT && untouched (), "a page that can only be read is EFAULT, and stays");
  ok (write_to (writer, pages + PAGE - 2) == -E_FAULT && untouched (), "one that begins before it, too");
  ok (write_to (writer, pages + 2 * PAGE - 2) == -E_FAULT && untouched (), "and one that ends where nothing is");
  ok (write_to (writer, map_pages) == -E_FAULT, "the program's own text is EFAULT");
}

/* --- without the right to it --- */

/* As whom, for the cases' names; what a namespace of one's own gives is no intrusion. */
static const char *as;
static int nested, single;

static void
refused (long got, const char *name)
{
  int good = got == -E_PERM || got == -E_ACCES || got == -E_NOSYS || got == -E_BUSY || ((nested || single) && (got == -E_INVAL || got == -E_OVERFLOW));

  if (!good)
    print ("# got %ld\n", got);
  print ("# %s\n", as);
  ok (good, name);
}

#define TRY(name, i386, x86_64, ...) \
  do \
    { \
      if (N (i386, x86_64) != NONE) \
        refused (call (N (i386, x86_64), ##__VA_ARGS__), name); \
    } \
  while (0)

static void
clocks (void)
{
  word now[4] = { 1000000000, 0, 0, 0 };
  word change[64] = { 1 }; /* ADJ_OFFSET */

  TRY ("settimeofday", 79, 164, now, 0);
  TRY ("stime", 25, NONE, now);
  TRY ("clock_settime", 264, 227, 0, now);
  TRY ("clock_settime64", 404, NONE, 0, now);
  TRY ("adjtimex", 124, 159, change);
  TRY ("clock_adjtime", 343, 305, 0, change);
  TRY ("clock_adjtime64", 405, NONE, 0, change);
}

static void
write_name (void)
{
  static s32 name[2] = { 1, 7 }; /* CTL_KERN, KERN_NODENAME */
  static char wanted[] = "taken";
  word arguments[10] = { W (name), 2, 0, 0, W (wanted), sizeof wanted - 1 };
  struct utsname_new names;

  refused (call (NR_sysctl, arguments), "_sysctl");
  call (NR_uname, &names);
  ok (!equal (names.nodename, wanted), "and nothing was written");
}

static void
machine (void)
{
  TRY ("create_module", 127, 174, "none", 4096);
  TRY ("init_module", 128, 175, pages, 64, "");
  TRY ("delete_module", 129, 176, "none", 0);
  TRY ("bdflush", 134, NONE, 2, 0);
  TRY ("syslog", 103, 103, 5, 0, 0);
  TRY ("reboot: restart", 88, 169, 0xfee1dead, 672274793, 0x01234567, 0);
  TRY ("reboot: Ctrl-Alt-Del", 88, 169, 0xfee1dead, 672274793, 0x89abcdef, 0);
  TRY ("reboot: Ctrl-Alt-Del off", 88, 169, 0xfee1dead, 672274793, 0, 0);
  TRY ("vhangup", 111, 153);
}

static void
limits (void)
{
  word raised[4] = { 1u << 20, 1u << 30, 0, 0 };
  word wide[4] = { 1u << 20, 0, 1u << 30, 0 }; /* of 64 bits, on i386 */
  u32 list[2] = { 1, 5 };

  TRY ("setrlimit", 75, 160, 7, raised);
  TRY ("prlimit64", 340, 302, 0, 7, sizeof (word) == 4 ? wide : raised, 0);
  TRY ("setgroups", 81, 116, 2, list);
  TRY ("setgroups32", 206, NONE, 2, list);
}

/* The host's, and the root's. */
static void
owners (const char *file, const char *label)
{
  static word times[8] = { 1, 1 };

  print ("# %s\n", label);
  TRY ("chown", 182, 92, file, 48, 48);
  TRY ("lchown", 16, 94, file, 48, 48);
  TRY ("chown32", 212, NONE, file, 48, 48);
  TRY ("lchown32", 198, NONE, file, 48, 48);
  TRY ("fchownat", 298, 260, HERE, file, 48, 48, 0);
  TRY ("chmod", 15, 90, file, 0555);
  TRY ("fchmodat", 306, 268, HERE, file, 0555);
  TRY ("fchmodat2", 452, 452, HERE, file, 0555, 0);
  TRY ("utime", 30, 132, file, times);
  TRY ("utimes", 271, 235, file, times);
  TRY ("futimesat", 299, 261, HERE, file, times);
  TRY ("utimensat", 320, 280, HERE, file, times, 0);
  TRY ("utimensat_time64", 412, NONE, HERE, file, times, 0);
  long fd = call (NR_open, file, 0, 0);
  if (fd < 0)
    return;
  TRY ("fchown", 95, 93, fd, 48, 48);
  TRY ("fchown32", 207, NONE, fd, 48, 48);
  call (NR_close, fd);
}

static void
nodes (void)
{
  TRY ("mknod", 14, 133, "node", CHARACTER | 0666, 0x103);
  TRY ("mknodat", 297, 259, HERE, "node", CHARACTER | 0666, 0x103);
  TRY ("mount", 21, 165, "none", "/proc", "proc", 0, 0);
}

/* In a namespace of one's own some of it is allowed, and harms nobody. */
static void
namespaces (void)
{
  u64 arguments[8] = { CLONE_NEWNS, 0, 0, 0, SIGCHLD, 0, 0, 0 };
  long fd = call (NR_open, "/proc/self/ns/mnt", 0, 0);

  TRY ("pivot_root", 217, 155, "/", "/");
  TRY ("setns", 346, 308, fd, CLONE_NEWNS);
  call (NR_close, fd);
  if (nested)
    return;
  TRY ("chroot", 61, 161, "/tmp");
  TRY ("unshare", 310, 272, CLONE_NEWNS);
  TRY ("clone", 120, 56, CLONE_NEWNS | SIGCHLD, 0);
  TRY ("clone3", 435, 435, arguments, sizeof arguments);
}

/* What the supervisor looks at or opens in a task's name. */
static void
looks (void)
{
  static u8 status[256];

  TRY ("open", 5, 2, "/proc/cpuinfo", 2); /* O_RDWR */
  TRY ("execve of what is no program", 11, 59, "plain", 0, 0);
  TRY ("execveat", 358, 322, HERE, "plain", 0, 0, 0);
  long fd = call (NR_open, "/dev/null", 1, 0);
  if (N (NONE, 9) != NONE)
    refused (call (N (NONE, 9), 0, 4096, 5, 2, fd, 0), "mmap of what can't be read");
  long got = call (N (54, 16), fd, 0x4c00, fd); /* LOOP_SET_FD */
  print ("# %s\n", as);
  ok (got == -E_NOTTY, "ioctl of a loop device");
  call (NR_close, fd);
  if (single)
    return;
  TRY ("execve", 11, 59, "closed/program", 0, 0);
  TRY ("execveat", 358, 322, HERE, "closed/program", 0, 0, 0);
  TRY ("statfs", 99, 137, "closed/program", status);
  TRY ("stat", 106, 4, "closed/program", status);
  TRY ("lstat", 107, 6, "closed/program", status);
  TRY ("stat64", 195, NONE, "closed/program", status);
  TRY ("lstat64", 196, NONE, "closed/program", status);
  TRY ("newfstatat", 300, 262, HERE, "closed/program", status, 0);
  TRY ("statx", 383, 332, HERE, "closed/program", 0, 0x7ff, status);
  TRY ("oldstat", 18, NONE, "closed/program", status);
  TRY ("oldlstat", 84, NONE, "closed/program", status);
}

/* A task's own memory, descriptors and flags: others' stay. */
static void
own_alone (void)
{
  word end = (word) call (NR_brk, 0), was = (word) call (NR_personality, 0xffffffff);

  is (call (NR_brk, KERNEL + 1), (long) end, "brk to the kernel's memory does nothing");
  is (call (NR_brk, W (map_pages) + 1), (long) end, "nor to the program's text");
  long child = guest_fork ();
  if (child == 0)
    {
      call (NR_personality, 0x0400000);
      if (sizeof (word) == 8)
        call (158, 0x1002, 4096); /* ARCH_SET_FS */
      call (NR_exit, 0);
    }
  guest_wait (child);
  is (call (NR_personality, 0xffffffff), (long) was, "personality is one's own");
  is (call (N (19, 8), 99, 0x70000001, 0), -E_BADF, "lseek of no descriptor");
#ifdef __i386__
  word audit[3] = { 16, 3, 9 };
  long fd = call (102, 1, audit);
  call (NR_close, fd);
  fd = call (359, 16, 3, 9);
#else
  long fd = call (41, 16, 3, 9);
#endif
  /* The kernel's audit answers the host's root alone, whatever socket it is asked by. */
  call (NR_close, fd);
  /* There are no symbols: nothing is written. */
  ok (call (N (130, 177), 1) <= 0, "get_kernel_syms");
}

static void
without_right (const char *label)
{
  as = label;
  clocks ();
  write_name ();
  machine ();
  limits ();
  owners ("/proc", "of the host");
  if (!single)
    owners ("plain", "of the root");
  nodes ();
  namespaces ();
  looks ();
}

static void
make_files (void)
{
  static const char program[] = "#!/bin/true\n";

  call (NR_mkdir, "/tmp/intrude", 0755);
  call (N (12, 80), "/tmp/intrude");
  call (NR_mkdir, "closed", 0700);
  for (u32 i = 0; i < 2; i++)
    {
      long fd = call (NR_open, i == 0 ? "closed/program" : "plain", CREATE, i == 0 ? 0755 : 0644);
      call (NR_write, fd, program, sizeof program - 1);
      call (NR_close, fd);
    }
}

static void
as_user (void)
{
  u32 header[2] = { 0x20080522, 0 }, no_rights[6] = { 0 };

  single = !become_user ();
  if (single)
    is (call (N (185, 126), header, no_rights), 0, "without capabilities");
  without_right (single ? "without capabilities" : "as a user");
  if (call (N (310, 272), CLONE_NEWUSER) != 0)
    {
      skip ("as the root of a user namespace inside", "none can be made here");
      return;
    }
  nested = 1;
  without_right ("as the root of a user namespace inside");
}

int
guest_main (int argc, char **argv, char **envp)
{
  (void) argc;
  (void) argv;
  (void) envp;
  map_pages ();
  make_files ();
  for (u32 i = 0; i < COUNT (writers); i++)
    if (writers[i].nr != NONE)
      each_address (&writers[i]);
  each_address (NULL);
  own_alone ();
  as_user ();
  return done ();
}
