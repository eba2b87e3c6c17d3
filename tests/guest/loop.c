/* guest-loop SECONDS RELEASE [PROCESSES [FILE]]: translated calls without a pause from several
 * processes and a second thread each, for that time or until there is a file of that name; every
 * answer is looked at. Meant to run while its supervisor is killed again and again: a call may
 * return EINTR, nothing else but the right answer, and none may hang. Prints "loop: calls N
 * interrupted N wrong N slowest-us N". */
#include "guest.h"

struct count {
  u32 calls, interrupted, wrong, slowest_us;
};

static struct count *shared; /* one per thread, in memory that the processes share */
static volatile u32 *ended;  /* there, too */
static const char *release;
static u64 deadline;

static long
loop (void *data)
{
  struct count *count = data;
  struct utsname_new u;

  for (u64 start = monotonic_ns (); start < deadline && !*ended;)
    {
      memset (&u, 0, sizeof u);
      long result = call (NR_uname, &u);
      u64 end = monotonic_ns ();
      u32 rest, took = (u32) divide (end - start, 1000, &rest);

      count->calls++;
      if (result == -E_INTR)
        count->interrupted++;
      else if (result != 0 || !equal (u.release, release) || !equal (u.sysname, "Linux"))
        {
          count->wrong++;
          print ("# wrong: result %ld release \"%s\"\n", result, u.release);
        }
      if (took > count->slowest_us)
        count->slowest_us = took;
      start = end;
    }
  return 0;
}

static void
one_process (int index)
{
  struct thread thread;
  int started = thread_start (&thread, loop, &shared[2 * index + 1]);

  loop (&shared[2 * index]);
  if (started == 0)
    thread_wait (&thread);
}

static void
wait_for_file (const char *name)
{
  while (monotonic_ns () < deadline)
    {
      long fd = call (NR_open, name, 0, 0);

      if (fd >= 0)
        {
          call (NR_close, fd);
          break;
        }
      guest_sleep_us (50000);
    }
  *ended = 1;
}

static void *
shared_memory (usize bytes)
{
#ifdef __i386__
  word block[6] = { 0, bytes, 3, 0x21, ~0ul, 0 }; /* MAP_SHARED MAP_ANONYMOUS, read and write */
  long got = call (NR_mmap, block);
#else
  long got = call (NR_mmap, 0, bytes, 3, 0x21, ~0ul, 0);
#endif
  return got < 0 && got > -4096 ? NULL : (void *) got;
}

int
guest_main (int argc, char **argv, char **envp)
{
  int processes = argc > 3 ? (int) number_of (argv[3]) : 1;
  long pids[64];
  struct count sum = { 0, 0, 0, 0 };

  (void) envp;
  if (argc < 3 || processes < 1 || processes > (int) COUNT (pids))
    return 2;
  release = argv[2];
  deadline = monotonic_ns () + (u64) number_of (argv[1]) * 1000000000u;
  shared = shared_memory (2 * COUNT (pids) * sizeof *shared);
  ended = shared_memory (sizeof *ended);
  if (shared == NULL || ended == NULL)
    return 3;
  print ("loop: started\n");
  for (int i = 0; i < processes; i++)
    {
      pids[i] = guest_fork ();
      if (pids[i] == 0)
        {
          one_process (i);
          call (NR_exit_group, 0);
          call (NR_exit, 0);
        }
    }
  if (argc > 4)
    wait_for_file (argv[4]);
  for (int i = 0; i < processes; i++)
    is (guest_wait (pids[i]), 0, "a process ends by itself");
  for (int i = 0; i < 2 * processes; i++)
    {
      sum.calls += shared[i].calls;
      sum.interrupted += shared[i].interrupted;
      sum.wrong += shared[i].wrong;
      if (shared[i].slowest_us > sum.slowest_us)
        sum.slowest_us = shared[i].slowest_us;
    }
  print ("loop: calls %u interrupted %u wrong %u slowest-us %u\n", sum.calls, sum.interrupted,
         sum.wrong, sum.slowest_us);
  ok (sum.calls > 0, "calls were made");
  is ((long) sum.wrong, 0, "no answer was wrong");
  return done ();
}
