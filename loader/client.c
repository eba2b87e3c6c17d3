#include "config.h"

#include "loader/client.h"

#include "brand/base/error.h"
#include "loader/keeper.h"
#include "loader/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

int
bz_client_connect (const char *run_dir, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int dir = open (run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int fd = -1;
  gboolean connected = FALSE;

  if (dir >= 0)
    {
      g_snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" BZ_CONTROL_NAME,
                  dir);
      fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
      connected = fd >= 0 && connect (fd, (struct sockaddr *) &address, sizeof address) == 0;
    }
  int saved = errno;
  if (dir >= 0)
    close (dir);
  if (connected)
    return fd;
  if (fd >= 0)
    close (fd);
  if (saved == EACCES || saved == EPERM)
    bz_fail_errno (error, saved, "it belongs to another user", "cannot reach the zone");
  else
    bz_fail (error, BZ_ERROR_STATE, "it is not running", "start it with `brandzone run`",
             "cannot reach the zone");
  return -1;
}

BzMessage *
bz_client_ask (int connection, const char *kind, GVariant *body, const int *fds, guint fd_count,
               GError **error)
{
  g_autoptr (BzMessage) answer = NULL;

  if (!bz_message_send (connection, kind, body, fds, fd_count, error))
    return NULL;
  answer = bz_message_receive (connection, NULL, error);
  if (answer == NULL || !bz_message_check (answer, error))
    return NULL;
  return g_steal_pointer (&answer);
}

static BzMessage *
ask_once (const char *run_dir, const char *kind, GError **error)
{
  const struct timeval patience = { .tv_sec = 5 };
  int connection = bz_client_connect (run_dir, error);
  BzMessage *answer;

  if (connection < 0)
    return NULL;
  /* A keeper that was stopped may not hold up who only asks. */
  setsockopt (connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  answer = bz_client_ask (connection, kind, NULL, NULL, 0, error);
  close (connection);
  return answer;
}

gboolean
bz_loader_info (const char *run_dir, BzZoneInfo *info, GError **error)
{
  g_autoptr (BzMessage) answer = ask_once (run_dir, "info", error);
  gint32 keeper = 0, supervisor = 0, init = 0;
  guint32 sessions = 0;
  const char *addresses, *version;

  if (answer == NULL)
    return FALSE;
  *info = (BzZoneInfo){ 0 };
  g_variant_dict_lookup (answer->body, "keeper", "i", &keeper);
  g_variant_dict_lookup (answer->body, "supervisor", "i", &supervisor);
  g_variant_dict_lookup (answer->body, "init", "i", &init);
  g_variant_dict_lookup (answer->body, "started", "x", &info->started);
  g_variant_dict_lookup (answer->body, "terminal", "b", &info->terminal);
  g_variant_dict_lookup (answer->body, "booted", "b", &info->booted);
  if (g_variant_dict_lookup (answer->body, "addresses", "&s", &addresses))
    g_strlcpy (info->addresses, addresses, sizeof info->addresses);
  if (g_variant_dict_lookup (answer->body, "version", "&s", &version))
    g_strlcpy (info->version, version, sizeof info->version);
  g_variant_dict_lookup (answer->body, "sessions", "u", &sessions);
  info->sessions = sessions;
  info->keeper = keeper;
  info->supervisor = supervisor;
  info->init = init;
  return TRUE;
}

char *
bz_loader_addresses (const char *run_dir)
{
  g_autoptr (BzMessage) answer = ask_once (run_dir, "addresses", NULL);
  char *addresses = NULL;

  if (answer != NULL)
    g_variant_dict_lookup (answer->body, "addresses", "s", &addresses);
  return addresses;
}

static int
ask_for_descriptor (const char *run_dir, const char *kind, GError **error)
{
  g_autoptr (BzMessage) answer = ask_once (run_dir, kind, error);

  return answer != NULL ? bz_message_take_fd (answer, 0) : -1;
}

int
bz_loader_journal (const char *run_dir, GError **error)
{
  return ask_for_descriptor (run_dir, "journal", error);
}

int
bz_loader_trace (const char *run_dir, GError **error)
{
  return ask_for_descriptor (run_dir, "trace", error);
}

int
bz_end_exit_status (const BzEnd *end)
{
  if (WIFSIGNALED (end->wait_status))
    return 128 + WTERMSIG (end->wait_status);
  return WEXITSTATUS (end->wait_status);
}
