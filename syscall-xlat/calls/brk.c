/* brk(2) of libc 5 and old uClibc (catalogue row E30).
 *
 * Their sbrk() does not ask where the heap is: it takes the end of bss for its start, requests
 * end_of_bss + n and takes any other answer than that for want of memory. Kernels of their time
 * started the heap there; today's start it on the page after bss (start_brk, field 47 of
 * /proc/TID/stat). A request inside the last page of bss is answered with itself: that memory is
 * there, the kernel has zeroed it, nothing else uses it. A request below that page, of a program
 * that has asked for nothing yet, comes from one whose heap was randomised all the same (set-uid
 * programs, and what they start): its heap is moved first. All others are the kernel's. A request
 * on a page boundary is always the kernel's: the filter spares it.
 *
 * Each program of libc 5 asks twice at its start, so where the heap starts is to be known at little
 * cost: a look at a new task's /proc/TID/stat costs 15 us and more (6.18), most of it for directory
 * entries that its exit has to take away again. Where the heap is not randomised it starts right
 * after the program, and the program's own headers, mapped where i386 programs of a fixed address
 * begin, tell where that is. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/heap.h"
#include "syscall-xlat/remote.h"

#include <sys/personality.h>

#define PAGE_MASK G_GUINT64_CONSTANT (0xfff)
#define PROGRAM_START 0x08048000u /* the i386 ABI supplement's; other programs cost a look at stat */
#define HEADERS 512               /* more than libc 5's linkers made: 52 bytes, and 32 a segment */

/* 0: not known this way. */
static guint64
end_of_fixed_program (BzCall *call)
{
  guint8 headers[HEADERS];
  guint64 personality;

  if (call->plan->quirk[BZ_QUIRK_PERSONALITY] == 0
      || bz_call_has_happened (call, BZ_EVER_PERSONALITY)
      || bz_call_fact (call, BZ_FACT_PERSONALITY, &personality) != 0
      || (personality & ADDR_NO_RANDOMIZE) == 0
      || bz_call_read (call, PROGRAM_START, headers, sizeof headers) != 0)
    return 0;
  return bz_heap_end_of_program (headers, sizeof headers);
}

static int
find_start (BzCall *call, guint64 *start)
{
  if (call->abi == BZ_ABI_I386 && (*start = end_of_fixed_program (call)) != 0)
    return 0;
  return bz_call_fact (call, BZ_FACT_START_BRK, start);
}

BzVerdict
bz_call_brk (BzCall *call)
{
  guint64 wanted = call->args[0], start;

  if ((wanted & PAGE_MASK) == 0 || find_start (call, &start) != 0 || start == 0)
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
