/* What a handler sees of a trapped call, and what it answers.
 *
 * A handler gets a call and returns a verdict. It never touches the listener.
 * All access to the target's memory goes through bz_call_read and bz_call_write,
 * which check that the notification is still valid (a thread id may have been reused).
 * A handler never waits for outside events without saying so (bz_call_will_wait, rows marked
 * `blocking`): another thread then receives in its place, and the call is answered EIO after
 * BZ_CALL_BUDGET_MS. See remote.h and loop.c. */
#pragma once

#include "syscall-xlat/table.h"

#include <sys/types.h>

typedef enum {
  BZ_VERDICT_VALUE,
  BZ_VERDICT_ERRNO,
  BZ_VERDICT_CONTINUE,
  BZ_VERDICT_DEFERRED
} BzVerdictKind;

typedef struct BzVerdict {
  BzVerdictKind kind;
  gint64 value;       /* VALUE: the result; ERRNO, DEFERRED: a positive errno */
  guint delay_ms;     /* DEFERRED: answer `value` as an errno after this time (EINTR lets the target
                         handle its signals) */
  gboolean pretended; /* a success that has no effect: counted apart (law 3) */
  gboolean stay;      /* CONTINUE: the call, an exec, shall begin on the supervisor's CPU (pin.h) */
  /* CONTINUE: called by the same thread once the call runs; it may wait, and frees after_data. */
  void (*after) (gpointer data);
  gpointer after_data;
} BzVerdict;

static inline BzVerdict
bz_value (gint64 value)
{
  return (BzVerdict){ .kind = BZ_VERDICT_VALUE, .value = value };
}

/* A success that did nothing; the brand's quirk promises it by name. */
static inline BzVerdict
bz_pretend (gint64 value)
{
  return (BzVerdict){ .kind = BZ_VERDICT_VALUE, .value = value, .pretended = TRUE };
}

static inline BzVerdict
bz_errno (int error)
{
  return (BzVerdict){ .kind = BZ_VERDICT_ERRNO, .value = error };
}

static inline BzVerdict
bz_continue (void)
{
  return (BzVerdict){ .kind = BZ_VERDICT_CONTINUE };
}

static inline BzVerdict
bz_deferred (guint delay_ms, int error)
{
  return (BzVerdict){ .kind = BZ_VERDICT_DEFERRED, .value = error, .delay_ms = delay_ms };
}

#define BZ_CALL_BUDGET_MS 5000

struct BzNotifier; /* the listener's side of a call, loop.c's own; tests supply a fake (remote.h) */

typedef struct BzCall {
  const BzPlan *plan;
  const BzRow *row;
  BzAbi abi;
  pid_t tid;       /* the target's thread id in the supervisor's pid namespace */
  guint64 args[6]; /* i386: zero-extended */
  guint64 ip;
  struct BzNotifier *notifier;
  struct BzImages *images; /* the loader's knowledge of what is executed (images.h), or NULL */
  struct BzMounter *mounter; /* who mounts what the zone can't (mounter.h), or NULL */
} BzCall;

/* Both return 0 or a positive errno: EFAULT as the kernel would say, ESRCH when the target is gone
 * (the verdict no longer matters then). A short transfer is EFAULT. */
int bz_call_read (BzCall *call, guint64 address, void *buffer, gsize length);
int bz_call_write (BzCall *call, guint64 address, const void *buffer, gsize length);

/* The width of a pointer of the caller's ABI: 4 or 8. */
static inline gsize
bz_call_word (const BzCall *call)
{
  return call->abi == BZ_ABI_I386 ? 4 : 8;
}
