/* Starting a zone from the command line's process. */
#include "config.h"

#include "brand/base/error.h"
#include "brand/base/libexec.h"
#include "loader/attend.h"
#include "loader/client.h"
#include "loader/kernel.h"
#include "loader/loader.h"
#include "loader/message.h"
#include "loader/owner.h"
#include "loader/partition-data.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int
write_spec (const BzPartition *partition, GError **error)
{
  g_autoptr (GVariant) variant = g_variant_ref_sink (bz_partition_to_variant (partition));
  gsize size = g_variant_get_size (variant);
  int fd = memfd_create ("brandzone-partition", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  if (fd < 0 || write (fd, g_variant_get_data (variant), size) != (ssize_t) size
      || fcntl (fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    {
      int saved = errno;
      if (fd >= 0)
        close (fd);
      bz_fail_errno (error, saved, NULL, "cannot write the partition's description");
      return -1;
    }
  return fd;
}

/* The keeper's descriptors become 3, 4 and up (locks: as many as there are). Runs between fork and
 * exec. */
static void
exec_keeper (const char *path, int spec, int owner, const int locks[BZ_LOCKS])
{
  static const char *const numbers[] = { "3", "4", "5", "6" };
  const char *argv[] = { BZ_KEEPER_PROGRAM, "3", "4", "-1", "-1", NULL };
  int given[] = { spec, owner, locks[0], locks[1] };
  int next = 3;
  sigset_t none;

  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (given); i++)
    given[i] = given[i] >= 0 ? fcntl (given[i], F_DUPFD_CLOEXEC, 10) : -1;
  for (guint i = 0; i < G_N_ELEMENTS (given); i++)
    if (given[i] >= 0)
      {
        argv[1 + i] = numbers[next - 3];
        dup2 (given[i], next++);
      }
  bz_close_range ((unsigned) next, ~0U, BZ_CLOSE_RANGE_CLOEXEC);
  execv (path, (char *const *) argv);
}

static gboolean
spawn_keeper (const BzPartition *partition, int spec, int owner, GError **error)
{
  g_autofree char *path = bz_libexec_program (BZ_KEEPER_PROGRAM);
  int report[2], failed = 0, status;

  if (pipe2 (report, O_CLOEXEC) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make a pipe");
  pid_t middle = fork ();
  if (middle == 0)
    {
      /* Twice: the keeper is nobody's child to wait for, and outlives the command line. */
      if (fork () == 0)
        {
          int kept = fcntl (report[1], F_DUPFD_CLOEXEC, 20);
          exec_keeper (path, spec, owner, partition->lock_fds);
          failed = errno;
          (void) !write (kept, &failed, sizeof failed);
        }
      _exit (0);
    }
  close (report[1]);
  ssize_t got = middle < 0 ? -1 : read (report[0], &failed, sizeof failed);
  close (report[0]);
  while (middle > 0 && waitpid (middle, &status, 0) < 0 && errno == EINTR)
    ;
  if (middle < 0)
    return bz_fail_errno (error, errno, NULL, "cannot fork");
  if (got > 0)
    return bz_fail_errno (error, failed, "is brandzone installed completely?", "cannot run %s",
                          path);
  return TRUE;
}

/* --- starting and waiting --- */

static gboolean
start_and_attend (const BzPartition *partition, BzOwner *owner, GError **error)
{
  g_autoptr (BzMessage) started = bz_owner_await_started (owner->connection, error);

  if (started == NULL)
    return FALSE;
  int terminal = bz_message_take_fd (started, 0);
  gboolean good = bz_owner_attend (owner, terminal, partition->command->interactive, error);
  if (terminal >= 0)
    close (terminal);
  return good;
}

/* Starts the keeper. Returns the owner's connection to it, or -1. */
static int
start_keeper (const BzPartition *partition, GError **error)
{
  int pair[2];
  int spec = write_spec (partition, error);

  if (spec < 0)
    return -1;
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    {
      int saved = errno;
      close (spec);
      bz_fail_errno (error, saved, NULL, "cannot make a socket pair");
      return -1;
    }
  gboolean good = spawn_keeper (partition, spec, pair[1], error);
  close (spec);
  close (pair[1]);
  if (good)
    return pair[0];
  close (pair[0]);
  return -1;
}

gboolean
bz_loader_run (const BzPartition *partition, BzJournalFunc on_end, gpointer data, BzEnd *end,
               GError **error)
{
  BzOwner owner = { .on_end = on_end, .data = data, .end = end };
  sigset_t saved_mask;

  *end = (BzEnd){ 0 };
  bz_attend_hold_signals (&saved_mask);
  owner.connection = start_keeper (partition, error);
  gboolean good = owner.connection >= 0 && start_and_attend (partition, &owner, error);
  sigprocmask (SIG_SETMASK, &saved_mask, NULL);
  if (owner.connection >= 0)
    close (owner.connection);
  return good;
}

gboolean
bz_loader_attach (const char *run_dir, BzEnd *end, GError **error)
{
  BzOwner owner = { .connection = bz_client_connect (run_dir, error), .end = end };
  sigset_t saved_mask;

  *end = (BzEnd){ 0 };
  if (owner.connection < 0)
    return FALSE;
  g_autoptr (BzMessage) answer = bz_client_ask (owner.connection, "attach", NULL, NULL, 0, error);
  gboolean good = answer != NULL;
  if (good)
    {
      int terminal = bz_message_take_fd (answer, 0);
      bz_owner_show_text (answer);
      bz_attend_hold_signals (&saved_mask);
      good = bz_owner_attend (&owner, terminal, TRUE, error);
      sigprocmask (SIG_SETMASK, &saved_mask, NULL);
      if (terminal >= 0)
        close (terminal);
    }
  close (owner.connection);
  return good;
}

/* --- one program, no zone (direct.c) --- */

/* The zone has done its work: its end brings the counts. */
static gboolean
end_idle_zone (BzOwner *owner, GError **error)
{
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "grace", "u", 0);
  if (!bz_message_send (owner->connection, "stop", g_variant_dict_end (&body), NULL, 0, error))
    return FALSE;
  while (!bz_owner_on_news (owner))
    ;
  if (owner->problem == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&owner->problem));
  return FALSE;
}

static gboolean
start_and_run (const BzPartition *partition, const BzCommand *command, BzOwner *owner, BzEnd *end,
               GError **error)
{
  g_autoptr (BzMessage) started = bz_owner_await_started (owner->connection, error);

  if (started == NULL)
    return FALSE;
  if (bz_loader_exec (partition->run_dir, command, end, error))
    return end_idle_zone (owner, error);
  end_idle_zone (owner, NULL);
  return FALSE;
}

gboolean
bz_loader_run_direct (const BzPartition *partition, const BzCommand *command, BzJournalFunc on_end,
                      gpointer data, BzEnd *end, GError **error)
{
  BzEnd of_zone;
  BzOwner owner = { .on_end = on_end, .data = data, .end = &of_zone };
  sigset_t saved_mask;

  *end = (BzEnd){ 0 };
  bz_attend_hold_signals (&saved_mask);
  owner.connection = start_keeper (partition, error);
  gboolean good =
      owner.connection >= 0 && start_and_run (partition, command, &owner, end, error);
  sigprocmask (SIG_SETMASK, &saved_mask, NULL);
  if (owner.connection >= 0)
    close (owner.connection);
  return good;
}

gboolean
bz_loader_start (const BzPartition *partition, GError **error)
{
  int connection = start_keeper (partition, error);
  g_autoptr (BzMessage) started = NULL;

  if (connection < 0)
    return FALSE;
  started = bz_owner_await_started (connection, error);
  close (connection);
  return started != NULL;
}
