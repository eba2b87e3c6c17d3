/* The layout of the journal; for journal.c, loop.c and answer.c only.
 *
 * A slot holds one received notification and what became of it. SIGKILL may fall between any two
 * instructions, and the successor must do the right thing with what it finds, so each step is one
 * store, in this order:
 *
 *   1 the kernel copies the notification into `notif` (it does so wholly or offers it again)
 *   2 state = EFFECT     only for a row marked `once`, before its effect
 *   3 value, error, flags; then state = ANSWER
 *   4 SECCOMP_IOCTL_NOTIF_SEND
 *   5 `notif` is zeroed; then state = FREE
 *
 *   found                                the successor
 *   FREE, notif zero                     nothing was there
 *   FREE, notif filled                   handles the call (again: its effects may be repeated)
 *   EFFECT                               answers EINTR: the effect may or may not have happened
 *   ANSWER                               sends the answer (again: ENOENT says that it was sent)
 *
 * A call stays in its slot until it is answered: slots are never copied, so none is ever there
 * twice. Whether a call that is handled again was answered already (killed within step 5, its task
 * gone) is asked of the kernel by its id, and ids are never used again. */
#pragma once

#include "syscall-xlat/fold.h"
#include "syscall-xlat/journal.h"
#include "syscall-xlat/loop.h"
#include "syscall-xlat/remote.h"
#include "syscall-xlat/starting.h"

#include <linux/seccomp.h>
#include <stdatomic.h>

#define BZ_SLOT_ROOM \
  192 /* for struct seccomp_notif: 80 bytes on Linux 5.0 to 6.18; the kernel is asked */
#define BZ_SLOTS 16 /* of one listener: one that receives, the others for calls that take long */
#define BZ_COUNTED_CALLS 1024

enum { BZ_SLOT_FREE, BZ_SLOT_EFFECT, BZ_SLOT_ANSWER };

typedef struct {
  union {
    struct seccomp_notif notif;
    guint8 room[BZ_SLOT_ROOM];
  };
  _Atomic guint32 state;
  guint32 flags; /* the answer */
  gint64 value;
  gint32 error;
  guint32 noted; /* the handler has put down `note`, for whoever handles the call again */
  guint64 note;
  _Atomic guint32 pinned; /* the target's thread id while it is bound to one CPU (pin.h) */
  guint32 reserved[7];
} BzSlot;
_Static_assert(sizeof (BzSlot) == 256, "16 slots fill a page");

typedef struct {
  BzSlot slot[BZ_SLOTS];
} BzSlots;
_Static_assert(sizeof (BzSlots) == 4096, "a listener has a page");

/* A call that counts is added up with relaxed atomics: a reader may see one count ahead of another.
 */
typedef struct {
  _Atomic guint64 count, continued, failed, pretended, over_budget, nanoseconds;
  guint64 reserved[2];
} BzCounter;

_Static_assert(BZ_EVERS <= 8, "the journal's header has room for eight");

typedef struct {
  char magic[8];
  guint32 version;
  guint32 slot_size, slots, listeners, counter_size, counters;
  _Atomic guint64 loops; /* supervisors that used it */
  _Atomic guint32 happened[8]; /* by BzEver */
  guint8 reserved[4096 - 72];
} BzJournalHeader;

/* The first program that gone=stop killed. */
typedef struct {
  _Atomic guint32 state; /* 0: none; 1: being written; 2: whole */
  gint32 abi, nr;
  char program[16];
  guint32 reserved[9];
} BzStopRecord;

typedef struct {
  BzJournalHeader header;
  BzSlots listener[BZ_LOOP_LISTENERS];
  BzCounter counter[BZ_ABI_COUNT][BZ_COUNTED_CALLS];
  BzFold fold;
  BzStopRecord stopped;
  BzStarting starting;
} BzJournalMemory;
_Static_assert(sizeof (BzJournalHeader) == 4096, "the header has a page");

struct BzJournal {
  BzJournalMemory *memory;
  gboolean writable;
};

/* Whether a notification lies in the slot. The architecture is never 0; an id may be. */
static inline gboolean
bz_slot_is_filled (const BzSlot *slot)
{
  return slot->notif.data.arch != 0;
}

/* NULL when the number is beyond what is counted. */
static inline BzCounter *
bz_journal_counter (BzJournal *journal, BzAbi abi, int nr)
{
  return nr >= 0 && nr < BZ_COUNTED_CALLS ? &journal->memory->counter[abi][nr] : NULL;
}
