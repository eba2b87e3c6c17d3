/* Problem: a guest's file may be truncated while it is read (which kills a process that maps it),
 * written to (then what was checked is not what is used), a terabyte of nothing, or served by a
 * file system that never answers.
 * Choice: copy it by pread, bounded, into a memfd that is then
 * sealed; compare size and times before and after. Holes are found by SEEK_DATA on a description of
 * our own: the task's position is shared with the task.
 * Limits: writes through a shared mapping
 * show in the times only when the kernel cleans the page. The result is then a mixture, as it would
 * be for execve. A read that never returns blocks the caller's thread. */
#include "config.h"

#include "loader/shadow/image-copy.h"

#include "brand/base/error.h"
#include "loader/shadow/rewrite.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

#define CHUNK ((gsize) 256 * 1024)
#define TIMEOUT (10 * G_USEC_PER_SEC)

/* The next part with data at or after `at`: its begin and end. Without SEEK_DATA all is data.
 * FALSE: only a hole is left. */
static gboolean
next_data (int fd, gboolean seek, guint64 at, guint64 size, guint64 *begin, guint64 *end)
{
  *begin = at;
  *end = size;
  if (at >= size)
    return FALSE;
  if (!seek)
    return TRUE;
  off_t data = lseek (fd, (off_t) at, SEEK_DATA);
  if (data < 0)
    return errno != ENXIO;
  off_t hole = lseek (fd, data, SEEK_HOLE);
  *begin = (guint64) data;
  if (hole > data)
    *end = MIN ((guint64) hole, size);
  return *begin < size;
}

static gboolean
write_at (int fd, const guint8 *bytes, gsize size, guint64 at)
{
  while (size > 0)
    {
      gssize put = pwrite (fd, bytes, size, (off_t) at);

      if (put < 0 && errno == EINTR)
        continue;
      if (put <= 0)
        return FALSE;
      bytes += put;
      size -= (gsize) put;
      at += (guint64) put;
    }
  return TRUE;
}

gboolean
bz_image_transfer (int from, int to, guint64 size, gboolean fresh, GError **error)
{
  g_autofree guint8 *buffer = g_malloc (CHUNK);
  gint64 deadline = g_get_monotonic_time () + TIMEOUT;
  guint64 at = 0, begin, end;

  if (ftruncate (to, (off_t) size) < 0)
    return bz_fail_errno (error, errno, NULL, "making room for a copy of an image");
  while (next_data (from, fresh, at, size, &begin, &end))
    for (at = begin; at < end;)
      {
        gssize got = pread (from, buffer, MIN (CHUNK, end - at), (off_t) at);

        if (got < 0 && errno == EINTR)
          continue;
        if (got < 0)
          return bz_fail_errno (error, errno, NULL, "reading an image");
        if (got == 0)
          return bz_fail (error, BZ_ERROR_STATE, "it became shorter meanwhile", NULL,
                          "reading an image");
        if (!write_at (to, buffer, (gsize) got, at))
          return bz_fail_errno (error, errno, NULL, "writing a copy of an image");
        at += (guint64) got;
        if (g_get_monotonic_time () > deadline)
          return bz_fail (error, BZ_ERROR_STATE, "it takes too long", NULL, "reading an image");
      }
  return TRUE;
}

static int
make_memfd (void)
{
  int fd = memfd_create ("brandzone-image", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

  if (fd < 0 && errno == EINVAL)
    fd = memfd_create ("brandzone-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  return fd;
}

static gboolean
is_same (const struct stat *before, const struct stat *after)
{
  return before->st_size == after->st_size && before->st_ino == after->st_ino
         && before->st_ctim.tv_sec == after->st_ctim.tv_sec
         && before->st_ctim.tv_nsec == after->st_ctim.tv_nsec
         && before->st_mtim.tv_sec == after->st_mtim.tv_sec
         && before->st_mtim.tv_nsec == after->st_mtim.tv_nsec;
}

static gboolean
copy_sealed (int from, gboolean fresh, const struct stat *before, int to, GError **error)
{
  struct stat after;

  if (!bz_image_transfer (from, to, (guint64) before->st_size, fresh, error))
    return FALSE;
  if (fstat (from, &after) < 0)
    return bz_fail_errno (error, errno, NULL, "looking at an image");
  if (!is_same (before, &after))
    return bz_fail (error, BZ_ERROR_STATE, "it changed meanwhile", NULL, "reading an image");
  if (fcntl (to, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
    return bz_fail_errno (error, errno, NULL, "sealing a copy of an image");
  return TRUE;
}

/* A description of its own of the same file, or -1. Only of a file known to be regular: opening has
 * no effect. */
static int
reopen (int fd)
{
  char path[64];

  g_snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
  return open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

int
bz_image_copy (int fd, guint64 limit, GError **error)
{
  struct stat st;

  if (fstat (fd, &st) < 0)
    {
      bz_fail_errno (error, errno, NULL, "looking at an image");
      return -1;
    }
  if (!S_ISREG (st.st_mode) || st.st_size < 0 || (guint64) st.st_size > limit)
    {
      bz_fail (error, BZ_ERROR_INPUT,
               S_ISREG (st.st_mode) ? "it is too long" : "it is no regular file", NULL,
               "copying an image");
      return -1;
    }
  int own = reopen (fd), memfd = make_memfd ();
  if (memfd < 0)
    bz_fail_errno (error, errno, NULL, "making a file in memory");
  else if (!copy_sealed (own >= 0 ? own : fd, own >= 0, &st, memfd, error))
    {
      close (memfd);
      memfd = -1;
    }
  if (own >= 0)
    close (own);
  return memfd;
}

/* --- what a copy holds --- */

/* TRUE: yes, or it can't be read. */
static gboolean
part_holds_constant (int fd, guint64 begin, guint64 end, guint8 *buffer)
{
  while (end - begin >= 4)
    {
      gssize got = pread (fd, buffer, MIN (CHUNK, end - begin), (off_t) begin);

      if (got < 4 || bz_vsyscall_next (buffer, (gsize) got, 0) < (gsize) got)
        return TRUE;
      begin += (guint64) got - 3; /* one may lie across */
    }
  return FALSE;
}

static gboolean
is_x86_64 (int fd)
{
  Elf64_Ehdr header;
  gssize got = pread (fd, &header, sizeof header, 0);

  return got < 0
         || (got == sizeof header && memcmp (header.e_ident, ELFMAG, SELFMAG) == 0
             && header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB
             && GUINT16_FROM_LE (header.e_machine) == EM_X86_64);
}

gboolean
bz_image_may_call_vsyscall (int memfd)
{
  g_autofree guint8 *buffer = g_malloc (CHUNK);
  struct stat st;
  guint64 at = 0, begin, end;

  if (fstat (memfd, &st) < 0)
    return TRUE;
  if (!is_x86_64 (memfd))
    return FALSE;
  for (; next_data (memfd, TRUE, at, (guint64) st.st_size, &begin, &end); at = end)
    if (part_holds_constant (memfd, begin - MIN (begin, 3), end, buffer))
      return TRUE;
  return FALSE;
}

char *
bz_image_checksum (int fd, const char *salt, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8 *buffer = g_malloc (CHUNK);
  guint64 at = 0;
  gssize got;

  while ((got = pread (fd, buffer, CHUNK, (off_t) at)) != 0)
    {
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        {
          bz_fail_errno (error, errno, NULL, "reading an image");
          return NULL;
        }
      g_checksum_update (checksum, buffer, got);
      at += (guint64) got;
    }
  g_checksum_update (checksum, (const guchar *) salt, (gssize) strlen (salt));
  return g_strdup (g_checksum_get_string (checksum));
}
