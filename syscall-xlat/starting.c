/* The journal's list of programs that are starting: a few words in shared memory, changed by compare and exchange. */
#include "config.h"

#include "syscall-xlat/starting.h"

#include "syscall-xlat/slot.h"

BzStarting *
bz_journal_starting (BzJournal *journal)
{
  return &journal->memory->starting;
}

/* One thread may still be about to remove the entry of a program that another one has let begin and that executes the
 * next program by now: so each entry is unlike all others. */
guint64
bz_starting_add (BzStarting *starting, pid_t process)
{
  guint64 entry =
      (guint64) atomic_fetch_add (&starting->next_number, 1) << 32 | (guint32) process;

  for (guint i = 0; i < BZ_STARTING_MAX; i++)
    {
      guint64 old = atomic_load (&starting->entry[i]);
      if ((guint32) old == (guint32) process
          && atomic_compare_exchange_strong (&starting->entry[i], &old, entry))
        return entry;
    }
  for (guint i = 0; i < BZ_STARTING_MAX; i++)
    {
      guint64 nobody = 0;
      if (atomic_compare_exchange_strong (&starting->entry[i], &nobody, entry))
        return entry;
    }
  return 0;
}

void
bz_starting_remove (BzStarting *starting, guint64 entry)
{
  for (guint i = 0; i < BZ_STARTING_MAX; i++)
    {
      guint64 own = entry;
      if (atomic_compare_exchange_strong (&starting->entry[i], &own, 0))
        return;
    }
}

gboolean
bz_starting_holds (BzStarting *starting, guint64 entry)
{
  for (guint i = 0; i < BZ_STARTING_MAX; i++)
    if (atomic_load (&starting->entry[i]) == entry)
      return TRUE;
  return FALSE;
}
