#include "config.h"

#include "syscall-xlat/fold.h"

#include <pthread.h>

#define BLOCK_MASK ((1u << BZ_FOLD_BLOCK_BITS) - 1)
_Static_assert((BZ_FOLD_ENTRIES & (BZ_FOLD_ENTRIES - 1)) == 0, "places are masked");

/* One process at a time writes: the zone's supervisor. */
static pthread_mutex_t insert_lock = PTHREAD_MUTEX_INITIALIZER;

/* The finaliser of splitmix64. */
static guint64
mix (guint64 value)
{
  value = (value ^ (value >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  value = (value ^ (value >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return value ^ (value >> 31);
}

static guint64
owner_of (guint64 device, BzFoldKind kind)
{
  return (device << 1 | (guint64) kind) + 1;
}

typedef enum { FOUND, FREE, FULL } Search;

static Search
search (BzFold *fold, guint64 owner, guint64 block, guint32 *place)
{
  guint64 first = mix (mix (block ^ fold->seed) + owner);

  for (guint probe = 0; probe < BZ_FOLD_PROBES; probe++)
    {
      *place = (guint32) (first + probe) & (BZ_FOLD_ENTRIES - 1);
      guint64 taken = atomic_load_explicit (&fold->entry[*place].owner, memory_order_acquire);

      if (taken == 0)
        return FREE;
      if (taken == owner && fold->entry[*place].block == block)
        return FOUND;
    }
  return FULL;
}

/* Again under the lock: another thread may have put it there meanwhile. */
static gboolean
insert (BzFold *fold, guint64 owner, guint64 block, guint32 *place)
{
  pthread_mutex_lock (&insert_lock);
  Search result = search (fold, owner, block, place);
  if (result == FREE)
    {
      fold->entry[*place].block = block;
      atomic_store_explicit (&fold->entry[*place].owner, owner, memory_order_release);
      atomic_fetch_add (&fold->used, 1);
    }
  else if (result == FULL)
    atomic_fetch_add (&fold->refused, 1);
  pthread_mutex_unlock (&insert_lock);
  return result != FULL;
}

gboolean
bz_fold (BzFold *fold, guint64 device, BzFoldKind kind, guint64 number, guint32 *folded)
{
  guint64 owner = owner_of (device, kind), block = number >> BZ_FOLD_BLOCK_BITS;
  guint32 place;

  *folded = (guint32) number;
  if (number < BZ_FOLD_FIRST)
    return TRUE;
  if (search (fold, owner, block, &place) != FOUND && !insert (fold, owner, block, &place))
    return FALSE;
  *folded = BZ_FOLD_FIRST + (place << BZ_FOLD_BLOCK_BITS) + (guint32) (number & BLOCK_MASK);
  return TRUE;
}

gboolean
bz_unfold (BzFold *fold, guint64 device, BzFoldKind kind, guint32 folded, guint64 *number)
{
  *number = folded;
  if (folded < BZ_FOLD_FIRST)
    return TRUE;
  if (folded > BZ_FOLD_LAST)
    return FALSE;

  const BzFoldEntry *entry = &fold->entry[(folded - BZ_FOLD_FIRST) >> BZ_FOLD_BLOCK_BITS];
  if (atomic_load_explicit (&entry->owner, memory_order_acquire) != owner_of (device, kind))
    return FALSE;
  *number = entry->block << BZ_FOLD_BLOCK_BITS | (folded & BLOCK_MASK);
  return TRUE;
}
