/* brandzone-rewriter: reads an image from descriptor 3, writes its edits to descriptor 4, and ends.
 *
 * Problem: libelf and capstone parse what a zone's users wrote.
 *
 * Choice: before the first byte is read the process gives up everything: no other descriptor, no
 * new one, no privileges to gain, seconds of processor time, memory in proportion to the image, and
 * a list of allowed calls in which nothing opens, connects, forks or signals. What it can still do
 * is lie: bz_rewriter_run() believes nothing that it can check. The image is a private copy that
 * nobody can change (image-copy.h), and is read, never mapped. The answer is BZ_REWRITE_VARIANT in
 * the machine's byte order; status 1 and a line in place of it: an error, status 2: no sandbox. */
#include "config.h"

#include "brand/base/error.h"
#include "loader/shadow/rewrite.h"
#include "loader/shadow/vdso.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define IMAGE_FD 3
#define RESULT_FD 4
#define CPU_SECONDS 8
#define MEMORY ((rlim_t) 256 << 20) /* beside the image */

/* Sanitizers map terabytes and call more. */
#if defined(__SANITIZE_ADDRESS__)
#define BZ_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BZ_SANITIZED
#endif
#endif

static gboolean
limit (__rlimit_resource_t resource, rlim_t value)
{
  struct rlimit both = { value, value };

  return setrlimit (resource, &both) == 0;
}

#ifndef BZ_SANITIZED
static const int allowed[] = {
  SCMP_SYS (pread64),      SCMP_SYS (write),   SCMP_SYS (brk),       SCMP_SYS (munmap),
  SCMP_SYS (mremap),       SCMP_SYS (madvise), SCMP_SYS (exit),      SCMP_SYS (exit_group),
  SCMP_SYS (rt_sigreturn), SCMP_SYS (futex),   SCMP_SYS (getrandom), SCMP_SYS (sysinfo),
};

/* The C library's qsort asks how much memory there is: by sysinfo, or by a file in older ones. */
static const int refused[] = { SCMP_SYS (open), SCMP_SYS (openat) };

static gboolean
install_filter (void)
{
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_KILL_PROCESS);
  int result = filter == NULL ? -ENOMEM : 0;

  for (gsize i = 0; result == 0 && i < G_N_ELEMENTS (allowed); i++)
    result = seccomp_rule_add (filter, SCMP_ACT_ALLOW, allowed[i], 0);
  for (gsize i = 0; result == 0 && i < G_N_ELEMENTS (refused); i++)
    result = seccomp_rule_add (filter, SCMP_ACT_ERRNO (EACCES), refused[i], 0);
  /* Memory without a file and never executable. */
  if (result == 0)
    result =
        seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (mmap), 2,
                          SCMP_A2 (SCMP_CMP_MASKED_EQ, 4, 0), SCMP_A4 (SCMP_CMP_EQ, G_MAXUINT32));
  if (result == 0)
    result =
        seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (mmap), 2,
                          SCMP_A2 (SCMP_CMP_MASKED_EQ, 4, 0), SCMP_A4 (SCMP_CMP_EQ, G_MAXUINT64));
  if (result == 0)
    result = seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (mprotect), 1,
                               SCMP_A2 (SCMP_CMP_MASKED_EQ, 4, 0));
  if (result == 0)
    result = seccomp_load (filter);
  seccomp_release (filter);
  return result == 0;
}
#endif

static gboolean
enter_sandbox (rlim_t image_size)
{
  gboolean entered = prctl (PR_SET_PDEATHSIG, SIGKILL) == 0 && prctl (PR_SET_DUMPABLE, 0) == 0
                     && prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                     && syscall (SYS_close_range, RESULT_FD + 1, ~0U, 0) == 0
                     && limit (RLIMIT_CPU, CPU_SECONDS) && limit (RLIMIT_CORE, 0);

#ifndef BZ_SANITIZED
  entered = entered && limit (RLIMIT_AS, image_size + MEMORY) && limit (RLIMIT_NOFILE, 0)
            && install_filter ();
#else
  (void) image_size;
#endif
  return entered;
}

static gboolean
read_all (guint8 *image, gsize size)
{
  gsize done = 0;

  while (done < size)
    {
      gssize got = pread (IMAGE_FD, image + done, size - done, (off_t) done);

      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        return FALSE;
      done += (gsize) got;
    }
  return TRUE;
}

static gboolean
write_all (gconstpointer data, gsize size)
{
  const guint8 *bytes = data;

  while (size > 0)
    {
      gssize put = write (RESULT_FD, bytes, size);

      if (put < 0 && errno == EINTR)
        continue;
      if (put <= 0)
        return FALSE;
      bytes += put;
      size -= (gsize) put;
    }
  return TRUE;
}

static gboolean
answer (const guint8 *image, gsize size, const BzVdso *vdso)
{
  g_autoptr (GError) error = NULL;
  g_auto (BzRewrite) rewrite = { 0 };

  if (!bz_rewrite_find (image, size, &rewrite, &error))
    {
      const BzErrorParts *parts = bz_error_parts (error);
      const char *why = parts != NULL ? parts->why : error->message;

      write_all (why, strlen (why));
      return FALSE;
    }
  bz_rewrite_use_vdso (image, size, vdso, &rewrite);
  g_autoptr (GVariant) variant = g_variant_ref_sink (bz_rewrite_to_variant (&rewrite));
  return write_all (g_variant_get_data (variant), g_variant_get_size (variant));
}

int
main (void)
{
  struct stat st;
  BzVdso vdso;

  bz_vdso_read (&vdso);
  if (fstat (IMAGE_FD, &st) < 0 || !S_ISREG (st.st_mode) || st.st_size < 0
      || (guint64) st.st_size > BZ_REWRITE_MAX_IMAGE || !enter_sandbox ((rlim_t) st.st_size))
    return 2;

  g_autofree guint8 *image = g_try_malloc (MAX ((gsize) st.st_size, 1));
  if (image == NULL || !read_all (image, (gsize) st.st_size))
    return 1;
  return answer (image, (gsize) st.st_size, &vdso) ? 0 : 1;
}
