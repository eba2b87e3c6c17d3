/* Compiled filters, kept.
 *
 * Problem: libseccomp takes time for each rule, `run` shall take 15 ms in all, and plans will come
 * to trap more. (With today's rows, about 20 trapped calls, it is 0.4 ms; a hit is half of that.)
 *
 * Choice: one file per program, named by what it depends on (bz_compile_key), written beside and
 * renamed, so that readers see a whole file or none. A file is believed only when its header, its
 * checksum and bz_compile_verify agree: a damaged or planted one costs a compilation, never a wrong
 * filter.
 *
 * Limits: nothing ages out; an entry has a few hundred instructions of eight bytes.
 */
#include "config.h"

#include "syscall-xlat/filter.h"

#include "brand/base/error.h"
#include "syscall-xlat/compile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGEST_LENGTH 32

typedef struct {
  char magic[8];
  guint32 version;
  guint32 count;                /* instructions behind this header */
  guint8 digest[DIGEST_LENGTH]; /* SHA-256 of the instructions */
} Header;

_Static_assert(sizeof (Header) == 48, "the header has no padding");

static const char magic[8] = "BZFILTER";
#define VERSION 1u

static void
digest_of (const void *program, gsize size, guint8 digest[DIGEST_LENGTH])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize length = DIGEST_LENGTH;

  g_checksum_update (checksum, program, (gssize) size);
  g_checksum_get_digest (checksum, digest, &length);
}

/* Reads exactly `size` bytes. */
static gboolean
read_all (int fd, void *buffer, gsize size)
{
  gsize got = 0;

  while (got < size)
    {
      ssize_t n = read (fd, (char *) buffer + got, size - got);

      if (n > 0)
        got += (gsize) n;
      else if (n == 0 || errno != EINTR)
        return FALSE;
    }
  return TRUE;
}

static gboolean
write_all (int fd, const void *buffer, gsize size)
{
  gsize put = 0;

  while (put < size)
    {
      ssize_t n = write (fd, (const char *) buffer + put, size - put);

      if (n >= 0)
        put += (gsize) n;
      else if (errno != EINTR)
        return FALSE;
    }
  return TRUE;
}

/* The program of an open entry, or NULL when it is not whole. */
static GBytes *
read_entry (int fd)
{
  struct stat status;
  Header header;
  guint8 digest[DIGEST_LENGTH];
  g_autofree void *program = NULL;
  gsize size;

  if (fstat (fd, &status) < 0 || !S_ISREG (status.st_mode)
      || !read_all (fd, &header, sizeof header))
    return NULL;
  if (memcmp (header.magic, magic, sizeof magic) != 0 || header.version != VERSION
      || header.count == 0 || header.count > BPF_MAXINSNS)
    return NULL;
  size = header.count * sizeof (struct sock_filter);
  if (status.st_size != (off_t) (sizeof header + size))
    return NULL;
  program = g_malloc (size);
  if (!read_all (fd, program, size))
    return NULL;
  digest_of (program, size, digest);
  if (memcmp (digest, header.digest, sizeof digest) != 0)
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&program), size);
}

static GBytes *
load (const BzPlan *plan, const char *path)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  g_autoptr (GBytes) program = NULL;
  const struct sock_filter *code;
  gsize size;

  if (fd < 0)
    return NULL;
  program = read_entry (fd);
  close (fd);
  if (program == NULL)
    return NULL;
  code = g_bytes_get_data (program, &size);
  if (!bz_compile_verify (plan, code, size / sizeof *code, NULL))
    return NULL;
  return g_steal_pointer (&program);
}

/* Failing to store is no error: the next start compiles again. */
static void
store (const char *path, GBytes *program)
{
  g_autofree char *beside = g_strdup_printf ("%s.XXXXXX", path);
  Header header = { .version = VERSION };
  gsize size;
  const void *code = g_bytes_get_data (program, &size);
  gboolean written;
  int fd = g_mkstemp_full (beside, O_WRONLY | O_CLOEXEC, 0644);

  if (fd < 0)
    return;
  memcpy (header.magic, magic, sizeof magic);
  header.count = (guint32) (size / sizeof (struct sock_filter));
  digest_of (code, size, header.digest);
  written = write_all (fd, &header, sizeof header) && write_all (fd, code, size);
  if (close (fd) < 0 || !written || g_rename (beside, path) < 0)
    g_unlink (beside);
}

GBytes *
bz_filter_cached (const BzPlan *plan, const char *cache_dir, gboolean *needed, GError **error)
{
  g_autofree char *key = NULL, *name = NULL, *path = NULL;
  GBytes *program;

  *needed = bz_compile_needed (plan);
  if (!*needed)
    return g_bytes_new (NULL, 0);
  if (cache_dir == NULL)
    return bz_compile (plan, error);
  key = bz_compile_key (plan);
  name = g_strconcat (key, ".filter", NULL);
  path = g_build_filename (cache_dir, name, NULL);
  program = load (plan, path);
  if (program != NULL)
    return program;
  program = bz_compile (plan, error);
  if (program != NULL && (g_mkdir_with_parents (cache_dir, 0755) == 0 || errno == EEXIST))
    store (path, program);
  return program;
}
