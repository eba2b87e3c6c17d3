/* From a received notification to its answer. slot.h has the order of the stores. */
#include "config.h"

#include "syscall-xlat/files.h"
#include "syscall-xlat/heap.h"
#include "syscall-xlat/loop-data.h"
#include "syscall-xlat/pin.h"
#include "syscall-xlat/task-look.h"
#include "syscall-xlat/task.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static BzWorker *
worker_of (BzCall *call)
{
  return (BzWorker *) call->notifier;
}

static int
remote_read (BzCall *call, guint64 address, void *buffer, gsize length)
{
  return bz_remote_read (call->tid, address, buffer, length);
}

static int
remote_write (BzCall *call, guint64 address, const void *buffer, gsize length)
{
  return bz_remote_write (call->tid, address, buffer, length);
}

/* An abandoned worker's slot may hold another call by now: it is looked at under the lock that
 * abandoning takes. */
static gboolean
mark_effect (BzWorker *worker)
{
  gboolean mine;

  pthread_mutex_lock (&worker->loop->lock);
  mine = atomic_load (&worker->phase) == BZ_PHASE_HANDLING;
  if (mine)
    atomic_store (&bz_lane_slot (worker->loop, worker->lane, worker->seat)->state, BZ_SLOT_EFFECT);
  pthread_mutex_unlock (&worker->loop->lock);
  return mine;
}

static gboolean
begin (BzCall *call)
{
  BzWorker *worker = worker_of (call);

  if (atomic_load (&worker->phase) != BZ_PHASE_HANDLING
      || ioctl (worker->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &worker->id) != 0)
    return FALSE;
  if (call->row->once && !mark_effect (worker))
    return FALSE;
  BZ_TEST_POINT ("begun");
  return TRUE;
}

static void
will_wait (BzCall *call)
{
  BzWorker *worker = worker_of (call);
  BzLane *lane = worker->lane;

  if (atomic_load (&lane->receiver) != worker)
    return;
  pthread_mutex_lock (&worker->loop->lock);
  if (atomic_load (&worker->phase) == BZ_PHASE_HANDLING && atomic_load (&lane->receiver) == worker)
    bz_lane_follow (lane, worker->loop, FALSE);
  pthread_mutex_unlock (&worker->loop->lock);
}

static int
fact (BzCall *call, BzFact which, guint64 *value)
{
  switch (which)
    {
    case BZ_FACT_START_BRK:
      return bz_task_start_brk (call->tid, value);
    case BZ_FACT_PERSONALITY:
      return bz_task_personality (call->tid, value);
    case BZ_FACT_CAPABILITIES:
      return bz_task_capabilities (call->tid, value);
    }
  return EINVAL;
}

/* In the journal: a successor must know it too. */
static gboolean
has_happened (BzCall *call, BzEver what, gboolean now)
{
  _Atomic guint32 *happened = &worker_of (call)->loop->journal->memory->header.happened[what];

  if (now)
    atomic_store_explicit (happened, 1, memory_order_relaxed);
  return atomic_load_explicit (happened, memory_order_relaxed) != 0;
}

static int
uts_names (BzCall *call, BzUtsNames *names)
{
  gboolean told = call->plan->quirk[BZ_QUIRK_VSYSCALL] != 0; /* which traps what leads to another namespace */

  if (told && !has_happened (call, BZ_EVER_UTS, FALSE))
    return bz_own_uts_names (names);
  return bz_task_uts_names (call->tid, names);
}

/* Less than the budget: the handler shall still say what it found out. */
#define FILE_BUDGET_MS (BZ_CALL_BUDGET_MS - 500)

static BzTarget
target_of (BzCall *call)
{
  return (BzTarget){ .tid = call->tid, .begin = begin, .call = call };
}

static int
file_read (BzCall *call, const char *path, void *buffer, gsize size, gsize *length)
{
  bz_call_will_wait (call);
  return bz_task_file_read (target_of (call), path, buffer, size, length, FILE_BUDGET_MS);
}

static int
file_write (BzCall *call, const char *path, const void *buffer, gsize length)
{
  bz_call_will_wait (call);
  return bz_task_file_write (target_of (call), path, buffer, length, FILE_BUDGET_MS);
}

static int
take_fd (BzCall *call, int number, int *fd)
{
  return bz_task_take_fd (call->tid, number, fd);
}

static int
put_fd (BzCall *call, int fd, int number, gboolean close_on_exec)
{
  BzWorker *worker = worker_of (call);
  struct seccomp_notif_addfd add = {
    .id = worker->id,
    .flags = SECCOMP_ADDFD_FLAG_SETFD,
    .srcfd = (guint32) fd,
    .newfd = (guint32) number,
    .newfd_flags = close_on_exec ? O_CLOEXEC : 0,
  };

  gboolean pinned = bz_worker_pin (worker, call->tid);
  int cpu = pinned ? -1 : sched_getcpu ();
  if (pinned)
    bz_pin (0);
  int failed = ioctl (worker->lane->fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 ? errno : 0;
  if (pinned)
    {
      bz_loop_unpin (worker->loop, call->tid);
      bz_unpin (0);
    }
  bz_pin_look (cpu);
  return failed;
}

static int
add_fd (BzCall *call, int fd, gboolean close_on_exec, int *number)
{
  BzWorker *worker = worker_of (call);
  struct seccomp_notif_addfd add = {
    .id = worker->id,
    .srcfd = (guint32) fd,
    .newfd_flags = close_on_exec ? O_CLOEXEC : 0,
  };

  *number = ioctl (worker->lane->fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
  return *number < 0 ? errno : 0;
}

static int
open_master (BzCall *call, const char *path, guint flags, int *fd)
{
  bz_call_will_wait (call);
  return bz_task_open_master (target_of (call), path, flags, fd, FILE_BUDGET_MS);
}

static int
own (BzCall *call, const BzPlace *place, const BzOwner *give, BzOwner *record)
{
  bz_call_will_wait (call);
  return bz_task_own (target_of (call), place, give, record, FILE_BUDGET_MS);
}

static int
make_placeholder (BzCall *call, const BzPlace *place, guint mode, BzOwner *record)
{
  bz_call_will_wait (call);
  return bz_task_make_placeholder (target_of (call), place, mode, record, FILE_BUDGET_MS);
}

static int
change_mode (BzCall *call, const BzPlace *place, guint mode, gboolean *reached)
{
  bz_call_will_wait (call);
  return bz_task_change_mode (target_of (call), place, mode, reached, FILE_BUDGET_MS);
}

/* A task may do this to itself; what it may not, raising the hard limit, is not tried. */
static int
raise_limit (BzCall *call, int resource, guint64 soft, guint64 hard, guint64 old[2])
{
  struct rlimit limit;

  if (prlimit (call->tid, resource, NULL, &limit) != 0)
    return errno;
  if (hard <= limit.rlim_max)
    return ENOTSUP;
  old[0] = limit.rlim_cur;
  old[1] = limit.rlim_max;
  limit.rlim_cur = MIN (soft, limit.rlim_max);
  return prlimit (call->tid, resource, &limit, NULL) != 0 ? errno : 0;
}

static void
stop (BzCall *call)
{
  BzWorker *worker = worker_of (call);
  char name[16] = "?";
  int process = bz_task_process (call->tid);

  /* Whose descriptor it is has to be asked after it was opened. */
  if (process >= 0 && bz_call_begin (call))
    {
      bz_task_name (call->tid, name);
      bz_journal_stop (worker->loop->journal, call->abi, call->row->nr, name);
      syscall (SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
    }
  if (process >= 0)
    close (process);
}

typedef struct {
  pid_t tid;
  guint32 wanted;
} HeapMove;

static void
finish_heap_move (gpointer data)
{
  HeapMove *heap = data;

  bz_heap_move_finish (heap->tid, heap->wanted);
  g_free (heap);
}

static BzVerdict
move_heap (BzCall *call)
{
  BzVerdict verdict = bz_continue ();

  bz_call_will_wait (call);
  if (!bz_call_begin (call) || bz_heap_move_begin (call->tid) != 0)
    return verdict;
  HeapMove *heap = g_new (HeapMove, 1);
  *heap = (HeapMove){ .tid = call->tid, .wanted = (guint32) call->args[0] };
  verdict.after = finish_heap_move;
  verdict.after_data = heap;
  return verdict;
}

static const BzNotifierClass worker_class = {
  .files = &bz_worker_files,
  .read = remote_read,
  .write = remote_write,
  .begin = begin,
  .will_wait = will_wait,
  .fact = fact,
  .has_happened = has_happened,
  .uts_names = uts_names,
  .file_read = file_read,
  .file_write = file_write,
  .move_heap = move_heap,
  .take_fd = take_fd,
  .put_fd = put_fd,
  .add_fd = add_fd,
  .open_master = open_master,
  .own = own,
  .make_placeholder = make_placeholder,
  .change_mode = change_mode,
  .raise_limit = raise_limit,
  .stop = stop,
};

void
bz_slot_clear (BzSlot *slot)
{
  memset (slot->room, 0, sizeof slot->room);
  slot->noted = 0;
  atomic_store (&slot->state, BZ_SLOT_FREE);
}

void
bz_slot_send (BzLoop *loop G_GNUC_UNUSED, BzLane *lane, BzSlot *slot)
{
  struct seccomp_notif_resp answer = {
    .id = slot->notif.id,
    .val = slot->value,
    .error = slot->error,
    .flags = slot->flags,
  };

  BZ_TEST_POINT ("answer");
  /* ENOENT: the task is gone, or a predecessor has sent it. EINPROGRESS: the notification is
   * offered again. */
  while (ioctl (lane->fd, SECCOMP_IOCTL_NOTIF_SEND, &answer) != 0 && errno == EINTR)
    continue;
  BZ_TEST_POINT ("sent");
}

static void
count (BzLoop *loop, const BzSlot *slot, BzVerdict verdict, guint64 nanoseconds,
       gboolean over_budget)
{
  BzAbi abi = slot->notif.data.arch == AUDIT_ARCH_I386 ? BZ_ABI_I386 : BZ_ABI_X86_64;
  BzCounter *counter = bz_journal_counter (loop->journal, abi, slot->notif.data.nr);

  if (counter == NULL)
    return;
  atomic_fetch_add_explicit (&counter->count, 1, memory_order_relaxed);
  atomic_fetch_add_explicit (&counter->nanoseconds, nanoseconds, memory_order_relaxed);
  if (verdict.kind == BZ_VERDICT_CONTINUE)
    atomic_fetch_add_explicit (&counter->continued, 1, memory_order_relaxed);
  if (verdict.kind == BZ_VERDICT_ERRNO || verdict.kind == BZ_VERDICT_DEFERRED)
    atomic_fetch_add_explicit (&counter->failed, 1, memory_order_relaxed);
  if (verdict.pretended)
    atomic_fetch_add_explicit (&counter->pretended, 1, memory_order_relaxed);
  if (over_budget)
    atomic_fetch_add_explicit (&counter->over_budget, 1, memory_order_relaxed);
}

void
bz_slot_finish (BzLoop *loop, BzLane *lane, BzSlot *slot, BzVerdict verdict, guint64 since,
                gboolean over_budget)
{
  gboolean traced = atomic_load_explicit (&loop->subscribed, memory_order_relaxed) != 0;
  BzTraceEvent event;

  if (traced)
    bz_event_fill (&event, slot, verdict);

  slot->value = verdict.kind == BZ_VERDICT_VALUE ? verdict.value : 0;
  slot->error = verdict.kind == BZ_VERDICT_ERRNO || verdict.kind == BZ_VERDICT_DEFERRED
                    ? -(gint32) verdict.value
                    : 0;
  slot->flags = verdict.kind == BZ_VERDICT_CONTINUE ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
  atomic_store (&slot->state, BZ_SLOT_ANSWER);

  guint64 taken = bz_loop_now () - since;
  count (loop, slot, verdict, taken, over_budget);
  bz_slot_send (loop, lane, slot);
  bz_slot_clear (slot);
  BZ_TEST_POINT ("cleared");
  if (traced)
    {
      event.nanoseconds = taken;
      bz_event_send (loop, &event);
    }
}

/* FALSE: no row of ours traps it, so a filter of somebody else shares the listener: the kernel does
 * as it would have. */
static gboolean
find_row (BzCall *call, guint32 arch, int nr)
{
  if (arch == AUDIT_ARCH_I386)
    call->abi = BZ_ABI_I386;
  else if (arch == AUDIT_ARCH_X86_64)
    call->abi = BZ_ABI_X86_64;
  else
    return FALSE;
  call->row = bz_table_row (call->abi, nr);
  return call->row != NULL;
}

static BzVerdict
decide (BzWorker *worker, BzSlot *slot)
{
  BzCall call = {
    .plan = worker->loop->plan,
    .tid = (pid_t) slot->notif.pid,
    .ip = slot->notif.data.instruction_pointer,
    .notifier = &worker->notifier,
    .images = worker->loop->images,
    .mounter = worker->loop->mounter,
  };

  if (!find_row (&call, slot->notif.data.arch, slot->notif.data.nr))
    return bz_continue ();
  if (atomic_load (&slot->state) == BZ_SLOT_EFFECT)
    return bz_errno (EINTR);
  for (int i = 0; i < 6; i++)
    call.args[i] =
        call.abi == BZ_ABI_I386 ? (guint32) slot->notif.data.args[i] : slot->notif.data.args[i];
  /* What this thread took on to look at another task's files would be in the way. */
  if ((call.row->quirks & BZ_LOOKING_QUIRKS) == 0)
    bz_task_look_back ();
  /* A `blocking` row says itself when it is about to wait (bz_call_will_wait): most _sysctl(2)
   * calls need no file, and a thread for each would cost ten times their answer. Whoever waits
   * without saying so is the watch's. */
  BzHandler handler = bz_row_handler (call.row, call.plan);
  return handler != NULL ? handler (&call) : bz_continue ();
}

/* A deferred call keeps its slot; FALSE when no other is left for the receiver, and the call is
 * answered at once. */
static gboolean
defer (BzWorker *worker, BzVerdict verdict, guint64 since)
{
  BzLoop *loop = worker->loop;
  BzLane *lane = worker->lane;
  gboolean kept;

  pthread_mutex_lock (&loop->lock);
  int other = bz_lane_free_seat (lane, loop);
  kept = other >= 0;
  if (kept)
    {
      BzSeat *seat = &lane->seat[worker->seat];

      *seat =
          (BzSeat){ .since = since,
                    .deadline = bz_loop_now () + verdict.delay_ms * G_GUINT64_CONSTANT (1000000),
                    .error = (int) verdict.value };
      worker->seat = (guint) other;
      lane->seat[other] = (BzSeat){ .worker = worker };
      bz_watch_poke (loop);
    }
  pthread_mutex_unlock (&loop->lock);
  return kept;
}

BzDone
bz_answer (BzWorker *worker, BzSlot *slot)
{
  BzLoop *loop = worker->loop;
  guint64 since = bz_loop_now ();

  worker->notifier.class = &worker_class;
  worker->id = slot->notif.id;
  atomic_store (&worker->phase, BZ_PHASE_HANDLING);
  atomic_store (&worker->since, since);
  atomic_fetch_add (&loop->received, 1);
  if (atomic_load (&loop->asleep))
    {
      pthread_mutex_lock (&loop->lock);
      bz_watch_poke (loop);
      pthread_mutex_unlock (&loop->lock);
    }

  bz_loop_unpin (loop, (pid_t) slot->notif.pid);
  if (worker->let_go == (pid_t) slot->notif.pid)
    bz_pin_look (worker->let_go_on);
  worker->let_go = 0;
  BZ_TEST_POINT ("taken");
  BzVerdict verdict = decide (worker, slot);

  /* Who changes the phase owns the answer: this thread, or the watch that gave it up. */
  guint32 handling = BZ_PHASE_HANDLING;
  if (!atomic_compare_exchange_strong (&worker->phase, &handling, BZ_PHASE_ANSWERING))
    return BZ_DONE_ABANDONED;
  atomic_store (&worker->since, 0);
  if (verdict.kind == BZ_VERDICT_DEFERRED && defer (worker, verdict, since))
    {
      atomic_store (&worker->phase, BZ_PHASE_WAITING);
      return BZ_DONE_DEFERRED;
    }
  pid_t tid = (pid_t) slot->notif.pid;
  gboolean pinned = verdict.stay && bz_worker_pin (worker, tid);
  if (verdict.stay && !pinned)
    {
      worker->let_go = tid;
      worker->let_go_on = sched_getcpu ();
    }
  bz_slot_finish (loop, worker->lane, slot, verdict, since, FALSE);
  if (pinned)
    bz_loop_unpin (loop, tid);
  if (verdict.after != NULL)
    verdict.after (verdict.after_data);
  atomic_store (&worker->phase, BZ_PHASE_WAITING);
  return BZ_DONE_ANSWERED;
}
