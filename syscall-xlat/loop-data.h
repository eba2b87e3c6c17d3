/* What loop.c, answer.c, watch.c and events.c share. See loop.c. */
#pragma once

#include "syscall-xlat/remote.h"
#include "syscall-xlat/slot.h"

#include <pthread.h>
#include <signal.h>

#define BZ_LOOP_SIGNAL (SIGRTMIN + 6)
#define BZ_SLOW_MS 2  /* a handler that waits, or computes, for longer gets a follower */
#define BZ_WATCH_MS 3 /* how often is looked while calls come in */
#define BZ_SUBSCRIBERS 8
#define BZ_STUCK_MAX 32 /* threads of abandoned calls, of all listeners */

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW (4, __u64)
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/* Test programs are built with their own copy of the loop in which a function of theirs is called
 * at each step. */
#ifdef BZ_TEST_POINTS
extern void (*bz_test_point) (const char *point);
#define BZ_TEST_POINT(point) (bz_test_point != NULL ? bz_test_point (point) : (void) 0)
#else
#define BZ_TEST_POINT(point) ((void) 0)
#endif

typedef struct BzLane BzLane;
typedef struct BzWorker BzWorker;

typedef enum {
  BZ_PHASE_WAITING,
  BZ_PHASE_HANDLING,
  BZ_PHASE_ANSWERING,
  BZ_PHASE_ABANDONED
} BzPhase;

/* A thread, and the call it is at. */
struct BzWorker {
  BzNotifier notifier; /* first: the class's functions get the worker from a call by it */
  BzLoop *loop;
  BzLane *lane;
  BzWorker *next; /* in the lane's list, under the loop's lock */
  int fd; /* the listener; closed without notice when the worker is abandoned: the kernel then says
             so */
  pthread_t thread;
  guint seat;            /* its slot */
  gboolean first;        /* recovers the predecessor's slots */
  guint64 id;            /* of its call */
  _Atomic guint64 since; /* monotonic nanoseconds; 0: it has no call */
  _Atomic guint32 phase; /* BzPhase; who changes HANDLING into something else owns the answer */
  _Atomic pid_t tid;     /* of the thread itself, for the watch; 0: it has not begun */
  guint64 watched;       /* the watch's: the `since` of the call that it saw last, */
  guint64 used;          /* and the processor time that the thread had used then */
  pid_t let_go;          /* the target of its last call, let go unbound (pin.h), or 0 */
  int let_go_on;         /* on this CPU */
};

typedef struct {
  BzWorker *worker; /* who uses the slot, or NULL */
  guint64 since;    /* when its call was received, if it is deferred */
  guint64 deadline; /* of a deferred call; 0: none */
  int error;        /* what it gets then */
} BzSeat;

/* A listener. */
struct BzLane {
  guint index;
  int fd;            /* -1: not used */
  BzWorker *workers; /* those that are not abandoned */
  _Atomic (BzWorker *) receiver;
  _Atomic gboolean stop;
  BzSeat seat[BZ_SLOTS];
};

typedef struct {
  int fd;
  guint64 lost;
} BzSubscriber;

struct BzLoop {
  const BzPlan *plan;
  struct BzImages *images;
  struct BzMounter *mounter;
  BzJournal *journal;
  _Atomic guint references; /* the owner, the watch, each worker */
  pthread_mutex_t lock;     /* lanes, workers, seats; not taken on the way of an ordinary call */
  pthread_cond_t changed;   /* a worker ended */
  BzLane lane[BZ_LOOP_LISTENERS];
  guint stuck;

  pthread_cond_t wake;      /* the watch's */
  _Atomic gboolean asleep;  /* the watch waits without a time */
  _Atomic guint64 received; /* notifications */
  gboolean watched, stop;

  pthread_mutex_t pins_lock;
  _Atomic guint pins; /* slots whose targets this process has bound to a CPU */

  pthread_mutex_t events_lock;
  _Atomic guint subscribed;
  BzSubscriber subscriber[BZ_SUBSCRIBERS];
};

static inline BzSlot *
bz_lane_slot (BzLoop *loop, const BzLane *lane, guint seat)
{
  return &loop->journal->memory->listener[lane->index].slot[seat];
}

guint64 bz_loop_now (void); /* monotonic nanoseconds, never 0 */

/* loop.c; with the lock held. */
gboolean bz_lane_follow (BzLane *lane, BzLoop *loop, gboolean first);
void bz_worker_unlink (BzWorker *worker);
int bz_lane_free_seat (BzLane *lane, BzLoop *loop);
int bz_loop_start_thread (pthread_t *thread, void *(*function) (void *), void *data);
void bz_loop_unref (BzLoop *loop);

/* worker-pin.c */
/* Binds the target of the worker's call to this CPU; FALSE: it is not bound. */
gboolean bz_worker_pin (BzWorker *worker, pid_t tid);
/* Lets the target free if it is bound. Costs nothing while none is. */
void bz_loop_unpin (BzLoop *loop, pid_t tid);
/* The same for what a predecessor has left. */
void bz_slot_unpin (BzSlot *slot);

/* watch.c */
gboolean bz_watch_start (BzLoop *loop, GError **error);
void bz_watch_poke (BzLoop *loop); /* there is a new deadline */

/* Handlers of these quirks look at files as their task does (task-look.h). */
#define BZ_LOOKING_QUIRKS                                                                          \
  (BZ_QUIRK_BIT (BZ_QUIRK_FOLD_INODES) | BZ_QUIRK_BIT (BZ_QUIRK_OWNER_RECORDS)                     \
   | BZ_QUIRK_BIT (BZ_QUIRK_STATFS))

/* answer.c */
typedef enum {
  BZ_DONE_ANSWERED,  /* the slot is free again */
  BZ_DONE_DEFERRED,  /* the slot stays taken, its seat has a deadline */
  BZ_DONE_ABANDONED, /* somebody else has answered and owns the slot: the worker ends */
} BzDone;

BzDone bz_answer (BzWorker *worker, BzSlot *slot);
void bz_slot_send (BzLoop *loop, BzLane *lane, BzSlot *slot); /* an answer that lies in the slot */
void bz_slot_finish (BzLoop *loop, BzLane *lane, BzSlot *slot, BzVerdict verdict, guint64 since,
                     gboolean over_budget);
void bz_slot_clear (BzSlot *slot);

/* events.c */
void bz_event_fill (BzTraceEvent *event, const BzSlot *slot, BzVerdict verdict);
void bz_event_send (BzLoop *loop, BzTraceEvent *event);
void bz_events_close (BzLoop *loop);
