/* The journal's list of programs that are starting. */
#pragma once

#include "syscall-xlat/journal.h"

#include <sys/types.h>

/* Processes that are on their way into another program and whose text is being put right: a SIGSTOP waits for each of
 * them, which acts when the supervisor dies. Its successor looks for them here. */
#define BZ_STARTING_MAX 64
typedef struct {
  _Atomic guint64 entry[BZ_STARTING_MAX]; /* 0: free; else a number of its own << 32 | process */
  _Atomic guint32 next_number;
  guint32 reserved;
} BzStarting;

/* The journal's own. */
BzStarting *bz_journal_starting (BzJournal *journal);
/* Returns the new entry, which takes the place of an older one of this process; 0: no place is left. */
guint64 bz_starting_add (BzStarting *starting, pid_t process);
/* Nothing happens when the entry is not there any more: it has been replaced. */
void bz_starting_remove (BzStarting *starting, guint64 entry);
gboolean bz_starting_holds (BzStarting *starting, guint64 entry);
