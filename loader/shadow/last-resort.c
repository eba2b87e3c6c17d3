/* The tracer of last resort.
 *
 * Problem: a computed address, a pointer in data, a file that was refused as a whole: no edit makes
 * such a program independent of the vsyscall page.
 *
 * Facts: under vsyscall=none a call there is a page fault whose SIGSEGV has the instruction pointer
 * at one of three addresses and the return address on the stack. A tracer sees the signal before
 * the program, and may take it away.
 *
 * Choice: one thread of the supervisor per such program does what the page did (gettimeofday, time,
 * getcpu) and lets the program go on after its call: its own handler is never run, and sees all
 * other SIGSEGVs.
 *
 * Limits: a debugger of the zone can't attach to that program. A program that blocks or ignores
 * SIGSEGV has it unblocked and reset by the kernel at the first call (force_sig, before any tracer
 * is asked). When the supervisor dies its tracees are let go. At most 64 programs. */
#include "config.h"

#include "loader/shadow/last-resort.h"

#include "loader/shadow/hold.h"

#include "syscall-xlat/remote.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE_FIRST G_GUINT64_CONSTANT (0xffffffffff600000)
#define TRACED_MAX 64
#define STACK_SIZE (128 * 1024)
#define FOLLOW (PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE)

gboolean
bz_last_resort_needed (void)
{
  g_autofree char *maps = NULL;

  return !g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL)
         || strstr (maps, "[vsyscall]") == NULL;
}

/* --- what the page did --- */

static gboolean
store (pid_t tid, guint64 address, const void *value, gsize size)
{
  return address == 0 || bz_remote_write (tid, address, value, size) == 0;
}

static gboolean
do_gettimeofday (pid_t tid, struct user_regs_struct *regs)
{
  struct timeval now;
  struct timezone zone;

  gettimeofday (&now, &zone);
  regs->rax = 0;
  return store (tid, regs->rdi, &now, sizeof now) && store (tid, regs->rsi, &zone, sizeof zone);
}

static gboolean
do_time (pid_t tid, struct user_regs_struct *regs)
{
  gint64 now = time (NULL);

  regs->rax = (guint64) now;
  return store (tid, regs->rdi, &now, sizeof now);
}

/* Field 39 of /proc/TID/stat: the CPU that it ran on last. */
static guint32
cpu_of (pid_t tid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", (int) tid);
  g_autofree char *text = NULL;
  const char *field;

  if (!g_file_get_contents (path, &text, NULL, NULL) || (field = strrchr (text, ')')) == NULL)
    return 0;
  for (guint i = 2; i < 39 && field != NULL; i++)
    field = strchr (field + 1, ' ');
  return field != NULL ? (guint32) g_ascii_strtoull (field, NULL, 10) : 0;
}

static guint32
node_of (guint32 cpu)
{
  g_autofree char *path = g_strdup_printf ("/sys/devices/system/cpu/cpu%u", cpu);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, "node") && g_ascii_isdigit (name[4]))
      return (guint32) g_ascii_strtoull (name + 4, NULL, 10);
  return 0;
}

static gboolean
do_getcpu (pid_t tid, struct user_regs_struct *regs)
{
  guint32 cpu = cpu_of (tid), node = node_of (cpu);

  regs->rax = 0;
  return store (tid, regs->rdi, &cpu, sizeof cpu) && store (tid, regs->rsi, &node, sizeof node);
}

/* TRUE: the signal was a call of the page, and the call is done. */
static gboolean
emulate (pid_t tid)
{
  struct user_regs_struct regs;
  guint64 back;
  gboolean done = FALSE;

  if (ptrace (PTRACE_GETREGS, tid, 0, &regs) != 0
      || bz_remote_read (tid, regs.rsp, &back, sizeof back) != 0)
    return FALSE;
  switch (regs.rip)
    {
    case PAGE_FIRST:
      done = do_gettimeofday (tid, &regs);
      break;
    case PAGE_FIRST + 0x400:
      done = do_time (tid, &regs);
      break;
    case PAGE_FIRST + 0x800:
      done = do_getcpu (tid, &regs);
      break;
    default:
      break;
    }
  if (!done)
    return FALSE;
  regs.rip = back;
  regs.rsp += sizeof back;
  regs.orig_rax = (guint64) -1; /* nothing to restart */
  return ptrace (PTRACE_SETREGS, tid, 0, &regs) == 0;
}

/* --- following a program --- */

typedef struct {
  pid_t tid;
  BzExecHook hook;
  gboolean joins; /* a process that runs already */
  sem_t attached;
  int failed;
} Trace;

static _Atomic guint traced;

static void
handle_stop (pid_t pid, int status, const BzExecHook *hook)
{
  int sig = WSTOPSIG (status), event = status >> 16;

  if (event == PTRACE_EVENT_EXEC)
    {
      /* The supervisor could not attach itself to this task, which has a tracer: us. */
      g_auto (BzExecHook) next = bz_exec_hook_copy (hook);
      bz_exec_hook_edit_next (pid, &next);
      ptrace (bz_exec_hook_is_refused (&next) ? PTRACE_CONT : PTRACE_DETACH, pid, 0, 0);
      return;
    }
  if (event == PTRACE_EVENT_STOP
      && (sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU))
    {
      ptrace (PTRACE_LISTEN, pid, 0, 0); /* stopped by job control, and stays so */
      return;
    }
  if (event != 0 || (sig == SIGSEGV && emulate (pid)))
    sig = 0;
  ptrace (PTRACE_CONT, pid, 0, sig);
}

static void
follow (const BzExecHook *hook)
{
  int status;
  pid_t pid;

  for (;;)
    {
      pid = waitpid (-1, &status, __WALL | __WNOTHREAD);
      if (pid < 0 && errno == EINTR)
        continue;
      if (pid < 0)
        return; /* ECHILD: the last one has ended */
      if (WIFSTOPPED (status))
        handle_stop (pid, status, hook);
    }
}

/* Attaches to every thread that is not attached to yet; those that they start from now on come by themselves. Returns
 * how many there were, or -1 and errno. */
static int
seize_threads (pid_t process)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task", (int) process);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  int count = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      pid_t tid = (pid_t) g_ascii_strtoll (name, NULL, 10);
      if (bz_task_tracer (tid) == gettid ())
        continue;
      if (ptrace (PTRACE_SEIZE, tid, 0, FOLLOW) == 0)
        count++;
      else if (errno != ESRCH)
        return -1;
    }
  return count;
}

static int
join_process (pid_t tid)
{
  pid_t process = bz_task_process_id (tid);
  int count;

  while ((count = seize_threads (process)) > 0)
    ;
  return count < 0 ? errno : 0;
}

static void *
trace_main (void *data)
{
  Trace *trace = data;
  pid_t tid = trace->tid;
  gboolean joins = trace->joins;

  trace->failed = joins ? join_process (tid) : bz_exec_hook_begin (tid, &trace->hook);
  gboolean attached = trace->failed == 0;
  g_auto (BzExecHook) hook = bz_exec_hook_copy (&trace->hook);
  sem_post (&trace->attached); /* trace is gone from here on */
  if (attached && (joins || bz_exec_hook_stay (tid, &hook, FOLLOW)))
    follow (&hook);
  atomic_fetch_sub (&traced, 1);
  return NULL;
}

static int
start_trace (Trace *trace)
{
  pthread_attr_t attributes;
  pthread_t thread;

  if (atomic_fetch_add (&traced, 1) >= TRACED_MAX)
    {
      atomic_fetch_sub (&traced, 1);
      return EAGAIN;
    }
  sem_init (&trace->attached, 0, 0);
  pthread_attr_init (&attributes);
  pthread_attr_setstacksize (&attributes, STACK_SIZE);
  pthread_attr_setdetachstate (&attributes, PTHREAD_CREATE_DETACHED);
  int failed = pthread_create (&thread, &attributes, trace_main, trace);
  pthread_attr_destroy (&attributes);
  if (failed == 0)
    {
      while (sem_wait (&trace->attached) != 0 && errno == EINTR)
        ;
      failed = trace->failed;
    }
  else
    atomic_fetch_sub (&traced, 1);
  sem_destroy (&trace->attached);
  return failed;
}

int
bz_last_resort_begin (pid_t tid, const BzExecHook *hook)
{
  return start_trace (&(Trace){ .tid = tid, .hook = *hook });
}

int
bz_last_resort_join (pid_t tid, const BzExecHook *hook)
{
  pid_t tracer = bz_task_tracer (tid);

  if (tracer != 0 && bz_task_process_id (tracer) == getpid ())
    return 0;
  return start_trace (&(Trace){ .tid = tid, .hook = *hook, .joins = TRUE });
}
