/* SIGKILL of the supervisor at each point between receiving and answering a call, and at random
 * instants.
 *
 * The test is the keeper: it holds the listener and the journal and starts another supervisor
 * whenever one has died. Tasks make three sorts of calls: ADD answers its argument plus one, STORE
 * writes into the task's memory, ONCE counts in shared memory how often its effect happened. No
 * call may hang, none may get a wrong answer, and no effect of ONCE may happen twice; EINTR is
 * allowed for ONCE only. */
#include "config.h"

#include "syscall-xlat/loop.h"
#include "syscall-xlat/slot.h"
#include "tests/unit/cmocka-all.h"
#include "tests/unit/notified.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Numbers that no libc uses. */
enum { ADD = 180, STORE = 181, ONCE = 182 };
#define CALLS_MAX (1 << 22)

typedef struct {
  _Atomic gboolean stop;
  _Atomic guint64 sequence, interrupted, done;
  char point[16]; /* where the supervisor dies */
  _Atomic int countdown;
  _Atomic gboolean ready; /* the supervisor has its loop */
  _Atomic guint8 effect[CALLS_MAX];
} Shared;

static Shared *shared;
void (*bz_test_point) (const char *point);

static void
die_at (const char *point)
{
  if (strcmp (point, shared->point) == 0 && atomic_fetch_sub (&shared->countdown, 1) == 1)
    {
      kill (getpid (), SIGKILL);
      pause ();
    }
}

static BzVerdict
handle_add (BzCall *call)
{
  return bz_value ((gint64) call->args[0] + 1);
}

static BzVerdict
handle_store (BzCall *call)
{
  guint64 value = call->args[1] * 3;
  int failed = bz_call_write (call, call->args[0], &value, sizeof value);

  return failed != 0 ? bz_errno (failed) : bz_value ((gint64) call->args[1]);
}

static BzVerdict
handle_once (BzCall *call)
{
  if (!bz_call_begin (call))
    return bz_errno (ESRCH);
  atomic_fetch_add (&shared->effect[call->args[0] % CALLS_MAX], 1);
  return bz_value ((gint64) call->args[0]);
}

static const BzRow rows[] = {
  { .nr = ADD, .name = "add", .handler = handle_add },
  { .nr = STORE, .name = "store", .handler = handle_store },
  { .nr = ONCE, .name = "once", .handler = handle_once, .once = TRUE },
};

const BzRow *
bz_table_row (BzAbi abi, int nr)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if (abi == BZ_ABI_X86_64 && rows[i].nr == nr)
      return &rows[i];
  return NULL;
}

BzHandler
bz_row_handler (const BzRow *row, const BzPlan *plan G_GNUC_UNUSED)
{
  return row->handler;
}

/* Exit status: which sort of call went wrong. */
static int
task_main (gpointer data G_GNUC_UNUSED)
{
  while (!atomic_load (&shared->stop))
    {
      guint64 number = atomic_fetch_add (&shared->sequence, 1) % CALLS_MAX, stored = 0;

      if ((guint64) syscall (ADD, number) != number + 1)
        return 1;
      if ((guint64) syscall (STORE, &stored, number) != number || stored != number * 3)
        return 2;
      long once = syscall (ONCE, number);
      guint8 effects = atomic_load (&shared->effect[number]);
      if (once == -1 && errno == EINTR && effects <= 1)
        atomic_fetch_add (&shared->interrupted, 1);
      else if ((guint64) once != number || effects != 1)
        return 3;
      atomic_fetch_add (&shared->done, 3);
    }
  return 0;
}

static int
two_tasks_main (gpointer data)
{
  int status = 0;
  pid_t other = fork ();

  if (other == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      _exit (task_main (data));
    }
  int result = task_main (data);
  waitpid (other, &status, 0);
  return result != 0 || status == 0 ? result : 10;
}

static pid_t
start_supervisor (int journal_fd, int listener)
{
  atomic_store (&shared->ready, FALSE);
  pid_t supervisor = fork ();

  if (supervisor != 0)
    return supervisor;
  BzPlan plan = { .sync_wake_up = TRUE };
  BzJournal *journal = bz_journal_map (journal_fd, NULL);
  BzLoop *loop;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  bz_test_point = die_at;
  if (journal == NULL || (loop = bz_loop_new (&plan, journal, NULL)) == NULL
      || !bz_loop_add (loop, 0, dup (listener), NULL))
    _exit (1);
  atomic_store (&shared->ready, TRUE);
  for (;;)
    pause ();
}

static void
nap (guint microseconds)
{
  const struct timespec time = { .tv_nsec = microseconds * 1000L };

  nanosleep (&time, NULL);
}

static void
assert_killed (pid_t supervisor)
{
  int status = 0;

  assert_int_equal (waitpid (supervisor, &status, 0), supervisor);
  assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
}

static void
die_at_points (int journal, int listener, const char *point, guint times, GRand *random)
{
  for (guint i = 0; i < times; i++)
    {
      g_strlcpy (shared->point, point, sizeof shared->point);
      atomic_store (&shared->countdown, g_rand_int_range (random, 1, 6));
      assert_killed (start_supervisor (journal, listener));
    }
  shared->point[0] = '\0';
}

static void
die_at_random (int journal, int listener, guint times, GRand *random)
{
  for (guint i = 0; i < times; i++)
    {
      pid_t supervisor = start_supervisor (journal, listener);

      while (!atomic_load (&shared->ready))
        nap (50);
      nap ((guint) g_rand_int_range (random, 0, 1500));
      kill (supervisor, SIGKILL);
      assert_killed (supervisor);
    }
}

/* The last supervisor must be able to answer everything: the tasks stop by themselves. */
static void
finish (BzTask *task, int journal_fd)
{
  pid_t supervisor = start_supervisor (journal_fd, task->listener);

  atomic_store (&shared->stop, TRUE);
  assert_int_equal (bz_task_wait (task), 0);
  kill (supervisor, SIGKILL);
  assert_killed (supervisor);
}

static void
test_every_call_completes_once (void **state G_GNUC_UNUSED)
{
  const int numbers[] = { ADD, STORE, ONCE, -1 };
  g_autoptr (GRand) random = g_rand_new_with_seed (20);
  int journal_fd = bz_journal_create (NULL);
  g_autoptr (BzJournal) journal = bz_journal_map (journal_fd, NULL);

  shared = mmap (NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal (shared, MAP_FAILED);
  BzTask task = bz_task_new (numbers, two_tasks_main, NULL);
  bz_task_go (&task);

  /* 1,000 between RECV and SEND ... */
  die_at_points (journal_fd, task.listener, "taken", 334, random);
  die_at_points (journal_fd, task.listener, "begun", 333, random);
  die_at_points (journal_fd, task.listener, "answer", 333, random);
  /* ... and around them. */
  die_at_points (journal_fd, task.listener, "sent", 100, random);
  die_at_points (journal_fd, task.listener, "cleared", 100, random);
  die_at_points (journal_fd, task.listener, "receive", 100, random);
  die_at_random (journal_fd, task.listener, 200, random);
  finish (&task, journal_fd);

  assert_int_equal (bz_journal_successions (journal), 1500);
  assert_true (atomic_load (&shared->interrupted) > 0);
  assert_true (atomic_load (&shared->done) > 3000);
  print_message ("%u calls, %u of them answered EINTR\n", (guint) shared->done,
                 (guint) shared->interrupted);
  close (task.listener);
  close (journal_fd);
  munmap (shared, sizeof *shared);
}

int
main (void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test (test_every_call_completes_once) };

  alarm (300); /* a hung task shall end the test, not wait with it */
  return cmocka_run_group_tests (tests, NULL, NULL);
}
