/* What a zone's programs execute and map, seen from the supervisor.
 *
 * Problem: x86-64 programs linked with glibc before 2.14 call addresses of the vsyscall page, which
 * kernels no longer serve (FAILURES E1); there is no system call to trap.
 *
 * Choice: of a file that holds such calls a rewritten copy is kept (broker.h). A library's
 * descriptor is exchanged for one of its copy just before it is mapped. The program and its
 * interpreter, which execve maps, are edited in memory when they start (exec-hook.h). What is known
 * of a file holds for its device, inode, size and ctime.
 *
 * The way of an ordinary call, of files that are known and hold nothing: one descriptor opened, one
 * fstat. A file that is new is copied and searched for the page's addresses; only if they are in it
 * is the keeper asked.
 *
 * Measured beside it: a layer of rewritten copies (overlayfs) between the zone's tree and what it writes, and no
 * trap at all. fork and exec of CentOS 6's /bin/true against chroot, 40 to 60 turns in alternation on a machine with other work:
 *
 *                                      one CPU   two CPUs   start
 *   a plain tree, nothing rewritten      0.89      0.97      15 ms
 *   a plain tree, shadow text            1.09      1.23      25 ms
 *   a layer, its copies rewritten        0.99      1.11      17 ms
 *   overlayfs, shadow text               1.14      1.25      28 ms
 *
 * So a layer saves a tenth of an exec and 8 ms of a start, and costs elsewhere: find(1) over /usr took 2.2 times as long on
 * overlayfs as on a plain tree; the tree has to be searched through before each start in which it may have changed (0.26 s for these
 * 127 MiB). What decides against it is not the cost: the zone's files are other files then (libc's checksum differs though size and
 * time agree, so that rpm -V complains); a library that an upgrade renames into its place lies above the layer and has its
 * calls of the page again (seen), so that without such a page the next program dies; whoever writes to a rewritten file
 * makes it the tree's own for good (seen: it was in the next export); programs built inside are not seen; and in a plain user's zone
 * directories of a layer can't be renamed (P2).
 *
 * Limits: the exchange stays: fstat of that descriptor shows the copy's inode. A file changed in
 * place within the granularity of its ctime keeps its old copy. Text made executable by mprotect is
 * not seen. */
#include "config.h"

#include "loader/shadow/images-data.h"

#include "loader/shadow/last-resort.h"
#include "syscall-xlat/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The known copy: the caller's to close. It may have been closed and forgotten since it was looked up. */
static int
take_copy (BzImagesState *images, BzCall *call, BzKnownFile *file, int original, gboolean shared)
{
  int fd = bz_known_files_open (images->files, file, shared);

  if (fd >= 0)
    return fd;
  g_autoptr (BzKnownFile) again = bz_images_look (images, call, original);
  return again != NULL ? bz_known_files_open (images->files, again, shared) : -1;
}

/* A fresh open file on the read-only mount, at the offset of the one that it replaces. */
static int
open_copy (int copy, int original)
{
  char path[48];
  off_t offset = lseek (original, 0, SEEK_CUR);

  g_snprintf (path, sizeof path, "/proc/self/fd/%d", copy);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && offset > 0)
    lseek (fd, offset, SEEK_SET);
  return fd;
}

/* Whether the target's descriptor is close-on-exec: its duplicate does not tell. */
static gboolean
closes_on_exec (pid_t tid, int number)
{
  char path[64], text[256];

  g_snprintf (path, sizeof path, "/proc/%d/fdinfo/%d", (int) tid, number);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return FALSE;
  gssize got = read (fd, text, sizeof text - 1);
  close (fd);
  text[MAX (got, 0)] = '\0';
  const char *line = strstr (text, "flags:");
  return line != NULL && (g_ascii_strtoull (line + strlen ("flags:"), NULL, 8) & O_CLOEXEC) != 0;
}

/* by_linker: what would become of the descriptor at an exec, and where it reads on, is of no
 * account, and not worth the 20 us of a look at a new task's /proc and of an open file of its own: all
 * linkers of the zone share one, which lets nobody write either. It is never the only one: who has that may
 * take a lease on the copy (F_SETLEASE), for which others would have to wait. */
static gboolean
exchange (BzImagesState *images, BzKnownFile *file, BzCall *call, int number, int original,
          gboolean by_linker)
{
  int known = take_copy (images, call, file, original, by_linker);
  if (known < 0)
    return FALSE;
  int copy = by_linker ? known : open_copy (known, original);
  int failed = copy >= 0 ? bz_call_put_fd (call, copy, number,
                                           by_linker || closes_on_exec (call->tid, number))
                         : errno;
  if (copy >= 0 && copy != known)
    close (copy);
  close (known);
  return failed == 0;
}

static void
map_file (BzImagesState *images, BzCall *call, int number, gboolean by_linker)
{
  int fd;

  if (bz_call_take_fd (call, number, &fd) != 0)
    return;
  g_autoptr (BzKnownFile) file = bz_images_look (images, call, fd);
  gboolean exchanged =
      file == NULL || !file->copied || exchange (images, file, call, number, fd, by_linker);
  if (images->last_resort && (!exchanged || (file != NULL && file->refused)))
    bz_programs_cover (images, call);
  close (fd);
}

static BzVerdict
on_map (BzImages *base, BzCall *call, int number, gboolean by_linker)
{
  map_file ((BzImagesState *) base, call, number, by_linker);
  return bz_programs_begun (base, call); /* of a dynamic program: its first library comes before its
                                   first call of the page */
}

static const BzImagesClass images_class = {
  .map = on_map,
  .execute = bz_programs_execute,
  .begun = bz_programs_begun,
};

BzImages *
bz_images_new (int broker_socket, BzStarting *starting, BzRelease release, _Atomic guint32 *newer, GError **error)
{
  BzExecContext *context = bz_exec_context_new (error);

  if (context == NULL)
    return NULL;
  BzImagesState *images = g_new0 (BzImagesState, 1);
  images->base.class = &images_class;
  images->broker = broker_socket;
  images->release = release;
  images->newer = newer;
  images->files = bz_known_files_new ();
  images->context = context;
  images->last_resort = bz_last_resort_needed ();
  images->late = g_hash_table_new (NULL, NULL);
  pthread_mutex_init (&images->lock, NULL);
  images->hold = (BzHoldClass){ .edit = bz_programs_edit_held,
                                .lost = bz_programs_lose_held,
                                .data = images,
                                .starting = starting };
  bz_hold_succeed (&images->hold);
  return &images->base;
}
