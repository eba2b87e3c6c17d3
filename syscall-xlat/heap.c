/* The heap of a set-uid program of libc 5 (catalogue row E30).
 *
 * Problem. ADDR_NO_RANDOMIZE, which the brand sets so that the heap starts right after bss, is
 * cleared by the kernel when a set-uid program is executed (PER_CLEAR_ON_SETID), and stays cleared
 * for what that program starts: su and the shell under it. Their heap starts up to 32 MiB above
 * bss, and libc 5's first brk(end of bss + n) fails.
 *
 * Facts. A process may set where its heap starts by prctl (PR_SET_MM, PR_SET_MM_MAP), without
 * privilege, where the kernel has CONFIG_CHECKPOINT_RESTORE (Debian, Fedora and their kin do;
 * PR_SET_MM_MAP since 3.18). Addresses must be plausible, not true. Nobody else can do it for the
 * process. When a call has returned, the instruction that made it, int $0x80, lies right before the
 * instruction pointer, also when sysenter made it (the vDSO has one there for restarts).
 *
 * Choice. The supervisor attaches to the target in its first brk, lets that fail, has the target
 * make the prctl from the same instruction, and then the same brk again, which meets a heap in its
 * place and is answered as any other. About 100 us, once in such a program.
 *
 * Where the filter does not wait killably (Linux before 5.19) the interruption may end the wait
 * before the answer is there: the target stops with -ERESTARTSYS and would make its brk again, be
 * interrupted again, and so on (seen: ten times and more). So it is asked for brk(0) then, which
 * tells what the failed brk would have told; the rest is the same. Interrupted only after the
 * answer it might have gone on to use it.
 *
 * Limits. A target with a tracer of its own keeps its heap where it is, as does one whose brand
 * hides prctl(2) (Linux before 2.2). */
#include "config.h"

#include "syscall-xlat/heap.h"

#include "syscall-xlat/remote.h"
#include "syscall-xlat/task.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096u
#define ERESTARTSYS 512 /* the kernel's own: a tracer sees it */
#define I386_BRK 45
#define I386_PRCTL 172
#define BELOW_STACK \
  1024 /* bytes under the stack pointer that i386 programs leave to signal handlers */

/* struct prctl_mm_map, Linux 3.18; the same for both ABIs. */
typedef struct {
  guint64 start_code, end_code, start_data, end_data, start_brk, brk, start_stack, arg_start,
      arg_end, env_start, env_end, auxv;
  guint32 auxv_size, exe_fd;
} Map;
_Static_assert(sizeof (Map) == 104, "struct prctl_mm_map");

int
bz_heap_move_begin (pid_t tid)
{
  if (ptrace (PTRACE_SEIZE, tid, 0, PTRACE_O_TRACESYSGOOD) != 0)
    return errno;
  return ptrace (PTRACE_INTERRUPT, tid, 0, 0) == 0 ? 0 : errno;
}

guint32
bz_heap_end_of_program (const guint8 *bytes, gsize length)
{
  Elf32_Ehdr elf;
  guint64 end = 0;

  if (length < sizeof elf)
    return 0;
  memcpy (&elf, bytes, sizeof elf);
  if (memcmp (elf.e_ident, ELFMAG, SELFMAG) != 0 || elf.e_ident[EI_CLASS] != ELFCLASS32
      || elf.e_type != ET_EXEC || elf.e_phentsize != sizeof (Elf32_Phdr))
    return 0;
  for (guint i = 0; i < elf.e_phnum; i++)
    {
      guint64 at = (guint64) elf.e_phoff + i * sizeof (Elf32_Phdr);
      Elf32_Phdr segment;

      if (at + sizeof segment > length)
        return 0;
      memcpy (&segment, bytes + at, sizeof segment);
      if (segment.p_type == PT_LOAD)
        end = MAX (end, (guint64) segment.p_vaddr + segment.p_memsz);
    }
  end = (end + PAGE - 1) & ~(guint64) (PAGE - 1);
  return end < G_MAXUINT32 ? (guint32) end : 0;
}

static guint32
end_of_program (pid_t tid)
{
  guint8 bytes[PAGE];
  char path[48];

  g_snprintf (path, sizeof path, "/proc/%d/exe", (int) tid);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return 0;
  gssize got = pread (fd, bytes, sizeof bytes, 0);
  close (fd);
  return got > 0 ? bz_heap_end_of_program (bytes, (gsize) got) : 0;
}

/* Fields 26 to 28 and 45 to 51 of /proc/TID/stat. FALSE when there is nothing to move: the heap is
 * at `heap` already, or what brk answered (`now`) tells that it is in use. */
static gboolean
read_map (pid_t tid, guint32 heap, guint32 now, Map *map)
{
  guint64 start;
  struct {
    guint field;
    guint64 *value;
  } const wanted[] = {
    { 26, &map->start_code }, { 27, &map->end_code }, { 28, &map->start_stack },
    { 45, &map->start_data }, { 46, &map->end_data }, { 47, &start },
    { 48, &map->arg_start },  { 49, &map->arg_end },  { 50, &map->env_start },
    { 51, &map->env_end },
  };
  char path[48], text[1024];

  g_snprintf (path, sizeof path, "/proc/%d/stat", (int) tid);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return FALSE;
  gssize got = read (fd, text, sizeof text - 1);
  close (fd);
  text[MAX (got, 0)] = '\0';
  *map = (Map){ .start_brk = heap, .brk = heap, .exe_fd = (guint32) -1 };
  for (gsize i = 0; i < G_N_ELEMENTS (wanted); i++)
    if (!bz_task_parse_stat_field (text, wanted[i].field, wanted[i].value))
      return FALSE;
  return start != heap && start == now && heap > map->end_data;
}

/* --- a call in the target's name --- */

static gboolean
stopped (pid_t tid, int *status)
{
  while (waitpid (tid, status, __WALL) < 0)
    if (errno != EINTR)
      return FALSE;
  return WIFSTOPPED (*status);
}

/* Runs to the next stop at a call's entry or return. FALSE: another stop, a signal's, or the end of
 * the target. */
static gboolean
to_call_stop (pid_t tid, int *status)
{
  return ptrace (PTRACE_SYSCALL, tid, 0, 0) == 0 && stopped (tid, status)
         && WSTOPSIG (*status) == (SIGTRAP | 0x80);
}

/* Whether the target has just come back from a call by int $0x80. */
static gboolean
at_int80 (pid_t tid, const struct user_regs_struct *regs)
{
  guint8 code[2];

  return bz_remote_read (tid, regs->rip - 2, code, sizeof code) == 0 && code[0] == 0xcd
         && code[1] == 0x80;
}

typedef enum { CALL_DONE, CALL_REFUSED, CALL_INTERRUPTED } CallResult;

/* By the instruction that `before` has come back from. *status: the target's last stop. */
static CallResult
make_call (pid_t tid, const struct user_regs_struct *before, guint32 nr, const guint32 args[5],
           guint32 *result, int *status)
{
  struct user_regs_struct regs = *before;

  regs.rip -= 2;
  regs.orig_rax = (guint64) -1; /* no call is to be restarted */
  regs.rax = nr;
  regs.rbx = args[0];
  regs.rcx = args[1];
  regs.rdx = args[2];
  regs.rsi = args[3];
  regs.rdi = args[4];
  if (ptrace (PTRACE_SETREGS, tid, 0, &regs) != 0)
    return CALL_REFUSED;
  /* Where the call begins, and where it ends. */
  for (int stop = 0; stop < 2; stop++)
    if (!to_call_stop (tid, status))
      return CALL_INTERRUPTED;
  if (ptrace (PTRACE_GETREGS, tid, 0, &regs) != 0)
    return CALL_REFUSED;
  *result = (guint32) regs.rax;
  return CALL_DONE;
}

static CallResult
call_prctl (pid_t tid, const struct user_regs_struct *before, const Map *map, int *status)
{
  guint32 at = (guint32) (((before->rsp - BELOW_STACK) & 0xfffffff0u) - sizeof *map), failed;
  const guint32 args[5] = { PR_SET_MM, PR_SET_MM_MAP, at, sizeof *map, 0 };

  if (bz_remote_write (tid, at, map, sizeof *map) != 0)
    return CALL_REFUSED;
  CallResult result = make_call (tid, before, I386_PRCTL, args, &failed, status);
  return result == CALL_DONE && failed != 0 ? CALL_REFUSED : result;
}

/* What the brk has answered, or would have. */
static CallResult
find_end_of_heap (pid_t tid, const struct user_regs_struct *regs, guint32 *now, int *status)
{
  static const guint32 ask[5] = { 0 };

  *now = (guint32) regs->rax;
  return (gint32) regs->rax == -ERESTARTSYS ? make_call (tid, regs, I386_BRK, ask, now, status)
                                            : CALL_DONE;
}

/* *status: the target's last stop. A signal that comes in between is delivered first; the brk that
 * follows it tries again. */
static void
move (pid_t tid, guint32 wanted, int *status)
{
  struct user_regs_struct regs;
  guint32 heap = end_of_program (tid), now;
  Map map;

  if (ptrace (PTRACE_GETREGS, tid, 0, &regs) != 0 || !at_int80 (tid, &regs))
    return;
  CallResult result = find_end_of_heap (tid, &regs, &now, status);
  if (result == CALL_DONE)
    result = heap != 0 && read_map (tid, heap, now, &map) ? call_prctl (tid, &regs, &map, status)
                                                          : CALL_REFUSED;
  if (result == CALL_REFUSED)
    regs.rax = now;
  else
    {
      regs.rip -= 2;
      regs.rax = I386_BRK;
      regs.rbx = wanted;
    }
  regs.orig_rax = (guint64) -1;
  ptrace (PTRACE_SETREGS, tid, 0, &regs);
}

void
bz_heap_move_finish (pid_t tid, guint32 wanted)
{
  int status;

  if (!stopped (tid, &status))
    return;
  if (status >> 16 == PTRACE_EVENT_STOP)
    move (tid, wanted, &status);
  if (!WIFSTOPPED (status))
    return;
  gboolean ours = status >> 16 != 0 || WSTOPSIG (status) == (SIGTRAP | 0x80);
  ptrace (PTRACE_DETACH, tid, 0, ours ? 0 : WSTOPSIG (status));
}
