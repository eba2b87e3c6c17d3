/* The structures of stat, statfs, directories and masks of processors as 32-bit programs get them,
 * from random ones of the kernel: nothing is read or written outside, and what comes out fits. */
#include "config.h"

#include "syscall-xlat/calls/affinity-guest.h"
#include "syscall-xlat/calls/stat-guest.h"
#include "syscall-xlat/calls/statfs-guest.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check (gboolean good)
{
  if (!good)
    abort ();
}

static void
try_stat (const guint8 *data, gsize size)
{
  static const gsize length[] = { 32, 64, 96, 144, 256 };
  struct statx status = { 0 };
  guint8 out[BZ_STAT_LARGEST];

  memcpy (&status, data, MIN (size, sizeof status));
  for (BzStatKind kind = BZ_STAT_OLD; kind <= BZ_STAT_X; kind++)
    {
      gsize got = bz_stat_fill (kind, &status, 5, out);
      bz_stat_differs (kind, &status);
      check (got == 0 || got == length[kind]);
    }
}

static void
try_entries (const guint8 *data, gsize size)
{
  BzEntry entry;
  guint8 out[1 << 16];

  for (gsize at = 0; bz_entry_parse (data + at, size - at, &entry); at += entry.length)
    for (BzEntriesKind kind = BZ_ENTRIES_OLD; kind <= BZ_ENTRIES_64; kind++)
      {
        gsize room = bz_entry_size (kind, &entry);

        check (room <= sizeof out && entry.name_length < entry.length);
        check (room <= entry.length + 4u);
        bz_entry_fill (kind, &entry, 1, out);
      }
}

static void
try_statfs (const guint8 *data, gsize size)
{
  struct statfs host = { 0 };
  BzGuestStatfs32 guest;

  memcpy (&host, data, MIN (size, sizeof host));
  bz_statfs_differs (&host);
  bz_statfs_fill (&host, &guest);
  check (guest.blocks <= G_MAXINT32 && guest.bfree <= G_MAXINT32 && guest.bavail <= G_MAXINT32);
}

static void
try_mask (const guint8 *data, gsize size)
{
  guint8 guest[64];
  gsize length = size > 0 ? data[0] % sizeof guest : 0;

  bz_affinity_fit (data, size, guest, length);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  try_stat (data, size);
  try_entries (data, size);
  try_statfs (data, size);
  try_mask (data, size);
  return 0;
}
