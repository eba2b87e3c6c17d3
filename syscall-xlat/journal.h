/* The journal of received notifications, and the counters, in shared memory.
 *
 * Problem: a notification that was received is never offered again, yet its id
 * stays answerable by whoever holds the listener (Linux 5.0 to 6.18, seen). So the supervisor
 * receives into memory that outlives it; its successor answers what it had taken. */
#pragma once

#include "brand/plan.h"

typedef struct BzJournal BzJournal;

/* The keeper's part: a new memfd (close-on-exec), or -1 and error. */
int bz_journal_create (GError **error);

/* Maps a journal. Fails with BZ_ERROR_INPUT when it is not one of this version. */
BzJournal *bz_journal_map (int fd, GError **error);
void bz_journal_unmap (BzJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzJournal, bz_journal_unmap)

typedef struct {
  BzAbi abi;
  int nr;
  guint64 count;       /* notifications answered */
  guint64 continued;   /* of them: passed on to the kernel */
  guint64 failed;      /* of them: answered with an errno */
  guint64 pretended;   /* of them: successes without effect */
  guint64 over_budget; /* of them: workers that were not waited for */
  guint64 nanoseconds; /* time from receiving to answering, summed */
} BzCount;

/* Rows that were trapped at least once, by number. Element type BzCount; owned by the caller.
 * May be called by any process that maps the journal while the zone runs. */
GArray *bz_journal_counts (BzJournal *journal);
/* What has ever happened (BzEver): 0 or 1, borrowed from the journal. */
_Atomic guint32 *bz_journal_ever (BzJournal *journal, guint what);
/* How often a supervisor took over from a dead one. */
guint64 bz_journal_successions (BzJournal *journal);

/* The first program that was killed for a call that is gone (quirk gone=stop). */
typedef struct {
  BzAbi abi;
  int nr;
  char program[16]; /* its name as the zone gave it: not safe to print as it is */
} BzStopped;
void bz_journal_stop (BzJournal *journal, BzAbi abi, int nr, const char *program);
gboolean bz_journal_stopped (BzJournal *journal, BzStopped *stopped);
