/* Moving the start of a task's heap to the end of its bss. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Attaches to an i386 target that waits in brk(2). Returns 0 or an errno. The same thread must call
 * bz_heap_move_finish when the call was let go. */
int bz_heap_move_begin (pid_t tid);

/* Waits until the target has come back from brk, moves its heap to the page after its program's bss
 * if that is where it is not, and has it make the same call again. */
void bz_heap_move_finish (pid_t tid, guint32 wanted);

/* The first address after the segments of an i386 ELF program's first bytes, rounded up to a page;
 * 0: it is none. Pure. */
guint32 bz_heap_end_of_program (const guint8 *bytes, gsize length);
