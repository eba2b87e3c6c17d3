/* guest-vsyscall EXPECTED WHAT [ARGUMENT...]: a program that calls the vsyscall page (x86-64) as
 * old libc does. EXPECTED is what its own text is to be: rewritten, original, or any. Every program
 * that it executes is itself, and looks at its text and at the answers before its first system
 * call. check           TAP: the text, the answers, a SIGSEGV handler of its own quiet exit status
 * 0 when all is well ways            TAP: executes itself in every way that there is chain COUNT
 * executes itself again and again traced          TAP: executes itself with a tracer, as under
 * strace cost            nanoseconds for one time() maps TEXT       exit status 0 when
 * /proc/self/maps holds TEXT euid NUMBER     exit status 0 when that is the effective user
 * names          TAP: uname in UTS namespaces of its own
 *   ./SCRIPT        as quiet: a script whose first line names this program gives it the script's
 * path No constant here may look like an address of the page, or the file is not what it is meant
 * to be. */
#include "guest.h"

enum {
  NR_vfork = 58,
  NR_chdir = 80,
  NR_fchdir = 81,
  NR_chroot = 161,
  NR_rt_sigprocmask = 14,
  NR_execveat = 322,
  NR_openat = 257,
  NR_time = 201,
  NR_getcpu = 309,
  NR_arch_prctl = 158,
  NR_symlink = 88,
  NR_unlink = 87,
  NR_sched_setaffinity = 203,
  NR_geteuid = 107,
  NR_access = 21,
  NR_sethostname = 170,
  NR_unshare = 272,
  CLONE_NEWUTS = 0x04000000,
  ARCH_SET_FS = 0x1002,
  AT_EMPTY_PATH = 0x1000,
  AT_FDCWD = -100,
  O_PATH = 010000000,
  O_CLOEXEC = 02000000,
  SIG_SEGV = 11,
  SIG_BLOCK = 0,
};

struct timeval64 {
  s64 seconds, microseconds;
};

long old_gettimeofday (struct timeval64 *now, void *zone);
long old_time (s64 *now);
long old_getcpu (u32 *cpu, u32 *node, void *cache);
long old_time_jumped (s64 *now);
long old_time_wide (s64 *now);
long old_time_other (s64 *now);
extern u8 place_of_gettimeofday[], place_of_time[], place_of_getcpu[], place_of_jump[],
    place_of_wide[], place_of_other[];

#define OLD(name, body) \
  ".globl " name "\n.type " name ", @function\n" name ":\n" body ".size " name ", .-" name "\n"

__asm__(".text\n" OLD ("old_gettimeofday",
                       "sub $8, %rsp\n place_of_gettimeofday: mov $0xffffffffff600000, %rax\n call "
                       "*%rax\n add $8, %rsp\n ret\n")
            OLD ("old_time", "sub $8, %rsp\n place_of_time: mov $0xffffffffff600400, %rax\n call "
                             "*%rax\n add $8, %rsp\n ret\n")
                OLD ("old_getcpu", "sub $8, %rsp\n place_of_getcpu: mov $0xffffffffff600800, "
                                   "%rax\n call *%rax\n add $8, %rsp\n ret\n")
                    OLD ("old_time_jumped",
                         "place_of_jump: mov $0xffffffffff600400, %rax\n jmp *%rax\n")
                        OLD ("old_time_wide",
                             "sub $8, %rsp\n place_of_wide: movabs $0xffffffffff600400, %rax\n "
                             "call *%rax\n add $8, %rsp\n ret\n")
                            OLD ("old_time_other",
                                 "sub $8, %rsp\n place_of_other: mov $0xffffffffff600400, %rcx\n "
                                 "call *%rcx\n add $8, %rsp\n ret\n"));

/* --- is all well? --- */

/* How a place begins: mov $NUMBER,%eax, or the 64-bit mov of an address. */
static int
is_rewritten (const u8 *place)
{
  return ((const volatile u8 *) place)[0] == 0xb8;
}

static int
time_is_right (long (*function) (s64 *now))
{
  s64 stored = 0, before = call (NR_time, 0);
  s64 got = function (&stored), after = call (NR_time, 0);

  return got == stored && before <= got && got <= after && function (NULL) >= got;
}

static int
gettimeofday_is_right (void)
{
  struct timeval64 before = { 0, 0 }, now = { 0, 0 }, after = { 0, 0 };

  call (NR_gettimeofday, &before, NULL);
  if (old_gettimeofday (&now, NULL) != 0)
    return 0;
  call (NR_gettimeofday, &after, NULL);
  /* A millisecond, for CPUs of virtual machines whose clocks differ. */
  return before.seconds * 1000000 + before.microseconds
             <= now.seconds * 1000000 + now.microseconds + 1000
         && now.seconds * 1000000 + now.microseconds
                <= after.seconds * 1000000 + after.microseconds + 1000;
}

static int
getcpu_is_right (void)
{
  for (u32 wanted = 0; wanted < 2; wanted++)
    {
      word mask = 1ul << wanted;
      u32 cpu = 99, node = 99, real_cpu = 0, real_node = 0;

      if (call (NR_sched_setaffinity, 0, sizeof mask, &mask) != 0)
        continue; /* this machine has no such CPU */
      call (NR_getcpu, &real_cpu, &real_node, NULL);
      if (old_getcpu (&cpu, &node, NULL) != 0 || cpu != wanted || cpu != real_cpu
          || node != real_node)
        return 0;
    }
  word all = ~0ul;
  call (NR_sched_setaffinity, 0, sizeof all, &all);
  return 1;
}

static int
text_is (int rewritten)
{
  return is_rewritten (place_of_gettimeofday) == rewritten
         && is_rewritten (place_of_time) == rewritten && is_rewritten (place_of_getcpu) == rewritten
         && is_rewritten (place_of_jump) == rewritten && is_rewritten (place_of_wide) == rewritten
         && is_rewritten (place_of_other) == rewritten;
}

static char **environment, *expected, *own_path;
static char *quiet_words[4];

static int
is_well (int rewritten)
{
  return (equal (expected, "any") || text_is (rewritten)) && time_is_right (old_time)
         && time_is_right (old_time_jumped) && time_is_right (old_time_wide)
         && time_is_right (old_time_other) && gettimeofday_is_right ();
}

/* --- a handler of its own --- */

static volatile int handled;

static void
skip_fault (int signal)
{
  (void) signal;
  handled++;
  call (NR_exit_group, handled == 1 ? 77 : 1);
}

/* In a child: a real fault must still reach the handler, and nothing else may. */
static void
check_handler (void)
{
  long child = guest_fork ();

  if (child == 0)
    {
      on_signal (SIG_SEGV, skip_fault);
      int right = time_is_right (old_time) && gettimeofday_is_right ();
      if (handled != 0 || !right)
        call (NR_exit_group, 2);
      volatile word nowhere = 16;
      *(volatile u32 *) nowhere = 0;
      call (NR_exit_group, 3);
    }
  is (guest_wait (child), 77 << 8,
      "a SIGSEGV handler of the program is run for a real fault, and only then");
  child = guest_fork ();
  if (child == 0)
    {
      u64 mask = 1ull << (SIG_SEGV - 1);
      call (NR_rt_sigprocmask, SIG_BLOCK, &mask, NULL, 8);
      call (NR_exit_group, !time_is_right (old_time));
    }
  is (guest_wait (child), 0, "SIGSEGV blocked: the answers are right");
}

static int
check (int rewritten)
{
  ok (is_rewritten (place_of_gettimeofday) == rewritten, "the text of the call of gettimeofday");
  ok (is_rewritten (place_of_time) == rewritten, "the text of the call of time");
  ok (is_rewritten (place_of_getcpu) == rewritten, "the text of the call of getcpu");
  ok (is_rewritten (place_of_jump) == rewritten, "the text of a jump");
  ok (is_rewritten (place_of_wide) == rewritten, "the text of a call by a 64-bit constant");
  ok (is_rewritten (place_of_other) == rewritten, "the text of a call by another register");
  ok (gettimeofday_is_right (), "gettimeofday is right");
  ok (time_is_right (old_time), "time is right");
  ok (time_is_right (old_time_jumped), "time is right, by a jump");
  ok (time_is_right (old_time_wide), "time is right, by a 64-bit constant");
  ok (time_is_right (old_time_other), "time is right, by another register");
  ok (getcpu_is_right (), "getcpu is right on each CPU");
  check_handler ();
  return done ();
}

/* --- ways to execute --- */

static void
at_once (void)
{
  call (NR_execve, own_path, quiet_words, environment);
}

static long
in_a_thread (void *data)
{
  (void) data;
  at_once ();
  return 0;
}

static void
by_thread (void)
{
  static struct thread thread;

  thread_start (&thread, in_a_thread, NULL);
  thread_wait (&thread);
}

enum { NO_SUCH_CALL = 38 }; /* of ours: an exit status */

static void
execute_at (long fd, const char *path, word flags)
{
  if (call (NR_execveat, fd, path, quiet_words, environment, flags) == -E_NOSYS)
    call (NR_exit_group, NO_SUCH_CALL);
}

static void
by_descriptor (void)
{
  long fd = call (NR_open, own_path, O_CLOEXEC, 0);
  execute_at (fd, "", AT_EMPTY_PATH);
}

static void
by_path_descriptor (void)
{
  long fd = call (NR_open, own_path, O_PATH | O_CLOEXEC, 0);
  execute_at (fd, "", AT_EMPTY_PATH);
}

static void
by_proc (void)
{
  call (NR_execve, "/proc/self/exe", quiet_words, environment);
}

static void
by_proc_descriptor (void)
{
  call (NR_open, own_path, 0, 0); /* 3, unless something is open */
  call (NR_execve, "/proc/self/fd/3", quiet_words, environment);
}

static void
by_directory (void)
{
  long fd = call (NR_open, "/proc", 0200000, 0);
  execute_at (fd, "self/exe", 0);
}

static const char *
base_name (void)
{
  const char *name = own_path;

  for (const char *p = own_path; *p != '\0'; p++)
    if (*p == '/')
      name = p + 1;
  return name;
}

static void
relative (void)
{
  static char up[300] = "../../proc/../../../";
  usize at = length_of (up);

  memcpy (up + at, own_path + 1, length_of (own_path)); /* from /proc/self up, and over the top */
  call (NR_chdir, "/proc/self");
  call (NR_execve, up, quiet_words, environment);
}

static void
change_to_own_directory (void)
{
  static char directory[300];
  usize n = length_of (own_path) - length_of (base_name ());

  memcpy (directory, own_path, n);
  directory[n] = '\0';
  call (NR_chdir, directory);
}

static void
in_own_directory (void)
{
  change_to_own_directory ();
  call (NR_execve, base_name (), quiet_words, environment);
}

static void
by_links (void)
{
  static char link[300] = "dir-link/";
  static char directory[300];
  usize n = length_of (own_path) - length_of (base_name ());

  memcpy (directory, own_path, n);
  call (NR_chdir, "/tmp");
  call (NR_unlink, "dir-link");
  call (NR_symlink, directory, "dir-link");
  memcpy (link + 9, base_name (), length_of (base_name ()) + 1);
  call (NR_chdir, "dir-link");
  call (NR_execve, base_name (), quiet_words, environment);
}

static void
in_a_chroot (void)
{
  static char path[300] = "/";

  change_to_own_directory ();
  if (call (NR_chroot, ".") != 0)
    call (NR_exit_group, 0); /* not allowed to this user: nothing to see */
  memcpy (path + 1, base_name (), length_of (base_name ()) + 1);
  call (NR_execve, path, quiet_words, environment);
}

static void
climbing_out_of_a_chroot (void)
{
  static char path[300] = "../../../";

  change_to_own_directory ();
  if (call (NR_chroot, ".") != 0)
    call (NR_exit_group, 0);
  memcpy (path + 9, base_name (), length_of (base_name ()) + 1);
  call (NR_execve, path, quiet_words, environment);
}

static void
after_a_failure (void)
{
  for (int i = 0; i < 20; i++)
    {
      call (NR_execve, "/no/such/program", quiet_words, environment);
      call (NR_execve, own_path, (char **) 8, environment); /* EFAULT: the program stays */
    }
  at_once ();
}

static long
fork_of_vfork (void (*way) (void))
{
  long child;

  /* vfork() itself can't return from a C function twice: clone with its flags, on the parent's
   * memory, has the same effect. */
  register word flags __asm__("rdi") = 0x4111; /* CLONE_VM, CLONE_VFORK, SIGCHLD */
  register word stack __asm__("rsi");
  static u8 room[16384] __attribute__ ((aligned (16)));
  stack = (word) (room + sizeof room - 16);
  *(void (**) (void)) stack = way;
  __asm__ volatile("syscall\n\t"
                   "test %%rax, %%rax\n\t"
                   "jnz 1f\n\t"
                   "pop %%rax\n\t"
                   "call *%%rax\n\t"
                   "mov $60, %%eax\n\t"
                   "mov $9, %%edi\n\t"
                   "syscall\n\t"
                   "1:"
                   : "=a"(child), "+r"(flags), "+r"(stack)
                   : "0"(NR_clone), "d"(0)
                   : "rcx", "r11", "r10", "r8", "r9", "memory", "cc");
  return child;
}

static const struct {
  void (*function) (void);
  const char *name;
  int vfork;
} ways[] = {
  { at_once, "fork, execve", 0 },
  { at_once, "vfork, execve", 1 },
  { by_thread, "execve by a thread that is not the first", 0 },
  { by_descriptor, "execveat of a descriptor (fexecve)", 0 },
  { by_path_descriptor, "execveat of a descriptor of O_PATH", 0 },
  { by_directory, "execveat below a directory, of a link of /proc", 0 },
  { by_proc, "execve of /proc/self/exe", 0 },
  { by_proc_descriptor, "execve of /proc/self/fd/3", 0 },
  { relative, "a relative path over the top of the root", 0 },
  { in_own_directory, "a bare name", 0 },
  { by_links, "a working directory that was reached by a link", 0 },
  { in_a_chroot, "below a chroot", 0 },
  { climbing_out_of_a_chroot, "a path that climbs against a chroot", 0 },
  { after_a_failure, "after 40 calls of execve that failed", 0 },
};

static int
all_ways (void)
{
  for (usize i = 0; i < sizeof ways / sizeof ways[0]; i++)
    {
      long child = ways[i].vfork ? fork_of_vfork (ways[i].function) : guest_fork ();

      if (child == 0)
        {
          ways[i].function ();
          call (NR_exit_group, 9);
        }
      long status = guest_wait (child);
      if (status == NO_SUCH_CALL << 8)
        skip (ways[i].name, "this brand's kernel has no execveat");
      else
        is (status, 0, ways[i].name);
    }
  return done ();
}

/* --- a tracer of its own --- */

static void
run_traced (const char *what)
{
  static char *words[4];
  word stops = 0;
  long status = 0;
  int raw = 0;

  words[0] = own_path;
  words[1] = expected;
  words[2] = (char *) what;
  long child = guest_fork ();
  if (child == 0)
    {
      call (NR_ptrace, 0, 0, 0, 0); /* PTRACE_TRACEME */
      call (NR_execve, own_path, words, environment);
      call (NR_exit_group, 9);
    }
  for (;;)
    {
      status = call (NR_wait4, child, &raw, 0, 0);
      if (status != child || (raw & 0x7f) == 0 || (raw & 0xff) != 0x7f)
        break;
      stops++;
      call (NR_ptrace, stops < 3 ? 24 : 7, child, 0,
            0); /* PTRACE_SYSCALL, as strace does; then PTRACE_CONT */
    }
  ok (stops >= 2, "the tracer sees the program's stops");
  is (raw, 0, what);
}

static int
traced (void)
{
  run_traced ("begin"); /* with the call by which every libc begins */
  run_traced ("quiet"); /* with none at all */
  return done ();
}

/* --- the names of its own namespace --- */

static int
node_is (const char *name)
{
  struct utsname_new now;

  return call (NR_uname, &now) == 0 && equal (now.nodename, name);
}

static int
rename_node (void)
{
  return call (NR_sethostname, "inner", 5) == 0 && node_is ("inner");
}

static int
names (void)
{
  static struct utsname_new before;

  ok (call (NR_uname, &before) == 0, "uname before anybody has names of his own");
  long child = call (NR_clone, CLONE_NEWUTS | 17 /* SIGCHLD */, 0, 0, 0, 0);
  if (child == 0)
    call (NR_exit_group, rename_node () ? 0 : 9);
  is (guest_wait (child), 0, "in the child of clone (CLONE_NEWUTS)");
  ok (node_is (before.nodename), "its parent keeps the zone's");
  child = guest_fork ();
  if (child == 0)
    call (NR_exit_group, call (NR_unshare, CLONE_NEWUTS) == 0 && rename_node () ? 0 : 9);
  is (guest_wait (child), 0, "after unshare (CLONE_NEWUTS)");
  ok (node_is (before.nodename), "and its parent, too");
  return done ();
}

/* end, unless NULL: a file that ends it. */
static int
chain (char **argv, const char *end)
{
  static char number[24];
  char *words[6] = { argv[0], expected, argv[2], number, (char *) end, NULL };
  u32 rest, left = (u32) number_of (argv[3]);
  usize at = sizeof number - 1;

  if (left == 0 || (end != NULL && call (NR_access, end, 0) == 0))
    {
      print ("chain: done, %lu left\n", (word) left);
      return 0;
    }
  left--;
  do
    {
      left = (u32) divide (left, 10, &rest);
      number[--at] = (char) ('0' + rest);
    }
  while (left != 0);
  words[3] = number + at;
  call (NR_execve, own_path, words, environment);
  return 9;
}

static int
maps_hold (const char *text)
{
  static char maps[65536];

  if (read_file ("/proc/self/maps", maps, sizeof maps) < 0)
    return 2;
  for (const char *p = maps; *p != '\0'; p++)
    if (starts_with (p, text))
      return 0;
  return 1;
}

static int
cost (void)
{
  u32 rest;
  u64 start = monotonic_ns ();

  for (int i = 0; i < 500000; i++)
    old_time (NULL);
  print ("%llu\n", divide (monotonic_ns () - start, 50000, &rest) / 10);
  return 0;
}

int
guest_main (int argc, char **argv, char **envp)
{
  if (argc < 3)
    return 2;
  static word thread_pointer[8];
  int rewritten = equal (argv[1], "rewritten");
  const char *what = argv[2];

  expected = argv[1];
  environment = envp;
  own_path = argv[0];
  quiet_words[0] = argv[0];
  quiet_words[1] = argv[1];
  quiet_words[2] = (char *) "quiet";
  if (equal (what, "begin"))
    {
      call (NR_arch_prctl, ARCH_SET_FS, thread_pointer);
      return is_well (rewritten) ? 0 : 3;
    }
  if (equal (what, "check"))
    return check (rewritten);
  if (!is_well (rewritten))
    {
      print ("# %s: the text or the answers are wrong\n", what);
      return 3;
    }
  if (equal (what, "ways"))
    return all_ways ();
  if (equal (what, "traced"))
    return traced ();
  if (equal (what, "chain") && (argc == 4 || argc == 5))
    return chain (argv, argc == 5 ? argv[4] : NULL);
  if (equal (what, "names"))
    return names ();
  if (equal (what, "cost"))
    return cost ();
  if (equal (what, "maps") && argc == 4)
    return maps_hold (argv[3]);
  if (equal (what, "euid") && argc == 4)
    return call (NR_geteuid) == number_of (argv[3]) ? 0 : 4;
  return equal (what, "quiet") || starts_with (what, "./") || what[0] == '/' ? 0 : 2;
}
