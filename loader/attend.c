#include "config.h"

#include "loader/attend.h"

#include "brand/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

static const int forwarded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM };

typedef struct {
  const BzAttend *attend;
  struct termios saved;
  gboolean raw; /* the caller's terminal was changed */
  gboolean input_open;
  enum { LINE_START, TILDE, IN_LINE } escape;
  gboolean detached;
  gboolean output_gone; /* the caller's standard output has no reader */
  char pending[16384];  /* input that the terminal had no room for yet */
  gsize pending_start, pending_end;
  int blocking_flags; /* of the terminal, restored at the end */
  int other_side;     /* of the terminal, or -1 */
} Session;

/* --- the caller's terminal --- */

static void
enter_raw_mode (Session *session)
{
  struct termios raw;

  if (session->attend->terminal < 0 || !session->attend->interactive || !isatty (0)
      || tcgetattr (0, &session->saved) != 0)
    return;
  raw = session->saved;
  cfmakeraw (&raw);
  session->raw = tcsetattr (0, TCSADRAIN, &raw) == 0;
}

static void
leave_raw_mode (Session *session)
{
  if (session->raw)
    tcsetattr (0, TCSADRAIN, &session->saved);
}

/* Piped input is nobody's typing: the zone's terminal does not show it again. Programs that
 * want an echo, such as a shell's line editor, make their own. */
static void
echo_no_pipe (const Session *session)
{
  struct termios modes;

  if (!session->attend->interactive || isatty (0)
      || tcgetattr (session->attend->terminal, &modes) != 0)
    return;
  modes.c_lflag &= ~(tcflag_t) ECHO;
  tcsetattr (session->attend->terminal, TCSANOW, &modes);
}

/* login(1) closes its terminal, hangs it up and opens it again. In between, a master whose slaves are
 * all closed would say EIO, as it does when everything has ended: so one is held (Linux 4.13; a
 * console, which is a socket, has none). */
static void
hold_other_side (Session *session)
{
  session->other_side =
      ioctl (session->attend->terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static void
copy_window_size (const Session *session)
{
  struct winsize size;

  if (session->attend->terminal >= 0
      && (ioctl (0, TIOCGWINSZ, &size) == 0 || ioctl (1, TIOCGWINSZ, &size) == 0))
    {
      if (session->attend->resize != NULL)
        session->attend->resize (&size, session->attend->data);
      else
        ioctl (session->attend->terminal, TIOCSWINSZ, &size);
    }
}

/* --- bytes --- */

static gboolean
write_all (int fd, const char *bytes, gsize length)
{
  while (length > 0)
    {
      ssize_t written = write (fd, bytes, length);
      if (written < 0 && errno == EAGAIN)
        {
          struct pollfd room = { fd, POLLOUT, 0 };
          poll (&room, 1, -1);
          continue;
        }
      if (written < 0 && errno == EINTR)
        continue;
      if (written <= 0)
        return FALSE;
      bytes += written;
      length -= (gsize) written;
    }
  return TRUE;
}

/* Filters "~." at the start of a line, as zlogin does; "~~" there sends one tilde. The bytes to
 * pass on go to `out`, which must hold twice the input. */
static gsize
filter_escapes (Session *session, const char *in, gsize length, char *out)
{
  gsize n = 0;

  for (gsize i = 0; i < length; i++)
    {
      char c = in[i];
      if (session->escape == TILDE)
        {
          if (c == '.')
            {
              session->detached = TRUE;
              return n;
            }
          if (c != '~')
            out[n++] = '~';
          session->escape = IN_LINE;
        }
      else if (session->escape == LINE_START && c == '~')
        {
          session->escape = TILDE;
          continue;
        }
      out[n++] = c;
      session->escape = c == '\r' || c == '\n' ? LINE_START : IN_LINE;
    }
  return n;
}

/* Passes on what the terminal has room for. Waiting for room here would be for ever where the
 * command waits to be read itself. */
static void
flush_input (Session *session)
{
  while (session->pending_start < session->pending_end)
    {
      ssize_t written = write (session->attend->terminal, session->pending + session->pending_start,
                               session->pending_end - session->pending_start);
      if (written < 0 && errno == EINTR)
        continue;
      if (written < 0 && errno == EAGAIN)
        return;
      if (written <= 0)
        {
          session->input_open = FALSE;
          break;
        }
      session->pending_start += (gsize) written;
    }
  session->pending_start = session->pending_end = 0;
}

/* Called with nothing pending. */
static void
pump_input (Session *session)
{
  char in[sizeof session->pending / 2];
  ssize_t got = read (0, in, sizeof in);

  if (got < 0 && (errno == EINTR || errno == EAGAIN))
    return;
  if (got <= 0)
    {
      session->input_open = FALSE;
      /* In raw mode a terminal has no other end than its hang-up. */
      session->detached =
          session->attend->leave_at_end || (session->attend->stays && session->raw);
      session->pending[0] = 4; /* what a terminal sends for Ctrl-D */
      session->pending_end = session->detached ? 0 : 1;
    }
  else if (session->raw)
    session->pending_end = filter_escapes (session, in, (gsize) got, session->pending);
  else
    {
      memcpy (session->pending, in, (gsize) got);
      session->pending_end = (gsize) got;
    }
  flush_input (session);
}

/* TRUE while there may be more. When nobody reads the caller's output any more, the command is told
 * as a terminal that hangs up tells it; it is read on, so that it can end. */
static gboolean
pump_output (Session *session)
{
  char bytes[16384];
  ssize_t got = read (session->attend->terminal, bytes, sizeof bytes);

  if (got <= 0)
    return got < 0 && errno == EINTR;
  if (!session->output_gone && !write_all (1, bytes, (gsize) got))
    {
      session->output_gone = TRUE;
      session->detached = session->attend->stays;
      if (!session->detached)
        session->attend->forward (SIGHUP, session->attend->data);
    }
  return TRUE;
}

/* --- waiting --- */

static void
take_signals (Session *session, int signals)
{
  struct signalfd_siginfo info;

  while (read (signals, &info, sizeof info) == sizeof info)
    if (info.ssi_signo == SIGWINCH)
      copy_window_size (session);
    else if (info.ssi_signo == SIGHUP && session->attend->stays)
      session->detached = TRUE;
    else
      session->attend->forward ((int) info.ssi_signo, session->attend->data);
}

static gboolean
wait_loop (Session *session, int signals, GError **error)
{
  const BzAttend *attend = session->attend;
  gboolean output_open = attend->terminal >= 0;

  for (;;)
    {
      struct pollfd fds[] = {
        { attend->end_fd, POLLIN, 0 },
        { signals, POLLIN, 0 },
        { output_open ? attend->terminal : -1, POLLIN, 0 },
        { session->input_open && session->pending_end == 0 ? 0 : -1, POLLIN, 0 },
        { session->pending_end > 0 ? attend->terminal : -1, POLLOUT, 0 },
      };
      if (poll (fds, G_N_ELEMENTS (fds), -1) < 0)
        {
          if (errno == EINTR)
            continue;
          return bz_fail_errno (error, errno, NULL, "cannot wait for the command");
        }
      if (fds[1].revents != 0)
        take_signals (session, signals);
      if (fds[3].revents != 0)
        pump_input (session);
      if (fds[4].revents != 0)
        flush_input (session);
      if (!session->detached && fds[2].revents != 0 && !pump_output (session) && errno != EAGAIN)
        output_open = FALSE; /* EIO: no program of the zone has the terminal open */
      if (session->detached)
        return TRUE;
      if (fds[0].revents != 0 && attend->on_news (attend->data))
        break;
    }
  while (output_open && pump_output (session))
    ;
  return TRUE;
}

static void
fill_mask (sigset_t *mask)
{
  sigemptyset (mask);
  for (guint i = 0; i < G_N_ELEMENTS (forwarded); i++)
    sigaddset (mask, forwarded[i]);
  sigaddset (mask, SIGWINCH);
}

void
bz_attend_hold_signals (sigset_t *saved)
{
  sigset_t mask;

  fill_mask (&mask);
  sigprocmask (SIG_BLOCK, &mask, saved);
}

gboolean
bz_attend (const BzAttend *attend, gboolean *detached, GError **error)
{
  Session session = { .attend = attend, .other_side = -1 };
  sigset_t mask;

  fill_mask (&mask);
  int signals = signalfd (-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);

  if (signals < 0)
    return bz_fail_errno (error, errno, NULL, "cannot watch signals");
  if (attend->terminal >= 0)
    {
      session.blocking_flags = fcntl (attend->terminal, F_GETFL);
      fcntl (attend->terminal, F_SETFL, session.blocking_flags | O_NONBLOCK);
      session.input_open = attend->interactive;
      hold_other_side (&session);
      copy_window_size (&session);
      echo_no_pipe (&session);
      enter_raw_mode (&session);
    }
  sighandler_t broken_pipe = signal (SIGPIPE, SIG_IGN);
  gboolean good = wait_loop (&session, signals, error);
  signal (SIGPIPE, broken_pipe);
  leave_raw_mode (&session);
  if (attend->terminal >= 0)
    fcntl (attend->terminal, F_SETFL, session.blocking_flags);
  if (session.other_side >= 0)
    close (session.other_side);
  close (signals);
  *detached = session.detached;
  return good;
}
