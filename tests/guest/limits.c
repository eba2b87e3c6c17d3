/* guest-limits SOFT HARD: the limit of open files at start (O5). */
#include "guest.h"

int
guest_main (int argc, char **argv, char **envp)
{
  word limit[2] = { 0, 0 };

  (void) envp;
  is (call (NR_getrlimit, 7, limit), 0, "getrlimit(NOFILE)");
  print ("# soft %lu hard %lu\n", limit[0], limit[1]);
  if (argc > 2)
    {
      is ((long) limit[0], number_of (argv[1]), "soft limit");
      is ((long) limit[1], number_of (argv[2]), "hard limit");
    }
#ifdef __i386__
  word again[2] = { 0, 0 };
  long result = call (NR_getrlimit_2, 7, again);
  if (result == -E_NOSYS)
    skip ("ugetrlimit(NOFILE)", "it came with 2.4");
  else
    ok (result == 0 && again[0] == limit[0] && again[1] == limit[1], "ugetrlimit agrees");
#endif
  return done ();
}
