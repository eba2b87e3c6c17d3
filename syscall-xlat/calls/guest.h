/* Structures of system calls as the guests lay them out. Fixed widths, no padding left to the
 * compiler. */
#pragma once

#include <glib.h>

typedef struct {
  char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
} BzGuestUtsname;
_Static_assert(sizeof (BzGuestUtsname) == 390, "new_utsname");

/* struct sysinfo of i386. Until 2.3.22 it ended with procs and 22 bytes of nothing. */
typedef struct {
  gint32 uptime;
  guint32 loads[3];
  guint32 totalram, freeram, sharedram, bufferram, totalswap, freeswap;
  guint16 procs, pad;
  guint32 totalhigh, freehigh, mem_unit;
  guint8 padding[8];
} BzGuestSysinfo32;
_Static_assert(sizeof (BzGuestSysinfo32) == 64, "sysinfo of i386");

typedef struct {
  gint64 uptime;
  guint64 loads[3];
  guint64 totalram, freeram, sharedram, bufferram, totalswap, freeswap;
  guint16 procs, pad;
  guint32 hole;
  guint64 totalhigh, freehigh;
  guint32 mem_unit, tail;
} BzGuestSysinfo64;
_Static_assert(sizeof (BzGuestSysinfo64) == 112, "sysinfo of x86-64");

typedef struct {
  guint32 name;
  gint32 nlen;
  guint32 oldval, oldlenp, newval, newlen, reserved[4];
} BzGuestSysctl32;
_Static_assert(sizeof (BzGuestSysctl32) == 40, "__sysctl_args of i386");

typedef struct {
  guint64 name;
  gint32 nlen;
  guint32 hole;
  guint64 oldval, oldlenp, newval, newlen, reserved[4];
} BzGuestSysctl64;
_Static_assert(sizeof (BzGuestSysctl64) == 80, "__sysctl_args of x86-64");

typedef struct {
  gint32 sec, part; /* microseconds or nanoseconds */
} BzGuestTime32;
_Static_assert(sizeof (BzGuestTime32) == 8, "timeval and timespec of i386");

typedef struct {
  gint64 sec, part;
} BzGuestTime64;
_Static_assert(sizeof (BzGuestTime64) == 16, "timeval and timespec of x86-64, timespec64 of both");

typedef struct {
  gint32 minutes_west, dst_time;
} BzGuestTimezone;
_Static_assert(sizeof (BzGuestTimezone) == 8, "timezone");

typedef struct {
  guint32 modes;
  gint32 offset, freq, maxerror, esterror, status, constant, precision, tolerance;
  BzGuestTime32 time;
  gint32 tick, ppsfreq, jitter, shift, stabil, jitcnt, calcnt, errcnt, stbcnt, tai;
  gint32 reserved[11];
} BzGuestTimex32;
_Static_assert(sizeof (BzGuestTimex32) == 128, "timex of i386");

typedef struct {
  guint32 modes, hole0;
  gint64 offset, freq, maxerror, esterror;
  gint32 status, hole1;
  gint64 constant, precision, tolerance;
  BzGuestTime64 time;
  gint64 tick, ppsfreq, jitter;
  gint32 shift, hole2;
  gint64 stabil, jitcnt, calcnt, errcnt, stbcnt;
  gint32 tai, reserved[11];
} BzGuestTimex64;
_Static_assert(sizeof (BzGuestTimex64) == 208, "timex of x86-64, timex64 of both");
