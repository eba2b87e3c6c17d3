/* What a guest program needs, without a libc.
 *
 * Problem: these programs make the system calls of other times, in zones whose
 * release is as old as 2.0 and which answer ENOSYS to what is newer. A libc of today
 * refuses to start there, or makes calls of its own that hide the one under test.
 *
 * Choice: static programs with their own _start, system calls by number, and just
 * enough to print TAP. i386 programs enter the kernel by int 0x80, as the programs of
 * that time did. One file is one program; guest.c is linked to each.
 *
 * Limits: no floating point, no 64-bit division but divide(), 4 KiB per printed line, eight
 * threads in a program's life.
 */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;
typedef unsigned long word; /* a register */
typedef __SIZE_TYPE__ usize;

#define NULL ((void *) 0)
#define COUNT(array) (sizeof (array) / sizeof (array)[0])

/* errno values and numbers of calls are spelled here: the build machine's headers may
 * lack the old ones. */
enum {
  E_PERM = 1,
  E_NOENT = 2,
  E_INTR = 4,
  E_BADF = 9,
  E_CHILD = 10,
  E_AGAIN = 11,
  E_NOMEM = 12,
  E_ACCES = 13,
  E_FAULT = 14,
  E_EXIST = 17,
  E_NOTDIR = 20,
  E_INVAL = 22,
  E_NOSYS = 38,
  E_NOTCONN = 107,
};

#ifdef __i386__
#define GUEST_ABI "i386"
enum {
  NR_exit = 1,
  NR_fork = 2,
  NR_read = 3,
  NR_write = 4,
  NR_open = 5,
  NR_close = 6,
  NR_waitpid = 7,
  NR_execve = 11,
  NR_mount = 21,
  NR_getpid = 20,
  NR_stime = 25,
  NR_kill = 37,
  NR_mkdir = 39,
  NR_brk = 45,
  NR_olduname = 59,
  NR_setuid = 23,
  NR_getppid = 64,
  NR_setrlimit = 75,
  NR_getrlimit = 76,
  NR_settimeofday = 79,
  NR_gettimeofday = 78,
  NR_mmap = 90,
  NR_munmap = 91,
  NR_reboot = 88,
  NR_syslog = 103,
  NR_uname_2 = 109,
  NR_wait4 = 114,
  NR_sysinfo = 116,
  NR_clone = 120,
  NR_uname = 122,
  NR_adjtimex = 124,
  NR_create_module = 127,
  NR_init_module = 128,
  NR_delete_module = 129,
  NR_get_kernel_syms = 130,
  NR_bdflush = 134,
  NR_personality = 136,
  NR_sysctl = 149,
  NR_sched_yield = 158,
  NR_nanosleep = 162,
  NR_query_module = 167,
  NR_sigaction = 67,
  NR_getrlimit_2 = 191,
  NR_gettid = 224,
  NR_futex = 240,
  NR_exit_group = 252,
  NR_clock_settime = 264,
  NR_clock_gettime = 265,
  NR_prlimit64 = 340,
  NR_clock_settime64 = 404,
  NR_clock_adjtime = 343,
  NR_ptrace = 26,
  NR_prctl = 172,
  NR_umount2 = 52,
};
#else
#define GUEST_ABI "x86_64"
enum {
  NR_exit = 60,
  NR_fork = 57,
  NR_read = 0,
  NR_write = 1,
  NR_open = 2,
  NR_close = 3,
  NR_execve = 59,
  NR_mount = 165,
  NR_getpid = 39,
  NR_kill = 62,
  NR_mkdir = 83,
  NR_brk = 12,
  NR_setuid = 105,
  NR_getppid = 110,
  NR_setrlimit = 160,
  NR_getrlimit = 97,
  NR_settimeofday = 164,
  NR_gettimeofday = 96,
  NR_mmap = 9,
  NR_munmap = 11,
  NR_reboot = 169,
  NR_syslog = 103,
  NR_wait4 = 61,
  NR_sysinfo = 99,
  NR_clone = 56,
  NR_uname = 63,
  NR_adjtimex = 159,
  NR_create_module = 174,
  NR_init_module = 175,
  NR_delete_module = 176,
  NR_get_kernel_syms = 177,
  NR_personality = 135,
  NR_sysctl = 156,
  NR_sched_yield = 24,
  NR_nanosleep = 35,
  NR_query_module = 178,
  NR_rt_sigaction = 13,
  NR_gettid = 186,
  NR_futex = 202,
  NR_exit_group = 231,
  NR_clock_settime = 227,
  NR_clock_gettime = 228,
  NR_prlimit64 = 302,
  NR_clock_adjtime = 305,
  NR_ptrace = 101,
  NR_prctl = 157,
  NR_umount2 = 166,
};
#endif

/* Makes a call; negative values are errno. Up to six arguments. */
long guest_call (long nr, word a, word b, word c, word d, word e, word f);
#define CALL_N(_1, _2, _3, _4, _5, _6, _7, name, ...) name
#define W(x) ((word) (x))
#define CALL0(nr) guest_call (nr, 0, 0, 0, 0, 0, 0)
#define CALL1(nr, a) guest_call (nr, W (a), 0, 0, 0, 0, 0)
#define CALL2(nr, a, b) guest_call (nr, W (a), W (b), 0, 0, 0, 0)
#define CALL3(nr, a, b, c) guest_call (nr, W (a), W (b), W (c), 0, 0, 0)
#define CALL4(nr, a, b, c, d) guest_call (nr, W (a), W (b), W (c), W (d), 0, 0)
#define CALL5(nr, a, b, c, d, e) guest_call (nr, W (a), W (b), W (c), W (d), W (e), 0)
#define CALL6(nr, a, b, c, d, e, f) guest_call (nr, W (a), W (b), W (c), W (d), W (e), W (f))
#define call(...) \
  CALL_N (__VA_ARGS__, CALL6, CALL5, CALL4, CALL3, CALL2, CALL1, CALL0) (__VA_ARGS__)

/* Strings. */
usize length_of (const char *text);
int equal (const char *a, const char *b);
int starts_with (const char *text, const char *prefix);
long number_of (const char *text); /* decimal or 0x; 0 if it is none */
void *memset (void *to, int byte, usize count);
void *memcpy (void *to, const void *from, usize count);
int memcmp (const void *a, const void *b, usize count);

/* value / by for by below 65536; *rest gets the remainder. */
u64 divide (u64 value, u32 by, u32 *rest);

/* %s %d %u %x (register width), %ld %lu %lx the same, %lld %llu %llx 64 bits, %c, %%. */
void print (const char *format, ...) __attribute__ ((format (printf, 1, 2)));

/* TAP. Each prints one line. is() compares numbers and tells both, is_errno() a result with -errno.
 */
void ok (int passed, const char *name);
void is (long got, long expected, const char *name);
void is_text (const char *got, const char *expected, const char *name);
void skip (const char *name, const char *reason);
/* Becomes an ordinary user of the zone: one case, skipped in a zone of a single id. Returns whether it is one. */
int become_user (void);
int done (void); /* prints the plan; the exit status */

/* Reads a file; returns the length, or a negative errno. Ends with a NUL, without a last newline.
 */
long read_file (const char *path, char *buffer, usize size);

/* A thread on a stack of its own that shares everything; joined by thread_wait. */
struct thread {
  volatile u32 tid; /* cleared, and woken as a futex, by the kernel when the thread is gone */
  long result;
};
int thread_start (struct thread *thread, long (*function) (void *data), void *data);
long thread_wait (struct thread *thread);

long guest_fork (void);
/* Waits for one process; the wait status, or a negative errno. */
long guest_wait (long pid);
void guest_sleep_us (u32 microseconds);
u64 monotonic_ns (void);

/* sigaction(2) with SA_RESTART. */
void on_signal (int signal, void (*handler) (int signal));

struct utsname_new {
  char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

/* Every guest's own. The return value is the exit status. */
int guest_main (int argc, char **argv, char **envp);
