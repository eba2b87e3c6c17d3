/* The notification loop.
 *
 * Problem. Every trapped call of a zone waits for an answer of this process. An answer shall cost
 * little (the fast way: one thread blocked in RECV, woken on the caller's CPU, answers by itself),
 * none may be lost or given twice, and no task may keep the others waiting: any handler can hang,
 * even one that only writes to its caller's memory, for that memory may be a mapped file of a FUSE
 * server, or a userfaultfd's.
 *
 * Facts. poll and RECV double the cost, so RECV itself blocks. A notification that was received is
 * offered to nobody else. RECV is interrupted by a signal with a handler without SA_RESTART. It
 * doesn't return when the last task dies on 6.1; later kernels return ENOENT then, at once and for
 * ever, which POLLHUP tells from a task that was just killed. SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
 * (6.6) puts the answerer on the caller's CPU: 3 us instead of 80.
 *
 * Choice: leader and followers. One worker thread of a listener is its receiver; it handles what it
 * receives. When it waits in one call, or computes, for longer than BZ_SLOW_MS (watch.c), or knows
 * beforehand that it will wait (bz_call_will_wait: the handlers of rows marked `blocking`), another
 * worker becomes the receiver; the first one answers its call and ends. So an ordinary call is
 * never handed from thread to thread, and any handler may turn out to be slow. Each worker receives
 * straight into a journal slot of its own (slot.h), where the call stays until it is answered.
 *
 * Ending a listener's threads: a flag, and a signal that is sent again every few milliseconds until
 * they are gone, for one that comes between a look at the flag and the call of RECV is lost.
 *
 * Limits: 16 calls of one listener can wait at a time, 32 threads may be stuck in abandoned calls;
 * beyond that the zone waits for itself. A supervisor with a thread that can't be killed (in the
 * middle of a page fault of a FUSE server that has read the request) is not gone until that server
 * answers or dies; file effects are done by a process of their own for that reason (task-file.c).
 */
#include "config.h"

#include "syscall-xlat/loop-data.h"

#include "brand/base/error.h"
#include "syscall-xlat/task-look.h"

#include <errno.h>

#include <malloc.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Handlers need 12 KiB; only what is touched takes memory. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define STACK_SIZE (1024 * 1024)
#else
#define STACK_SIZE (128 * 1024)
#endif

int
bz_loop_start_thread (pthread_t *thread, void *(*function) (void *), void *data)
{
  pthread_attr_t attributes;
  sigset_t all, old;

  sigfillset (&all);
  sigdelset (&all, BZ_LOOP_SIGNAL);
  pthread_sigmask (SIG_SETMASK, &all, &old);
  pthread_attr_init (&attributes);
  pthread_attr_setstacksize (&attributes, STACK_SIZE);
  pthread_attr_setdetachstate (&attributes, PTHREAD_CREATE_DETACHED);
  int failed = pthread_create (thread, &attributes, function, data);
  pthread_attr_destroy (&attributes);
  pthread_sigmask (SIG_SETMASK, &old, NULL);
  return failed;
}

int
bz_lane_free_seat (BzLane *lane, BzLoop *loop)
{
  for (guint i = 0; i < BZ_SLOTS; i++)
    {
      BzSlot *slot = bz_lane_slot (loop, lane, i);

      if (lane->seat[i].worker == NULL && lane->seat[i].deadline == 0
          && atomic_load (&slot->state) == BZ_SLOT_FREE && !bz_slot_is_filled (slot))
        return (int) i;
    }
  return -1;
}

void
bz_worker_unlink (BzWorker *worker)
{
  for (BzWorker **link = &worker->lane->workers; *link != NULL; link = &(*link)->next)
    if (*link == worker)
      {
        *link = worker->next;
        return;
      }
}

static void
release_seat (BzWorker *worker)
{
  if (worker->seat < BZ_SLOTS)
    worker->lane->seat[worker->seat].worker = NULL;
  worker->seat = BZ_SLOTS;
}

static gboolean
take_seat (BzWorker *worker, int seat)
{
  if (seat < 0)
    return FALSE;
  worker->seat = (guint) seat;
  worker->lane->seat[seat].worker = worker;
  return TRUE;
}

/* Answers what a predecessor had taken. FALSE: this worker was abandoned over it. */
static gboolean
recover (BzWorker *worker)
{
  BzLoop *loop = worker->loop;
  BzLane *lane = worker->lane;

  for (guint i = 0; i < BZ_SLOTS && !atomic_load (&lane->stop); i++)
    {
      BzSlot *slot = bz_lane_slot (loop, lane, i);
      gboolean valid = FALSE;

      pthread_mutex_lock (&loop->lock);
      gboolean old =
          lane->seat[i].worker == NULL && lane->seat[i].deadline == 0; /* not a follower's */
      if (old)
        bz_slot_unpin (slot);
      if (old && atomic_load (&slot->state) == BZ_SLOT_ANSWER)
        bz_slot_send (loop, lane, slot);
      else if (old && bz_slot_is_filled (slot))
        valid = ioctl (lane->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &slot->notif.id) == 0;
      if (valid)
        take_seat (worker, (int) i);
      else if (old)
        bz_slot_clear (slot);
      pthread_mutex_unlock (&loop->lock);

      if (valid && bz_answer (worker, slot) == BZ_DONE_ABANDONED)
        return FALSE;
      pthread_mutex_lock (&loop->lock);
      release_seat (worker);
      pthread_mutex_unlock (&loop->lock);
    }
  return TRUE;
}

static gboolean
tasks_are_gone (int fd)
{
  struct pollfd ready = { .fd = fd };

  return poll (&ready, 1, 0) == 1 && (ready.revents & POLLHUP) != 0;
}

/* FALSE: there is nothing more to receive. */
static gboolean
receive (BzWorker *worker, BzSlot *slot)
{
  BzLane *lane = worker->lane;

  BZ_TEST_POINT ("receive");
  if (ioctl (lane->fd, SECCOMP_IOCTL_NOTIF_RECV, slot->room) == 0)
    return TRUE;
  int failed = errno;
  memset (slot->room, 0,
          sizeof slot->room); /* the kernel offers it again, but may have begun to copy */
  switch (failed)
    {
    case EINTR:
    case EFAULT:
    case ENOMEM:
      return TRUE;
    case ENOENT:
      return !tasks_are_gone (lane->fd);
    default:
      return FALSE;
    }
}

/* FALSE: abandoned. */
static gboolean
serve (BzWorker *worker)
{
  BzLoop *loop = worker->loop;
  BzLane *lane = worker->lane;

  while (atomic_load (&lane->receiver) == worker && !atomic_load (&lane->stop))
    {
      BzSlot *slot = bz_lane_slot (loop, lane, worker->seat);

      if (!receive (worker, slot))
        return TRUE;
      if (bz_slot_is_filled (slot) && bz_answer (worker, slot) == BZ_DONE_ABANDONED)
        return FALSE;
    }
  return TRUE;
}

static void *
worker_main (void *data)
{
  BzWorker *worker = data;
  BzLoop *loop = worker->loop;
  BzLane *lane = worker->lane;

  atomic_store (&worker->tid, (pid_t) syscall (SYS_gettid));
  bz_task_look_begin ();
  gboolean mine = !worker->first || recover (worker);

  if (mine && worker->first)
    {
      pthread_mutex_lock (&loop->lock);
      if (atomic_load (&lane->receiver) == worker
          && !take_seat (worker, bz_lane_free_seat (lane, loop)))
        atomic_store (&lane->receiver, NULL);
      pthread_mutex_unlock (&loop->lock);
    }
  mine = mine && serve (worker);

  pthread_mutex_lock (&loop->lock);
  if (mine)
    {
      release_seat (worker);
      bz_worker_unlink (worker);
      if (atomic_load (&lane->receiver) == worker)
        atomic_store (&lane->receiver, NULL);
    }
  else
    loop->stuck--;
  bz_task_look_end ();
  pthread_cond_broadcast (&loop->changed);
  pthread_mutex_unlock (&loop->lock);
  g_free (worker);
  bz_loop_unref (loop);
  return NULL;
}

/* Starts a worker that receives on the lane from now on. FALSE: no slot or no thread is left. */
gboolean
bz_lane_follow (BzLane *lane, BzLoop *loop, gboolean first)
{
  BzWorker *before = atomic_load (&lane->receiver);
  BzWorker *worker = g_new0 (BzWorker, 1);

  worker->loop = loop;
  worker->lane = lane;
  worker->fd = lane->fd;
  worker->first = first;
  worker->seat = BZ_SLOTS;
  if (!first && !take_seat (worker, bz_lane_free_seat (lane, loop)))
    {
      g_free (worker);
      return FALSE;
    }
  worker->next = lane->workers;
  lane->workers = worker;
  atomic_store (&lane->receiver, worker);
  atomic_fetch_add (&loop->references, 1);
  if (bz_loop_start_thread (&worker->thread, worker_main, worker) == 0)
    return TRUE;

  atomic_fetch_sub (&loop->references, 1);
  atomic_store (&lane->receiver, before);
  lane->workers = worker->next;
  release_seat (worker);
  g_free (worker);
  return FALSE;
}

static void
on_signal (int number G_GNUC_UNUSED)
{
}

static gboolean
check_kernel (GError **error)
{
  struct seccomp_notif_sizes sizes = { 0 };

  if (syscall (SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0)
    return bz_fail_errno (error, errno, "a kernel with CONFIG_SECCOMP_FILTER is needed",
                          "cannot receive system calls");
  if (sizes.seccomp_notif > BZ_SLOT_ROOM
      || sizes.seccomp_notif_resp != sizeof (struct seccomp_notif_resp))
    return bz_fail (error, BZ_ERROR_HOST, "this kernel's notifications have another size",
                    "a newer brandzone is needed", "cannot receive system calls");
  return TRUE;
}

BzLoop *
bz_loop_new (const BzPlan *plan, BzJournal *journal, GError **error)
{
  struct sigaction action = { .sa_handler = on_signal };
  pthread_condattr_t attributes;

  if (!check_kernel (error))
    return NULL;
  if (!journal->writable)
    {
      bz_fail (error, BZ_ERROR_FAILED, "the journal is read-only", NULL,
               "cannot answer system calls");
      return NULL;
    }
  /* A heap of its own for each thread would cost more than all handlers together. */
  mallopt (M_ARENA_MAX, 1);
  sigaction (BZ_LOOP_SIGNAL, &action, NULL);

  BzLoop *loop = g_new0 (BzLoop, 1);
  loop->plan = plan;
  loop->journal = journal;
  atomic_store (&loop->references, 1);
  pthread_mutex_init (&loop->lock, NULL);
  pthread_mutex_init (&loop->pins_lock, NULL);
  pthread_mutex_init (&loop->events_lock, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&loop->changed, &attributes);
  pthread_cond_init (&loop->wake, &attributes);
  pthread_condattr_destroy (&attributes);
  for (guint i = 0; i < BZ_LOOP_LISTENERS; i++)
    {
      loop->lane[i].index = i;
      loop->lane[i].fd = -1;
    }
  for (guint i = 0; i < BZ_SUBSCRIBERS; i++)
    loop->subscriber[i].fd = -1;
  if (!bz_watch_start (loop, error))
    {
      bz_loop_unref (loop);
      return NULL;
    }
  atomic_fetch_add (&journal->memory->header.loops, 1);
  return loop;
}

void
bz_loop_set_images (BzLoop *loop, struct BzImages *images)
{
  loop->images = images;
}

void
bz_loop_set_mounter (BzLoop *loop, struct BzMounter *mounter)
{
  loop->mounter = mounter;
}

gboolean
bz_loop_add (BzLoop *loop, guint index, int listener, GError **error)
{
  gboolean started = FALSE;

  if (index >= BZ_LOOP_LISTENERS || loop->lane[index].fd >= 0)
    {
      close (listener);
      return bz_fail (error, BZ_ERROR_STATE, "its number is taken or too high", NULL,
                      "cannot answer listener %u", index);
    }
  if (loop->plan->sync_wake_up)
    ioctl (listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);

  pthread_mutex_lock (&loop->lock);
  BzLane *lane = &loop->lane[index];
  memset (lane->seat, 0, sizeof lane->seat);
  atomic_store (&lane->stop, FALSE);
  lane->fd = listener;
  started = bz_lane_follow (lane, loop, TRUE);
  if (!started)
    lane->fd = -1;
  pthread_mutex_unlock (&loop->lock);
  if (started)
    return TRUE;
  close (listener);
  return bz_fail (error, BZ_ERROR_FAILED, "no thread could be started", NULL,
                  "cannot answer listener %u", index);
}

/* With the lock held. A handler that is at work is not waited for: its task is gone. */
static void
end_workers (BzLoop *loop, BzLane *lane)
{
  BzWorker *next;

  for (BzWorker *worker = lane->workers; worker != NULL; worker = next)
    {
      guint32 handling = BZ_PHASE_HANDLING;

      next = worker->next;
      pthread_kill (worker->thread, BZ_LOOP_SIGNAL);
      if (atomic_compare_exchange_strong (&worker->phase, &handling, BZ_PHASE_ABANDONED))
        {
          bz_worker_unlink (worker);
          loop->stuck++;
        }
    }
}

static void
wait_a_moment (BzLoop *loop)
{
  struct timespec end;

  clock_gettime (CLOCK_MONOTONIC, &end);
  end.tv_nsec += 5000000;
  if (end.tv_nsec >= 1000000000)
    {
      end.tv_sec++;
      end.tv_nsec -= 1000000000;
    }
  pthread_cond_timedwait (&loop->changed, &loop->lock, &end);
}

static void
empty_lane (BzLoop *loop, BzLane *lane, gboolean clear)
{
  pthread_mutex_lock (&loop->lock);
  atomic_store (&lane->stop, TRUE);
  while (lane->workers != NULL)
    {
      end_workers (loop, lane);
      if (lane->workers != NULL)
        wait_a_moment (loop);
    }
  atomic_store (&lane->receiver, NULL);
  memset (lane->seat, 0, sizeof lane->seat);
  for (guint i = 0; i < BZ_SLOTS && clear; i++)
    bz_slot_clear (bz_lane_slot (loop, lane, i));
  if (lane->fd >= 0)
    close (lane->fd);
  lane->fd = -1;
  pthread_mutex_unlock (&loop->lock);
}

void
bz_loop_remove (BzLoop *loop, guint index)
{
  if (index < BZ_LOOP_LISTENERS)
    empty_lane (loop, &loop->lane[index], TRUE);
}

void
bz_loop_unref (BzLoop *loop)
{
  if (atomic_fetch_sub (&loop->references, 1) != 1)
    return;
  bz_events_close (loop);
  pthread_cond_destroy (&loop->wake);
  pthread_cond_destroy (&loop->changed);
  pthread_mutex_destroy (&loop->lock);
  pthread_mutex_destroy (&loop->events_lock);
  pthread_mutex_destroy (&loop->pins_lock);
  g_free (loop);
}

void
bz_loop_free (BzLoop *loop)
{
  if (loop == NULL)
    return;
  /* What is in the slots stays there for a successor. */
  for (guint i = 0; i < BZ_LOOP_LISTENERS; i++)
    empty_lane (loop, &loop->lane[i], FALSE);
  pthread_mutex_lock (&loop->lock);
  loop->stop = TRUE;
  pthread_cond_signal (&loop->wake);
  pthread_mutex_unlock (&loop->lock);
  bz_loop_unref (loop);
}
