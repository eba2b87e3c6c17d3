#include "config.h"

#include "syscall-xlat/calls/affinity-guest.h"

#include <string.h>

static gboolean
has_bit (const guint8 *mask, gsize bit)
{
  return (mask[bit / 8] >> bit % 8 & 1) != 0;
}

void
bz_affinity_fit (const guint8 *host, gsize host_length, guint8 *guest, gsize length)
{
  gsize bits = length * 8, next = 0;

  memcpy (guest, host, MIN (length, host_length));
  if (length > host_length)
    memset (guest + host_length, 0, length - host_length);
  for (gsize bit = bits; bit < host_length * 8; bit++)
    {
      if (!has_bit (host, bit))
        continue;
      while (next < bits && has_bit (guest, next))
        next++;
      if (next == bits)
        return;
      guest[next / 8] |= (guint8) (1u << next % 8);
    }
}
