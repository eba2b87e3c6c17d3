/* Putting a program's text right between execve(2) and its first instruction. */
#pragma once

#include "loader/shadow/known.h"
#include "syscall-xlat/call.h"
#include "syscall-xlat/starting.h"

/* Edits of the program and of its interpreter; either may be NULL. The hook has a reference to each. */
typedef struct BzExecHook {
  BzKnownFile *program, *interpreter;
  gboolean begun; /* the program runs already and is at a call of its own */
  void (*find) (struct BzExecHook *hook,
                pid_t pid); /* sets both when the new program is there: only then it is known */
  void (*find_next) (struct BzExecHook *hook,
                     pid_t pid); /* the same for each program that a traced one executes */
  gpointer find_data;
  gboolean killable;    /* only a fatal signal ends the target's wait for us (Linux 5.19) */
  BzStarting *starting; /* for whoever comes after us, or NULL */
  guint64 waiting;      /* bz_exec_hook_begin's own: the entry of the process that a SIGSTOP waits for, or 0 */
} BzExecHook;

BzExecHook bz_exec_hook_copy (const BzExecHook *hook);
void bz_exec_hook_clear (BzExecHook *hook); /* drops what it refers to, and may be set anew */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BzExecHook, bz_exec_hook_clear)

/* Whether one of them calls the vsyscall page from places that can't be rewritten. */
gboolean bz_exec_hook_is_refused (const BzExecHook *hook);

/* Edits what the stopped process, whose tracer this thread is, has just executed. */
void bz_exec_hook_edit_next (pid_t pid, BzExecHook *hook);

/* Attaches to the target, which waits in execve, so that it stops when the new program is there.
 * Returns 0 or an errno (EPERM: it has a tracer already). Everything until bz_exec_hook_finish must
 * happen in this thread. */
int bz_exec_hook_begin (pid_t tid, BzExecHook *hook);

/* After the call was let go: waits for the stop, edits, lets the target run. */
void bz_exec_hook_finish (pid_t tid, BzExecHook *hook);

/* The same, but stays the target's tracer with these PTRACE_O_ options. FALSE: there is no program
 * to be traced (execve failed, the target is gone), and nothing is attached. */
gboolean bz_exec_hook_stay (pid_t tid, BzExecHook *hook, long options);

/* For a target that has a tracer of its own: edits a program that is there through /proc/TID/mem.
 * FALSE: the host forbids it (proc_mem.force_override), and there was something to edit. */
gboolean bz_exec_hook_write (pid_t tid, const BzExecHook *hook);
