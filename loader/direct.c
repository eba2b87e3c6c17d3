/* One program, no zone: the caller's process stands in for the program.
 *
 * Problem: who starts an old program by `brandzone run ./program` has a shell with job control, a
 * terminal, pipes and a script around it, all of which deal with the process that they started. A
 * terminal of the zone's own between them takes Ctrl-Z, /dev/tty and background reads away, and a
 * program in another session has no controlling terminal.
 *
 * Facts: a terminal's signals go to its foreground process group; a process may open /dev/tty and
 * be stopped by Ctrl-Z only inside the terminal's session; an orphaned process group can't be
 * stopped so. A process joins a pid namespace without leaving its session and process group.
 *
 * Choice: the zone starts idle, and the program joins it as a child of the caller (join.c), in its
 * session and process group. The kernel then does the rest: the terminal's signals reach the
 * program directly (they are not passed on a second time), fg and bg continue both. What is sent to
 * the caller alone is passed on. When the program alone stops, the caller stops too; when it is
 * continued, so is the program. When the caller dies, the keeper ends the zone.
 *
 * Limits: a signal that one process sends to the whole group arrives twice. getpgrp(2) and
 * getsid(2) tell the program 0, since its group's leader is outside its pid namespace. What it
 * leaves running ends with it. */
#include "config.h"

#include "loader/direct.h"

#include "brand/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* TRUE when it has ended. */
static gboolean
look (pid_t pid, BzEnd *end)
{
  int status;

  while (waitpid (pid, &status, WNOHANG | WUNTRACED) == pid)
    {
      if (!WIFSTOPPED (status))
        {
          end->wait_status = status;
          return TRUE;
        }
      kill (getpid (), SIGSTOP);
      kill (pid, SIGCONT);
    }
  return FALSE;
}

gboolean
bz_direct_attend (pid_t pid, BzEnd *end, GError **error)
{
  static const int watched[] = { SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
                                 SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD };
  struct signalfd_siginfo info;
  sigset_t mask;

  sigemptyset (&mask);
  for (guint i = 0; i < G_N_ELEMENTS (watched); i++)
    sigaddset (&mask, watched[i]);
  sigprocmask (SIG_BLOCK, &mask, NULL);
  int signals = signalfd (-1, &mask, SFD_CLOEXEC);
  if (signals < 0)
    return bz_fail_errno (error, errno, NULL, "cannot watch signals");

  while (!look (pid, end))
    {
      ssize_t got = read (signals, &info, sizeof info);
      if (got < 0 && errno != EINTR)
        break;
      if (got == sizeof info && info.ssi_signo != SIGCHLD && info.ssi_code != SI_KERNEL)
        kill (pid, (int) info.ssi_signo);
    }
  /* What the terminal sent to the program reached this process too. */
  fcntl (signals, F_SETFL, O_NONBLOCK);
  while (read (signals, &info, sizeof info) > 0)
    ;
  close (signals);
  return TRUE;
}
