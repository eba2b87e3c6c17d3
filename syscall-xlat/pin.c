/* Problem: SECCOMP_IOCTL_NOTIF_ADDFD has the target itself install the descriptor: it wakes the
 * target and waits for it. These two wake-ups know nothing of SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
 * (Linux 6.6 to 6.18): each finds the CPU busy with the one who wakes and goes to an idle one,
 * which on a virtual machine costs 25 us and more; and the answer that follows brings the target
 * back. An exec that is let through is as bad: the target is woken before the supervisor sleeps, so
 * exec's own search for an idle CPU (sched_exec) finds this one shared, and moves the target to
 * another one, where it begins in a cold cache.
 *
 * Choice: both are bound to one CPU for the time of the call, and the target of an exec until the
 * supervisor runs again (worker-pin.c); 0.5 us a call of sched_setaffinity(2), and more under load.
 * On a machine that has no idle CPU nobody would move, and binding is only a cost (a sixteenth of a
 * fork and exec): so now and then it is left out, and if nobody has moved, left out until somebody does.
 *
 * What is left: an answered target preempts its supervisor, which stays ready beside it; when the target ends, its
 * parent finds this CPU shared and wakes on another one. 500 fork and exec of CentOS 6's /bin/true take 1.07 to 1.17
 * times as long as by chroot on one CPU, and 1.33 to 1.41 on two, where a wake-up of the other one takes 21 to 37 us and
 * one of the same 3 us (Linux 6.18, a virtual machine). Tried against it: the supervisor in the zone's own group for
 * processors and at nice -20 makes 1.06 to 1.14 of that, -10 1.15, -5 1.22; either alone, and a heavier group beside
 * the zone's, hardly anything. It is not done, because it starves the host: the group's weights on the CPUs follow
 * who is awake in it, and with two storms of calls in the zone a loop of /bin/true outside came through 469 times in
 * 3 s instead of 4871, once it waited 252 ms (nice -5: 267 times). Real-time priority (1.20 to 1.27) would do so by
 * itself.
 *
 * Limits: a mask that somebody else gives the target in these 20 us is lost, as is one that it
 * gives itself when such an exec fails. A task that a cpuset or its own mask restricts is left
 * alone: sched_setaffinity would make the set of today a choice of its own. */
#include "config.h"

#include "syscall-xlat/pin.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static int
cpus_of_machine (void)
{
  static _Atomic int cpus;
  int known = atomic_load_explicit (&cpus, memory_order_relaxed);

  if (known == 0)
    {
      known = (int) sysconf (_SC_NPROCESSORS_ONLN);
      atomic_store_explicit (&cpus, known, memory_order_relaxed);
    }
  return known;
}

/* How often to bind before it is tried without. One that moves costs as much as 20 that are bound. */
#define TIMES 64

static _Atomic int times = TIMES;

void
bz_pin_look (int cpu)
{
  if (cpu >= 0 && sched_getcpu () != cpu)
    atomic_store_explicit (&times, TIMES, memory_order_relaxed);
}

static gboolean
pays (void)
{
  if (atomic_load_explicit (&times, memory_order_relaxed) <= 0)
    return FALSE;
  atomic_fetch_sub_explicit (&times, 1, memory_order_relaxed);
  return TRUE;
}

gboolean
bz_can_pin (pid_t tid)
{
  cpu_set_t set;

  return cpus_of_machine () > 1 && pays () && sched_getaffinity (tid, sizeof set, &set) == 0
         && CPU_COUNT (&set) == cpus_of_machine ();
}

/* A call that fails leaves things as they were, which costs time only. */
void
bz_pin (pid_t tid)
{
  int cpu = sched_getcpu ();
  cpu_set_t here;

  if (cpu < 0 || cpu >= CPU_SETSIZE)
    return;
  CPU_ZERO (&here);
  CPU_SET ((guint) cpu, &here);
  sched_setaffinity (tid, sizeof here, &here);
}

void
bz_unpin (pid_t tid)
{
  cpu_set_t all;

  memset (&all, 0xff, sizeof all);
  sched_setaffinity (tid, sizeof all, &all);
}
