/* guest-clock: setting the clock is said to have worked for the zone's root, and nobody
 * else; the clock stays (S23). */
#include "guest.h"

struct time_pair {
  long seconds, parts;
};

static u8 timex[512]; /* struct timex; modes come first */

static long
now (void)
{
  struct time_pair time = { 0, 0 };

  call (NR_gettimeofday, &time, 0);
  return time.seconds;
}

static void
set_all (long expected, const char *who)
{
  struct time_pair time = { 12345, 0 };

  print ("# %s\n", who);
  is (call (NR_settimeofday, &time, 0), expected, "settimeofday");
#ifdef __i386__
  is (call (NR_stime, &time.seconds), expected, "stime");
#endif
  long result = call (NR_clock_settime, 0, &time);
  if (result == -E_NOSYS)
    skip ("clock_settime", "it came with 2.6");
  else
    is (result, expected, "clock_settime");
  memset (timex, 0, sizeof timex);
  timex[0] = 2; /* ADJ_FREQUENCY */
  result = call (NR_adjtimex, timex);
  if (expected != 0)
    is (result, expected, "adjtimex");
  else
    ok (result >= 0 && result <= 5, "adjtimex tells a clock state");
}

int
guest_main (int argc, char **argv, char **envp)
{
  (void) argc, (void) argv, (void) envp;
  long before = now ();

  memset (timex, 0, sizeof timex);
  long state = call (NR_adjtimex, timex);
  ok (state >= 0 && state <= 5, "adjtimex(0) only reads");
  set_all (0, "as root");
  is (call (NR_settimeofday, 1, 0), -E_FAULT, "settimeofday of a bad address is EFAULT");
  if (become_user ())
    set_all (-E_PERM, "as a user");
  long after = now ();
  ok (after >= before && after < before + 60, "the clock was not touched");
  return done ();
}
