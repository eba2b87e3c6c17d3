/* guest-loads FILE: TAP. A program without a call of the vsyscall page maps FILE (guest-library), which has one that
 * can't be rewritten: from its second thread, as dlopen does. All its threads, also those that were there before,
 * and its children must get the right answers. */
#include "guest.h"

enum {
  NR_time = 201,
  PROT_READ_EXEC = 5,
  MAP_PRIVATE = 2,
  NR_lseek = 8,
  SEEK_END = 2,
  ROUNDS = 100,
};

typedef long (*get_time) (s64 *now);

static const char *file;
static char **environment;
static volatile get_time library_time;

static int
is_right (void)
{
  for (int i = 0; i < ROUNDS; i++)
    {
      s64 stored = 0, before = call (NR_time, 0);
      s64 got = library_time (&stored), after = call (NR_time, 0);

      if (got != stored || got < before || got > after)
        return 0;
    }
  return 1;
}

static long
wait_and_ask (void *data)
{
  (void) data;
  while (library_time == NULL)
    guest_sleep_us (1000);
  return is_right ();
}

/* In two halves, or this program would hold the mark as well. */
static int
is_mark (const char *text)
{
  return memcmp (text, "guest-li", 8) == 0 && memcmp (text + 8, "brary:tm", 8) == 0;
}

static long
load (void *data)
{
  (void) data;
  long fd = call (NR_open, file, 0, 0);
  long size = call (NR_lseek, fd, 0, SEEK_END);
  const char *text = (const char *) call (NR_mmap, 0, size, PROT_READ_EXEC, MAP_PRIVATE, fd, 0);

  if (fd < 0 || (word) text > (word) -4096)
    return 0;
  for (long i = 0; i + 32 < size; i += 16)
    if (is_mark (text + i))
      {
        library_time = (get_time) (text + i + 16);
        return is_right ();
      }
  return 0;
}

int
guest_main (int argc, char **argv, char **envp)
{
  static struct thread before, loader, after;
  char *words[] = { argv[0], (char *) "again", NULL };

  if (argc == 2 && equal (argv[1], "again"))
    return 0;
  if (argc != 2)
    return 2;
  file = argv[1];
  environment = envp;
  thread_start (&before, wait_and_ask, NULL);
  thread_start (&loader, load, NULL);
  if (!thread_wait (&loader))
    library_time = library_time == NULL ? (get_time) -1 : library_time;
  ok (library_time != (get_time) -1, "a library is loaded by the second thread");
  if (library_time == (get_time) -1)
    return 1;
  is (thread_wait (&before), 1, "its calls in a thread that was there before");
  ok (is_right (), "in the first thread");
  thread_start (&after, wait_and_ask, NULL);
  is (thread_wait (&after), 1, "in a new thread");
  long child = guest_fork ();
  if (child == 0)
    call (NR_exit_group, is_right () ? 0 : 1);
  is (guest_wait (child), 0, "in a child");
  child = guest_fork ();
  if (child == 0)
    {
      call (NR_execve, argv[0], words, environment);
      call (NR_exit_group, 9);
    }
  is (guest_wait (child), 0, "what a child executes is well");
  ok (is_right (), "and afterwards in itself");
  return done ();
}
