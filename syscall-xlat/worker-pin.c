/* Which targets are bound to a CPU, and until when (pin.c has why).
 *
 * Problem: a target that goes on with its exec while it is bound must be let free before its new
 * program can fork (the child would stay bound) or choose CPUs itself (the choice would be undone);
 * but the thread that bound it may get the CPU only later.
 *
 * Choice: only programs with an interpreter are bound so: they map a library before any code of
 * their own runs, which is trapped, and whoever receives a call of a bound target lets it free
 * first. Word of it lies in the call's slot, for a successor.
 *
 * Limits: a dynamic program without a library runs its first moment on one CPU. */
#include "config.h"

#include "syscall-xlat/loop-data.h"
#include "syscall-xlat/pin.h"

#include <sys/syscall.h>
#include <unistd.h>

/* Any other thread's exec gives it its process's id: it could not be found again to be let free. */
static gboolean
leads (pid_t tid)
{
  return syscall (SYS_tgkill, tid, tid, 0) == 0;
}

/* With the lock held. */
static void
let_free (BzLoop *loop, BzSlot *slot)
{
  bz_unpin ((pid_t) slot->pinned);
  atomic_store (&slot->pinned, 0);
  atomic_fetch_sub (&loop->pins, 1);
}

gboolean
bz_worker_pin (BzWorker *worker, pid_t tid)
{
  BzLoop *loop = worker->loop;
  BzSlot *slot = bz_lane_slot (loop, worker->lane, worker->seat);

  if (!loop->plan->sync_wake_up || !bz_can_pin (tid) || !leads (tid))
    return FALSE;
  pthread_mutex_lock (&loop->pins_lock);
  gboolean room = slot->pinned == 0; /* not so: an abandoned worker's */
  if (room)
    {
      atomic_fetch_add (&loop->pins, 1);
      atomic_store (&slot->pinned, (guint32) tid);
      bz_pin (tid);
    }
  pthread_mutex_unlock (&loop->pins_lock);
  return room;
}

void
bz_loop_unpin (BzLoop *loop, pid_t tid)
{
  if (atomic_load (&loop->pins) == 0)
    return;
  pthread_mutex_lock (&loop->pins_lock);
  for (guint lane = 0; lane < BZ_LOOP_LISTENERS; lane++)
    for (guint seat = 0; seat < BZ_SLOTS && atomic_load (&loop->pins) > 0; seat++)
      {
        BzSlot *slot = bz_lane_slot (loop, &loop->lane[lane], seat);

        if (slot->pinned == (guint32) tid)
          let_free (loop, slot);
      }
  pthread_mutex_unlock (&loop->pins_lock);
}

void
bz_slot_unpin (BzSlot *slot)
{
  guint32 tid = atomic_exchange (&slot->pinned, 0);

  if (tid != 0)
    bz_unpin ((pid_t) tid);
}
