/* The watch: one thread that sees to it that no handler keeps others waiting.
 *
 * It looks at every listener each BZ_WATCH_MS as long as calls come in, and
 *   - gives a receiver that is at one call for longer than BZ_SLOW_MS a follower, which receives in
 * its place, unless it only waits for a processor: on a busy machine that is most of the slow ones,
 * a follower would wait for the same processors, and threads would come and go;
 *   - answers EIO to a call over its budget (or lets it continue, where that is all that a handler
 * may say) and abandons the thread (with a signal, should its wait be one that signals end); a
 * thread that comes back finds its phase changed, touches nothing and ends;
 *   - answers deferred calls when their time has come.
 * When a whole round saw no call begun and none at work, it sleeps without a time until the next
 * call or deadline: an idle zone costs nothing. Falling asleep and a call's beginning check each
 * other's flag after setting their own (both sequentially consistent), so one of them sees the
 * other. */
#include "config.h"

#include "syscall-xlat/loop-data.h"

#include "brand/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS G_GUINT64_CONSTANT (1000000)
#define NEVER G_MAXUINT64
#define COMPUTES_MS 1 /* of processor time, between two looks of the watch */

/* Calls that always continue (images.h) are prepared by work of ours, seconds for a large image,
 * and may be let go without it. */
#define IMAGE_BUDGET_MS 20000

static gboolean
is_of_image (const BzSlot *slot)
{
  const BzRow *row =
      bz_table_row (slot->notif.data.arch == AUDIT_ARCH_I386 ? BZ_ABI_I386 : BZ_ABI_X86_64,
                    slot->notif.data.nr);

  return row != NULL && row->quirks == BZ_QUIRK_BIT (BZ_QUIRK_VSYSCALL);
}

guint64
bz_loop_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (guint64) now.tv_sec * 1000000000 + (guint64) now.tv_nsec + 1;
}

void
bz_watch_poke (BzLoop *loop)
{
  pthread_cond_signal (&loop->wake);
}

static void
abandon (BzLoop *loop, BzWorker *worker, guint64 since)
{
  BzLane *lane = worker->lane;
  guint32 handling = BZ_PHASE_HANDLING;

  if (loop->stuck >= BZ_STUCK_MAX
      || !atomic_compare_exchange_strong (&worker->phase, &handling, BZ_PHASE_ABANDONED))
    return;
  lane->seat[worker->seat].worker = NULL;
  bz_worker_unlink (worker);
  loop->stuck++;
  pthread_kill (worker->thread, BZ_LOOP_SIGNAL);
  BzSlot *slot = bz_lane_slot (loop, lane, worker->seat);
  bz_slot_finish (loop, lane, slot, is_of_image (slot) ? bz_continue () : bz_errno (EIO), since,
                  TRUE);
}

/* What the thread has used of processors; 0 if that can't be told. */
static guint64
processor_time (const BzWorker *worker)
{
  struct timespec used;
  clockid_t clock;

  if (pthread_getcpuclockid (worker->thread, &clock) != 0 || clock_gettime (clock, &used) != 0)
    return 0;
  return (guint64) used.tv_sec * 1000000000 + (guint64) used.tv_nsec;
}

/* Whether the thread could go on if it had a processor. The state stands behind the name, which may
 * hold any character. */
static gboolean
is_runnable (const BzWorker *worker)
{
  char path[48], text[128];

  g_snprintf (path, sizeof path, "/proc/self/task/%d/stat", (int) atomic_load (&worker->tid));
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  gssize got = fd >= 0 ? read (fd, text, sizeof text - 1) : -1;
  if (fd >= 0)
    close (fd);
  text[MAX (got, 0)] = '\0';
  const char *name_end = strrchr (text, ')');
  return name_end != NULL && strncmp (name_end, ") R", 3) == 0;
}

/* Whether the worker keeps others waiting: it sleeps, or has computed since it was first seen at this
 * call. One that has no processor is not slow. */
static gboolean
is_slow (const BzWorker *worker, guint64 end, guint64 now)
{
  return now > end || !is_runnable (worker)
         || processor_time (worker) >= worker->used + COMPUTES_MS * NS_PER_MS;
}

/* Returns when it wants to be looked at again. */
static guint64
look_at_worker (BzLoop *loop, BzWorker *worker, guint64 now)
{
  BzLane *lane = worker->lane;
  guint64 since = atomic_load (&worker->since);

  if (since == 0)
    return NEVER;
  if (worker->watched != since)
    {
      worker->watched = since;
      worker->used = processor_time (worker);
    }
  gboolean image = worker->seat < BZ_SLOTS && is_of_image (bz_lane_slot (loop, lane, worker->seat));
  guint64 end = since + (image ? IMAGE_BUDGET_MS : BZ_CALL_BUDGET_MS) * NS_PER_MS;
  if (atomic_load (&lane->receiver) == worker)
    {
      guint64 slow = since + BZ_SLOW_MS * NS_PER_MS;

      if (now <= slow)
        return slow + 1;
      if (!is_slow (worker, end, now))
        return now + NS_PER_MS;
      bz_lane_follow (lane, loop, FALSE);
    }
  /* A receiver without a follower (no slot or no memory) stays: it alone can go on receiving. */
  if (now > end && atomic_load (&lane->receiver) != worker)
    {
      abandon (loop, worker, since);
      return NEVER;
    }
  return atomic_load (&lane->receiver) == worker ? now + BZ_WATCH_MS * NS_PER_MS
                                                 : MAX (end, now + NS_PER_MS);
}

static guint64
look_at_seat (BzLoop *loop, BzLane *lane, guint index, guint64 now)
{
  BzSeat *seat = &lane->seat[index];

  if (seat->deadline == 0)
    return NEVER;
  if (now < seat->deadline)
    return seat->deadline;
  bz_slot_finish (loop, lane, bz_lane_slot (loop, lane, index), bz_errno (seat->error), seat->since,
                  FALSE);
  *seat = (BzSeat){ 0 };
  return NEVER;
}

static guint64
look_at_lanes (BzLoop *loop)
{
  guint64 now = bz_loop_now (), next = NEVER;

  for (guint i = 0; i < BZ_LOOP_LISTENERS; i++)
    {
      BzLane *lane = &loop->lane[i];
      BzWorker *following;

      if (lane->fd < 0)
        continue;
      for (BzWorker *worker = lane->workers; worker != NULL; worker = following)
        {
          following = worker->next;
          guint64 wanted = look_at_worker (loop, worker, now);
          next = MIN (next, wanted);
        }
      for (guint seat = 0; seat < BZ_SLOTS; seat++)
        {
          guint64 wanted = look_at_seat (loop, lane, seat, now);
          next = MIN (next, wanted);
        }
    }
  return next;
}

static void
sleep_until (BzLoop *loop, guint64 time)
{
  struct timespec end = { .tv_sec = (time_t) (time / 1000000000),
                          .tv_nsec = (long) (time % 1000000000) };

  pthread_cond_timedwait (&loop->wake, &loop->lock, &end);
}

static void *
watch_main (void *data)
{
  BzLoop *loop = data;
  guint64 seen = 0;

  pthread_mutex_lock (&loop->lock);
  while (!loop->stop)
    {
      guint64 received = atomic_load (&loop->received);
      guint64 next = look_at_lanes (loop);

      if (received != seen)
        next = MIN (next, bz_loop_now () + BZ_WATCH_MS * NS_PER_MS);
      seen = received;
      if (next == NEVER || next > bz_loop_now () + BZ_WATCH_MS * NS_PER_MS)
        {
          atomic_store (&loop->asleep, TRUE);
          if (atomic_load (&loop->received) != seen)
            next = 0;
          else if (next == NEVER)
            pthread_cond_wait (&loop->wake, &loop->lock);
        }
      if (next != NEVER && next != 0)
        sleep_until (loop, next);
      atomic_store (&loop->asleep, FALSE);
    }
  pthread_mutex_unlock (&loop->lock);
  bz_loop_unref (loop);
  return NULL;
}

gboolean
bz_watch_start (BzLoop *loop, GError **error)
{
  pthread_t thread;

  atomic_fetch_add (&loop->references, 1);
  int failed = bz_loop_start_thread (&thread, watch_main, loop);
  if (failed == 0)
    return TRUE;
  atomic_fetch_sub (&loop->references, 1);
  return bz_fail_errno (error, failed, NULL, "cannot start the watch of translated calls");
}
