/* Starting a helper process and taking what it prints.
 *
 * Choice: as little as possible is inherited: the descriptors that are given, no environment but a
 * PATH and the proxies of the caller, no privileges to gain. Root's helpers have no capabilities left; they keep root's ids, which
 * own the files that they are given. An interrupt, which the installing thread holds back, ends the
 * helper: it is looked for while the helper is read. */
#include "config.h"

#include "installer/helper.h"

#include "brand/base/error.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define OUTPUT_MAX (256 * 1024)
#define FIRST_FD 3
#define SPARE_FD 20 /* above all that helpers are given */
#define PATH "/usr/sbin:/usr/bin:/sbin:/bin"

/* PATH, and what curl(1) and its kin take proxies and trust from. Made before the fork. */
static char **
make_environment (void)
{
  static const char *const passed[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY",  "no_proxy",    "NO_PROXY",
                                        "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR" };
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  g_strv_builder_add (builder, "PATH=" PATH);
  g_strv_builder_add (builder, "LC_ALL=C");
  for (guint i = 0; i < G_N_ELEMENTS (passed); i++)
    {
      const char *value = g_getenv (passed[i]);
      g_autofree char *line = g_strdup_printf ("%s=%s", passed[i], value != NULL ? value : "");
      if (value != NULL)
        g_strv_builder_add (builder, line);
    }
  return g_strv_builder_end (builder);
}

/* In the child. */
static void G_GNUC_NORETURN
become (const char *program, const char *const *argv, const int *fds, guint n_fds, int output,
        int errors, pid_t parent, char **environment)
{
  int nothing = open ("/dev/null", O_RDWR | O_CLOEXEC), moved[SPARE_FD];
  sigset_t none;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
  if (getppid () != parent || nothing < 0 || n_fds >= SPARE_FD - FIRST_FD)
    _exit (127);
  /* First out of the way of the numbers that they get. */
  output = fcntl (output, F_DUPFD, SPARE_FD);
  errors = fcntl (errors, F_DUPFD, SPARE_FD);
  for (guint i = 0; i < n_fds; i++)
    moved[i] = fcntl (fds[i], F_DUPFD, SPARE_FD);
  dup2 (nothing, 0);
  dup2 (output, 1);
  dup2 (errors, 2);
  for (guint i = 0; i < n_fds; i++)
    dup2 (moved[i], FIRST_FD + (int) i);
  syscall (SYS_close_range, FIRST_FD + n_fds, ~0U, 0);
  capng_clear (CAPNG_SELECT_CAPS);
  capng_apply (CAPNG_SELECT_CAPS);
  prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  execve (program, (char *const *) argv, environment);
  _exit (127);
}

gboolean
bz_helper_interrupted (void)
{
  sigset_t pending;

  return sigpending (&pending) == 0
         && (sigismember (&pending, SIGINT) || sigismember (&pending, SIGTERM));
}

/* Reads to the end, or to an interrupt. */
static char *
collect (int fd, pid_t child, BzHelperTick tick, gpointer data)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char block[4096];

  for (;;)
    {
      struct pollfd polled = { fd, POLLIN, 0 };
      gssize size;

      if (poll (&polled, 1, 100) <= 0)
        {
          /* Held back: it stays pending for the one who waits for it. */
          if (bz_helper_interrupted ())
            kill (child, SIGTERM);
          if (tick != NULL)
            tick (data);
          continue;
        }
      size = read (fd, block, sizeof block);
      if (size <= 0)
        break;
      if (text->len < OUTPUT_MAX)
        g_string_append_len (text, block, size);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
find_program (const char *name, GError **error)
{
  g_auto (GStrv) places = g_strsplit (PATH, ":", -1);

  if (name[0] == '/')
    return g_strdup (name);
  for (char **place = places; *place != NULL; place++)
    {
      g_autofree char *path = g_build_filename (*place, name, NULL);

      if (access (path, X_OK) == 0)
        return g_steal_pointer (&path);
    }
  bz_fail (error, BZ_ERROR_HOST, "it is not installed", "install it, and try again", "%s", name);
  return NULL;
}

static char *
run (const char *const *argv, const int *fds, guint n_fds, int output_fd, BzHelperTick tick,
     gpointer data, int *status, GError **error)
{
  g_auto (GStrv) environment = make_environment ();
  g_autofree char *program = find_program (argv[0], error);
  pid_t parent = getpid (), child;
  int ends[2];

  if (program == NULL)
    return NULL;
  if (pipe2 (ends, O_CLOEXEC) < 0)
    {
      bz_fail_errno (error, errno, NULL, "starting %s", argv[0]);
      return NULL;
    }
  int nothing = open ("/dev/null", O_RDWR | O_CLOEXEC);
  child = fork ();
  if (child == 0)
    become (program, argv, fds, n_fds, output_fd < 0 ? ends[1] : output_fd,
            output_fd < 0 ? nothing : ends[1], parent, environment);
  if (nothing >= 0)
    close (nothing);
  close (ends[1]);
  if (child < 0)
    {
      close (ends[0]);
      bz_fail_errno (error, errno, NULL, "starting %s", argv[0]);
      return NULL;
    }
  char *text = collect (ends[0], child, tick, data);
  close (ends[0]);
  while (waitpid (child, status, 0) < 0 && errno == EINTR)
    ;
  *status = WIFEXITED (*status) ? WEXITSTATUS (*status) : 128 + WTERMSIG (*status);
  if (*status != 127)
    return text;
  g_free (text);
  bz_fail (error, BZ_ERROR_FAILED, "it can't be started", "is brandzone installed completely?",
           "%s", argv[0]);
  return NULL;
}

char *
bz_helper_run (const char *const *argv, const int *fds, guint n_fds, int output_fd, int *status,
               GError **error)
{
  return run (argv, fds, n_fds, output_fd, NULL, NULL, status, error);
}

char *
bz_helper_run_watched (const char *const *argv, int output_fd, BzHelperTick tick, gpointer data,
                       int *status, GError **error)
{
  return run (argv, NULL, 0, output_fd, tick, data, status, error);
}
