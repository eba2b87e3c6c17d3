/* brk(2) of libc 5 and old uClibc (catalogue row E30).
 *
 * Their sbrk() does not ask where the heap is: it takes the end of bss for its start, requests
 * end_of_bss + n and takes any other answer than that for want of memory. Kernels of their time
 * started the heap there; today's start it on the page after bss (start_brk, field 47 of
 * /proc/TID/stat). A request inside the last page of bss is answered with itself: that memory is
 * there, the kernel has zeroed it, nothing else uses it. A request below that page, of a program
 * that has asked for nothing yet, comes from one whose heap was randomised all the same (set-uid
 * programs, and what they start): its heap is moved first. All others are the kernel's. A request
 * on a page boundary is always the kernel's: the filter spares it. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/remote.h"

#define PAGE_MASK G_GUINT64_CONSTANT (0xfff)

BzVerdict
bz_call_brk (BzCall *call)
{
  guint64 wanted = call->args[0], start;

  if ((wanted & PAGE_MASK) == 0 || bz_call_fact (call, BZ_FACT_START_BRK, &start) != 0
      || start == 0)
    return bz_continue ();
  /* On a host that starts the heap at the end of bss itself, start - 1 lies in the same page. */
  guint64 page = (start - 1) & ~PAGE_MASK;
  if (wanted >= page)
    return wanted < start ? bz_value ((gint64) wanted) : bz_continue ();
  /* That the brand's ADDR_NO_RANDOMIZE does not get lost is what personality=keep promises (E31).
   */
  gboolean keeps = call->plan->quirk[BZ_QUIRK_PERSONALITY] != 0;
  return wanted > 0 && keeps ? bz_call_move_heap (call) : bz_continue ();
}
