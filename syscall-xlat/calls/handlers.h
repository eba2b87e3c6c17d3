/* Every handler of a trapped call; the tables name them without the prefix. */
#pragma once

#include "syscall-xlat/call.h"

/* calls/release.c: release=brand, machine=brand */
BzVerdict bz_call_uname (BzCall *call);       /* new_utsname: i386 122, x86-64 63 */
BzVerdict bz_call_olduname (BzCall *call);    /* five fields of 65: i386 109 */
BzVerdict bz_call_oldolduname (BzCall *call); /* five fields of 9: i386 59 */

/* calls/brk.c, calls/personality.c: heap=end-of-bss, personality=keep */
BzVerdict bz_call_brk (BzCall *call);
BzVerdict bz_call_personality (BzCall *call);

/* calls/sysinfo.c: sysinfo=clamp, no-unit */
BzVerdict bz_call_sysinfo (BzCall *call);

/* calls/stat.c: fold-inodes=fold, owner-records=keep; i386 */
BzVerdict bz_call_oldstat (BzCall *call);
BzVerdict bz_call_oldlstat (BzCall *call);
BzVerdict bz_call_oldfstat (BzCall *call);
BzVerdict bz_call_stat (BzCall *call);
BzVerdict bz_call_lstat (BzCall *call);
BzVerdict bz_call_fstat (BzCall *call);
BzVerdict bz_call_stat64 (BzCall *call);
BzVerdict bz_call_lstat64 (BzCall *call);
BzVerdict bz_call_fstat64 (BzCall *call);
BzVerdict bz_call_fstatat64 (BzCall *call);
BzVerdict bz_call_statx (BzCall *call);
/* x86-64: owner-records=keep */
BzVerdict bz_call_stat_long (BzCall *call);
BzVerdict bz_call_lstat_long (BzCall *call);
BzVerdict bz_call_fstat_long (BzCall *call);
BzVerdict bz_call_newfstatat (BzCall *call);

/* calls/directory.c: fold-inodes=fold; i386 */
BzVerdict bz_call_readdir (BzCall *call);
BzVerdict bz_call_getdents (BzCall *call);
BzVerdict bz_call_getdents64 (BzCall *call);
BzVerdict bz_call_lseek (BzCall *call);
BzVerdict bz_call_llseek (BzCall *call);

/* calls/statfs.c: statfs=clamp; i386 */
BzVerdict bz_call_statfs (BzCall *call);
BzVerdict bz_call_fstatfs (BzCall *call);

/* calls/affinity.c: affinity=fit */
BzVerdict bz_call_sched_getaffinity (BzCall *call);

/* calls/sysctl.c: sysctl=answer */
BzVerdict bz_call_sysctl (BzCall *call);

/* calls/modules.c: modules=empty */
BzVerdict bz_call_create_module (BzCall *call);
BzVerdict bz_call_init_module (BzCall *call);
BzVerdict bz_call_delete_module (BzCall *call);
BzVerdict bz_call_query_module (BzCall *call);
BzVerdict bz_call_get_kernel_syms (BzCall *call);

/* calls/bdflush.c: bdflush=accept */
BzVerdict bz_call_bdflush (BzCall *call);

/* calls/syslog.c: syslog=empty */
BzVerdict bz_call_syslog (BzCall *call);

/* calls/clock.c: clock=pretend */
BzVerdict bz_call_settimeofday (BzCall *call);
BzVerdict bz_call_stime (BzCall *call);         /* i386 25 */
BzVerdict bz_call_clock_settime (BzCall *call); /* also clock_settime64 */
BzVerdict bz_call_adjtimex (BzCall *call);
BzVerdict bz_call_clock_adjtime (BzCall *call); /* also clock_adjtime64 */

/* calls/image.c: vsyscall=rewrite; x86-64 */
BzVerdict bz_call_mmap (BzCall *call);
BzVerdict bz_call_execve (BzCall *call);
BzVerdict bz_call_execveat (BzCall *call);
BzVerdict bz_call_arch_prctl (BzCall *call);
BzVerdict bz_call_root_change (BzCall *call); /* chroot, pivot_root */
BzVerdict bz_call_namespace (BzCall *call);
BzVerdict bz_call_any_namespace (BzCall *call);

/* calls/reboot.c: reboot=accept-cad */
BzVerdict bz_call_reboot (BzCall *call);

/* calls/terminal.c: vhangup=pretend */
BzVerdict bz_call_vhangup (BzCall *call);

/* calls/mount.c: proc-mount=busy, mounts=tell, ask */
BzVerdict bz_call_mount (BzCall *call);

/* calls/loops.c: mounts=tell, ask */
BzVerdict bz_call_ioctl (BzCall *call);

/* calls/ptys.c: bsd-ptys=own; i386 */
BzVerdict bz_call_open (BzCall *call);

/* calls/rlimits.c: rlimits=accept */
BzVerdict bz_call_setrlimit (BzCall *call);
BzVerdict bz_call_prlimit64 (BzCall *call);

/* calls/groups.c: groups=accept */
BzVerdict bz_call_setgroups (BzCall *call); /* also setgroups32 */

/* calls/owners.c: owners=accept */
BzVerdict bz_call_chown (BzCall *call);  /* also chown32 */
BzVerdict bz_call_lchown (BzCall *call); /* also lchown32 */
BzVerdict bz_call_fchown (BzCall *call); /* also fchown32 */
BzVerdict bz_call_fchownat (BzCall *call);
BzVerdict bz_call_chmod (BzCall *call);
BzVerdict bz_call_fchmodat (BzCall *call);
BzVerdict bz_call_utime (BzCall *call);     /* also utimes */
BzVerdict bz_call_utimensat (BzCall *call); /* also utimensat_time64, futimesat */

/* calls/newer.c: newer-calls=older */
BzVerdict bz_call_fchmodat2 (BzCall *call);

/* calls/nodes.c: nodes=placeholder */
BzVerdict bz_call_mknod (BzCall *call);
BzVerdict bz_call_mknodat (BzCall *call);

/* calls/audit.c: audit=none */
BzVerdict bz_call_socket (BzCall *call);
BzVerdict bz_call_socketcall (BzCall *call); /* i386 102 */

/* calls/gone.c: gone=count, stop; for rows without a quirk that traps them (bz_row_handler) */
BzVerdict bz_call_gone (BzCall *call);
