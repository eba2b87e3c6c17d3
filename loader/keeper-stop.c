/* Ending a zone, on the keeper's side.
 *
 * What is gentle differs: a command gets SIGTERM, an init what its family obeys. What is sure does
 * not: SIGKILL to process 1 when the patience is over, which ends the pid namespace.
 *
 * Some inits sleep when all is done already: BusyBox gives processes a second after SIGTERM and
 * another after SIGKILL, whether there are any or not. Where the family says so (halt_alone) one
 * that has no children any more is not waited for. Its own shutdown actions come before it signals
 * anybody and are children: only while it starts one, for less than a millisecond, it might be
 * without; it must be alone at several looks. */
#include "config.h"

#include "loader/keeper-private.h"

#include "loader/kernel.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>

#define HALT_AGAIN_MS 1000
#define LOOK_MS 20
#define LOOKS 4

static gboolean
on_grace_over (gpointer data)
{
  BzKeeper *keeper = data;

  bz_pidfd_send_signal (keeper->init_pidfd, SIGKILL);
  return G_SOURCE_REMOVE;
}

/* Until an init has its handlers, the kernel keeps signals from it; so it is told again. */
static gboolean
on_halt_again (gpointer data)
{
  BzKeeper *keeper = data;

  bz_pidfd_send_signal (keeper->init_pidfd, keeper->partition->halt_signal);
  return G_SOURCE_CONTINUE;
}

/* The start of a small file; FALSE: there is none. */
static gboolean
read_start (int dir, const char *path, char *text, gsize size)
{
  int fd = openat (dir, path, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd >= 0 ? read (fd, text, size - 1) : -1;

  if (fd >= 0)
    close (fd);
  text[MAX (got, 0)] = '\0';
  return got >= 0;
}

/* An init that only sleeps does not reap: its children stay, as zombies. */
static gboolean
has_ended (const char *pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%s/stat", pid);
  char text[256];

  if (!read_start (AT_FDCWD, path, text, sizeof text))
    return TRUE;
  const char *state = strrchr (text, ')'); /* the name before it may hold anything */
  return state != NULL && strlen (state) > 2 && strchr ("ZX", state[2]) != NULL;
}

/* init has no living children, and nobody else (who has joined) is in its cgroup. FALSE too where
 * it cannot be known: /proc/PID/task/TID/children needs CONFIG_PROC_CHILDREN. */
static gboolean
is_alone (const BzKeeper *keeper)
{
  g_autofree char *path =
      g_strdup_printf ("/proc/%d/task/%d/children", (int) keeper->init, (int) keeper->init);
  int group = bz_cgroup_unified (keeper->cgroup);
  char text[4096];

  if (!read_start (AT_FDCWD, path, text, sizeof text))
    return FALSE;
  g_auto (GStrv) children = g_strsplit (g_strchomp (text), " ", -1);
  for (char **child = children; *child != NULL; child++)
    if ((*child)[0] != '\0' && !has_ended (*child))
      return FALSE;
  if (group < 0 || !read_start (group, "cgroup.procs", text, sizeof text))
    return TRUE;
  const char *end = strchr (text, '\n');
  return end == NULL || end[1] == '\0';
}

static gboolean
on_look (gpointer data)
{
  BzKeeper *keeper = data;

  keeper->alone = is_alone (keeper) ? keeper->alone + 1 : 0;
  if (keeper->alone < LOOKS)
    return G_SOURCE_CONTINUE;
  bz_pidfd_send_signal (keeper->init_pidfd, SIGKILL);
  return G_SOURCE_REMOVE;
}

static void
halt_init (BzKeeper *keeper)
{
  if (keeper->partition->halt_alone)
    g_timeout_add (LOOK_MS, on_look, keeper);
  if (keeper->partition->halt_signal == 0)
    return; /* who asked runs the program that does it */
  on_halt_again (keeper);
  g_timeout_add (HALT_AGAIN_MS, on_halt_again, keeper);
}

void
bz_keeper_stop (BzKeeper *keeper, guint grace_ms)
{
  keeper->stopping = TRUE;
  if (keeper->freezers != NULL && keeper->freezers->len > 0)
    bz_cgroup_freeze (keeper->cgroup, FALSE); /* frozen by v1, not even SIGKILL ends it */
  if (grace_ms > 0 && keeper->console != NULL)
    halt_init (keeper);
  else if (grace_ms > 0)
    bz_keeper_signal (keeper, SIGTERM);
  g_timeout_add (grace_ms, on_grace_over, keeper);
}
