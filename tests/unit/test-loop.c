/* The loop over real listeners. The calls are numbers that no libc uses, with handlers of the
 * test's own, and uname. */
#include "config.h"

#include "brand/base/error.h"
#include "syscall-xlat/calls/guest.h"
#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/slot.h"
#include "tests/unit/cmocka-all.h"
#include "tests/unit/notified.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ADD = 180, HANG = 181, HANG_UNMARKED = 182, EFFECT = 183, LATE = 184, SPIN = 185, STARVE = 177,
       UNAME = 63 };
static const int numbers[] = { ADD, HANG, HANG_UNMARKED, EFFECT, LATE, SPIN, STARVE, UNAME, -1 };

#define ANSWERS_WITHIN_US 10000
#define TRIES 5

typedef struct {
  int release[2];        /* a hanging handler reads from it */
  _Atomic guint hanging; /* handlers that hang now */
  _Atomic guint64 effects;
  _Atomic guint64 calls;
  _Atomic guint64 slowest; /* microseconds */
  _Atomic gboolean stop;
  _Atomic gint more_threads; /* while a handler had no processor */
} Shared;
static Shared *shared;

static BzVerdict
handle_add (BzCall *call)
{
  return bz_value ((gint64) call->args[0] + 1);
}

static BzVerdict
handle_hang (BzCall *call)
{
  char byte;

  if (call->row->blocking)
    bz_call_will_wait (call);
  atomic_fetch_add (&shared->hanging, 1);
  while (read (shared->release[0], &byte, 1) < 0 && errno == EINTR)
    continue;
  atomic_fetch_sub (&shared->hanging, 1);
  return bz_value (7);
}

static BzVerdict
handle_effect (BzCall *call)
{
  if (!bz_call_begin (call))
    return bz_errno (ESRCH);
  atomic_fetch_add (&shared->effects, 1);
  return bz_value (1);
}

static BzVerdict
handle_late (BzCall *call)
{
  return bz_deferred ((guint) call->args[0], EINTR);
}

/* As handle_hang, but it never sleeps. */
static BzVerdict
handle_spin (BzCall *call G_GNUC_UNUSED)
{
  struct pollfd ready = { .fd = shared->release[0], .events = POLLIN };
  char byte;

  atomic_fetch_add (&shared->hanging, 1);
  while (poll (&ready, 1, 0) == 0)
    continue;
  atomic_fetch_sub (&shared->hanging, 1);
  return bz_value (read (shared->release[0], &byte, 1) == 1 ? 7 : 0);
}

static gint
count_threads (void)
{
  g_autofree char *text = NULL;

  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL))
    return -1;
  const char *line = strstr (text, "\nThreads:");
  return line != NULL ? (gint) strtol (line + strlen ("\nThreads:"), NULL, 10) : -1;
}

#define STARVED_US 60000

typedef struct {
  cpu_set_t processor;
  pthread_barrier_t counted;
} Other;

static void *
take_the_processor (void *data)
{
  Other *other = data;
  guint64 end = (guint64) g_get_monotonic_time () + STARVED_US;

  sched_setaffinity (0, sizeof other->processor, &other->processor);
  while ((guint64) g_get_monotonic_time () < end)
    continue;
  pthread_barrier_wait (&other->counted);
  return NULL;
}

/* Runnable all the time, on a processor that another thread has. */
static BzVerdict
handle_starve (BzCall *call G_GNUC_UNUSED)
{
  const struct sched_param none = { 0 };
  guint64 end = (guint64) g_get_monotonic_time () + STARVED_US;
  cpu_set_t before;
  Other other;
  pthread_t thread;

  sched_getaffinity (0, sizeof before, &before);
  CPU_ZERO (&other.processor);
  CPU_SET (sched_getcpu (), &other.processor);
  pthread_barrier_init (&other.counted, NULL, 2);
  if (pthread_create (&thread, NULL, take_the_processor, &other) != 0)
    return bz_errno (EAGAIN);
  gint threads = count_threads ();
  sched_setaffinity (0, sizeof other.processor, &other.processor);
  sched_setscheduler (0, SCHED_IDLE, &none);
  while ((guint64) g_get_monotonic_time () < end)
    sched_yield ();
  atomic_store (&shared->more_threads, count_threads () - threads);
  sched_setscheduler (0, SCHED_OTHER, &none);
  sched_setaffinity (0, sizeof before, &before);
  pthread_barrier_wait (&other.counted);
  pthread_join (thread, NULL);
  pthread_barrier_destroy (&other.counted);
  return bz_value (7);
}

static const BzRow rows[] = {
  { .nr = ADD, .name = "add", .handler = handle_add },
  { .nr = HANG, .name = "hang", .handler = handle_hang, .blocking = TRUE },
  { .nr = HANG_UNMARKED, .name = "hang_unmarked", .handler = handle_hang },
  { .nr = EFFECT, .name = "effect", .handler = handle_effect },
  { .nr = LATE, .name = "late", .handler = handle_late },
  { .nr = SPIN, .name = "spin", .handler = handle_spin },
  { .nr = STARVE, .name = "starve", .handler = handle_starve },
  { .nr = UNAME, .name = "uname", .handler = bz_call_uname },
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

typedef struct {
  BzPlan plan;
  int journal_fd;
  BzJournal *journal;
  BzLoop *loop;
} Fixture;

static int
setup (void **state)
{
  Fixture *fixture = g_new0 (Fixture, 1);

  shared = mmap (NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal (shared, MAP_FAILED);
  assert_int_equal (pipe2 (shared->release, O_CLOEXEC), 0);
  fixture->plan.release = (char *) "2.2.26";
  fixture->plan.release_number = BZ_RELEASE (2, 2, 26);
  fixture->plan.quirk[BZ_QUIRK_RELEASE] = 1;
  fixture->plan.sync_wake_up = TRUE;
  fixture->journal_fd = bz_journal_create (NULL);
  fixture->journal = bz_journal_map (fixture->journal_fd, NULL);
  fixture->loop = bz_loop_new (&fixture->plan, fixture->journal, NULL);
  assert_non_null (fixture->loop);
  *state = fixture;
  return 0;
}

static int
teardown (void **state)
{
  Fixture *fixture = *state;

  bz_loop_free (fixture->loop);
  bz_journal_unmap (fixture->journal);
  close (fixture->journal_fd);
  close (shared->release[0]);
  close (shared->release[1]);
  munmap (shared, sizeof *shared);
  g_free (fixture);
  return 0;
}

static guint64
now_us (void)
{
  return (guint64) g_get_monotonic_time ();
}

static const BzCount *
find_count (GArray *counts, int nr)
{
  for (guint i = 0; i < counts->len; i++)
    if (g_array_index (counts, BzCount, i).nr == nr)
      return &g_array_index (counts, BzCount, i);
  return NULL;
}

static void
assert_all_slots_free (Fixture *fixture, guint index)
{
  for (guint i = 0; i < BZ_SLOTS; i++)
    {
      const BzSlot *slot = &fixture->journal->memory->listener[index].slot[i];

      assert_int_equal (slot->state, BZ_SLOT_FREE);
      assert_false (bz_slot_is_filled (slot));
    }
}

static void
start (Fixture *fixture, guint index, BzTask *task)
{
  g_autoptr (GError) error = NULL;

  assert_true (bz_loop_add (fixture->loop, index, task->listener, &error));
  bz_task_go (task);
}

/* A thread that is not the process's first makes the call: its id is no process id. */
static void *
uname_from_a_thread (void *result)
{
  BzGuestUtsname names;

  memset (&names, 0, sizeof names);
  *(gboolean *) result = syscall (UNAME, &names) == 0 && strcmp (names.release, "2.2.26") == 0
                         && strcmp (names.sysname, "Linux") == 0;
  return NULL;
}

static int
task_threads (gpointer data G_GNUC_UNUSED)
{
  gboolean right[8] = { FALSE };
  pthread_t thread[8];

  for (int round = 0; round < 50; round++)
    {
      for (int i = 0; i < 8; i++)
        if (pthread_create (&thread[i], NULL, uname_from_a_thread, &right[i]) != 0)
          return 2;
      for (int i = 0; i < 8; i++)
        {
          pthread_join (thread[i], NULL);
          if (!right[i])
            return 1;
        }
    }
  return syscall (UNAME, 16) == -1 && errno == EFAULT ? 0 : 3;
}

static void
test_threads_get_their_answers (void **state)
{
  Fixture *fixture = *state;
  BzTask task = bz_task_new (numbers, task_threads, NULL);

  start (fixture, 3, &task);
  assert_int_equal (bz_task_wait (&task), 0);
  bz_loop_remove (fixture->loop, 3);
  assert_all_slots_free (fixture, 3);
  g_autoptr (GArray) counts = bz_journal_counts (fixture->journal);
  const BzCount *count = find_count (counts, UNAME);
  assert_int_equal (count->count, 401);
  assert_int_equal (count->failed, 1);
  assert_true (count->nanoseconds > 0);
}

/* Children that die in the middle of whatever they are at. */
static int
task_dying (gpointer data G_GNUC_UNUSED)
{
  for (int i = 0; i < 400; i++)
    {
      const struct timespec life = { .tv_nsec = (i * 7919L) % 900000 };
      pid_t child = fork ();

      if (child == 0)
        for (BzGuestUtsname names;;)
          {
            syscall (UNAME, &names);
            syscall (LATE, 1);
          }
      nanosleep (&life, NULL);
      kill (child, SIGKILL);
      waitpid (child, NULL, 0);
    }
  return syscall (ADD, 41) == 42 ? 0 : 1;
}

static void
test_tasks_may_die_at_any_moment (void **state)
{
  Fixture *fixture = *state;
  BzTask task = bz_task_new (numbers, task_dying, NULL);

  start (fixture, 0, &task);
  assert_int_equal (bz_task_wait (&task), 0);
  bz_loop_remove (fixture->loop, 0);
  assert_all_slots_free (fixture, 0);
}

static void
on_alarm (int number G_GNUC_UNUSED)
{
}

static int
task_in_a_storm (gpointer data G_GNUC_UNUSED)
{
  struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
  struct itimerspec interval = { { 0, 40000 }, { 0, 40000 } };
  struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
  timer_t timer;

  sigaction (SIGALRM, &action, NULL);
  timer_create (CLOCK_MONOTONIC, &event, &timer);
  timer_settime (timer, 0, &interval, NULL);
  for (int i = 0; i < 30000; i++)
    {
      if (syscall (EFFECT) != 1)
        return 1;
      atomic_fetch_add (&shared->calls, 1);
    }
  return 0;
}

static void
test_signals_do_not_repeat_a_call (void **state)
{
  Fixture *fixture = *state;

  if (!bz_task_can_wait_killable ())
    {
      print_message ("skipped: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (wait-killable)\n");
      skip ();
    }
  BzTask task = bz_task_new (numbers, task_in_a_storm, NULL);
  start (fixture, 0, &task);
  assert_int_equal (bz_task_wait (&task), 0);
  assert_int_equal (atomic_load (&shared->calls), 30000);
  assert_int_equal (atomic_load (&shared->effects), 30000);
}

/* One process hangs in a call; the other one's answers are timed while it does. */
static int
task_hanging (gpointer data)
{
  int nr = GPOINTER_TO_INT (data);
  pid_t hanging = fork ();

  if (hanging == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      long result = syscall (nr);
      _exit (result == 7 ? 0 : errno == EIO ? 5 : 1);
    }
  while (atomic_load (&shared->hanging) == 0)
    sched_yield ();
  for (int i = 0; i < 200; i++)
    {
      BzGuestUtsname names;
      guint64 begun = now_us ();

      if (syscall (UNAME, &names) != 0)
        return 1;
      guint64 took = now_us () - begun;
      if (took > atomic_load (&shared->slowest))
        atomic_store (&shared->slowest, took);
    }
  if (atomic_load (&shared->hanging) != 1)
    return 2;
  atomic_store (&shared->stop, TRUE);
  int status;
  waitpid (hanging, &status, 0);
  return 10 + WEXITSTATUS (status);
}

/* A call that waits for the hanging one waits for seconds, and each time. On a machine with more
 * work than CPUs some call is also late by chance: so one try of five has to be in time. */
static gboolean
was_in_time (guint try)
{
  guint64 slowest = atomic_exchange (&shared->slowest, 0);

  assert_true (slowest < ANSWERS_WITHIN_US || try < TRIES);
  return slowest < ANSWERS_WITHIN_US;
}

static void
hang_once (Fixture *fixture, int nr)
{
  const struct timespec step = { .tv_nsec = 1000000 };
  BzTask task = bz_task_new (numbers, task_hanging, GINT_TO_POINTER (nr));

  atomic_store (&shared->stop, FALSE);
  start (fixture, 0, &task);
  while (!atomic_load (&shared->stop))
    nanosleep (&step, NULL);
  assert_int_equal (write (shared->release[1], "x", 1), 1);
  assert_int_equal (bz_task_wait (&task), 10);
  bz_loop_remove (fixture->loop, 0);
  assert_all_slots_free (fixture, 0);
}

static void
hang_and_release (Fixture *fixture, int nr)
{
  guint try = 1;

  do
    hang_once (fixture, nr);
  while (!was_in_time (try++));
}

static void
test_a_blocking_row_keeps_nobody_waiting (void **state)
{
  hang_and_release (*state, HANG);
}

static void
test_an_unforeseen_wait_keeps_nobody_waiting (void **state)
{
  hang_and_release (*state, HANG_UNMARKED);
}

static void
test_a_handler_that_computes_keeps_nobody_waiting (void **state)
{
  hang_and_release (*state, SPIN);
}

static int
task_starving (gpointer data G_GNUC_UNUSED)
{
  return syscall (STARVE) == 7 ? 0 : 1;
}

/* By chance (the machine has other work) the handler may also be seen asleep as it begins: one try of
 * five has to be without. */
static void
test_a_handler_without_a_processor_gets_no_follower (void **state)
{
  Fixture *fixture = *state;

  for (guint try = 1;; try++)
    {
      BzTask task = bz_task_new (numbers, task_starving, NULL);

      start (fixture, 0, &task);
      assert_int_equal (bz_task_wait (&task), 0);
      bz_loop_remove (fixture->loop, 0);
      assert_all_slots_free (fixture, 0);
      gint more = atomic_load (&shared->more_threads);
      if (more == 0)
        break;
      assert_true (try < TRIES);
    }
}

static void
test_over_budget_is_eio (void **state)
{
  Fixture *fixture = *state;
  BzTask task = bz_task_new (numbers, task_hanging, GINT_TO_POINTER (HANG));
  guint64 begun = now_us ();

  start (fixture, 0, &task);
  assert_int_equal (bz_task_wait (&task), 15);
  assert_true (now_us () - begun >= BZ_CALL_BUDGET_MS * 1000);
  bz_loop_remove (fixture->loop, 0);
  assert_all_slots_free (fixture, 0);
  g_autoptr (GArray) counts = bz_journal_counts (fixture->journal);
  assert_int_equal (find_count (counts, HANG)->over_budget, 1);
  assert_int_equal (find_count (counts, HANG)->failed, 1);
  /* The abandoned thread comes back and must not disturb. */
  assert_int_equal (write (shared->release[1], "x", 1), 1);
  while (atomic_load (&shared->hanging) != 0)
    sched_yield ();
}

/* Memory that never comes: only the page fault itself hangs. */
static int
task_faulting (gpointer data G_GNUC_UNUSED)
{
  int fd = (int) syscall (SYS_userfaultfd, O_CLOEXEC);
  struct uffdio_api api = { .api = UFFD_API };
  char *page = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct uffdio_register range = { .range = { (guint64) (gsize) page, 4096 },
                                   .mode = UFFDIO_REGISTER_MODE_MISSING };
  struct uffd_msg message;

  if (fd < 0 || ioctl (fd, UFFDIO_API, &api) != 0 || ioctl (fd, UFFDIO_REGISTER, &range) != 0)
    return 77;
  pid_t other = fork ();
  if (other == 0)
    {
      if (read (fd, &message, sizeof message) != sizeof message) /* the supervisor hangs now */
        _exit (3);
      for (int i = 0; i < 200; i++)
        {
          guint64 begun = now_us ();

          if (syscall (ADD, i) != i + 1)
            _exit (1);
          guint64 took = now_us () - begun;
          if (took > atomic_load (&shared->slowest))
            atomic_store (&shared->slowest, took);
        }
      kill (getppid (), SIGKILL);
      _exit (0);
    }
  syscall (UNAME, page);
  return 4;
}

static void
test_memory_that_never_comes (void **state)
{
  Fixture *fixture = *state;
  guint try = 1;

  do
    {
      BzTask task = bz_task_new (numbers, task_faulting, NULL);

      start (fixture, 0, &task);
      int result = bz_task_wait (&task);
      if (result == 77)
        {
          print_message ("skipped: userfaultfd is not allowed here\n");
          skip ();
        }
      assert_int_equal (result, -SIGKILL);
      bz_loop_remove (fixture->loop, 0);
    }
  while (!was_in_time (try++));
}

static int
task_late (gpointer data G_GNUC_UNUSED)
{
  pid_t other = fork ();
  int status;

  if (other == 0)
    {
      guint64 begun = now_us ();
      long result = syscall (LATE, 100);
      _exit (result == -1 && errno == EINTR && now_us () - begun >= 100000 ? 0 : 1);
    }
  for (int i = 0; i < 100; i++)
    if (syscall (ADD, i) != i + 1)
      return 2;
  waitpid (other, &status, 0);
  return WEXITSTATUS (status);
}

static void
test_deferred_calls_wait_alone (void **state)
{
  Fixture *fixture = *state;
  BzTask task = bz_task_new (numbers, task_late, NULL);

  start (fixture, 0, &task);
  assert_int_equal (bz_task_wait (&task), 0);
  bz_loop_remove (fixture->loop, 0);
  assert_all_slots_free (fixture, 0);
}

/* More calls wait than there are slots: the others are answered at once, and nobody else waits. */
static int
task_many_late (gpointer data G_GNUC_UNUSED)
{
  int status, early = 0;

  for (int i = 0; i < 40; i++)
    if (fork () == 0)
      {
        guint64 begun = now_us ();
        long result = syscall (LATE, 300);
        _exit (result != -1 || errno != EINTR ? 1 : now_us () - begun < 300000 ? 2 : 0);
      }
  for (int i = 0; i < 100; i++)
    if (syscall (ADD, i) != i + 1)
      return 2;
  while (wait (&status) > 0)
    {
      if (WEXITSTATUS (status) == 1)
        return 3;
      early += WEXITSTATUS (status) == 2;
    }
  return early == 0 || early == 40 ? 4 : 0;
}

static void
test_waiting_calls_are_bounded (void **state)
{
  Fixture *fixture = *state;
  BzTask task = bz_task_new (numbers, task_many_late, NULL);

  start (fixture, 0, &task);
  assert_int_equal (bz_task_wait (&task), 0);
}

static int
task_traced (gpointer data G_GNUC_UNUSED)
{
  prctl (PR_SET_NAME, "traced one");
  for (int i = 0; i < 2000; i++)
    if (syscall (ADD, i, 11, 12, 13, 14, 15L) != i + 1) /* the last one goes by the stack, as wide as it is given */
      return 1;
  while (!atomic_load (&shared->stop))
    sched_yield ();
  return syscall (ADD, 9) == 10 ? 0 : 1;
}

static void
test_trace_events (void **state)
{
  Fixture *fixture = *state;
  BzTask task = bz_task_new (numbers, task_traced, NULL);
  BzTraceEvent event;
  int ends[2];
  guint64 got = 0, lost = 0;
  GArray *counts = NULL;

  assert_int_equal (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  bz_loop_subscribe (fixture->loop, ends[0]);
  start (fixture, 0, &task);
  do /* nobody reads: most events don't fit */
    {
      g_clear_pointer (&counts, g_array_unref);
      counts = bz_journal_counts (fixture->journal);
    }
  while (find_count (counts, ADD) == NULL || find_count (counts, ADD)->count < 2000);
  g_array_unref (counts);

  while (recv (ends[1], &event, sizeof event, MSG_DONTWAIT) == sizeof event)
    {
      assert_int_equal (event.size, sizeof event);
      assert_int_equal (event.nr, ADD);
      assert_int_equal (event.abi, BZ_ABI_X86_64);
      assert_int_equal (event.tid, task.pid);
      assert_int_equal (event.args[0] + 1, event.value);
      assert_int_equal (event.args[5], 15);
      assert_string_equal (event.comm, "traced one");
      assert_true (event.nanoseconds > 0);
      got++;
    }
  atomic_store (&shared->stop, TRUE);
  struct pollfd ready = { .fd = ends[1], .events = POLLIN };
  while (got + lost < 2001)
    {
      assert_int_equal (poll (&ready, 1, 5000), 1);
      assert_int_equal (recv (ends[1], &event, sizeof event, 0), sizeof event);
      got++;
      lost = event.lost;
    }
  assert_true (lost > 0);
  assert_int_equal (got + lost, 2001);
  close (ends[1]);
  assert_int_equal (bz_task_wait (&task), 0);
}

static int
task_add (gpointer data G_GNUC_UNUSED)
{
  return syscall (ADD, 1) == 2 ? 0 : 1;
}

/* Those who watched a zone in which nothing happened, and went, leave room for others. */
static void
test_trace_watchers_that_went (void **state)
{
  Fixture *fixture = *state;
  BzTraceEvent event;
  int ends[2];

  for (guint i = 0; i < 100; i++)
    {
      assert_int_equal (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
      bz_loop_subscribe (fixture->loop, ends[0]);
      close (ends[1]);
    }
  assert_int_equal (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  bz_loop_subscribe (fixture->loop, ends[0]);
  BzTask task = bz_task_new (numbers, task_add, NULL);
  start (fixture, 0, &task);
  assert_int_equal (bz_task_wait (&task), 0);
  struct pollfd ready = { .fd = ends[1], .events = POLLIN };
  assert_int_equal (poll (&ready, 1, 5000), 1);
  assert_int_equal (recv (ends[1], &event, sizeof event, 0), sizeof event);
  assert_int_equal (event.nr, ADD);
  close (ends[1]);
}

static int
task_hang (gpointer data G_GNUC_UNUSED)
{
  return syscall (HANG) == 7 ? 0 : 1;
}

static void
test_removal_and_numbers_used_again (void **state)
{
  Fixture *fixture = *state;
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < 50; i++)
    {
      BzTask task = bz_task_new (numbers, task_add, NULL);

      start (fixture, 5, &task);
      assert_int_equal (bz_task_wait (&task), 0);
      bz_loop_remove (fixture->loop, 5);
    }
  BzTask task = bz_task_new (numbers, task_add, NULL),
         other = bz_task_new (numbers, task_add, NULL);
  start (fixture, 5, &task);
  assert_false (bz_loop_add (fixture->loop, 5, other.listener, &error));
  assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_STATE));
  kill (other.pid, SIGKILL);
  assert_int_equal (bz_task_wait (&other), -SIGKILL);
  close (other.go);
  assert_int_equal (bz_task_wait (&task), 0);

  /* A handler that hangs does not hold up the removal. */
  BzTask hanging = bz_task_new (numbers, task_hang, NULL);
  start (fixture, 6, &hanging);
  while (atomic_load (&shared->hanging) == 0)
    sched_yield ();
  kill (hanging.pid, SIGKILL);
  assert_int_equal (bz_task_wait (&hanging), -SIGKILL);
  bz_loop_remove (fixture->loop, 6);
  assert_int_equal (write (shared->release[1], "x", 1), 1);
  while (atomic_load (&shared->hanging) != 0)
    sched_yield ();
}

/* A thread whose tasks are gone waits; it must not spin on RECV's error. */
static void
test_a_finished_listener_costs_nothing (void **state)
{
  Fixture *fixture = *state;
  BzTask task = bz_task_new (numbers, task_add, NULL);
  const struct timespec while_ = { .tv_nsec = 200000000 };
  struct timespec before, after;

  start (fixture, 0, &task);
  assert_int_equal (bz_task_wait (&task), 0);
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &before);
  nanosleep (&while_, NULL);
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &after);
  assert_true ((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec
               < 100000000);
}

int
main (void)
{
#define TEST(name) cmocka_unit_test_setup_teardown (name, setup, teardown)
  const struct CMUnitTest tests[] = {
    TEST (test_threads_get_their_answers),
    TEST (test_tasks_may_die_at_any_moment),
    TEST (test_signals_do_not_repeat_a_call),
    TEST (test_a_blocking_row_keeps_nobody_waiting),
    TEST (test_an_unforeseen_wait_keeps_nobody_waiting),
    TEST (test_memory_that_never_comes),
    TEST (test_deferred_calls_wait_alone),
    TEST (test_waiting_calls_are_bounded),
    TEST (test_trace_events),
    TEST (test_trace_watchers_that_went),
    TEST (test_removal_and_numbers_used_again),
    TEST (test_a_finished_listener_costs_nothing),
    TEST (test_a_handler_that_computes_keeps_nobody_waiting),
    TEST (test_a_handler_without_a_processor_gets_no_follower),
    TEST (test_over_budget_is_eio),
  };

  alarm (300); /* a hung task shall end the test, not wait with it */
  return cmocka_run_group_tests (tests, NULL, NULL);
}
