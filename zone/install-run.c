/* install: scripts of packages, each in a zone of the tree that grows. */
#include "config.h"

#include "zone/install-work.h"

#include "brand/base/error.h"
#include "installer/report.h"
#include "zone/planning.h"
#include "zone/prepare.h"
#include "zone/program.h"
#include "zone/second-stage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void
show_printed (const BzInstallWork *install, const char *what_for, int fd)
{
  char text[4096];
  gssize size = pread (fd, text, sizeof text - 1, 0);

  if (!install->context->verbose || size <= 0)
    return;
  text[size] = '\0';
  g_auto (GStrv) lines = g_strsplit (g_strchomp (text), "\n", 20);
  for (char **line = lines; *line != NULL; line++)
    bz_context_detail (install->context, "%s says: %s", what_for, *line);
}

/* Why the shell of the packages can't be run, in the words that run has for it. */
static void
explain (const BzPrepared *prepared, GError **error)
{
  g_auto (BzProgram) program = { 0 };
  const BzCommand *command = prepared->partition->command;

  bz_program_look (prepared->planning->tree_fd, command->argv[0], bz_command_path (command),
                   &program);
  bz_program_explain_error (&program, prepared->planning->host, error);
}

/* In a child, which ends the zone when we are killed; what the program prints goes to a file. */
static void G_GNUC_NORETURN
live (const BzPrepared *prepared, int printed, int failure)
{
  g_autoptr (GError) error = NULL;
  int nothing = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  BzEnd end = { 0 };

  prctl (PR_SET_PDEATHSIG, SIGTERM);
  dup2 (nothing, STDIN_FILENO);
  dup2 (printed, STDOUT_FILENO);
  dup2 (printed, STDERR_FILENO);
  if (bz_loader_run (prepared->partition, NULL, NULL, &end, &error))
    _exit (bz_end_exit_status (&end));
  g_autofree char *line = bz_report_error_line (error);
  dprintf (failure, "%s", line);
  _exit (1);
}

/* Waits for the end of the child; *line: its error, or NULL. Ends the zone at an interrupt, which the caller
 * holds back and which stays pending. */
static gboolean
wait_for_zone (const BzPrepared *prepared, int failure, char **line)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean interrupted = FALSE;
  sigset_t pending;
  char block[4096];

  for (;;)
    {
      struct pollfd polled = { failure, POLLIN, 0 };
      gssize size;

      if (poll (&polled, 1, 200) <= 0)
        {
          if (!interrupted && sigpending (&pending) == 0
              && (sigismember (&pending, SIGINT) || sigismember (&pending, SIGTERM)))
            {
              interrupted = TRUE;
              bz_loader_stop (prepared->partition->run_dir, 0, NULL);
            }
          continue;
        }
      size = read (failure, block, sizeof block);
      if (size < 0 && errno == EINTR)
        continue;
      if (size <= 0)
        break;
      g_string_append_len (text, block, size);
    }
  *line = text->len > 0 ? g_strdup (g_strchomp (text->str)) : NULL;
  return !interrupted;
}

static gboolean
run_zone (const BzPrepared *prepared, int printed, int *exit_status, GError **error)
{
  g_autofree char *line = NULL;
  int failure[2], status = 0;
  gboolean finished;

  if (pipe2 (failure, O_CLOEXEC) < 0)
    return bz_fail_errno (error, errno, NULL, "starting a zone");
  fflush (NULL);
  pid_t child = fork ();
  if (child == 0)
    live (prepared, printed, failure[1]);
  close (failure[1]);
  if (child < 0)
    {
      close (failure[0]);
      return bz_fail_errno (error, errno, NULL, "starting a zone");
    }
  finished = wait_for_zone (prepared, failure[0], &line);
  close (failure[0]);
  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    ;
  if (!finished)
    return bz_fail (error, BZ_ERROR_INTERRUPTED, "interrupted", NULL, "running a script");
  if (line != NULL)
    {
      bz_report_error_parse (line, error);
      return FALSE;
    }
  *exit_status = WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
  return TRUE;
}

/* A script of a package, in a zone of the tree that grows. */
gboolean
bz_install_run (const BzInstallRun *run, int *exit_status, gpointer data, GError **error)
{
  BzInstallWork *install = data;
  BzContext quietly = *install->context; /* what is to be said of the tree is said at the end */
  quietly.quiet = TRUE;
  g_autoptr (BzPrepared) prepared =
      bz_prepare_unfinished (&quietly, install->arguments, install->state, run->tree,
                             (const char *const *) run->argv, error);
  int printed;
  gboolean ran;

  install->ran = TRUE;
  if (prepared == NULL)
    return FALSE;
  printed = memfd_create ("printed", MFD_CLOEXEC);
  if (printed < 0)
    return bz_fail_errno (error, errno, NULL, "running %s", run->argv[0]);
  g_free (prepared->partition->command->directory);
  prepared->partition->command->directory = g_strdup (run->directory);
  ran = run_zone (prepared, printed, exit_status, error);
  show_printed (install, run->what_for, printed);
  close (printed);
  bz_prepared_finish (prepared, install->context);
  if (!ran)
    explain (prepared, error);
  return ran;
}
