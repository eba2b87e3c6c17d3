/* Another program for a keeper that runs: an upgrade of brandzone without an end of the zone.
 *
 * Problem: the keeper is the parent of the zone's first process, whose death signal it holds, and has
 * everything that only it can have: listeners, journal, console, pinned mounts, locks. Another
 * process cannot take its place; and the supervisor is a fork of it, so that it, too, stays what it was.
 *
 * Facts: execve(2) keeps the process, its children (no death signal is sent while the thread that made
 * them lives), its locks, and the numbers of descriptors that are not close-on-exec.
 *
 * Choice: the keeper writes down what it knows, and executes the new program in its own place, which
 * goes on from there and ends the old supervisor; what that had taken its successor answers, as after any
 * death of one (journal.h). Before that a child tries it: the new program reads the same state and
 * says whether it could go on. So a program of another format, or one that does not even load, is
 * refused, and nothing has happened. Both execute the same open file, whatever becomes of its name.
 *
 * Limits: what was killed in the middle is what a killed keeper is: the end of the zone, which the next
 * command finds. Whoever traces calls is disconnected. A zone that is being stopped is not touched. */
#include "config.h"

#include "loader/keeper-private.h"

#include "brand/base/error.h"
#include "loader/kernel.h"
#include "loader/partition-data.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define FORMAT 1
#define PATIENCE_SECONDS 20

/* --- the program that leaves --- */

static void
leave_clients (const BzKeeper *keeper, BzHandOver *left)
{
  bz_hand_over_fds (left, "clients", (const int *) (gpointer) keeper->clients->data,
                    keeper->clients->len);
  if (keeper->freezers != NULL)
    bz_hand_over_fds (left, "freezers", (const int *) (gpointer) keeper->freezers->data,
                      keeper->freezers->len);
  bz_hand_over_fd (left, "owner", keeper->owner);
  bz_hand_over_fd (left, "control", keeper->control);
  bz_keeper_leave_unwatched (keeper, left);
  bz_keeper_leave_sessions (keeper, left);
}

static void
leave_supervisor (const BzKeeper *keeper, BzHandOver *left)
{
  int listeners[BZ_LOOP_LISTENERS];

  for (guint i = 0; i < BZ_LOOP_LISTENERS; i++)
    listeners[i] = keeper->listeners[i].fd;
  bz_hand_over_fds (left, "listeners", listeners, BZ_LOOP_LISTENERS);
  bz_hand_over_fd (left, "journal", keeper->journal);
  g_variant_dict_insert (&left->values, "supervisor", "i", (gint32) keeper->supervisor);
  if (keeper->supervisor == 0)
    return;
  bz_hand_over_fd (left, "supervisor-pidfd", keeper->supervisor_pidfd);
  bz_hand_over_fd (left, "supervisor-socket", keeper->supervisor_socket);
}

static void
leave_zone (const BzKeeper *keeper, BzHandOver *left)
{
  GVariantDict *values = &left->values;

  g_variant_dict_insert (values, "started", "x", keeper->started);
  g_variant_dict_insert (values, "init", "i", (gint32) keeper->init);
  bz_hand_over_fd (left, "init-pidfd", keeper->init_pidfd);
  bz_hand_over_fd (left, "init-socket", keeper->init_socket);
  bz_hand_over_fds (left, "namespaces", keeper->namespaces, BZ_NAMESPACE_COUNT);
  bz_hand_over_fd (left, "terminal", keeper->terminal);
  g_variant_dict_insert_value (values, "volumes",
                               bz_volumes_to_variant (keeper->partition->volumes));
  g_variant_dict_insert (values, "command-ended", "b", keeper->command_ended);
  g_variant_dict_insert (values, "command-status", "i", (gint32) keeper->command_status);
  g_variant_dict_insert (values, "reboots", "u", (guint32) keeper->reboots);
  g_variant_dict_insert (values, "rebooted", "x", keeper->rebooted);
  bz_hand_over_fds (left, "locks", keeper->partition->lock_fds, BZ_LOCKS);
  bz_hand_over_fd (left, "spec", keeper->options->spec);
  if (keeper->pins != NULL)
    bz_hand_over_fds (left, "pins", keeper->pins->fds, keeper->pins->fd_count);
  bz_keeper_leave_loops (keeper, left);
  bz_cgroup_leave (keeper->cgroup, left);
  bz_network_leave (keeper->network, left);
  if (keeper->console != NULL)
    bz_console_leave (keeper->console, left);
}

/* Executes that program with what is left; returns only when it fails. socket: -1, or where a trial
 * answers. */
static void
become (int program, const BzHandOver *left, int state, int socket)
{
  char number[16], answer[16];
  const char *argv[] = { BZ_KEEPER_PROGRAM, socket >= 0 ? BZ_KEEPER_TRY : BZ_KEEPER_TAKE, number,
                         socket >= 0 ? answer : NULL, NULL };

  g_snprintf (number, sizeof number, "%d", state);
  g_snprintf (answer, sizeof answer, "%d", socket);
  bz_hand_over_open (left, TRUE);
  if (socket >= 0)
    fcntl (socket, F_SETFD, 0);
  syscall (SYS_execveat, program, "", argv, environ, AT_EMPTY_PATH);
  int saved = errno;
  bz_hand_over_open (left, FALSE);
  errno = saved;
}

/* A child tries whether the program can go on from here. */
static gboolean
try_program (int program, const BzHandOver *left, int state, GError **error)
{
  const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
  g_autoptr (GError) problem = NULL;
  int pair[2];

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make a socket pair");
  pid_t pid = bz_clone (0, NULL, -1);
  if (pid == 0)
    {
      become (program, left, state, pair[1]);
      _exit (BZ_EXIT_BRANDZONE);
    }
  int saved = errno;
  close (pair[1]);
  setsockopt (pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  g_autoptr (BzMessage) answer =
      pid > 0 ? bz_message_receive (pair[0], NULL, &problem) : NULL;
  close (pair[0]);
  if (pid < 0)
    return bz_fail_errno (error, saved, NULL, "cannot fork");
  kill (pid, SIGKILL); /* it has answered, or never will */
  while (waitpid (pid, NULL, 0) < 0 && errno == EINTR)
    ;
  if (answer != NULL)
    return bz_message_check (answer, error);
  return bz_fail (error, BZ_ERROR_FAILED, "it does not start, or is no brandzone-keeper",
                  "the zone runs on with the old program; `brandzone restart` gives it the new one",
                  "cannot go on with the new program");
}

gboolean
bz_keeper_answer_refresh (BzKeeper *keeper, int client, BzMessage *message, GError **error)
{
  int program = bz_message_take_fd (message, 0);
  gboolean good = FALSE;
  BzHandOver left;

  if (program < 0)
    return bz_fail (error, BZ_ERROR_INPUT, "it brings no program", NULL, "cannot refresh the zone");
  if (keeper->stopping)
    {
      close (program);
      return bz_fail (error, BZ_ERROR_STATE, "it is being stopped", "start it again",
                      "cannot refresh the zone");
    }
  bz_hand_over_init (&left);
  g_variant_dict_insert (&left.values, "format", "u", (guint32) FORMAT);
  leave_zone (keeper, &left);
  leave_supervisor (keeper, &left);
  leave_clients (keeper, &left);
  g_variant_dict_insert (&left.values, "refresher", "i", (gint32) client);
  int state = bz_hand_over_write (&left, error);
  if (state >= 0 && try_program (program, &left, state, error))
    {
      become (program, &left, state, -1);
      good = bz_fail_errno (error, errno, NULL, "cannot execute the new program");
    }
  if (state >= 0)
    close (state);
  close (program);
  bz_hand_over_clear (&left);
  return good;
}

/* --- the program that goes on --- */

static void
take_clients (BzKeeper *keeper, GVariantDict *values, gboolean *bad)
{
  int fds[BZ_KEEPER_CLIENTS_MAX];
  guint count = bz_hand_over_take_fds (values, "clients", fds, G_N_ELEMENTS (fds), bad);

  g_array_append_vals (keeper->clients, fds, count);
  count = bz_hand_over_take_fds (values, "freezers", fds, G_N_ELEMENTS (fds), bad);
  if (count > 0)
    {
      keeper->freezers = g_array_new (FALSE, FALSE, sizeof (int));
      g_array_append_vals (keeper->freezers, fds, count);
    }
  keeper->owner = bz_hand_over_take_fd (values, "owner", bad);
  keeper->control = bz_hand_over_take_fd (values, "control", bad);
  g_variant_dict_lookup (values, "refresher", "i", &keeper->refresher);
  bz_keeper_take_unwatched (keeper, values);
  bz_keeper_take_sessions (keeper, values);
}

static void
take_supervisor (BzKeeper *keeper, GVariantDict *values, gboolean *bad)
{
  int listeners[BZ_LOOP_LISTENERS];
  gint32 supervisor = 0;

  bz_hand_over_take_fds (values, "listeners", listeners, BZ_LOOP_LISTENERS, bad);
  keeper->journal = bz_hand_over_take_fd (values, "journal", bad);
  g_variant_dict_lookup (values, "supervisor", "i", &supervisor);
  keeper->supervisor = supervisor;
  if (supervisor == 0 || *bad)
    return;
  keeper->supervisor_pidfd = bz_hand_over_take_fd (values, "supervisor-pidfd", bad);
  keeper->supervisor_socket = bz_hand_over_take_fd (values, "supervisor-socket", bad);
  if (!*bad)
    bz_keeper_adopt_supervisor (keeper, listeners);
}

/* As they are by now: some were given or taken away since the start. */
static void
take_volumes (BzKeeper *keeper, GVariantDict *values)
{
  g_autoptr (GVariant) volumes =
      g_variant_dict_lookup_value (values, "volumes", G_VARIANT_TYPE ("a(ayayb)"));

  if (volumes == NULL)
    return;
  g_ptr_array_set_size (keeper->partition->volumes, 0);
  bz_volumes_from_variant (volumes, keeper->partition->volumes);
}

static void
take_zone (BzKeeper *keeper, GVariantDict *values, gboolean *bad)
{
  gint32 init = 0, status = 0;
  guint32 reboots = 0;

  g_variant_dict_lookup (values, "started", "x", &keeper->started);
  *bad |= !g_variant_dict_lookup (values, "init", "i", &init) || init <= 0;
  keeper->init = init;
  keeper->init_pidfd = bz_hand_over_take_fd (values, "init-pidfd", bad);
  keeper->init_socket = bz_hand_over_take_fd (values, "init-socket", bad);
  bz_hand_over_take_fds (values, "namespaces", keeper->namespaces, BZ_NAMESPACE_COUNT, bad);
  keeper->terminal = bz_hand_over_take_fd (values, "terminal", bad);
  g_variant_dict_lookup (values, "command-ended", "b", &keeper->command_ended);
  g_variant_dict_lookup (values, "command-status", "i", &status);
  keeper->command_status = status;
  g_variant_dict_lookup (values, "reboots", "u", &reboots);
  keeper->reboots = reboots;
  g_variant_dict_lookup (values, "rebooted", "x", &keeper->rebooted);
  bz_hand_over_take_fds (values, "locks", keeper->partition->lock_fds, BZ_LOCKS, bad);
  keeper->pins = g_new0 (BzMessage, 1);
  keeper->pins->body = g_variant_dict_new (NULL);
  keeper->pins->fd_count =
      bz_hand_over_take_fds (values, "pins", keeper->pins->fds, BZ_MESSAGE_FDS, bad);
  take_volumes (keeper, values);
  bz_keeper_take_loops (keeper, values, bad);
  keeper->cgroup = bz_cgroup_take (values);
  keeper->network = bz_network_take (values, bad);
  if (keeper->partition->boot)
    keeper->console = bz_console_new (keeper->partition->console_log);
  *bad |= keeper->cgroup == NULL
          || (keeper->console != NULL && !bz_console_take (keeper->console, values));
}

/* The supervisor of this program must be able to go on with the journal. */
static gboolean
check_journal (const BzKeeper *keeper, GError **error)
{
  if (keeper->journal < 0)
    return TRUE;
  BzJournal *journal = bz_journal_map (keeper->journal, error);
  if (journal == NULL)
    return FALSE;
  bz_journal_unmap (journal);
  return TRUE;
}

gboolean
bz_keeper_take (BzKeeper *keeper, GVariantDict *values, GError **error)
{
  guint32 format = 0;
  gboolean bad = FALSE;

  if (!g_variant_dict_lookup (values, "format", "u", &format) || format != FORMAT)
    return bz_fail (error, BZ_ERROR_STATE, "the new program does not know the old one's state",
                    "restart the zone: brandzone restart", "cannot go on with the new program");
  take_zone (keeper, values, &bad);
  take_supervisor (keeper, values, &bad);
  take_clients (keeper, values, &bad);
  if (bad)
    return bz_fail (error, BZ_ERROR_STATE, "the old one's state is incomplete",
                    "restart the zone: brandzone restart", "cannot go on with the new program");
  return check_journal (keeper, error);
}

void
bz_keeper_say_refreshed (BzKeeper *keeper)
{
  GVariantDict body;

  if (keeper->refresher < 0)
    return;
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "version", "s", PACKAGE_VERSION);
  bz_message_send (keeper->refresher, "refresh", g_variant_dict_end (&body), NULL, 0, NULL);
  keeper->refresher = -1;
}
