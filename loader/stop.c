/* Ending a zone from outside.
 *
 * Problem: how an init is made to halt differs: a signal, or a program that talks to it. Such a
 * program waits for init where that has not opened its FIFO yet, or fails.
 * Choice: the keeper sends signals; the program is run by a child of the caller that tries again
 * until it succeeds, and is killed when the zone has ended. The keeper's patience runs all the
 * while, so that nothing that happens inside can hold up the end. */
#include "config.h"

#include "brand/base/error.h"
#include "loader/client.h"
#include "loader/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRY_AGAIN_MS 300

/* NULL: no program is needed, or the zone is gone. */
static char **
ask_halt_command (const char *run_dir)
{
  char **command = NULL;
  int connection = bz_client_connect (run_dir, NULL);

  if (connection < 0)
    return NULL;
  g_autoptr (BzMessage) answer = bz_client_ask (connection, "halt", NULL, NULL, 0, NULL);
  close (connection);
  if (answer != NULL)
    g_variant_dict_lookup (answer->body, "command", "^aay", &command);
  return command;
}

static G_GNUC_NORETURN void
be_halter (const char *run_dir, char **argv, pid_t parent)
{
  char *environment[] = { (char *) "PATH=/sbin:/usr/sbin:/bin:/usr/bin", NULL };
  BzCommand command = { .argv = argv, .environment = environment, .directory = (char *) "/" };
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);
  BzEnd end;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (getppid () != parent)
    _exit (0); /* it has died already */
  for (int fd = 0; fd < 3; fd++)
    dup2 (null, fd);
  while (!bz_loader_exec (run_dir, &command, &end, NULL) || bz_end_exit_status (&end) != 0)
    g_usleep (TRY_AGAIN_MS * 1000);
  _exit (0);
}

/* Returns the child, or 0. */
static pid_t
start_halter (const char *run_dir)
{
  g_auto (GStrv) argv = ask_halt_command (run_dir);
  pid_t parent = getpid (), pid;

  if (argv == NULL || argv[0] == NULL)
    return 0;
  pid = fork ();
  if (pid == 0)
    be_halter (run_dir, argv, parent);
  return MAX (pid, 0);
}

static gboolean
await_end (int connection, GError **error)
{
  gboolean ended = FALSE;

  while (!ended)
    {
      g_autoptr (GError) problem = NULL;
      g_autoptr (BzMessage) answer = bz_message_receive (connection, &ended, &problem);
      if (answer != NULL && !bz_message_check (answer, error))
        return FALSE;
      if (answer == NULL && !ended)
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return FALSE;
        }
    }
  return TRUE;
}

gboolean
bz_loader_stop (const char *run_dir, guint grace_ms, GError **error)
{
  GVariantDict body;
  int connection = bz_client_connect (run_dir, error);

  if (connection < 0)
    return FALSE;
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "grace", "u", (guint32) grace_ms);
  gboolean good = bz_message_send (connection, "stop", g_variant_dict_end (&body), NULL, 0, error);
  pid_t halter = good && grace_ms > 0 ? start_halter (run_dir) : 0;
  good = good && await_end (connection, error);
  close (connection);
  if (halter > 0)
    {
      kill (halter, SIGKILL);
      while (waitpid (halter, NULL, 0) < 0 && errno == EINTR)
        ;
    }
  return good;
}
