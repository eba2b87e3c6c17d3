/* The kernel under a compiled filter does what the simulator says. */
#include "config.h"

#include "syscall-xlat/filter.h"
#include "tests/unit/plan-text.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define X32_GETPID (0x40000000 + SYS_getpid)

/* In a child. Exits 77 when the kernel takes no filter here. */
static void
install (GBytes *program)
{
  gsize size;
  const struct sock_filter *code = g_bytes_get_data (program, &size);
  struct sock_fprog prog = { (unsigned short) (size / sizeof *code), (struct sock_filter *) code };

  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
      || syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
    _exit (errno == EINVAL ? 78 : 77);
}

/* Exits 0 when the kernel does what the simulator said. */
static void
ask_x86_64 (GBytes *program)
{
  install (program);
  if (syscall (SYS_getppid) <= 0)
    _exit (1);
  if (syscall (SYS_prlimit64, 0, 7, NULL, NULL) != -1 || errno != ENOSYS)
    _exit (2);
  if (syscall (X32_GETPID) != -1 || errno != ENOSYS)
    _exit (3);
  if (syscall (SYS_personality, 0xdeadbeefffffffff) != -1 || errno != ENOSYS)
    _exit (4); /* a notification that nobody listens to */
  if (syscall (SYS_clock_settime, 1ul, NULL) != -1 || errno == ENOSYS)
    _exit (5); /* not CLOCK_REALTIME: the kernel's own answer */
  if (syscall (SYS_clock_settime, 0xdeadbeef00000000, NULL) != -1 || errno != ENOSYS)
    _exit (6);
  _exit (0);
}

/* An i386 call of an x86-64 program. */
static long
call_i386 (guint nr, guint arg)
{
  long result;

  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(nr), "b"(arg)
                   : "memory", "r8", "r9", "r10", "r11");
  return (int) result;
}

static void
ask_i386 (GBytes *program)
{
  signal (SIGSEGV, SIG_DFL); /* what int 0x80 gives without IA32 emulation */
  if (call_i386 (64, 0) < 0) /* getppid */
    _exit (77);
  install (program);
  if (call_i386 (64, 0) < 0)
    _exit (1);
  if (call_i386 (17, 0) != -ENOSYS || call_i386 (462, 0) != -ENOSYS
      || call_i386 (224, 0) != -ENOSYS)
    _exit (2); /* break, mseal, gettid */
  if (call_i386 (45, 0x0804a001) != -ENOSYS)
    _exit (3); /* brk inside a page: a notification that nobody listens to */
  if (call_i386 (45, 0x0804a000) == -ENOSYS)
    _exit (4); /* brk at a page: the kernel's */
  if (call_i386 (109, 0) != -ENOSYS)
    _exit (5); /* olduname: notified */
  if (call_i386 (20, 0) != getpid ())
    _exit (6);
  _exit (0);
}

static void
ask_the_kernel (const char *settings, void (*ask) (GBytes *program))
{
  g_autoptr (BzPlan) plan = plan_from_text (settings);
  g_autoptr (GBytes) program = NULL;
  gboolean needed;
  int status;
  pid_t child;

  program = bz_filter_compile (plan, &needed, NULL);
  assert_non_null (program);
  fflush (NULL);
  child = fork ();
  assert_true (child >= 0);
  if (child == 0)
    ask (program);
  assert_int_equal (waitpid (child, &status, 0), child);
  if ((WIFEXITED (status) && WEXITSTATUS (status) == 77)
      || (WIFSIGNALED (status) && WTERMSIG (status) == SIGSEGV))
    {
      print_message ("the kernel takes no seccomp filter or no i386 call here\n");
      skip ();
    }
  assert_true (WIFEXITED (status));
  assert_int_equal (WEXITSTATUS (status), 0);
}

static void
test_kernel_agrees (void **state)
{
  (void) state;
  ask_the_kernel ("abi=x86_64 release=2.6.32 missing=release personality=keep clock=pretend",
                  ask_x86_64);
}

static void
test_kernel_agrees_for_i386 (void **state)
{
  (void) state;
  ask_the_kernel ("abi=i386 release=2.2.14 missing=release release=brand heap=end-of-bss",
                  ask_i386);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_kernel_agrees),
    cmocka_unit_test (test_kernel_agrees_for_i386),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
