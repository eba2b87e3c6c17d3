/* The caller's side of brandzone-rewriter.
 *
 * Problem: the process may hang, die, or answer anything at any length.
 *
 * Choice: posix_spawn (callers have threads), an empty environment, 10 seconds for everything, an
 * answer of 4 MiB at most, then bz_rewrite_from_bytes() and the old bytes. After that the worst
 * that a hostile image reaches is edits of its own bytes: the zone that made it runs them, as it
 * could without.
 * Limits: a caller that also waits for any child (waitpid -1) may take the status
 * away: the answer then counts alone. */
#include "config.h"

#include "loader/shadow/rewriter-client.h"

#include "brand/base/error.h"
#include "brand/base/libexec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "brandzone-rewriter"
#define TIMEOUT (10 * G_USEC_PER_SEC)
#define LONGEST_ANSWER (4 * 1024 * 1024)
#define IMAGE_FD 3
#define RESULT_FD 4
#define ABOVE 10 /* descriptors are moved here first, so that none is in the way of 3 and 4 */

static int
spawn_with (const char *path, posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes,
            pid_t *pid)
{
  char *const argv[] = { (char *) PROGRAM, NULL };
  char *const environment[] = { NULL };
  sigset_t none, all;

  sigemptyset (&none);
  sigfillset (&all);
  posix_spawnattr_setsigmask (attributes, &none);
  posix_spawnattr_setsigdefault (attributes, &all);
  posix_spawnattr_setflags (attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  return posix_spawn (pid, path, actions, attributes, argv, environment);
}

/* Starts the program; returns 0 or an errno value. */
static int
spawn (const char *path, int image_fd, int result_fd, pid_t *pid)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int failed = posix_spawn_file_actions_init (&actions);

  if (failed != 0)
    return failed;
  failed = posix_spawnattr_init (&attributes);
  if (failed == 0)
    {
      for (int fd = 0; fd <= 2 && failed == 0; fd++)
        failed = posix_spawn_file_actions_addopen (&actions, fd, "/dev/null", O_RDWR, 0);
      if (failed == 0)
        failed = posix_spawn_file_actions_adddup2 (&actions, image_fd, IMAGE_FD);
      if (failed == 0)
        failed = posix_spawn_file_actions_adddup2 (&actions, result_fd, RESULT_FD);
      if (failed == 0)
        failed = spawn_with (path, &actions, &attributes, pid);
      posix_spawnattr_destroy (&attributes);
    }
  posix_spawn_file_actions_destroy (&actions);
  return failed;
}

/* Reads to the end of file. FALSE: time is up, or too much came. */
static gboolean
read_answer (int fd, gint64 deadline, GByteArray *answer)
{
  guint8 buffer[16384];

  for (;;)
    {
      gint64 left = deadline - g_get_monotonic_time ();
      struct pollfd ready = { fd, POLLIN, 0 };

      if (left <= 0)
        return FALSE;
      if (poll (&ready, 1, (int) (left / 1000 + 1)) <= 0)
        continue;
      gssize got = read (fd, buffer, sizeof buffer);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        return got == 0;
      if (answer->len + (gsize) got > LONGEST_ANSWER)
        return FALSE;
      g_byte_array_append (answer, buffer, (guint) got);
    }
}

/* Its status; -1 when somebody else took it. */
static int
reap (pid_t pid)
{
  int status;
  pid_t reaped;

  do
    reaped = waitpid (pid, &status, 0);
  while (reaped < 0 && errno == EINTR);
  return reaped == pid ? status : -1;
}

/* Waits until the process has ended, which it does right after its answer, unless it is hostile by
 * now. */
static int
end (pid_t pid, int pidfd, gint64 deadline, gboolean answered)
{
  struct pollfd ended = { pidfd, POLLIN, 0 };
  gint64 left = 0;

  while (answered && (left = deadline - g_get_monotonic_time ()) > 0)
    if (poll (&ended, 1, (int) (left / 1000 + 1)) > 0)
      break;
  if (!answered || left <= 0)
    kill (pid, SIGKILL); /* not reaped yet: the number is still its own */
  return reap (pid);
}

static gboolean
no_answer (const GByteArray *answer, gboolean answered, int status, GError **error)
{
  g_autofree char *why = NULL;

  if (!answered)
    why = g_strdup ("it took too long, or answered too much");
  else if (WIFSIGNALED (status))
    why = g_strdup_printf ("the rewriter was killed by signal %d", WTERMSIG (status));
  else if (WEXITSTATUS (status) == 2)
    why = g_strdup ("the rewriter can't enter its sandbox");
  else if (answer->len > 0 && answer->len <= BZ_REWRITE_MAX_TEXT)
    {
      why = g_strndup ((const char *) answer->data, answer->len);
      g_strcanon (why, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,.'()-",
                  '?');
    }
  else
    why = g_strdup ("the rewriter failed");
  return bz_fail (error,
                  answered && WIFEXITED (status) && WEXITSTATUS (status) == 2 ? BZ_ERROR_HOST
                                                                              : BZ_ERROR_INPUT,
                  why, NULL, "looking for vsyscalls in an image");
}

static gboolean
take_answer (GByteArray *answer, int image_fd, BzRewrite *result, GError **error)
{
  struct stat st;

  if (fstat (image_fd, &st) < 0)
    return bz_fail_errno (error, errno, NULL, "asking the size of an image");
  g_autoptr (GBytes) bytes = g_bytes_new (answer->data, answer->len);
  if (!bz_rewrite_from_bytes (bytes, (guint64) st.st_size, result, error))
    return FALSE;
  if (bz_rewrite_matches (result, image_fd, error))
    return TRUE;
  bz_rewrite_clear (result);
  return FALSE;
}

static gboolean
run (int image_fd, int read_fd, int *write_fd, BzRewrite *result, GError **error)
{
  g_autoptr (GByteArray) answer = g_byte_array_new ();
  g_autofree char *path = bz_libexec_program (PROGRAM);
  gint64 deadline = g_get_monotonic_time () + TIMEOUT;
  pid_t pid;

  int failed = spawn (path, image_fd, *write_fd, &pid);
  close (*write_fd); /* so that the program's end of it is the last */
  *write_fd = -1;
  if (failed != 0)
    return bz_fail_errno (error, failed, "is brandzone installed completely?", "starting %s", path);

  int pidfd = (int) syscall (SYS_pidfd_open, pid, 0);
  gboolean answered = read_answer (read_fd, deadline, answer) && pidfd >= 0;
  int status = end (pid, pidfd, deadline, answered);
  if (pidfd >= 0)
    close (pidfd);
  if (!answered || (status != 0 && status != -1))
    return no_answer (answer, answered, status, error);
  return take_answer (answer, image_fd, result, error);
}

/* A duplicate of fd above those that the program gets. */
static int
duplicate_above (int fd)
{
  return fcntl (fd, F_DUPFD_CLOEXEC, ABOVE);
}

gboolean
bz_rewriter_run (int image_memfd, BzRewrite *result, GError **error)
{
  int ends[2];

  memset (result, 0, sizeof *result);
  if (pipe2 (ends, O_CLOEXEC) < 0)
    return bz_fail_errno (error, errno, NULL, "making a pipe");
  int image_fd = duplicate_above (image_memfd), write_fd = duplicate_above (ends[1]);
  int saved = errno;
  close (ends[1]);
  gboolean done = image_fd >= 0 && write_fd >= 0
                      ? run (image_fd, ends[0], &write_fd, result, error)
                      : bz_fail_errno (error, saved, NULL, "duplicating an image");
  close (ends[0]);
  if (image_fd >= 0)
    close (image_fd);
  if (write_fd >= 0)
    close (write_fd);
  return done;
}
