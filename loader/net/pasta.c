/* Problem: a plain user can make no interface on the host. pasta gives a namespace one whose packets it
 * carries by sockets of its own; but it does not end with the namespace that it was given by number, and
 * forgets its parent-death signal as it joins the user namespace (seen).
 *
 * Choice: a watcher, a fork of the keeper, is the parent of pasta (PR_SET_CHILD_SUBREAPER: pasta goes to
 * the background when it is ready, which tells of success). It ends pasta at the end of file of a pipe
 * that the keeper holds: so the death of the keeper, however it comes, ends both. The keeper has a
 * descriptor of pasta itself, for the case that the watcher is killed.
 *
 * --no-map-gw: the gateway's address would lead to services on the user's own loopback, which trust
 * who reaches them. -T and -U none for the same reason. */
#include "config.h"

#include "loader/net/pasta.h"

#include "brand/base/error.h"
#include "loader/kernel.h"
#include "loader/message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define DNS_ADDRESS "169.254.1.1"
#define COMPLAINT_MAX 2000

/* --- its arguments --- */

static void
add (GPtrArray *argv, const char *option, const char *value)
{
  g_ptr_array_add (argv, g_strdup (option));
  if (value != NULL)
    g_ptr_array_add (argv, g_strdup (value));
}

static void
add_ports (GPtrArray *argv, const BzNetSettings *settings, gboolean udp)
{
  const char *option = udp ? "-u" : "-t";
  gboolean any = FALSE;

  for (guint i = 0; i < settings->publish->len; i++)
    {
      const BzPublish *publish = g_ptr_array_index (settings->publish, i);
      if (publish->udp != udp)
        continue;
      g_autofree char *spec =
          publish->address != NULL
              ? g_strdup_printf ("%s/%u:%u", publish->address, publish->outside, publish->inside)
              : g_strdup_printf ("%u:%u", publish->outside, publish->inside);
      add (argv, option, spec);
      any = TRUE;
    }
  if (!any)
    add (argv, option, "none");
}

static gboolean
host_has_name_server (void)
{
  g_autofree char *text = NULL;

  return g_file_get_contents ("/etc/resolv.conf", &text, NULL, NULL)
         && (g_str_has_prefix (text, "nameserver") || strstr (text, "\nnameserver") != NULL);
}

static GPtrArray *
arguments (const BzNetSettings *settings, const char *mac, pid_t init)
{
  GPtrArray *argv = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *pid = g_strdup_printf ("%d", (int) init);

  add (argv, "pasta", NULL);
  add (argv, "--quiet", NULL);
  if (settings->configure != BZ_CONFIGURE_NONE)
    add (argv, "--config-net", NULL);
  add (argv, "--no-map-gw", NULL);
  add (argv, "--ns-ifname", settings->interface != NULL ? settings->interface : "eth0");
  if (mac != NULL)
    add (argv, "--ns-mac-addr", mac);
  if (settings->address != NULL)
    add (argv, "--address", settings->address);
  if (settings->address6 != NULL)
    add (argv, "--address", settings->address6);
  if (settings->gateway != NULL)
    add (argv, "--gateway", settings->gateway);
  if (host_has_name_server ())
    add (argv, "--dns-forward", DNS_ADDRESS);
  add_ports (argv, settings, FALSE);
  add_ports (argv, settings, TRUE);
  add (argv, "-T", "none");
  add (argv, "-U", "none");
  add (argv, pid, NULL);
  g_ptr_array_add (argv, NULL);
  return argv;
}

/* --- the watcher --- */

/* Its words, without what the library for the system's log adds where there is none. */
static char *
read_complaint (int fd)
{
  char text[COMPLAINT_MAX];
  gsize length = 0;
  gssize got;

  while (length < sizeof text - 1 && (got = read (fd, text + length, sizeof text - 1 - length)) > 0)
    length += (gsize) got;
  text[length] = '\0';
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  const char *last = "it does not say why";
  for (char **line = lines; *line != NULL; line++)
    if (**line != '\0' && !g_str_has_prefix (*line, "Failed to send"))
      last = *line;
  return g_strdup (last);
}

/* The only child that is left is the one in the background. */
static pid_t
find_child (void)
{
  g_autofree char *text = NULL;
  guint64 pid;

  if (!g_file_get_contents ("/proc/thread-self/children", &text, NULL, NULL)
      || !g_ascii_string_to_unsigned (g_strstrip (text), 10, 1, G_MAXINT, &pid, NULL))
    return 0;
  return (pid_t) pid;
}

/* Returns the number of the process in the background, or 0 with error. */
static pid_t
start_pasta (GPtrArray *argv, GError **error)
{
  int complaints[2], status = 0;
  pid_t child;

  if (pipe2 (complaints, O_CLOEXEC) != 0 || (child = fork ()) < 0)
    {
      bz_fail_errno (error, errno, NULL, "cannot start pasta");
      return 0;
    }
  if (child == 0)
    {
      signal (SIGPIPE, SIG_DFL);
      dup2 (complaints[1], 2);
      execvp (argv->pdata[0], (char **) argv->pdata);
      dprintf (2, "%s\n", strerror (errno));
      _exit (BZ_EXIT_BRANDZONE);
    }
  close (complaints[1]);
  g_autofree char *said = read_complaint (complaints[0]);
  close (complaints[0]);
  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    ;
  pid_t daemon = WIFEXITED (status) && WEXITSTATUS (status) == 0 ? find_child () : 0;
  if (daemon == 0)
    bz_fail (error, BZ_ERROR_HOST, said,
             "see `brandzone doctor`, pasta; --network none does without",
             "pasta does not connect the zone");
  return daemon;
}

/* Until the keeper's end of the pipe is closed, or pasta has ended. */
static void
watch (int life, pid_t daemon)
{
  int pidfd = bz_pidfd_open (daemon);
  struct pollfd fds[] = { { life, POLLIN, 0 }, { pidfd, POLLIN, 0 } };

  while (poll (fds, G_N_ELEMENTS (fds), -1) < 0 && errno == EINTR)
    ;
  kill (daemon, SIGKILL); /* our child: the number is its own until we wait */
  while (waitpid (daemon, NULL, 0) < 0 && errno == EINTR)
    ;
}

static G_GNUC_NORETURN void
be_watcher (GPtrArray *argv, int life, int socket)
{
  g_autoptr (GError) error = NULL;
  GVariantDict body;

  prctl (PR_SET_NAME, "bz-network");
  prctl (PR_SET_CHILD_SUBREAPER, 1);
  /* Whatever the keeper holds, locks among it, is not held by the watcher. */
  int kept[] = { dup3 (life, 200, O_CLOEXEC), dup3 (socket, 201, O_CLOEXEC) };
  bz_close_range (3, 199, 0);
  bz_close_range (202, ~0U, 0);
  pid_t daemon = start_pasta (argv, &error);
  if (daemon == 0)
    {
      bz_message_send_error (kept[1], error, NULL);
      _exit (1);
    }
  int pidfd = bz_pidfd_open (daemon);
  g_variant_dict_init (&body, NULL);
  bz_message_send (kept[1], "connected", g_variant_dict_end (&body), &pidfd, 1, NULL);
  close (pidfd);
  close (kept[1]);
  watch (kept[0], daemon);
  _exit (0);
}

/* --- the keeper's side --- */

gboolean
bz_pasta_start (const BzNetSettings *settings, const char *mac, pid_t init, BzPasta *pasta,
                char **resolv, GError **error)
{
  g_autoptr (GPtrArray) argv = arguments (settings, mac, init);
  int life[2], pair[2];

  *pasta = (BzPasta){ .life = -1, .pasta = -1 };
  if (pipe2 (life, O_CLOEXEC) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make a pipe");
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    {
      int saved = errno;
      close (life[0]);
      close (life[1]);
      return bz_fail_errno (error, saved, NULL, "cannot make a socket pair");
    }
  pasta->watcher = fork ();
  if (pasta->watcher == 0)
    be_watcher (argv, life[0], pair[1]);
  close (life[0]);
  close (pair[1]);
  pasta->life = life[1];
  g_autoptr (BzMessage) answer = bz_message_receive (pair[0], NULL, error);
  close (pair[0]);
  if (answer == NULL || !bz_message_check (answer, error))
    {
      bz_pasta_stop (pasta);
      return FALSE;
    }
  pasta->pasta = bz_message_take_fd (answer, 0);
  if (settings->configure == BZ_CONFIGURE_START)
    *resolv = settings->dns[0] == NULL && host_has_name_server ()
                  ? g_strdup ("nameserver " DNS_ADDRESS "\n")
                  : NULL;
  return TRUE;
}

void
bz_pasta_stop (BzPasta *pasta)
{
  if (pasta->life >= 0)
    close (pasta->life);
  if (pasta->pasta >= 0)
    {
      bz_pidfd_send_signal (pasta->pasta, SIGKILL);
      close (pasta->pasta);
    }
  while (pasta->watcher > 0 && waitpid (pasta->watcher, NULL, 0) < 0 && errno == EINTR)
    ;
  *pasta = (BzPasta){ .life = -1, .pasta = -1 };
}
