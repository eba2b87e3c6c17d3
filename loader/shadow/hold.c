/* Programs that can't be attached to at execve(2).
 *
 * Problem: the exec hook (exec-hook.h) must be the target's tracer before the new program is there. Two sorts of
 * targets refuse: one that the zone's own strace or gdb traces already; and brandzone's launcher of `exec`, a fork of
 * a program of the host, which nobody of the zone may look into. And a hook whose supervisor dies is gone.
 *
 * Facts: a tracer that asks for a stop at execve (PTRACE_O_TRACEEXEC: strace, gdb; PTRACE_TRACEME gives one in any
 * case) finds its tracee stopped before its first instruction, and until it lets it go /proc/PID/mem can be written.
 * A tracer can be traced. A SIGSTOP that is sent to a task which waits killably acts when execve has succeeded, before
 * the first instruction; the new program may be attached to, since its memory is the zone's.
 *
 * Choice: a tracer is itself stopped by PTRACE_SEIZE and PTRACE_INTERRUPT until its tracee has reached the stop and
 * was edited: the tracer sees nothing of it but time. Of a tracee with several threads it has to reap the others before
 * execve goes on: so it runs, but stops at each system call, one of which would let the tracee go. A launcher gets a SIGSTOP, and SIGCONT when it was edited. So does
 * what a dead supervisor has left: its SIGSTOP waits there (exec-hook.c).
 *
 * Limits: a tracer that is traced itself, one outside of the zone, and one that asks for no stop at execve can't be
 * used so. */
#include "config.h"

#include "loader/shadow/hold.h"

#include "syscall-xlat/task.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRACER_STOPS_MS 500   /* it may be at a call that takes long */
#define PROGRAM_STOPS_MS 1000 /* execve reads from the zone's file systems */
#define SUCCESSOR_MS 5000     /* the call may only just have been let go */
#define STACK_SIZE (128 * 1024)

struct BzHold {
  pid_t process, tracer; /* tracer 0: stopped by a signal */
  guint64 entry;         /* in the list, when stopped by a signal */
  const BzHoldClass *class;
  gboolean threads; /* the process has several */
  _Atomic int users;
  sem_t held, let_go;
  gboolean failed;
};

/* --- what /proc tells --- */

static gboolean
read_text (pid_t tid, const char *what, char *text, gsize size)
{
  char path[48];

  g_snprintf (path, sizeof path, "/proc/%d/%s", (int) tid, what);
  FILE *file = fopen (path, "re");
  gsize got = file != NULL ? fread (text, 1, size - 1, file) : 0;
  if (file != NULL)
    fclose (file);
  text[got] = '\0';
  return got > 0;
}

static pid_t
number_of (pid_t tid, const char *key)
{
  char text[4096];
  guint64 value;

  return read_text (tid, "status", text, sizeof text) && bz_task_parse_status (text, key, 10, &value)
             ? (pid_t) value
             : 0;
}

pid_t
bz_task_process_id (pid_t tid)
{
  return number_of (tid, "\nTgid:\t");
}

pid_t
bz_task_tracer (pid_t tid)
{
  return number_of (tid, "\nTracerPid:\t");
}

/* '\0': it is gone. */
static char
state_of (pid_t process)
{
  char text[1024];
  const char *end;

  if (!read_text (process, "stat", text, sizeof text) || (end = strrchr (text, ')')) == NULL
      || end[1] != ' ')
    return '\0';
  return end[2];
}

static void
sleep_us (guint us)
{
  nanosleep (&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
}

/* TRUE when the process has reached the state; it is looked at more rarely with time. wanted_still, unless NULL, ends
 * it. */
static gboolean
reaches (pid_t process, char wanted, guint limit_ms, gboolean (*wanted_still) (gpointer data),
         gpointer data)
{
  gint64 end = g_get_monotonic_time () + limit_ms * 1000;

  for (guint pause = 20; g_get_monotonic_time () < end; pause = MIN (pause + pause / 4, 5000))
    {
      char state = state_of (process);
      if (state == wanted)
        return TRUE;
      if (state == '\0' || state == 'Z' || state == 'X'
          || (wanted_still != NULL && !wanted_still (data)))
        return FALSE;
      sleep_us (pause);
    }
  return FALSE;
}

/* --- stopped by a signal --- */

static void
edit_and_go_on (const BzHoldClass *class, pid_t process, guint64 entry)
{
  class->edit (class->data, process, FALSE);
  syscall (SYS_tkill, process, SIGCONT);
  bz_starting_remove (class->starting, entry);
}

static void
finish_signal (const BzHold *hold)
{
  const BzHoldClass *class = hold->class;

  if (reaches (hold->process, 'T', PROGRAM_STOPS_MS, NULL, NULL))
    {
      edit_and_go_on (class, hold->process, hold->entry);
      return;
    }
  syscall (SYS_tkill, hold->process, SIGCONT);
  bz_starting_remove (class->starting, hold->entry);
  class->lost (class->data, hold->process);
}

static gboolean
begin_signal (BzHold *hold, pid_t tid)
{
  BzStarting *starting = hold->class->starting;

  if (tid != hold->process || starting == NULL
      || (hold->entry = bz_starting_add (starting, tid)) == 0)
    return FALSE;
  if (syscall (SYS_tkill, tid, SIGSTOP) == 0)
    return TRUE;
  bz_starting_remove (starting, hold->entry);
  return FALSE;
}

/* --- with its tracer --- */

static void
unref (BzHold *hold)
{
  if (atomic_fetch_sub (&hold->users, 1) > 1)
    return;
  sem_destroy (&hold->held);
  sem_destroy (&hold->let_go);
  g_free (hold);
}

static gboolean
wait_until (sem_t *event, guint limit_ms)
{
  struct timespec end;

  clock_gettime (CLOCK_REALTIME, &end);
  end.tv_sec += limit_ms / 1000;
  end.tv_nsec += limit_ms % 1000 * 1000000l;
  if (end.tv_nsec >= 1000000000)
    {
      end.tv_sec++;
      end.tv_nsec -= 1000000000;
    }
  while (sem_timedwait (event, &end) != 0)
    if (errno != EINTR)
      return FALSE;
  return TRUE;
}

/* TRUE: it stands still; its status is set. */
static gboolean
wait_for_tracer (pid_t tracer, gint64 end, int *status)
{
  for (guint pause = 20; g_get_monotonic_time () < end; pause = MIN (pause + pause / 4, 1000))
    {
      pid_t pid = waitpid (tracer, status, __WALL | __WNOTHREAD | WNOHANG);
      if (pid == tracer)
        return WIFSTOPPED (*status);
      if (pid < 0 && errno != EINTR)
        return FALSE;
      sleep_us (pause);
    }
  return FALSE;
}

static gboolean
stop_tracer (pid_t tracer, int *status)
{
  gint64 end = g_get_monotonic_time () + TRACER_STOPS_MS * 1000;

  return ptrace (PTRACE_SEIZE, tracer, 0, PTRACE_O_TRACESYSGOOD) == 0
         && ptrace (PTRACE_INTERRUPT, tracer, 0, 0) == 0 && wait_for_tracer (tracer, end, status);
}

#define AT_CALL (SIGTRAP | 0x80) /* PTRACE_O_TRACESYSGOOD */

/* The signal that has stopped the tracer, and is its own. */
static int
signal_of (int status)
{
  return status >> 16 == 0 && WSTOPSIG (status) != AT_CALL ? WSTOPSIG (status) : 0;
}

/* Whether the process stands still, and is alone: the old program's other threads are gone. */
static gboolean
stands_alone (pid_t process)
{
  return state_of (process) == 't' && number_of (process, "\nThreads:\t") == 1;
}

/* Lets the tracer do its work by single calls until its tracee is at the start of the new program. FALSE: it does not
 * come there. */
static gboolean
walk_tracer (const BzHold *hold, int *status)
{
  gint64 end = g_get_monotonic_time () + PROGRAM_STOPS_MS * 1000;

  while (!stands_alone (hold->process))
    {
      gboolean own_stop = *status >> 16 == PTRACE_EVENT_STOP && WSTOPSIG (*status) != SIGTRAP; /* job control */
      if (own_stop || g_get_monotonic_time () > end
          || ptrace (PTRACE_SYSCALL, hold->tracer, 0, signal_of (*status)) != 0)
        return FALSE;
      if (wait_for_tracer (hold->tracer, end, status))
        continue;
      /* It waits for long, or is gone. */
      *status = 0;
      if (ptrace (PTRACE_INTERRUPT, hold->tracer, 0, 0) == 0)
        wait_for_tracer (hold->tracer, end + TRACER_STOPS_MS * 1000, status);
      return FALSE;
    }
  return TRUE;
}

static gboolean
reaches_start (const BzHold *hold, int *status)
{
  return hold->threads ? walk_tracer (hold, status)
                       : reaches (hold->process, 't', PROGRAM_STOPS_MS, NULL, NULL);
}

/* A thread of its own: whatever happens, its end lets the tracer go. */
static void *
hold_tracer (void *data)
{
  BzHold *hold = data;
  const BzHoldClass *class = hold->class;
  int status = 0;

  hold->failed = !stop_tracer (hold->tracer, &status);
  gboolean failed = hold->failed;
  sem_post (&hold->held);
  if (!failed && wait_until (&hold->let_go, PROGRAM_STOPS_MS))
    {
      if (reaches_start (hold, &status))
        class->edit (class->data, hold->process, TRUE);
      else
        class->lost (class->data, hold->process);
    }
  if (WIFSTOPPED (status))
    ptrace (PTRACE_DETACH, hold->tracer, 0, signal_of (status));
  unref (hold);
  return NULL;
}

static gboolean
start_thread (void *(*function) (void *), void *data)
{
  pthread_attr_t attributes;
  pthread_t thread;

  pthread_attr_init (&attributes);
  pthread_attr_setstacksize (&attributes, STACK_SIZE);
  pthread_attr_setdetachstate (&attributes, PTHREAD_CREATE_DETACHED);
  int failed = pthread_create (&thread, &attributes, function, data);
  pthread_attr_destroy (&attributes);
  return failed == 0;
}

static gboolean
begin_tracer (BzHold *hold)
{
  if (bz_task_process_id (hold->tracer) == getpid ())
    return FALSE;
  hold->threads = number_of (hold->process, "\nThreads:\t") != 1;
  sem_init (&hold->held, 0, 0);
  sem_init (&hold->let_go, 0, 0);
  atomic_store (&hold->users, 2);
  if (!start_thread (hold_tracer, hold))
    {
      atomic_store (&hold->users, 1);
      return FALSE;
    }
  while (sem_wait (&hold->held) != 0 && errno == EINTR)
    ;
  return !hold->failed;
}

/* --- both --- */

BzHold *
bz_hold_begin (pid_t tid, gboolean killable, const BzHoldClass *class)
{
  BzHold *hold = g_new0 (BzHold, 1);

  hold->process = bz_task_process_id (tid);
  hold->tracer = bz_task_tracer (tid);
  hold->class = class;
  atomic_store (&hold->users, 1);
  if (hold->process > 0 && hold->tracer > 0 ? begin_tracer (hold) : killable && begin_signal (hold, tid))
    return hold;
  unref (hold);
  return NULL;
}

void
bz_hold_finish (BzHold *hold)
{
  if (hold->tracer > 0)
    sem_post (&hold->let_go);
  else
    finish_signal (hold);
  unref (hold);
}

/* --- what a dead supervisor has left --- */

typedef struct {
  const BzHoldClass *class;
  guint64 entry;
} Left;

static gboolean
is_left (gpointer data)
{
  const Left *left = data;

  return bz_starting_holds (left->class->starting, left->entry);
}

static void *
look_for_left (void *data)
{
  Left *left = data;
  pid_t process = (pid_t) (left->entry & G_MAXINT32);

  /* Not there: its call was not let go yet, and is handled anew, with an entry of ours; or it was finished in time. */
  if (reaches (process, 'T', SUCCESSOR_MS, is_left, left) && is_left (left))
    edit_and_go_on (left->class, process, left->entry);
  else if (is_left (left))
    syscall (SYS_tkill, process, SIGCONT); /* nothing of ours may stop it later */
  bz_starting_remove (left->class->starting, left->entry);
  g_free (left);
  return NULL;
}

void
bz_hold_succeed (const BzHoldClass *class)
{
  for (guint i = 0; i < BZ_STARTING_MAX; i++)
    {
      guint64 entry = atomic_load (&class->starting->entry[i]);
      if (entry == 0)
        continue;
      Left *left = g_new (Left, 1);
      *left = (Left){ .class = class, .entry = entry };
      if (!start_thread (look_for_left, left))
        g_free (left);
    }
}
