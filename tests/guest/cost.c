/* guest-cost WHAT COUNT: for the benchmarks; prints nanoseconds for one.
 *   getppid     the mean of a call that is allowed
 *   filtered    the same below one more filter, which allows everything: the least that the kernel lets a filter cost
 *   uname       the median of a call that may be translated
 *   lstat PATH  the median of a call with a string in and a structure out (i386: lstat64)
 *   exec PATH   the mean of fork, exec of PATH, wait */
#include "guest.h"

#define SAMPLES 4096

#ifdef __i386__
#define NR_LSTAT 196 /* lstat64 */
#else
#define NR_LSTAT 6
#endif

static u32
median (u32 *samples, u32 count)
{
  for (u32 gap = count / 2; gap > 0; gap /= 2) /* Shell's sort */
    {
      for (u32 i = gap; i < count; i++)
        {
          u32 value = samples[i], j = i;
          for (; j >= gap && samples[j - gap] > value; j -= gap)
            samples[j] = samples[j - gap];
          samples[j] = value;
        }
    }
  return samples[count / 2];
}

static u32
mean (u64 start, u32 count)
{
  u32 rest;
  u64 value = monotonic_ns () - start;

  /* divide() takes at most 16 bits: in two steps. */
  while (count > 0xffff)
    {
      value = divide (value, 16, &rest);
      count /= 16;
    }
  return (u32) divide (value, count, &rest);
}

/* 0: the call fails. */
static u32
cost_of_call (long number, const void *first, void *second, u32 count)
{
  static u32 samples[SAMPLES];

  if (call (number, first, second) != 0)
    return 0;
  count = count > SAMPLES ? SAMPLES : count;
  for (u32 i = 0; i < count; i++)
    {
      u64 start = monotonic_ns ();
      call (number, first, second);
      samples[i] = (u32) (monotonic_ns () - start);
    }
  return median (samples, count);
}

static u32
cost_of_exec (char **words, char **envp, u32 count)
{
  u64 start = monotonic_ns ();

  for (u32 i = 0; i < count; i++)
    {
      long pid = guest_fork ();
      if (pid == 0)
        {
          call (NR_execve, words[0], words, envp);
          call (NR_exit, 127);
        }
      if (guest_wait (pid) != 0)
        return 0;
    }
  return mean (start, count);
}

static int
filter_nothing (void)
{
  static struct { u16 code; unsigned char yes, no; u32 k; } allow = { 0x06 /* BPF_RET */, 0, 0, 0x7fff0000 /* SECCOMP_RET_ALLOW */ };
  static struct { u16 length; void *filter; } program = { 1, &allow };

  return call (NR_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0) == 0
         && call (NR_prctl, 22 /* PR_SET_SECCOMP */, 2 /* SECCOMP_MODE_FILTER */, &program) == 0;
}

int
guest_main (int argc, char **argv, char **envp)
{
  static char answer[512]; /* utsname is the longest */
  u32 count = argc > 2 ? (u32) number_of (argv[2]) : 0, cost = 0;

  if (count == 0)
    return 2;
  if (equal (argv[1], "filtered") && !filter_nothing ())
    return 1;
  if (equal (argv[1], "getppid") || equal (argv[1], "filtered"))
    {
      u64 start = monotonic_ns ();
      for (u32 i = 0; i < count; i++)
        call (NR_getppid);
      cost = mean (start, count);
    }
  else if (equal (argv[1], "uname"))
    cost = cost_of_call (NR_uname, answer, NULL, count);
  else if (equal (argv[1], "lstat") && argc > 3)
    cost = cost_of_call (NR_LSTAT, argv[3], answer, count);
  else if (equal (argv[1], "exec") && argc > 3)
    cost = cost_of_exec (argv + 3, envp, count);
  print ("%u\n", cost);
  return cost == 0;
}
