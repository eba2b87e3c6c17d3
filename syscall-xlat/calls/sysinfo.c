/* sysinfo(2) with figures that old programs can hold (catalogue row O7).
 *
 * Kernels before 2.3.23 gave bytes and had no mem_unit; programs of their time, and many later
 * ones, ignore it, hold the figures in signed 32 bits and multiply them by 100. Where they do not
 * fit, memory and swap are each scaled down to just under 2 GiB, the parts with the whole: what is
 * free stays the same share. 64-bit programs get the host's figures, in bytes. Uptime, loads and
 * the number of processes are the host's. */
#include "config.h"

#include "syscall-xlat/calls/guest.h"
#include "syscall-xlat/calls/handlers.h"

#include <errno.h>
#include <sys/sysinfo.h>

#define LARGEST G_GUINT64_CONSTANT (0x7ffff000)

/* part of whole, in units of unit bytes, as bytes of at most LARGEST, down to a page. */
static guint32
scale (guint64 part, guint64 whole, guint64 unit)
{
  unsigned __int128 bytes = (unsigned __int128) part * unit, all = (unsigned __int128) whole * unit;

  if (all > LARGEST)
    bytes = (unsigned __int128) part * LARGEST / whole;
  if (bytes > LARGEST)
    bytes = LARGEST;
  return (guint32) bytes & ~0xfffu;
}

static void
fill_32 (const struct sysinfo *host, gboolean unit, BzGuestSysinfo32 *guest)
{
  *guest = (BzGuestSysinfo32){
    .uptime = (gint32) MIN (host->uptime, G_MAXINT32),
    .totalram = scale (host->totalram, host->totalram, host->mem_unit),
    .freeram = scale (host->freeram, host->totalram, host->mem_unit),
    .sharedram = scale (host->sharedram, host->totalram, host->mem_unit),
    .bufferram = scale (host->bufferram, host->totalram, host->mem_unit),
    .totalswap = scale (host->totalswap, host->totalswap, host->mem_unit),
    .freeswap = scale (host->freeswap, host->totalswap, host->mem_unit),
    .procs = host->procs,
    .mem_unit = unit ? 1 : 0,
  };
  for (int i = 0; i < 3; i++)
    guest->loads[i] = (guint32) MIN (host->loads[i], G_MAXUINT32);
}

static void
fill_64 (const struct sysinfo *host, gboolean unit, BzGuestSysinfo64 *guest)
{
  guint64 factor = host->mem_unit;

  *guest = (BzGuestSysinfo64){
    .uptime = host->uptime,
    .totalram = host->totalram * factor,
    .freeram = host->freeram * factor,
    .sharedram = host->sharedram * factor,
    .bufferram = host->bufferram * factor,
    .totalswap = host->totalswap * factor,
    .freeswap = host->freeswap * factor,
    .procs = host->procs,
    .mem_unit = unit ? 1 : 0,
  };
  for (int i = 0; i < 3; i++)
    guest->loads[i] = host->loads[i];
}

BzVerdict
bz_call_sysinfo (BzCall *call)
{
  gboolean unit = call->plan->quirk[BZ_QUIRK_SYSINFO] != BZ_SYSINFO_NO_UNIT;
  struct sysinfo host;
  BzGuestSysinfo32 guest32;
  BzGuestSysinfo64 guest64;
  int failed;

  if (sysinfo (&host) != 0)
    return bz_errno (errno);
  if (call->abi == BZ_ABI_I386)
    {
      fill_32 (&host, unit, &guest32);
      failed = bz_call_write (call, call->args[0], &guest32, sizeof guest32);
    }
  else
    {
      fill_64 (&host, unit, &guest64);
      failed = bz_call_write (call, call->args[0], &guest64, sizeof guest64);
    }
  return failed != 0 ? bz_errno (failed) : bz_value (0);
}
