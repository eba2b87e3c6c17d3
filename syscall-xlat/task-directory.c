/* Directories of a task, read through a duplicate of its descriptor.
 *
 * Facts. Both descriptors have one place in the directory. Where a file system has places that
 * don't fit 32 bits (ext4's hashes), it gives shorter ones to 32-bit callers, and takes them back
 * from such callers only: by the call, not by the process (in_compat_syscall). So the supervisor
 * makes these calls as its tasks do, by int 0x80; addresses are below 4 GiB then. Asking where a
 * directory stands converts nothing, on no file system: that is a call of its own kind, for int
 * 0x80 costs five times as much on today's kernels. */
#include "config.h"

#include "syscall-xlat/task-look.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { NR_LLSEEK = 140, NR_GETDENTS64 = 220 }; /* of i386 */

/* What a call below 4 GiB reads and writes. */
typedef struct {
  gint64 place;
  guint8 entries[BZ_TASK_ENTRIES_MAX] __attribute__ ((aligned (16)));
} Low;

static __thread Low *low;

static gboolean
have_low (void)
{
  if (low != NULL)
    return TRUE;
  void *memory = mmap (NULL, sizeof (Low), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (memory == MAP_FAILED)
    return FALSE;
  low = memory;
  return TRUE;
}

void
bz_task_directory_end (void)
{
  if (low != NULL)
    munmap (low, sizeof *low);
  low = NULL;
}

static long
call_32 (long nr, guint32 a, guint32 b, guint32 c, guint32 d, guint32 e)
{
  long result;

  /* Kernels before 4.17 clear r8 to r11 on the way. */
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "0"(nr), "b"((gsize) a), "c"((gsize) b), "d"((gsize) c), "S"((gsize) d),
                     "D"((gsize) e)
                   : "memory", "cc", "r8", "r9", "r10", "r11");
  return (gint32) result;
}

static guint32
address (const void *at)
{
  return (guint32) (gsize) at;
}

int
bz_task_tell (int fd, guint64 *place)
{
  off_t here = lseek (fd, 0, SEEK_CUR);

  if (here < 0)
    return errno;
  *place = (guint64) here;
  return 0;
}

int
bz_task_seek (int fd, guint64 place)
{
  if (!have_low ())
    return ENOMEM;
  long result = call_32 (NR_LLSEEK, (guint32) fd, (guint32) (place >> 32), (guint32) place,
                         address (&low->place), SEEK_SET);
  return result < 0 ? (int) -result : 0;
}

int
bz_task_read_directory (int fd, gsize size, BzTaskEntries *entries)
{
  struct stat status;

  if (!have_low ())
    return ENOMEM;
  long got = call_32 (NR_GETDENTS64, (guint32) fd, address (low->entries),
                      (guint32) MIN (size, sizeof low->entries), 0, 0);
  if (got < 0)
    return (int) -got;
  if (fstat (fd, &status) != 0)
    return errno;
  entries->bytes = low->entries;
  entries->length = (gsize) got;
  entries->device = (guint64) major (status.st_dev) << 32 | minor (status.st_dev);
  return 0;
}
