/* The exec hook.
 *
 * Problem: the program, its interpreter and static programs are mapped by execve(2) itself; no call
 * shows their descriptors. Their text must be right before the first instruction: libc5, uClibc,
 * musl and libc-less programs make no early call that could be waited for.
 *
 * Facts: PTRACE_SEIZE with PTRACE_O_TRACEEXEC on a task that waits in a seccomp notification, then
 * CONTINUE, then PTRACE_INTERRUPT: the task stops with PTRACE_EVENT_EXEC when the new image is
 * mapped, or with PTRACE_EVENT_STOP when execve failed. (Interrupted earlier, a task that does not
 * wait killably (Linux before 5.19) makes its call again, for ever.) A thread that is not its process's first
 * reports the stop under the process's id, so any child is waited for (__WNOTHREAD: this thread's
 * only). Set-uid is honoured, because the tracer has CAP_SYS_PTRACE in the target's user namespace.
 * PTRACE_POKEDATA writes to private text also where proc_mem.force_override=never forbids
 * /proc/PID/mem. AT_ENTRY and AT_BASE in /proc/PID/auxv tell where things lie.
 *
 * Choice: attached only when there is something to edit: 50 to 100 us. The bytes that are to be
 * replaced are compared first: the file may have been replaced since it was looked at. They are written through
 * /proc/PID/mem where that is allowed, each edit by one write: a supervisor killed between two PTRACE_POKEDATA
 * left half an instruction (seen).
 *
 * A supervisor that is killed in between lets go of the program, which would run as it is on disk. So a SIGSTOP waits
 * for it: pending while its call waits killably, seen by nobody as long as we live, for SIGCONT takes it away before
 * the program runs. When we die it stops the program instead, and the next supervisor, which finds it in the
 * journal (hold.h), edits it.
 *
 * Limits: a program that starts with SIGCONT blocked has one pending. */
#include "config.h"

#include "loader/shadow/exec-hook.h"

#include "loader/shadow/hold.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

BzExecHook
bz_exec_hook_copy (const BzExecHook *hook)
{
  bz_known_file_ref (hook->program);
  bz_known_file_ref (hook->interpreter);
  return *hook;
}

void
bz_exec_hook_clear (BzExecHook *hook)
{
  g_clear_pointer (&hook->program, bz_known_file_unref);
  g_clear_pointer (&hook->interpreter, bz_known_file_unref);
}

/* --- the stop that waits --- */

static void
forget_waiting (BzExecHook *hook)
{
  if (hook->waiting != 0)
    bz_starting_remove (hook->starting, hook->waiting);
  hook->waiting = 0;
}

static void
let_stop_wait (pid_t tid, BzExecHook *hook)
{
  pid_t process = bz_task_process_id (tid);

  if (hook->starting == NULL || !hook->killable || hook->begun || process <= 0)
    return;
  hook->waiting = bz_starting_add (hook->starting, process);
  if (hook->waiting != 0 && syscall (SYS_tkill, tid, SIGSTOP) != 0)
    forget_waiting (hook);
}

/* A stop that a signal brought about is the signal's. */
static int
signal_of (int status)
{
  return status >> 16 == 0 ? WSTOPSIG (status) : 0;
}

static pid_t
wait_for_stop (int *status)
{
  pid_t pid;

  while ((pid = waitpid (-1, status, __WALL | __WNOTHREAD)) < 0 && errno == EINTR)
    ;
  return pid > 0 && WIFSTOPPED (*status) ? pid : 0;
}

#define SIGNALS_MAX 128 /* that may come before ours */
#define SIGNAL_MS 100   /* somebody else's SIGCONT may have taken it away */

/* The same for a target that is on its way to a signal; it is stopped in any case, unless it is gone. */
static pid_t
wait_for_signal (pid_t pid, int *status)
{
  for (guint i = 0; i < SIGNAL_MS; i++)
    {
      pid_t got = waitpid (pid, status, __WALL | __WNOTHREAD | WNOHANG);
      if (got > 0)
        return WIFSTOPPED (*status) ? got : 0;
      if (got < 0 && errno != EINTR)
        return 0;
      g_usleep (i < 10 ? 20 : 1000);
    }
  return ptrace (PTRACE_INTERRUPT, pid, 0, 0) == 0 ? wait_for_stop (status) : 0;
}

/* Returns the signal with which the target goes on. */
static int
take_stop_back (pid_t pid, int status, gboolean begins, const BzExecHook *hook)
{
  if (hook->waiting == 0)
    return signal_of (status);
  if (begins)
    {
      /* Nobody handles it yet. */
      syscall (SYS_tkill, pid, SIGCONT);
      return signal_of (status);
    }
  /* Where execve failed the old program would see a SIGCONT: so the stop itself is let come and swallowed. */
  for (guint i = 0; signal_of (status) != SIGSTOP && i < SIGNALS_MAX; i++)
    {
      if (ptrace (PTRACE_CONT, pid, 0, signal_of (status)) != 0
          || wait_for_signal (pid, &status) == 0)
        return 0;
      if (status >> 16 != 0)
        break; /* it did not come */
    }
  return 0;
}

int
bz_exec_hook_begin (pid_t tid, BzExecHook *hook)
{
  hook->waiting = 0;
  if (ptrace (PTRACE_SEIZE, tid, 0, PTRACE_O_TRACEEXEC) != 0)
    return errno;
  let_stop_wait (tid, hook);
  /* What has begun is at a call that may be made again. */
  if ((hook->begun || hook->killable) && ptrace (PTRACE_INTERRUPT, tid, 0, 0) != 0)
    return errno;
  return 0;
}

/* --- where things lie --- */

typedef struct {
  guint64 entry, base;
} Loaded;

static gboolean
read_loaded (pid_t pid, Loaded *loaded)
{
  char path[48];
  Elf64_auxv_t vector[64];

  g_snprintf (path, sizeof path, "/proc/%d/auxv", (int) pid);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return FALSE;
  gssize got = read (fd, vector, sizeof vector);
  close (fd);
  *loaded = (Loaded){ 0 };
  for (gssize i = 0; i < got / (gssize) sizeof vector[0]; i++)
    if (vector[i].a_type == AT_ENTRY)
      loaded->entry = vector[i].a_un.a_val;
    else if (vector[i].a_type == AT_BASE)
      loaded->base = vector[i].a_un.a_val;
  return loaded->entry != 0;
}

/* --- editing --- */

typedef gboolean (*Reader) (gpointer target, guint64 address, guint8 bytes[16]);
typedef gboolean (*Writer) (gpointer target, guint64 address, const guint8 bytes[16]);

/* Also what a predecessor left half done. */
static gboolean
is_to_be_edited (const guint8 *bytes, const BzTextEdit *change)
{
  for (guint i = 0; i < change->length; i++)
    if (bytes[i] != change->before[i] && bytes[i] != change->after[i])
      return FALSE;
  return TRUE;
}

static void
edit (const BzKnownFile *file, guint64 bias, Reader reader, Writer writer, gpointer target)
{
  for (guint i = 0; file != NULL && i < file->edit_count; i++)
    {
      const BzTextEdit *change = &file->edits[i];
      guint64 address = bias + change->address;
      guint8 bytes[16];

      if (!reader (target, address, bytes) || !is_to_be_edited (bytes, change))
        continue;
      memcpy (bytes, change->after, change->length);
      writer (target, address, bytes);
    }
}

static void
edit_all (pid_t pid, const BzExecHook *hook, Reader reader, Writer writer, gpointer target)
{
  Loaded loaded;

  if (!read_loaded (pid, &loaded))
    return;
  if (hook->program != NULL)
    edit (hook->program, loaded.entry - hook->program->entry, reader, writer, target);
  if (hook->interpreter != NULL && loaded.base != 0)
    edit (hook->interpreter, loaded.base - hook->interpreter->lowest, reader, writer, target);
}

static gboolean
read_memory (gpointer target, guint64 address, guint8 bytes[16])
{
  return pread (GPOINTER_TO_INT (target), bytes, 16, (off_t) address) == 16;
}

static gboolean
write_memory (gpointer target, guint64 address, const guint8 bytes[16])
{
  return pwrite (GPOINTER_TO_INT (target), bytes, 16, (off_t) address) == 16;
}

static int
open_memory (pid_t pid)
{
  char path[48];

  g_snprintf (path, sizeof path, "/proc/%d/mem", (int) pid);
  return open (path, O_RDWR | O_CLOEXEC);
}

static gboolean
peek (gpointer target, guint64 address, guint8 bytes[16])
{
  pid_t pid = GPOINTER_TO_INT (target);

  for (guint i = 0; i < 2; i++)
    {
      errno = 0;
      long word = ptrace (PTRACE_PEEKDATA, pid, address + 8 * i, 0);
      if (errno != 0)
        return FALSE;
      memcpy (bytes + 8 * i, &word, 8);
    }
  return TRUE;
}

static gboolean
poke (gpointer target, guint64 address, const guint8 bytes[16])
{
  pid_t pid = GPOINTER_TO_INT (target);

  for (guint i = 0; i < 2; i++)
    {
      long word;
      memcpy (&word, bytes + 8 * i, 8);
      if (ptrace (PTRACE_POKEDATA, pid, address + 8 * i, word) != 0)
        return FALSE;
    }
  return TRUE;
}

/* An edit must be whole or not at all, even if this process is killed: one write does that. By words of ptrace(2) it is two
 * steps, and only taken where the host forbids the write: there an edit that was begun is a risk. */
static gboolean
is_forbidden (int memory, pid_t pid)
{
  guint8 bytes[16];
  Loaded loaded;

  return memory < 0 || !read_loaded (pid, &loaded) || !read_memory (GINT_TO_POINTER (memory), loaded.entry, bytes)
         || !write_memory (GINT_TO_POINTER (memory), loaded.entry, bytes);
}

static gboolean
has_edits (const BzExecHook *hook)
{
  return (hook->program != NULL && hook->program->edit_count > 0)
         || (hook->interpreter != NULL && hook->interpreter->edit_count > 0);
}

static void
edit_stopped (pid_t pid, const BzExecHook *hook)
{
  if (!has_edits (hook))
    return;
  int memory = open_memory (pid);
  if (is_forbidden (memory, pid))
    edit_all (pid, hook, peek, poke, GINT_TO_POINTER (pid));
  else
    edit_all (pid, hook, read_memory, write_memory, GINT_TO_POINTER (memory));
  if (memory >= 0)
    close (memory);
}

gboolean
bz_exec_hook_is_refused (const BzExecHook *hook)
{
  return (hook->program != NULL && hook->program->refused)
         || (hook->interpreter != NULL && hook->interpreter->refused);
}

void
bz_exec_hook_edit_next (pid_t pid, BzExecHook *hook)
{
  hook->find_next (hook, pid);
  edit_stopped (pid, hook);
}

/* Waits for the stop and edits. Returns the stopped process, or 0; *begins: a program that was not
 * there before. */
static pid_t
stop_and_edit (BzExecHook *hook, int *status, gboolean *begins)
{
  pid_t pid = wait_for_stop (status);

  if (pid == 0)
    return 0; /* killed on the way */
  *begins = hook->begun || *status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8);
  if (*begins && hook->find != NULL)
    hook->find (hook, pid);
  if (*begins)
    edit_stopped (pid, hook);
  return pid;
}

void
bz_exec_hook_finish (pid_t tid, BzExecHook *hook)
{
  gboolean begins;
  int status;

  if (!hook->begun && !hook->killable)
    ptrace (PTRACE_INTERRUPT, tid, 0, 0); /* fails when the new program is there already */
  pid_t pid = stop_and_edit (hook, &status, &begins);
  if (pid > 0)
    ptrace (PTRACE_DETACH, pid, 0, take_stop_back (pid, status, begins, hook));
  forget_waiting (hook);
}

gboolean
bz_exec_hook_stay (pid_t tid G_GNUC_UNUSED, BzExecHook *hook, long options)
{
  gboolean begins, stays = FALSE;
  int status;
  pid_t pid = stop_and_edit (hook, &status, &begins);

  if (pid > 0)
    {
      int sig = take_stop_back (pid, status, begins, hook);
      if (begins && ptrace (PTRACE_SETOPTIONS, pid, 0, options) == 0)
        stays = ptrace (PTRACE_CONT, pid, 0, sig) == 0;
      else
        ptrace (PTRACE_DETACH, pid, 0, sig);
    }
  forget_waiting (hook);
  return stays;
}

/* --- under another tracer --- */

gboolean
bz_exec_hook_write (pid_t tid, const BzExecHook *hook)
{
  if (!has_edits (hook))
    return TRUE;
  int memory = open_memory (tid);
  gboolean forbidden = is_forbidden (memory, tid);
  if (!forbidden)
    edit_all (tid, hook, read_memory, write_memory, GINT_TO_POINTER (memory));
  if (memory >= 0)
    close (memory);
  return !forbidden;
}
