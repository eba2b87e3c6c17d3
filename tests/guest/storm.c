/* guest-storm COUNT [signals]: signals (and deaths) in the middle of translated calls.
 *
 * A child sends SIGUSR1 as fast as it can while COUNT calls are made whose number the caller can
 * compare with the counters of `brandzone trace --stats`: none may be carried out twice. Then
 * children that do nothing but translated calls are killed at odd moments. Prints "storm: calls N
 * signals N interrupted N". */
#include "guest.h"

static volatile u32 signals;

static void
count_signal (int signal)
{
  (void) signal;
  signals++;
}

static void
under_signals (u32 count)
{
  struct utsname_new u;
  u32 interrupted = 0, wrong = 0;
  long target = call (NR_getpid), sender;
  static char empty[65];

  on_signal (10, count_signal);
  sender = guest_fork ();
  if (sender == 0)
    {
      while (call (NR_kill, target, 10) == 0)
        call (NR_sched_yield);
      call (NR_exit, 0);
    }
  while (signals == 0)
    call (NR_sched_yield);
  for (u32 i = 0; i < count; i++)
    {
      memcpy (u.release, empty, sizeof empty);
      long result = call (NR_uname, &u);
      interrupted += result == -E_INTR;
      wrong += result == 0 ? u.release[0] == '\0' : result != -E_INTR;
    }
  u32 seen = signals;
  call (NR_kill, sender, 9);
  is (guest_wait (sender), 9, "the sender was there to the end");
  print ("storm: calls %u signals %u interrupted %u\n", count, seen, interrupted);
  ok (seen > 0, "signals arrived");
  is ((long) wrong, 0, "no answer was wrong");
}

static void
under_kills (u32 rounds)
{
  struct utsname_new u;
  u32 killed = 0;

  for (u32 i = 0; i < rounds; i++)
    {
      long child = guest_fork ();
      if (child == 0)
        {
          for (;;)
            call (NR_uname, &u);
        }
      guest_sleep_us (i * 37 % 900);
      call (NR_kill, child, 9);
      killed += guest_wait (child) == 9;
    }
  is ((long) killed, (long) rounds, "every killed child is gone at once");
}

int
guest_main (int argc, char **argv, char **envp)
{
  (void) envp;
  u32 count = argc > 1 ? (u32) number_of (argv[1]) : 1000;

  under_signals (count);
  if (argc < 3 || !equal (argv[2], "signals"))
    under_kills (100);
  return done ();
}
