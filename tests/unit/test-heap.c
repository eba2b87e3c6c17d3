/* The heap of an i386 program is moved while a signal waits, and where the program's wait for the
 * answer is interrupted (catalogue row E30). guest-heap is the program: it finds no heap unless it
 * was moved, and exits with 1 then.
 *
 * The test is the supervisor: it takes the notifications and answers as calls/brk.c does, one step
 * at a time. */
#include "config.h"

#include "syscall-xlat/heap.h"
#include "syscall-xlat/task.h"
#include "tests/unit/cmocka-all.h"
#include "tests/unit/notified.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE_MASK 0xfffu
#define BRK 45    /* of i386 */
#define PRCTL 172 /* of i386 */
#define MOVES_MAX 50

#ifndef SECCOMP_IOCTL_NOTIF_SEND
#define SECCOMP_IOCTL_NOTIF_SEND SECCOMP_IOWR (1, struct seccomp_notif_resp)
#endif

typedef enum { ANSWER_FIRST, STOPS_FIRST } Order;

typedef struct {
  gboolean killable; /* only fatal signals interrupt the wait */
  gboolean may_move; /* the host's kernel lets it be moved */
  int signal;        /* sent once, while the first call waits; 0: none */
  Order order;       /* where it is not killable: what comes first, the answer or the stop */
  guint moves;       /* how often it was tried */
} Case;

static char *guest;

static gboolean
stat_field (pid_t pid, guint field, guint64 *value)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", (int) pid);
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL)
         && bz_task_parse_stat_field (text, field, value);
}

static char
state_of (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", (int) pid);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL) || strrchr (text, ')') == NULL)
    return '\0';
  return strrchr (text, ')')[2];
}

static void
wait_for_state (pid_t pid, char state)
{
  while (state_of (pid) != state)
    {
      assert_int_not_equal (state_of (pid), '\0');
      g_usleep (200);
    }
}

static int
execute (gpointer data)
{
  const Case *with = data;
  int nowhere = open ("/dev/null", O_WRONLY | O_CLOEXEC);

  dup2 (nowhere, STDOUT_FILENO); /* its cases are not this test's */
  personality (0);
  execl (guest, guest, with->signal != 0 ? "signal" : "plain", NULL);
  return 120;
}

/* brk of what is no page boundary is reported; prctl fails where the case says so. */
static BzTask
start (Case *with)
{
  struct sock_filter code[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, PRCTL, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, with->may_move ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | EPERM),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, BRK, 0, 3),
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, args[0])),
    BPF_JUMP (BPF_JMP | BPF_JSET | BPF_K, PAGE_MASK, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = { G_N_ELEMENTS (code), code };
  BzTask task = bz_task_new_filtered (&program, with->killable, execute, with);

  bz_task_go (&task);
  return task;
}

static int
send_answer (int listener, const struct seccomp_notif *call, guint64 value, guint32 flags)
{
  struct seccomp_notif_resp answer = { .id = call->id, .val = (gint64) value, .flags = flags };

  return ioctl (listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0 ? 0 : errno;
}

static void
move (Case *with, int listener, const struct seccomp_notif *call)
{
  pid_t tid = (pid_t) call->pid;
  gboolean stops_first = !with->killable && with->order == STOPS_FIRST;
  gboolean first = with->moves++ == 0;

  assert_true (with->moves < MOVES_MAX);
  assert_int_equal (bz_heap_move_begin (tid), 0);
  if (stops_first)
    wait_for_state (tid, 't');
  if (first && with->signal != 0)
    assert_int_equal (syscall (SYS_tkill, tid, with->signal), 0);
  int failed = send_answer (listener, call, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
  if (with->killable)
    assert_int_equal (failed, 0);
  if (stops_first)
    assert_int_equal (failed, ENOENT);
  bz_heap_move_finish (tid, (guint32) call->data.args[0]);
}

/* As calls/brk.c does. */
static void
answer (Case *with, int listener, const struct seccomp_notif *call)
{
  guint64 wanted = call->data.args[0], start = 0;

  assert_true (stat_field ((pid_t) call->pid, 47, &start));
  if (wanted >= ((start - 1) & ~(guint64) PAGE_MASK))
    send_answer (listener, call, wanted < start ? wanted : 0,
                 wanted < start ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE);
  else
    move (with, listener, call);
}

/* Exit status of the program. */
static int
serve (Case *with)
{
  BzTask task = start (with);
  int process = (int) syscall (SYS_pidfd_open, task.pid, 0);
  struct pollfd ready[] = { { .fd = task.listener, .events = POLLIN },
                            { .fd = process, .events = POLLIN } };

  assert_true (process >= 0);
  while (poll (ready, 2, -1) >= 0 && (ready[1].revents & POLLIN) == 0)
    {
      struct seccomp_notif call;

      memset (&call, 0, sizeof call);
      if ((ready[0].revents & POLLIN) != 0
          && ioctl (task.listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0)
        answer (with, task.listener, &call);
    }
  close (process);
  close (task.listener);
  return bz_task_wait (&task);
}

static void
need_killable (void)
{
  if (bz_task_can_wait_killable ())
    return;
  print_message ("skipped: the kernel's filters can't wait killably (Linux 5.19)\n");
  skip ();
}

static void
test_plain (void **state G_GNUC_UNUSED)
{
  Case with = { .killable = TRUE, .may_move = TRUE };

  need_killable ();
  assert_int_equal (serve (&with), 0);
  assert_int_equal (with.moves, 1);
}

/* It waits until the stop: then it is delivered, not lost, and the brk after it moves the heap. */
static void
test_signal (void **state G_GNUC_UNUSED)
{
  Case with = { .killable = TRUE, .may_move = TRUE, .signal = SIGUSR1 };

  need_killable ();
  assert_int_equal (serve (&with), 0);
  assert_int_equal (with.moves, 2);
}

static void
test_interrupted (void **state G_GNUC_UNUSED)
{
  Case with = { .may_move = TRUE, .order = STOPS_FIRST };

  assert_int_equal (serve (&with), 0);
  assert_int_equal (with.moves, 1);
}

static void
test_interrupted_and_signal (void **state G_GNUC_UNUSED)
{
  Case with = { .may_move = TRUE, .order = STOPS_FIRST, .signal = SIGUSR1 };

  assert_int_equal (serve (&with), 0);
  assert_int_equal (with.moves, 2);
}

/* Whichever comes first, once is enough. */
static void
test_either (void **state G_GNUC_UNUSED)
{
  for (guint i = 0; i < 20; i++)
    {
      Case with = { .may_move = TRUE };

      assert_int_equal (serve (&with), 0);
      assert_int_equal (with.moves, 1);
    }
}

/* The program is told that it has no memory, and does not ask for ever. */
static void
test_it_can_not_be_moved (void **state G_GNUC_UNUSED)
{
  Case killable = { .killable = TRUE }, interrupted = { .order = STOPS_FIRST };

  assert_int_equal (serve (&interrupted), 1);
  assert_int_equal (interrupted.moves, 2); /* the program's own, and its child's */
  need_killable ();
  assert_int_equal (serve (&killable), 1);
  assert_int_equal (killable.moves, 2);
}

/* --- what this host must have --- */

static const char *
lack (void)
{
  g_autofree char *random = NULL;
  unsigned size = 0;

  if (!g_file_test (guest, G_FILE_TEST_IS_EXECUTABLE))
    return "i386 programs can't be built here";
  if (prctl (PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0) != 0)
    return "the kernel lacks CONFIG_CHECKPOINT_RESTORE";
  if (!g_file_get_contents ("/proc/sys/kernel/randomize_va_space", &random, NULL, NULL)
      || random[0] != '2')
    return "the kernel does not randomise heaps";
  return NULL;
}

int
main (int argc G_GNUC_UNUSED, char **argv)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_plain),       cmocka_unit_test (test_signal),
    cmocka_unit_test (test_interrupted), cmocka_unit_test (test_interrupted_and_signal),
    cmocka_unit_test (test_either),      cmocka_unit_test (test_it_can_not_be_moved),
  };
  g_autofree char *dir = g_path_get_dirname (argv[0]);
  int result = 77;

  guest = g_build_filename (dir, "..", "guest", "heap-i386", NULL);
  if (lack () != NULL)
    print_message ("1..0 # SKIP %s\n", lack ());
  else
    {
      alarm (120); /* a hung program shall end the test, not wait with it */
      result = cmocka_run_group_tests (tests, NULL, NULL);
    }
  g_free (guest);
  return result;
}
