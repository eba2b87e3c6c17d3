/* The tracer of last resort: programs that call the vsyscall page from places that can't be
 * rewritten. */
#pragma once

#include "loader/shadow/exec-hook.h"

/* Whether this host lets such calls fail at all (vsyscall=none): where the kernel emulates them
 * nobody need be traced. */
gboolean bz_last_resort_needed (void);

/* Like bz_exec_hook_begin, by a thread of its own that edits what can be edited and stays the
 * program's tracer, its threads' and its children's until they end or execute something that can be
 * rewritten (hook->find_next). Returns 0 or an errno. The call may be let go then; there is nothing
 * to finish. */
int bz_last_resort_begin (pid_t tid, const BzExecHook *hook);

/* The same for a process that runs already and is about to map such a file: all its threads. The caller's thread waits
 * in a notification. Returns 0, also when it is traced so already, or an errno. */
int bz_last_resort_join (pid_t tid, const BzExecHook *hook);
