/* Programs that can't be attached to at execve(2): holding them where they start by other means. */
#pragma once

#include "syscall-xlat/starting.h"

typedef struct {
  /* The process stands still at the start of a new program, or where execve(2) has failed. traced: it has a tracer of
   * the zone's, and may be written to only through /proc. */
  void (*edit) (gpointer data, pid_t process, gboolean traced);
  /* It could not be held: it runs. */
  void (*lost) (gpointer data, pid_t process);
  gpointer data;
  BzStarting *starting; /* may be NULL */
} BzHoldClass;

typedef struct BzHold BzHold;

/* The target waits in execve(2). killable: only a fatal signal ends its wait for us (Linux 5.19). class outlives the
 * hold. NULL: it can't be held. Else bz_hold_finish must follow. */
BzHold *bz_hold_begin (pid_t tid, gboolean killable, const BzHoldClass *class);

/* After the call was let go: waits, edits, lets the target run. Frees the hold. */
void bz_hold_finish (BzHold *hold);

/* Looks, in threads of its own, for the processes in the list: a predecessor died while it worked on them, and a stop
 * holds them. For each that is found, class->edit is called; then it goes on. */
void bz_hold_succeed (const BzHoldClass *class);

/* The id of a task's process; of the thread that traces it, 0: none. Both 0 when the task is gone. */
pid_t bz_task_process_id (pid_t tid);
pid_t bz_task_tracer (pid_t tid);
