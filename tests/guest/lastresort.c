/* guest-lastresort WHAT: a program that calls the vsyscall page (x86-64) from places that cannot be
 * rewritten: the address lies in data, is computed, or is read by a jump. Where the kernel serves
 * the page, it does; else brandzone's tracer of last resort must be as good. answers    TAP: the
 * answers, in the first thread, in another, in a child, after execve signals    TAP: handlers,
 * masks, real faults stops      TAP: job control cost       nanoseconds for one time() */
#include "guest.h"

enum {
  NR_rt_sigprocmask = 14,
  NR_time = 201,
  NR_getcpu = 309,
  NR_sched_setaffinity = 203,
  NR_setpgid = 109,
  SIG_SEGV = 11,
  SIG_USR1 = 10,
  SIG_CONT = 18,
  SIG_STOP = 19,
  SIG_TSTP = 20,
  SIG_BLOCK = 0,
  SIG_UNBLOCK = 1,
  W_UNTRACED = 2,
  W_CONTINUED = 8,
};

struct timeval64 {
  s64 seconds, microseconds;
};

typedef long (*get_time) (s64 *now);
typedef long (*get_timeofday) (struct timeval64 *now, void *zone);
typedef long (*get_cpu) (u32 *cpu, u32 *node, void *cache);

/* Addresses in data: a table, as an interpreter has one. */
static const volatile word table[] = { 0xffffffffff600000, 0xffffffffff600400, 0xffffffffff600800 };
static volatile word unit = 1024;

/* By a jump through memory. */
long jumped_time (s64 *now);
__asm__(".data\n.globl where\nwhere: .quad 0xffffffffff600400\n"
        ".text\n.type jumped_time, @function\njumped_time: jmp *where(%rip)\n.size jumped_time, "
        ".-jumped_time\n");

static get_time
computed (void)
{
  return (get_time) (0 - (unit * 10 - 1) * unit); /* one entry of 1 KiB after the page's begin, 10
                                                     MiB below the end */
}

static int
time_is_right (get_time function)
{
  s64 stored = 0, before = call (NR_time, 0);
  s64 got = function (&stored), after = call (NR_time, 0);

  return got == stored && before <= got && got <= after;
}

static int
gettimeofday_is_right (void)
{
  struct timeval64 before = { 0, 0 }, now = { 0, 0 }, after = { 0, 0 };
  s32 zone[3] = { -1, -1, 0x55 };

  call (NR_gettimeofday, &before, NULL);
  if (((get_timeofday) table[0]) (&now, zone) != 0)
    return 0;
  call (NR_gettimeofday, &after, NULL);
  /* A millisecond, for CPUs of virtual machines whose clocks differ. */
  return before.seconds * 1000000 + before.microseconds
             <= now.seconds * 1000000 + now.microseconds + 1000
         && now.seconds * 1000000 + now.microseconds
                <= after.seconds * 1000000 + after.microseconds + 1000
         && zone[2] == 0x55;
}

static int
getcpu_is_right (void)
{
  for (u32 wanted = 0; wanted < 2; wanted++)
    {
      word mask = 1ul << wanted;
      u32 cpu = 99, node = 99, real_cpu, real_node;

      if (call (NR_sched_setaffinity, 0, sizeof mask, &mask) != 0)
        continue;
      call (NR_getcpu, &real_cpu, &real_node, NULL);
      if (((get_cpu) table[2]) (&cpu, &node, NULL) != 0 || cpu != wanted || node != real_node)
        return 0;
    }
  return 1;
}

static int
all_is_right (void)
{
  return time_is_right ((get_time) table[1]) && time_is_right (jumped_time)
         && time_is_right (computed ()) && gettimeofday_is_right ()
         && ((get_time) table[1]) (NULL) >= call (NR_time, 0) - 1;
}

static int
again_and_again (int rounds)
{
  for (int i = 0; i < rounds; i++)
    if (!all_is_right ())
      return 0;
  return 1;
}

/* --- answers --- */

static long
in_a_thread (void *data)
{
  (void) data;
  return again_and_again (200);
}

static void
check_threads (void)
{
  static struct thread threads[4];
  long good = 0;

  for (int i = 0; i < 4; i++)
    thread_start (&threads[i], in_a_thread, NULL);
  good += again_and_again (200);
  for (int i = 0; i < 4; i++)
    good += thread_wait (&threads[i]);
  is (good, 5, "in five threads at once");
}

static void
check_children (char **argv, char **envp)
{
  char *words[] = { argv[0], (char *) "quiet", NULL };
  long child = guest_fork ();

  if (child == 0)
    {
      long grandchild = guest_fork ();
      if (grandchild == 0)
        call (NR_exit_group, again_and_again (20) ? 0 : 1);
      call (NR_exit_group, again_and_again (20) && guest_wait (grandchild) == 0 ? 0 : 1);
    }
  is (guest_wait (child), 0, "in a child, and in its child");
  child = guest_fork ();
  if (child == 0)
    {
      call (NR_execve, argv[0], words, envp);
      call (NR_exit_group, 9);
    }
  is (guest_wait (child), 0, "in a program that it executes");
  ok (again_and_again (20), "and afterwards in itself");
}

static int
answers (char **argv, char **envp)
{
  ok (time_is_right ((get_time) table[1]), "time, by an address in data");
  ok (time_is_right (jumped_time), "time, by a jump through memory");
  ok (time_is_right (computed ()), "time, by a computed address");
  ok (gettimeofday_is_right (), "gettimeofday is right, and fills a time zone");
  ok (getcpu_is_right (), "getcpu is right on each CPU");
  check_threads ();
  check_children (argv, envp);
  return done ();
}

/* --- signals --- */

static volatile int segv_count, usr1_count;

static void
on_segv (int signal)
{
  (void) signal;
  segv_count++;
  call (NR_exit_group, 77);
}

static void
on_usr1 (int signal)
{
  (void) signal;
  usr1_count += all_is_right ();
}

static void
check_real_fault (void)
{
  long child = guest_fork ();

  if (child == 0)
    {
      volatile word nowhere = 16;

      on_signal (SIG_SEGV, on_segv);
      if (!again_and_again (20) || segv_count != 0)
        call (NR_exit_group, 2);
      *(volatile u32 *) nowhere = 0;
      call (NR_exit_group, 3);
    }
  is (guest_wait (child), 77 << 8, "its own handler of SIGSEGV is run for a real fault only");
  child = guest_fork ();
  if (child == 0)
    {
      volatile word nowhere = 16;

      all_is_right ();
      *(volatile u32 *) nowhere = 0;
    }
  is (guest_wait (child) & 0x7f, SIG_SEGV, "without a handler a real fault ends it by SIGSEGV");
}

/* The page has its entries, and nothing else. */
static void
check_other_addresses (void)
{
  long child = guest_fork ();

  if (child == 0)
    {
      on_signal (SIG_SEGV, on_segv);
      ((get_time) (table[1] + 8)) (NULL);
      call (NR_exit_group, 3);
    }
  is (guest_wait (child), 77 << 8, "a call of another address of the page is a fault");
  child = guest_fork ();
  if (child == 0)
    {
      on_signal (SIG_SEGV, on_segv);
      ((get_time) table[1]) ((s64 *) (unit / 1024 * 16));
      call (NR_exit_group, 3);
    }
  is (guest_wait (child), 77 << 8, "an answer that cannot be stored is a fault");
}

static void
check_many_signals (void)
{
  long parent = call (NR_getpid), child;

  on_signal (SIG_USR1, on_usr1);
  child = guest_fork ();
  if (child == 0)
    {
      for (int i = 0; i < 200; i++)
        {
          call (NR_kill, parent, SIG_USR1);
          guest_sleep_us (200);
        }
      call (NR_exit_group, 0);
    }
  int good = 1, status = 0;
  while (call (NR_wait4, child, &status, 1, 0) == 0)
    good &= all_is_right ();
  ok (good && usr1_count > 0, "while other signals arrive, whose handler asks the time too");
}

static void
check_mask (void)
{
  u64 mask = 1ull << (SIG_USR1 - 1), now = 0;

  call (NR_rt_sigprocmask, SIG_BLOCK, &mask, NULL, 8);
  ok (again_and_again (20), "with SIGUSR1 blocked");
  call (NR_rt_sigprocmask, SIG_BLOCK, NULL, &now, 8);
  ok ((now & mask) != 0, "which stays blocked");
  call (NR_rt_sigprocmask, SIG_UNBLOCK, &mask, NULL, 8);
}

static int
signals (void)
{
  check_real_fault ();
  check_other_addresses ();
  check_many_signals ();
  check_mask ();
  return done ();
}

/* --- job control --- */

static int
stops (void)
{
  int status = 0;
  long child = guest_fork ();

  if (child == 0)
    call (NR_setpgid, 0, 0); /* SIGTSTP stops nobody in an orphaned process group */
  if (child == 0)
    for (;;)
      if (!all_is_right ())
        call (NR_exit_group, 3);
  for (int round = 0; round < 3; round++)
    {
      guest_sleep_us (20000);
      call (NR_kill, child, round == 1 ? SIG_TSTP : SIG_STOP);
      is (call (NR_wait4, child, &status, W_UNTRACED, 0), child, "it stops");
      is (status >> 8, round == 1 ? SIG_TSTP : SIG_STOP, "by that signal");
      guest_sleep_us (20000);
      is (call (NR_wait4, child, &status, 1 | W_UNTRACED | W_CONTINUED, 0), 0, "it stays stopped");
      call (NR_kill, child, SIG_CONT);
      is (call (NR_wait4, child, &status, W_CONTINUED, 0), child, "it goes on");
    }
  guest_sleep_us (20000);
  is (call (NR_wait4, child, &status, 1, 0), 0, "with right answers");
  call (NR_kill, child, 9);
  is (guest_wait (child), 9, "and can be killed");
  return done ();
}

static int
cost (void)
{
  u32 rest;
  u64 start = monotonic_ns ();

  for (int i = 0; i < 10000; i++)
    ((get_time) table[1]) (NULL);
  print ("%llu\n", divide (monotonic_ns () - start, 10000, &rest));
  return 0;
}

int
guest_main (int argc, char **argv, char **envp)
{
  const char *what = argc > 1 ? argv[1] : "";

  if (equal (what, "answers"))
    return answers (argv, envp);
  if (equal (what, "signals"))
    return signals ();
  if (equal (what, "stops"))
    return stops ();
  if (equal (what, "cost"))
    return cost ();
  return equal (what, "quiet") ? !again_and_again (20) : 2;
}
