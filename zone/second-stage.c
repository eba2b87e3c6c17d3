/* Problem: databases of old package managers can only be written by themselves, and they and the
 * scriptlets of packages die on today's kernels outside a zone (vsyscall, FAILURES P5, P7, P11). The
 * zone is not complete while they run, and must never be seen half made.
 * Choice: the tree is run where it is being made, under a hidden name, by a child that does nothing
 * else; its output comes back through a pipe. What rpm --percent says becomes progress, the rest
 * goes to the log, whose end is told when it fails. The zone's network is none. An interrupt stops
 * the zone; when we are killed, the zone ends by its keeper, and the next command removes the
 * remains. */
#include "config.h"

#include "zone/second-stage.h"

#include "brand/base/error.h"
#include "installer/installer.h"
#include "zone/names.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_LINE 4096
#define LOG_MAX (8 * 1024 * 1024)
#define TOLD_LINES 3
#define TOLD_NOTICES 10
#define GRACE_MS 5000
#define PLACE "/.brandzone/packages"

typedef struct {
  BzMeter *meter;
  GPtrArray *notices;
  FILE *log;
  gsize logged;
  guint64 packages, done;
  gboolean begun; /* percentages go from 0 to 100 for each package */
  char *last[TOLD_LINES];
} Reading;

/* What scriptlets and rpm complain of without failing. */
static gboolean
is_notice (const char *line)
{
  static const char *const words[] = { "scriptlet failed", "script failed", "saved as",
                                       "created as",       "error:",        "cpio:" };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (strstr (line, words[i]) != NULL)
      return TRUE;
  return FALSE;
}

static void
take_line (Reading *reading, const char *line)
{
  if (g_str_has_prefix (line, "%%"))
    {
      gboolean whole = g_ascii_strtod (line + 2, NULL) >= 100;

      if (whole && reading->begun)
        bz_meter_update (reading->meter, 0, 0, ++reading->done);
      reading->begun = !whole;
      return;
    }
  if (g_str_has_prefix (line, "Setting up "))
    bz_meter_update (reading->meter, 0, 0, ++reading->done);
  reading->logged += strlen (line) + 1;
  if (reading->log != NULL && reading->logged < LOG_MAX)
    fprintf (reading->log, "%s\n", line);
  if (*line == '\0')
    return;
  g_free (reading->last[0]);
  memmove (reading->last, reading->last + 1, sizeof (char *) * (TOLD_LINES - 1));
  reading->last[TOLD_LINES - 1] = bz_text_safe (line);
  if (is_notice (line) && reading->notices->len < TOLD_NOTICES)
    g_ptr_array_add (reading->notices, bz_text_safe (line));
}

static void
take_text (Reading *reading, GString *text)
{
  char *end;

  while ((end = strpbrk (text->str, "\n\r")) != NULL || text->len > OUTPUT_LINE)
    {
      gsize length = end != NULL ? (gsize) (end - text->str) : OUTPUT_LINE;
      g_autofree char *line = g_strndup (text->str, length);

      take_line (reading, line);
      g_string_erase (text, 0, (gssize) (length + (end != NULL)));
    }
}

/* Until the pipe's last writer is gone. */
static void
read_output (Reading *reading, int fd, const sigset_t *held, const char *run_dir,
             gboolean *interrupted)
{
  g_autoptr (GString) text = g_string_new (NULL);
  int signals = signalfd (-1, held, SFD_CLOEXEC | SFD_NONBLOCK);
  struct signalfd_siginfo info;
  char block[4096];
  gssize size;

  for (;;)
    {
      struct pollfd polled[2] = { { fd, POLLIN, 0 }, { signals, POLLIN, 0 } };

      if (poll (polled, 2, -1) < 0)
        continue;
      if ((polled[1].revents & POLLIN) != 0 && read (signals, &info, sizeof info) > 0)
        {
          *interrupted = TRUE;
          bz_loader_stop (run_dir, GRACE_MS, NULL);
        }
      if (polled[0].revents == 0)
        continue;
      size = read (fd, block, sizeof block);
      if (size <= 0)
        break;
      for (gssize i = 0; i < size; i++)
        if (block[i] == '\0')
          block[i] = ' ';
      g_string_append_len (text, block, size);
      take_text (reading, text);
    }
  if (text->len > 0)
    take_line (reading, text->str);
  if (signals >= 0)
    close (signals);
}

/* In the child: the zone's whole life. */
static int
live (const BzPrepared *prepared, int output, int failure)
{
  g_autoptr (GError) error = NULL;
  int nothing = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  BzEnd end = { 0 };

  prctl (PR_SET_PDEATHSIG, SIGTERM);
  dup2 (nothing, 0);
  dup2 (output, 1);
  dup2 (output, 2);
  close (output);
  if (bz_loader_run (prepared->partition, NULL, NULL, &end, &error))
    return bz_end_exit_status (&end);
  dprintf (failure, "%s", error->message);
  return 125;
}

static gboolean
run_zone (const BzPrepared *prepared, Reading *reading, const BzZoneState *state, GError **error)
{
  int output[2], failure[2], status = 0;
  gboolean interrupted = FALSE;
  char why[1024] = "";
  sigset_t held, old;
  gssize size;

  if (pipe2 (output, O_CLOEXEC) < 0 || pipe2 (failure, O_CLOEXEC) < 0)
    return bz_fail_errno (error, errno, NULL, "starting zone %s", state->name);
  sigemptyset (&held);
  sigaddset (&held, SIGINT);
  sigaddset (&held, SIGTERM);
  sigprocmask (SIG_BLOCK, &held, &old);
  fflush (NULL);
  pid_t child = fork ();
  if (child == 0)
    {
      close (output[0]);
      close (failure[0]);
      _exit (live (prepared, output[1], failure[1]));
    }
  close (output[1]);
  close (failure[1]);
  if (child > 0)
    {
      read_output (reading, output[0], &held, prepared->partition->run_dir, &interrupted);
      while (waitpid (child, &status, 0) < 0 && errno == EINTR)
        ;
    }
  size = read (failure[0], why, sizeof why - 1);
  close (output[0]);
  close (failure[0]);
  sigprocmask (SIG_SETMASK, &old, NULL);
  if (interrupted)
    return bz_fail (error, BZ_ERROR_INTERRUPTED, "it was interrupted",
                    "nothing of the zone is left", "brandzone install");
  if (child > 0 && WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return TRUE;
  if (size > 0)
    return bz_fail (error, BZ_ERROR_FAILED, why, NULL, "running the zone's package manager");
  g_autoptr (GString) said = g_string_new (NULL);
  for (guint i = 0; i < TOLD_LINES; i++)
    if (reading->last[i] != NULL)
      g_string_append_printf (said, "%s%s", said->len > 0 ? " / " : "", reading->last[i]);
  return bz_fail (error, BZ_ERROR_FAILED,
                  said->len > 0 ? said->str : "it said nothing before it ended", NULL,
                  "the zone's package manager (exit status %d)",
                  child < 0             ? 125
                  : WIFEXITED (status) ? WEXITSTATUS (status)
                                       : 128 + WTERMSIG (status));
}

/* For a plain user the files belong to subordinate ids. */
static gboolean
remove_packages (const BzZoneState *state, const char *tree, GError **error)
{
  g_autofree char *path = g_build_filename (tree, ".brandzone", NULL);
  gboolean root = geteuid () == 0;

  return bz_installer_remove (path, root ? NULL : state->uids, root ? NULL : state->gids, error);
}

gboolean
bz_second_stage (const BzContext *context, const BzArguments *arguments, const BzZoneState *state,
                 const char *place, const BzPackageData *data, guint64 packages, BzMeter *meter,
                 GPtrArray *notices, GError **error)
{
  g_autofree char *tree = g_build_filename (place, "root", NULL);
  g_autofree char *log = g_build_filename (place, "install.log", NULL);
  const char *argv[] = { "/bin/sh", "-c", data->script, "brandzone", PLACE, NULL };
  g_autoptr (BzPrepared) prepared =
      bz_prepare_unfinished (context, arguments, state, tree, argv, error);
  Reading reading = { .meter = meter, .notices = notices, .packages = packages };

  if (prepared == NULL)
    return FALSE;
  reading.log = fopen (log, "we");
  gboolean good = run_zone (prepared, &reading, state, error);
  if (reading.log != NULL)
    fclose (reading.log);
  for (guint i = 0; i < TOLD_LINES; i++)
    g_free (reading.last[i]);
  return good && remove_packages (state, tree, error);
}
