/* The supervisor's process.
 *
 * Problem: answering a call needs the target's memory and, sometimes, its files;
 * a process with the host's credentials that does so can be led to do what the
 * target may not. Choice: the notification loop itself lives in the zone's user
 * namespace (also in its uts, ipc and network namespaces, so that uname(2) and
 * /proc/sys give the zone's values), but outside its pid namespace: the zone can't
 * name it, and as a fork that never executes a file and is not dumpable it can't be read by the
 * zone's root. A separate helper for memory writes, one more hop for each call, is not needed.
 *
 * What is lost when it dies: nothing. The keeper holds the listeners and the
 * journal, and starts another one. */
#include "config.h"

#include "loader/supervisor.h"

#include "brand/base/error.h"
#include "loader/kernel.h"
#include "loader/message.h"
#include "loader/mounter.h"
#include "loader/namespaces.h"
#include "loader/shadow/images.h"
#include "loader/userns.h"
#include "syscall-xlat/loop.h"
#include "syscall-xlat/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

/* Where close_range(2) may not be used on what is kept: four numbers, moved to the bottom. */
enum { FD_SOCKET = 3, FD_JOURNAL, FD_FIRST_FREE };

static gboolean
enter_namespaces (const BzSupervisor *supervisor, GError **error)
{
  guint set = 1u << BZ_NAMESPACE_USER | 1u << BZ_NAMESPACE_UTS | 1u << BZ_NAMESPACE_IPC
              | 1u << BZ_NAMESPACE_NET;

  if (!bz_namespaces_enter (supervisor->namespaces, set, error))
    return FALSE;
  int failed = bz_userns_become_root ();
  if (failed != 0)
    return bz_fail_errno (error, failed, NULL, "cannot become the zone's root");
  prctl (PR_SET_DUMPABLE, 0);
  prctl (PR_SET_NAME, "bz-supervisor");
  return TRUE;
}

static void
keep_two_descriptors (const BzSupervisor *supervisor)
{
  int socket = fcntl (supervisor->socket, F_DUPFD_CLOEXEC, FD_FIRST_FREE);
  int journal = fcntl (supervisor->journal, F_DUPFD_CLOEXEC, FD_FIRST_FREE);

  dup3 (socket, FD_SOCKET, O_CLOEXEC);
  dup3 (journal, FD_JOURNAL, O_CLOEXEC);
  bz_close_range (FD_FIRST_FREE, ~0U, 0);
}

static void
serve (BzLoop *loop, BzMessage *message)
{
  g_autoptr (GError) error = NULL;
  guint32 index = 0;

  g_variant_dict_lookup (message->body, "index", "u", &index);
  if (strcmp (message->kind, "listener") == 0)
    {
      if (!bz_loop_add (loop, index, bz_message_take_fd (message, 0), &error))
        g_printerr ("brandzone: %s\n", error->message);
    }
  else if (strcmp (message->kind, "remove") == 0)
    bz_loop_remove (loop, index);
  else if (strcmp (message->kind, "subscribe") == 0)
    bz_loop_subscribe (loop, bz_message_take_fd (message, 0));
}

void
bz_supervisor_main (const BzSupervisor *supervisor)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BzJournal) journal = NULL;
  BzLoop *loop = NULL;

  prctl (PR_SET_PDEATHSIG, 0);
  if (enter_namespaces (supervisor, &error))
    {
      keep_two_descriptors (supervisor);
      journal = bz_journal_map (FD_JOURNAL, &error);
    }
  if (journal != NULL)
    loop = bz_loop_new (supervisor->plan, journal, &error);
  if (loop != NULL && supervisor->rewrites && supervisor->plan->quirk[BZ_QUIRK_VSYSCALL] != 0)
    {
      BzImages *images = bz_images_new (FD_SOCKET, bz_journal_starting (journal), supervisor->plan->release_number,
                                       bz_journal_ever (journal, BZ_EVER_NEWER), &error);
      if (images == NULL)
        loop = NULL;
      else
        bz_loop_set_images (loop, images);
    }
  if (loop != NULL)
    bz_loop_set_mounter (loop, bz_mounter_new (FD_SOCKET, supervisor->nodes));
  if (loop == NULL)
    {
      g_printerr ("brandzone: %s\n", error->message);
      _exit (BZ_EXIT_BRANDZONE);
    }
  for (;;)
    {
      g_autoptr (BzMessage) message = bz_message_receive (FD_SOCKET, NULL, NULL);
      if (message == NULL)
        _exit (0);
      serve (loop, message);
    }
}
