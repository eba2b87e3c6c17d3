/* Every handler of a trapped call. The tables name them without the prefix: `uname` is bz_handle_uname.
 *
 * Conditions that spare notifications, for the tables:
 *   brk          (arg0 & 0xfff) != 0: a request on a page boundary is the kernel's own business (calls/brk.c)
 *   adjtimex     none: the mode lies in memory
 *   clock_*      (arg0 & ~0u) == 0: only CLOCK_REALTIME can be set
 *   reboot       arg2 is 0 or 0x89abcdef: the Ctrl-Alt-Del switch
 *   blocking     sysctl: it may read or write a file under the task's /proc/sys
 *   once         none: every effect here may be repeated without harm
 */
#pragma once

#include "syscall-xlat/call.h"

/* calls/release.c: release=brand, machine=brand */
BzVerdict bz_handle_uname (BzCall *call);       /* new_utsname: i386 122, x86-64 63 */
BzVerdict bz_handle_olduname (BzCall *call);    /* five fields of 65: i386 109 */
BzVerdict bz_handle_oldolduname (BzCall *call); /* five fields of 9: i386 59 */

/* calls/brk.c, calls/personality.c: heap=end-of-bss, personality=keep */
BzVerdict bz_handle_brk (BzCall *call);
BzVerdict bz_handle_personality (BzCall *call);

/* calls/sysinfo.c: sysinfo=clamp, no-unit */
BzVerdict bz_handle_sysinfo (BzCall *call);

/* calls/sysctl.c: sysctl=answer */
BzVerdict bz_handle_sysctl (BzCall *call);

/* calls/modules.c: modules=empty */
BzVerdict bz_handle_create_module (BzCall *call);
BzVerdict bz_handle_init_module (BzCall *call);
BzVerdict bz_handle_delete_module (BzCall *call);
BzVerdict bz_handle_query_module (BzCall *call);
BzVerdict bz_handle_get_kernel_syms (BzCall *call);

/* calls/bdflush.c: bdflush=accept */
BzVerdict bz_handle_bdflush (BzCall *call);

/* calls/syslog.c: syslog=empty */
BzVerdict bz_handle_syslog (BzCall *call);

/* calls/clock.c: clock=pretend */
BzVerdict bz_handle_settimeofday (BzCall *call);
BzVerdict bz_handle_stime (BzCall *call);           /* i386 25 */
BzVerdict bz_handle_clock_settime (BzCall *call);   /* i386 264, x86-64 227 */
BzVerdict bz_handle_clock_settime64 (BzCall *call); /* i386 404 */
BzVerdict bz_handle_adjtimex (BzCall *call);
BzVerdict bz_handle_clock_adjtime (BzCall *call);   /* i386 343, x86-64 305 */
BzVerdict bz_handle_clock_adjtime64 (BzCall *call); /* i386 405 */

/* calls/reboot.c: reboot=accept-cad */
BzVerdict bz_handle_reboot (BzCall *call);
