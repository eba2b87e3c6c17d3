/* guest-heap: the heap starts exactly at the end of bss, as the sbrk of libc 5 and old uClibc
 * wants it: they call brk(end + n) without asking brk(0) (E30). guest-heap again: the same after
 * personality(0), which ld-linux.so.1 calls at every start, and exec (E31). guest-heap signal: and one SIGUSR1, which
 * somebody sends meanwhile, is handled. */
#include "guest.h"

extern char _end[];
static char filler[4321]; /* so that bss does not end with a page */

/* The last program of `again` counts alone: its parent prints the case. */
static int quiet, failed;

static void
check (int passed, const char *name)
{
  failed |= !passed;
  if (!quiet)
    ok (passed, name);
}

static int signals;

static void
count_signal (int signal)
{
  (void) signal;
  signals++;
}

static int
try (word address, const char *name)
{
  word got = (word) call (NR_brk, address);

  if (got != address)
    print ("# brk(0x%lx) = 0x%lx, end of bss 0x%lx\n", address, got, W (_end));
  check (got == address, name);
  return got == address;
}

static void
check_heap (const char *who)
{
  word end = W (_end);

  print ("# %s\n", who);
  if (!try (end + 84, "brk(end + 84) is answered with itself"))
    return;
  memset (_end, 1, 84);
  try (end + 0x5010, "the heap grows");
  memset (_end, 2, 0x5010);
  try (end + 0x1234, "and shrinks");
  try (end + 0x21234, "and grows again");
  memset (_end, 3, 0x21234);
  check (_end[0] == 3 && _end[0x21233] == 3, "what was written is there");
}

int
guest_main (int argc, char **argv, char **envp)
{
  static char *words[] = { NULL, "last", NULL };

  filler[1] = 1;
  quiet = argc > 1 && equal (argv[1], "last");
  on_signal (10, count_signal);
  check_heap (argc > 1 ? argv[1] : "first program");
  if (argc > 1 && equal (argv[1], "signal"))
    is (signals, 1, "the signal is handled");
  if (argc > 1 && equal (argv[1], "again"))
    {
      ok (call (NR_personality, 0) >= 0, "personality(0) succeeds");
      long pid = guest_fork ();
      if (pid == 0)
        {
          words[0] = argv[0];
          call (NR_execve, argv[0], words, envp);
          call (NR_exit, 126);
        }
      is (guest_wait (pid), 0, "after personality(0) and exec the heap is there again");
    }
  if (quiet)
    return failed;

  /* A child's heap is its parent's copy. */
  long pid = guest_fork ();
  if (pid == 0)
    call (NR_exit, (word) call (NR_brk, W (_end) + 0x31234) == W (_end) + 0x31234 ? 0 : 1);
  is (guest_wait (pid), 0, "a child's heap grows");
  return done ();
}
