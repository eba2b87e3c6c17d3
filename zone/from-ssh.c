/* Facts: the machine is old: its tar is of 1999 or later (GNU, or BusyBox's, which knows no
 * --one-file-system); its disks are mounted at several places; /proc and the like would be read
 * without end. tar ends with 1 when a file changed while it was read, which a running system's do.
 * Choice: one script for its /bin/sh, nothing left there; file systems of disks are named to tar
 * one by one. ssh keeps the terminal for its questions, so it talks to the user itself. */
#include "config.h"

#include "zone/from-ssh.h"

#include "brand/base/error.h"
#include "zone/names.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SSH_FAILED 255

static const char script[] =
    "cd / || exit 2\n"
    "set -- .\n"
    "while read dev dir type rest; do\n"
    "  case $type in ext2|ext3|ext4|reiserfs|xfs|jfs|btrfs|minix|f2fs)\n"
    "    case $dir in /|/proc*|/dev*|/sys*|/mnt/*|/media/*) ;; *) set -- \"$@\" \".$dir\" ;; esac ;;\n"
    "  esac\n"
    "done 2>/dev/null </proc/mounts\n"
    "alone=\n"
    "if tar --one-file-system -cf /dev/null /dev/null 2>/dev/null; then alone=--one-file-system; fi\n"
    "LC_ALL=C exec tar -cf - $alone --exclude=./proc/* --exclude=./sys/* --exclude=./tmp/* "
    "--exclude=./var/tmp/* --exclude=./mnt/*/* --exclude=./media/*/* --exclude=./run/* \"$@\"\n";

static void G_GNUC_NORETURN
become_ssh (char **argv, const char *fifo, pid_t parent)
{
  sigset_t none;
  int fd;

  prctl (PR_SET_PDEATHSIG, SIGTERM);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
  if (getppid () != parent)
    _exit (SSH_FAILED);
  /* Waits for the installer to read. */
  fd = open (fifo, O_WRONLY);
  if (fd < 0 || dup2 (fd, STDOUT_FILENO) < 0)
    _exit (SSH_FAILED);
  close (fd);
  execvp (argv[0], argv);
  _exit (SSH_FAILED);
}

gboolean
bz_from_ssh_start (const char *host, const char *command, const char *fifo, pid_t *child,
                   GError **error)
{
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  pid_t parent = getpid ();

  if (host[0] == '-' || host[0] == '\0')
    return bz_fail (error, BZ_ERROR_USAGE, "it is no host", "write --from-ssh USER@HOST",
                    "--from-ssh %s", host);
  if (!g_shell_parse_argv (command != NULL ? command : "ssh", NULL, &words, &failure))
    return bz_fail (error, BZ_ERROR_USAGE, failure->message, "write --ssh 'ssh -p 2222'",
                    "--ssh %s", command);
  for (char **word = words; *word != NULL; word++)
    g_ptr_array_add (argv, *word);
  g_ptr_array_add (argv, (char *) "-T");
  g_ptr_array_add (argv, (char *) "--");
  g_ptr_array_add (argv, (char *) host);
  g_ptr_array_add (argv, (char *) script);
  g_ptr_array_add (argv, NULL);
  if (mkfifo (fifo, 0600) < 0)
    return bz_fail_errno (error, errno, NULL, "making %s", fifo);
  *child = fork ();
  if (*child == 0)
    become_ssh ((char **) argv->pdata, fifo, parent);
  return *child > 0 || bz_fail_errno (error, errno, NULL, "starting ssh");
}

gboolean
bz_from_ssh_end (pid_t child, const char *host, gboolean taken, gboolean *doubts, GError **error)
{
  g_autofree char *safe = bz_text_safe (host);
  int status = 0;

  /* What it still sends goes nowhere; a writer without a reader ends by itself. */
  if (!taken)
    kill (child, SIGTERM);
  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    ;
  *doubts = WIFEXITED (status) && WEXITSTATUS (status) == 1;
  if (WIFSIGNALED (status) ? !taken : WEXITSTATUS (status) <= 1)
    return taken;
  g_clear_error (error);
  if (WIFEXITED (status) && WEXITSTATUS (status) == SSH_FAILED)
    return bz_fail (error, BZ_ERROR_FAILED, "ssh did not come to it, or lost it",
                    "see what ssh said, and try again", "the machine %s", safe);
  return bz_fail (error, BZ_ERROR_FAILED, "its tar did not end well",
                  "log in there as root, who may read all of it", "the machine %s", safe);
}
