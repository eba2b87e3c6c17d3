/* personality(2) for brands with flags of their own (catalogue row E31).
 *
 * ld-linux.so.1 calls personality(0) at every start, which would clear the flags that the loader
 * has set before the zone's first program (ADDR_NO_RANDOMIZE, PER_LINUX32 of i386 zones), for that
 * program and its children. So:
 *   - the brand's flags are not shown: neither by a query nor as the old value;
 *   - a value that, with the brand's flags kept, leaves the task's personality as it is succeeds
 * without being run: a zero, what a program read before and puts back, and what the brand has set
 * anyway;
 *   - any other value really changes something, and only the task itself can do that: the call
 * continues. READ_IMPLIES_EXEC does not count: exec sets it for every i386 image without
 * PT_GNU_STACK (elf_read_implies_exec, 2.6.8 to 6.18), so programs older than that have it without
 * having asked, and it is not shown to brands whose kernel lacked it. Limit: with a call that
 * continues the brand's flags are lost for that task and its children (nobody can change the value
 * on the way), and its result shows them. Whoever asks for another personality gets that and no
 * other. A flag of the brand's that the task sets itself does not show afterwards.
 *
 * Where the brand has no such flags (quirk personality=host), every call continues, and is only noted: uname(2) tells
 * another machine or release by PER_LINUX32 and UNAME26, and need not look at its task while nobody has changed them. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/remote.h"

#include <sys/personality.h>

#define QUERY 0xffffffffu

/* A base that the loader has set shows as plain Linux. */
static guint32
visible (guint32 personality, const BzPlan *plan)
{
  guint32 brand = (guint32) plan->personality;
  guint32 shown = personality & ~(brand & ~(guint32) PER_MASK);

  if (plan->release_number < BZ_RELEASE (2, 6, 8))
    shown &= ~(guint32) READ_IMPLIES_EXEC;

  if ((shown & PER_MASK) == (brand & PER_MASK))
    shown &= ~(guint32) PER_MASK;
  return shown;
}

/* What the task asks for, the brand's flags kept. */
static guint32
with_brand (guint32 wanted, guint32 brand)
{
  guint32 kept = wanted | (brand & ~(guint32) PER_MASK);

  if ((wanted & PER_MASK) == PER_LINUX)
    kept |= brand & PER_MASK;
  return kept;
}

/* ld-linux.so.1's own call, while nobody has changed anything: what exec may have changed is not
 * shown to these brands, so the task need not be looked at (brk.c has what a look costs). What a
 * set-uid program has lost of the brand's flags it does not lose more of. */
static gboolean
is_start (BzCall *call, guint32 wanted)
{
  return wanted == PER_LINUX && call->plan->release_number < BZ_RELEASE (2, 6, 8)
         && !bz_call_has_happened (call, BZ_EVER_PERSONALITY);
}

BzVerdict
bz_call_personality (BzCall *call)
{
  guint32 wanted = (guint32) call->args[0], brand = (guint32) call->plan->personality;
  guint64 now;

  if (call->plan->quirk[BZ_QUIRK_PERSONALITY] == 0)
    {
      if (wanted != QUERY)
        bz_call_happens (call, BZ_EVER_PERSONALITY);
      return bz_continue ();
    }
  if (is_start (call, wanted))
    return bz_value (PER_LINUX);
  if (bz_call_fact (call, BZ_FACT_PERSONALITY, &now) == 0)
    {
      guint32 change = with_brand (wanted, brand) ^ (guint32) now;
      if (wanted == QUERY || (change & ~(guint32) READ_IMPLIES_EXEC) == 0)
        return bz_value (visible ((guint32) now, call->plan));
    }
  bz_call_happens (call, BZ_EVER_PERSONALITY);
  return bz_continue ();
}
