/* What a translated call costs, beside the same call of an unfiltered process, measured in turns.
 *
 *   bench-notify [CALLS] [--no-sync-wake-up]
 *
 * Prints for each call the medians in nanoseconds and their ratio. The loop runs in this process,
 * the callers are children. */
#include "config.h"

#include "syscall-xlat/calls/guest.h"
#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/loop.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ANSWERED = 180, CONTINUED = 39 /* getpid */ };
#define ROUNDS 20

static BzVerdict
answer_only (BzCall *call G_GNUC_UNUSED)
{
  return bz_value (0);
}

static BzVerdict
continue_only (BzCall *call G_GNUC_UNUSED)
{
  return bz_continue ();
}

static const BzRow rows[] = {
  { .nr = ANSWERED, .name = "nfsservctl", .handler = answer_only },
  { .nr = CONTINUED, .name = "getpid", .handler = continue_only },
  { .nr = SYS_uname, .name = "uname", .handler = bz_call_uname },
  { .nr = SYS_brk, .name = "brk", .handler = bz_call_brk },
};

const BzRow *
bz_table_row (BzAbi abi, int nr)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if (abi == BZ_ABI_X86_64 && rows[i].nr == nr)
      return &rows[i];
  return NULL;
}

BzHandler
bz_row_handler (const BzRow *row, const BzPlan *plan G_GNUC_UNUSED)
{
  return row->handler;
}

static BzGuestUtsname names;

static void
do_answered (void)
{
  syscall (ANSWERED);
}
static void
do_continued (void)
{
  syscall (CONTINUED);
}
static void
do_allowed (void)
{
  syscall (SYS_getppid);
}
static void
do_uname (void)
{
  syscall (SYS_uname, &names);
}
static void
do_brk (void)
{
  syscall (SYS_brk, 1);
} /* below the heap: refused by the kernel itself */

static const struct {
  const char *name;
  void (*call) (void);
} cases[] = {
  { "allowed by the filter", do_allowed },     { "answered, nothing else", do_answered },
  { "continued, nothing else", do_continued }, { "uname, translated", do_uname },
  { "brk, looked at and continued", do_brk },
};

static guint64
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return (guint64) time.tv_sec * 1000000000 + (guint64) time.tv_nsec;
}

static int
compare (const void *a, const void *b)
{
  guint64 x = *(const guint64 *) a, y = *(const guint64 *) b;

  return x < y ? -1 : x > y;
}

static guint64
median_of (void (*call) (void), guint calls)
{
  g_autofree guint64 *samples = g_new (guint64, calls);

  for (guint i = 0; i < calls; i++)
    {
      guint64 begun = now ();
      call ();
      samples[i] = now () - begun;
    }
  qsort (samples, calls, sizeof *samples, compare);
  return samples[calls / 2];
}

/* Serves one end of a socket: a case's number comes, its median goes back. */
static void
serve (int socket, guint calls)
{
  guint which;

  while (read (socket, &which, sizeof which) == sizeof which)
    {
      guint64 median = median_of (cases[which].call, calls);
      if (write (socket, &median, sizeof median) != sizeof median)
        break;
    }
  _exit (0);
}

static int
install_filter (void)
{
  struct sock_filter code[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, ANSWERED, 3, 0),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, CONTINUED, 2, 0),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 1, 0),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_brk, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = { G_N_ELEMENTS (code), code };

  prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return (int) syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &program);
}

/* The listener's number in the child is told over the socket, and taken from there with
 * pidfd_getfd. */
static int
start_caller (gboolean filtered, guint calls, int *listener)
{
  int ends[2], number = -1;

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return -1;
  pid_t child = fork ();
  if (child == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      close (ends[0]);
      number = filtered ? install_filter () : 0;
      if (write (ends[1], &number, sizeof number) == sizeof number)
        serve (ends[1], calls);
      _exit (1);
    }
  close (ends[1]);
  if (read (ends[0], &number, sizeof number) != sizeof number || number < 0)
    return -1;
  if (filtered)
    {
      int pidfd = (int) syscall (SYS_pidfd_open, child, 0);
      *listener = (int) syscall (SYS_pidfd_getfd, pidfd, number, 0);
      close (pidfd);
    }
  return ends[0];
}

static guint64
ask (int socket, guint which)
{
  guint64 median = 0;

  if (write (socket, &which, sizeof which) != sizeof which
      || read (socket, &median, sizeof median) != sizeof median)
    exit (1);
  return median;
}

/* What this process, the loop in it, takes of the machine's memory. */
static void
print_memory (void)
{
  g_autofree char *text = NULL;
  const char *line;

  if (g_file_get_contents ("/proc/self/smaps_rollup", &text, NULL, NULL)
      && (line = strstr (text, "\nPss:")) != NULL)
    printf ("%-30s %d KiB\n", "proportional set size", atoi (line + strlen ("\nPss:")));
}

int
main (int argc, char **argv)
{
  guint calls = argc > 1 && argv[1][0] != '-' ? (guint) atoi (argv[1]) / ROUNDS : 500;
  gboolean sync = argc < 2 || strcmp (argv[argc - 1], "--no-sync-wake-up") != 0;
  BzPlan plan = { .release = (char *) "2.6.32-754.el6.x86_64",
                  .version = (char *) "#1 SMP",
                  .machine = { (char *) "i686", (char *) "x86_64" },
                  .release_number = BZ_RELEASE (2, 6, 32),
                  .sync_wake_up = sync };
  int listener = -1;

  plan.quirk[BZ_QUIRK_RELEASE] = plan.quirk[BZ_QUIRK_MACHINE] = plan.quirk[BZ_QUIRK_HEAP] = 1;
  calls = MAX (calls, 10);
  int native = start_caller (FALSE, calls, NULL);
  int zone = start_caller (TRUE, calls, &listener);
  BzJournal *journal = bz_journal_map (bz_journal_create (NULL), NULL);
  BzLoop *loop = bz_loop_new (&plan, journal, NULL);
  if (native < 0 || zone < 0 || listener < 0 || loop == NULL
      || !bz_loop_add (loop, 0, listener, NULL))
    {
      printf ("skipped: no seccomp listener here (user-notify)\n");
      return 77;
    }

  for (guint which = 0; which < G_N_ELEMENTS (cases); which++)
    {
      guint64 of_native[ROUNDS], of_zone[ROUNDS];

      for (guint round = 0; round < ROUNDS; round++)
        {
          of_native[round] = ask (native, which);
          of_zone[round] = ask (zone, which);
        }
      qsort (of_native, ROUNDS, sizeof *of_native, compare);
      qsort (of_zone, ROUNDS, sizeof *of_zone, compare);
      guint64 a = of_native[ROUNDS / 2], b = of_zone[ROUNDS / 2];
      printf ("%-30s native %6" G_GUINT64_FORMAT " ns  zone %6" G_GUINT64_FORMAT
              " ns  ratio %6.2f\n",
              cases[which].name, a, b, (double) b / (double) a);
    }
  print_memory ();
  return 0;
}
