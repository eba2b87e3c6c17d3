/* The journal: a sealed memfd, mapped by the keeper, the supervisor and whoever prints counts. See
 * slot.h for the protocol of its slots.
 *
 * Only the keeper and the supervisor can write it, so what the slots hold is trusted; that the file
 * is a journal of this version is checked when it is mapped. Its size is sealed: no mapping of it
 * can meet SIGBUS. Pages that no call has touched take no memory. */
#include "config.h"

#include "syscall-xlat/slot.h"

#include "brand/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOURNAL_VERSION 2
#define JOURNAL_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static const char journal_magic[8] = "bzjournl";

static void
header_fill (BzJournalHeader *header)
{
  memcpy (header->magic, journal_magic, sizeof header->magic);
  header->version = JOURNAL_VERSION;
  header->slot_size = sizeof (BzSlot);
  header->slots = BZ_SLOTS;
  header->listeners = BZ_LOOP_LISTENERS;
  header->counter_size = sizeof (BzCounter);
  header->counters = BZ_COUNTED_CALLS;
}

static gboolean
header_is_ours (const BzJournalHeader *header)
{
  return memcmp (header->magic, journal_magic, sizeof header->magic) == 0
         && header->version == JOURNAL_VERSION && header->slot_size == sizeof (BzSlot)
         && header->slots == BZ_SLOTS && header->listeners == BZ_LOOP_LISTENERS
         && header->counter_size == sizeof (BzCounter) && header->counters == BZ_COUNTED_CALLS;
}

static gboolean
seed_fold (int fd)
{
  guint64 seed;

  return getrandom (&seed, sizeof seed, 0) == (gssize) sizeof seed
         && pwrite (fd, &seed, sizeof seed, offsetof (BzJournalMemory, fold.seed))
                == (gssize) sizeof seed;
}

int
bz_journal_create (GError **error)
{
  int fd = memfd_create ("brandzone-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  if (fd < 0 || ftruncate (fd, sizeof (BzJournalMemory)) != 0
      || fcntl (fd, F_ADD_SEALS, JOURNAL_SEALS) != 0)
    {
      bz_fail_errno (error, errno, NULL, "cannot make the journal");
      if (fd >= 0)
        close (fd);
      return -1;
    }

  void *memory = mmap (NULL, sizeof (BzJournalHeader), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED)
    {
      bz_fail_errno (error, errno, NULL, "cannot map the journal");
      close (fd);
      return -1;
    }
  header_fill (memory);
  munmap (memory, sizeof (BzJournalHeader));
  if (!seed_fold (fd))
    {
      bz_fail_errno (error, errno, NULL, "cannot make the journal");
      close (fd);
      return -1;
    }
  return fd;
}

BzJournal *
bz_journal_map (int fd, GError **error)
{
  struct stat status;
  gboolean writable = TRUE;

  if (fstat (fd, &status) != 0)
    {
      bz_fail_errno (error, errno, NULL, "cannot read the journal");
      return NULL;
    }
  int seals = fcntl (fd, F_GET_SEALS);
  if (!S_ISREG (status.st_mode) || status.st_size != (off_t) sizeof (BzJournalMemory) || seals < 0
      || (seals & F_SEAL_SHRINK) == 0)
    {
      bz_fail (error, BZ_ERROR_INPUT, "it is not a journal of this version of brandzone",
               "stop the zone and start it again", "cannot map the journal");
      return NULL;
    }

  /* The keeper hands a read-only descriptor to those who print counts. */
  void *memory = mmap (NULL, sizeof (BzJournalMemory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED && errno == EACCES)
    {
      writable = FALSE;
      memory = mmap (NULL, sizeof (BzJournalMemory), PROT_READ, MAP_SHARED, fd, 0);
    }
  if (memory == MAP_FAILED)
    {
      bz_fail_errno (error, errno, NULL, "cannot map the journal");
      return NULL;
    }
  if (!header_is_ours (memory))
    {
      munmap (memory, sizeof (BzJournalMemory));
      bz_fail (error, BZ_ERROR_INPUT, "it is not a journal of this version of brandzone",
               "stop the zone and start it again", "cannot map the journal");
      return NULL;
    }

  BzJournal *journal = g_new0 (BzJournal, 1);
  journal->memory = memory;
  journal->writable = writable;
  return journal;
}

void
bz_journal_unmap (BzJournal *journal)
{
  if (journal == NULL)
    return;
  munmap (journal->memory, sizeof (BzJournalMemory));
  g_free (journal);
}

GArray *
bz_journal_counts (BzJournal *journal)
{
  GArray *counts = g_array_new (FALSE, FALSE, sizeof (BzCount));

  for (BzAbi abi = 0; abi < BZ_ABI_COUNT; abi++)
    for (int nr = 0; nr < BZ_COUNTED_CALLS; nr++)
      {
        BzCounter *counter = &journal->memory->counter[abi][nr];
        BzCount count = { .abi = abi, .nr = nr, .count = atomic_load (&counter->count) };

        if (count.count == 0)
          continue;
        count.continued = atomic_load (&counter->continued);
        count.failed = atomic_load (&counter->failed);
        count.pretended = atomic_load (&counter->pretended);
        count.over_budget = atomic_load (&counter->over_budget);
        count.nanoseconds = atomic_load (&counter->nanoseconds);
        g_array_append_val (counts, count);
      }
  return counts;
}

_Atomic guint32 *
bz_journal_ever (BzJournal *journal, guint what)
{
  return &journal->memory->header.happened[what];
}

guint64
bz_journal_successions (BzJournal *journal)
{
  guint64 loops = atomic_load (&journal->memory->header.loops);

  return loops > 1 ? loops - 1 : 0;
}

void
bz_journal_stop (BzJournal *journal, BzAbi abi, int nr, const char *program)
{
  BzStopRecord *record = &journal->memory->stopped;
  guint32 none = 0;

  if (!atomic_compare_exchange_strong (&record->state, &none, 1))
    return;
  record->abi = (gint32) abi;
  record->nr = nr;
  g_strlcpy (record->program, program, sizeof record->program);
  atomic_store (&record->state, 2);
}

gboolean
bz_journal_stopped (BzJournal *journal, BzStopped *stopped)
{
  const BzStopRecord *record = &journal->memory->stopped;

  if (atomic_load (&record->state) != 2 || record->abi < 0 || record->abi >= BZ_ABI_COUNT)
    return FALSE;
  *stopped = (BzStopped){ .abi = (BzAbi) record->abi, .nr = record->nr };
  g_strlcpy (stopped->program, record->program, sizeof stopped->program);
  return TRUE;
}
