/* Setting the clock (catalogue row S23).
 *
 * The clock is the host's. Boot scripts and time daemons of a distribution set it, and some stop
 * when they may not; a brand whose quirk is clock=pretend tells a task with CAP_SYS_TIME in the
 * zone that it was set. Each of them is counted as pretended. A task without it gets EPERM, bad
 * arguments get the kernel's own errors, in its order. What only reads, and the clocks that nobody
 * can set, continue. */
#include "config.h"

#include "syscall-xlat/calls/guest.h"
#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/remote.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#define ADJ_READ_ONLY_SINGLESHOT 0xa001
#define MAX_MINUTES_WEST (15 * 60)
#define ADJ_ADJTIME 0x8000
#define TICK_MIN 9000 /* microseconds, of a hundredth of a second */
#define TICK_MAX 11000

/* clock_settime64 and clock_adjtime64 of i386 have the layout of x86-64. */
static gboolean
is_wide (const BzCall *call)
{
  return call->abi != BZ_ABI_I386 || g_str_has_suffix (call->row->name, "64");
}

static int
read_time (BzCall *call, guint64 address, gboolean wide, BzGuestTime64 *time)
{
  BzGuestTime32 narrow;

  if (wide)
    return bz_call_read (call, address, time, sizeof *time);
  int failed = bz_call_read (call, address, &narrow, sizeof narrow);
  if (failed == 0)
    *time = (BzGuestTime64){ narrow.sec, narrow.part };
  return failed;
}

static BzVerdict
pretend_if_privileged (BzCall *call)
{
  return bz_call_capable (call, CAP_SYS_TIME) ? bz_pretend (0) : bz_errno (EPERM);
}

BzVerdict
bz_call_settimeofday (BzCall *call)
{
  BzGuestTime64 time = { 0 };
  BzGuestTimezone zone = { 0 };
  int failed = 0;

  if (call->args[0] != 0)
    {
      failed = read_time (call, call->args[0], is_wide (call), &time);
      if (failed == 0 && (time.part < 0 || time.part > 1000000))
        failed = EINVAL;
    }
  if (failed == 0 && call->args[1] != 0)
    failed = bz_call_read (call, call->args[1], &zone, sizeof zone);
  if (failed == 0 && call->args[0] != 0 && (time.sec < 0 || time.part == 1000000))
    failed = EINVAL;
  if (failed != 0)
    return bz_errno (failed);
  if (!bz_call_capable (call, CAP_SYS_TIME))
    return bz_errno (EPERM);
  if (zone.minutes_west > MAX_MINUTES_WEST || zone.minutes_west < -MAX_MINUTES_WEST)
    return bz_errno (EINVAL);
  return call->args[0] == 0 && call->args[1] == 0 ? bz_value (0) : bz_pretend (0);
}

BzVerdict
bz_call_stime (BzCall *call)
{
  gint32 seconds;
  int failed = bz_call_read (call, call->args[0], &seconds, sizeof seconds);

  if (failed != 0)
    return bz_errno (failed);
  return pretend_if_privileged (call);
}

BzVerdict
bz_call_clock_settime (BzCall *call)
{
  BzGuestTime64 time;

  if ((guint32) call->args[0] != CLOCK_REALTIME)
    return bz_continue ();
  int failed = read_time (call, call->args[1], is_wide (call), &time);
  if (failed == 0 && call->abi == BZ_ABI_I386)
    time.part = (guint32) time.part; /* the upper half is padding there */
  if (failed == 0 && (time.sec < 0 || time.part < 0 || time.part >= 1000000000))
    failed = EINVAL;
  return failed != 0 ? bz_errno (failed) : pretend_if_privileged (call);
}

static void
fill_32 (const BzGuestTimex64 *from, BzGuestTimex32 *to)
{
  *to = (BzGuestTimex32){
    .modes = from->modes,
    .offset = (gint32) from->offset,
    .freq = (gint32) from->freq,
    .maxerror = (gint32) from->maxerror,
    .esterror = (gint32) from->esterror,
    .status = from->status,
    .constant = (gint32) from->constant,
    .precision = (gint32) from->precision,
    .tolerance = (gint32) from->tolerance,
    .time = { (gint32) from->time.sec, (gint32) from->time.part },
    .tick = (gint32) from->tick,
    .ppsfreq = (gint32) from->ppsfreq,
    .jitter = (gint32) from->jitter,
    .shift = from->shift,
    .stabil = (gint32) from->stabil,
    .jitcnt = (gint32) from->jitcnt,
    .calcnt = (gint32) from->calcnt,
    .errcnt = (gint32) from->errcnt,
    .stbcnt = (gint32) from->stbcnt,
    .tai = from->tai,
  };
}

static int
read_timex (BzCall *call, guint64 address, BzGuestTimex64 *timex)
{
  BzGuestTimex32 narrow;

  if (is_wide (call))
    return bz_call_read (call, address, timex, sizeof *timex);
  int failed = bz_call_read (call, address, &narrow, sizeof narrow);
  if (failed == 0)
    *timex = (BzGuestTimex64){ .modes = narrow.modes,
                               .tick = narrow.tick,
                               .time = { narrow.time.sec, narrow.time.part } };
  return failed;
}

/* 0, or what timekeeping_validate_timex() answers. */
static int
check_adjustment (BzCall *call, const BzGuestTimex64 *timex)
{
  guint32 modes = timex->modes;
  const gint64 parts = (modes & ADJ_NANO) != 0 ? 1000000000 : 1000000;

  if ((modes & ADJ_ADJTIME) != 0 && (modes & ADJ_OFFSET_SINGLESHOT & ~ADJ_ADJTIME) == 0)
    return EINVAL;
  if (!bz_call_capable (call, CAP_SYS_TIME))
    return EPERM;
  if ((modes & ADJ_ADJTIME) == 0 && (modes & ADJ_TICK) != 0 && (timex->tick < TICK_MIN || timex->tick > TICK_MAX))
    return EINVAL;
  return (modes & ADJ_SETOFFSET) != 0 && (timex->time.part < 0 || timex->time.part >= parts) ? EINVAL : 0;
}

/* A pretended adjustment hands back the clock's true state, which it has not changed. */
static BzVerdict
adjust (BzCall *call, guint64 address)
{
  BzGuestTimex64 wide = { 0 };
  BzGuestTimex32 narrow;
  int failed = read_timex (call, address, &wide);
  guint32 modes = wide.modes;

  if (failed != 0)
    return bz_errno (failed);
  if (modes == 0 || modes == ADJ_READ_ONLY_SINGLESHOT)
    return bz_continue ();
  failed = check_adjustment (call, &wide);
  if (failed != 0)
    return bz_errno (failed);

  /* adjtime(3) asks what is left of the last adjustment. */
  struct timex host = { .modes = (modes & ADJ_ADJTIME) != 0 ? ADJ_READ_ONLY_SINGLESHOT : 0 };
  int state = adjtimex (&host);
  if (state < 0)
    return bz_errno (errno);
  _Static_assert(sizeof host == sizeof wide, "timex of x86-64");
  memcpy (&wide, &host, sizeof wide);
  wide.modes = modes;
  fill_32 (&wide, &narrow);
  failed = is_wide (call) ? bz_call_write (call, address, &wide, sizeof wide)
                          : bz_call_write (call, address, &narrow, sizeof narrow);
  return failed != 0 ? bz_errno (failed) : bz_pretend (state);
}

BzVerdict
bz_call_adjtimex (BzCall *call)
{
  return adjust (call, call->args[0]);
}

BzVerdict
bz_call_clock_adjtime (BzCall *call)
{
  if ((guint32) call->args[0] != CLOCK_REALTIME)
    return bz_continue ();
  return adjust (call, call->args[1]);
}
