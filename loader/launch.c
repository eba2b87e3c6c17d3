/* The last steps of a process that is brandzone still and a program of the zone soon.
 *
 * Problem: it holds directories of the host, and a path of the zone may be a link to
 * /proc/self/fd/N: a home directory in the zone's /etc/passwd would lead out of the zone.
 * Choice: all descriptors but the standard streams and what confine() needs (sockets, none
 * of them a directory) are closed before the first path of the zone is resolved;
 * close-on-exec would come too late. */
#include "config.h"

#include "loader/launch.h"

#include "brand/base/error.h"
#include "loader/kernel.h"
#include "loader/message.h"
#include "loader/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#ifndef UNAME26
#define UNAME26 0x0020000
#endif
#define PERSONALITY_QUERY 0xffffffffUL

/* In a user namespace these give nothing that a distribution needs, and each of
 * them opens kernel code to its root. All others stay: a program with file
 * capabilities outside the bounding set can't even be executed (FAILURES S18). */
static const int dropped_capabilities[] = {
  CAP_SYS_RAWIO,         CAP_MAC_OVERRIDE,
  CAP_MAC_ADMIN,         CAP_WAKE_ALARM,
  CAP_BLOCK_SUSPEND,     38 /* CAP_PERFMON, 5.8 */,
  39 /* CAP_BPF, 5.8 */, 40 /* CAP_CHECKPOINT_RESTORE, 5.9 */,
};

int
bz_launch_bound_capabilities (const BzSettings *settings)
{
  guint64 dropped = 0;

  for (guint i = 0; i < G_N_ELEMENTS (dropped_capabilities); i++)
    dropped |= (guint64) 1 << dropped_capabilities[i];
  dropped &= ~settings->capabilities_kept;
  dropped |= settings->capabilities_dropped;
  for (int capability = 0; capability < 64; capability++)
    /* EINVAL: this kernel does not know it. */
    if ((dropped >> capability & 1) != 0 && prctl (PR_CAPBSET_DROP, capability) != 0
        && errno != EINVAL)
      return errno;
  return 0;
}

static gboolean
set_limits (const BzPlan *plan, GError **error)
{
  for (guint i = 0; i < BZ_LIMIT_COUNT; i++)
    {
      const BzLimit *limit = &plan->limits[i];
      struct rlimit now;
      int resource = bz_limit_resource (i);

      if (!limit->set)
        continue;
      if (getrlimit (resource, &now) != 0)
        return bz_fail_errno (error, errno, NULL, "cannot read the limit %s", bz_limit_name (i));
      rlim_t hard = limit->hard == G_MAXUINT64 ? RLIM_INFINITY : limit->hard;
      rlim_t soft = limit->soft == G_MAXUINT64 ? RLIM_INFINITY : limit->soft;
      /* A limit above the caller's own can't be given: take the nearest. */
      struct rlimit wanted = { MIN (soft, now.rlim_max), MIN (hard, now.rlim_max) };
      wanted.rlim_cur = MIN (wanted.rlim_cur, wanted.rlim_max);
      if (setrlimit (resource, &wanted) != 0)
        return bz_fail_errno (error, errno, NULL, "cannot set the limit %s", bz_limit_name (i));
    }
  return TRUE;
}

static gboolean
become_user (const BzUser *user, GError **error)
{
  /* With one mapped id setgroups is denied, and there is nothing to drop. */
  if (setgroups (user->group_count, user->groups) != 0 && errno != EPERM)
    return bz_fail_errno (error, errno, "is the group inside the zone's ids?",
                          "cannot set the groups");
  if (setresgid (user->gid, user->gid, user->gid) != 0)
    return bz_fail_errno (error, errno, "the zone has no such id: see brandzone(1), IDS",
                          "cannot become group %u", (guint) user->gid);
  if (setresuid (user->uid, user->uid, user->uid) != 0)
    return bz_fail_errno (error, errno, "the zone has no such id: see brandzone(1), IDS",
                          "cannot become user %u", (guint) user->uid);
  return TRUE;
}

static gboolean
write_own (const char *path, const char *text, GError **error)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gboolean good = fd >= 0 && write (fd, text, strlen (text)) == (ssize_t) strlen (text);
  int saved = errno;

  if (fd >= 0)
    close (fd);
  return good || bz_fail_errno (error, saved, NULL, "cannot write %s of the zone", path);
}

/* A user namespace inside the zone's own, in which the zone's 0 has the caller's ids again: programs
 * that refuse root, or look themselves up, find what they would find outside. Its owner's
 * supplementary groups stay (setgroups is denied where one id is mapped). Before the filter: the
 * brand's kernel need not know unshare(2). The files are writable for a dumpable process only. */
static gboolean
see_own_ids (const BzCommand *command, GError **error)
{
  g_autofree char *uid = g_strdup_printf ("%u 0 1\n", command->uid);
  g_autofree char *gid = g_strdup_printf ("%u 0 1\n", command->gid);

  if (unshare (CLONE_NEWUSER) != 0)
    return bz_fail_errno (error, errno, "raise user.max_user_namespaces",
                          "cannot give the program its user's ids");
  prctl (PR_SET_DUMPABLE, 1);
  return write_own ("/proc/self/setgroups", "deny", error)
         && write_own ("/proc/self/uid_map", uid, error)
         && write_own ("/proc/self/gid_map", gid, error);
}

static gboolean
change_directory (const BzCommand *command, const BzUser *user, GError **error)
{
  if (command->directory != NULL)
    {
      if (chdir (command->directory) != 0)
        return bz_fail_errno (error, errno, "give a directory of the zone to -w", "cannot enter %s",
                              command->directory);
      return TRUE;
    }
  if ((user->home == NULL || user->home[0] != '/' || chdir (user->home) != 0) && chdir ("/") != 0)
    return bz_fail_errno (error, errno, NULL, "cannot enter the zone's /");
  return TRUE;
}

static char **
complete_environment (const BzCommand *command, const BzUser *user)
{
  char **environment = g_strdupv (command->environment);
  const struct {
    const char *name, *value;
  } defaults[] = {
    { "HOME", user->home != NULL && user->home[0] != '\0' ? user->home : "/" },
    { "USER", user->name },
    { "LOGNAME", user->name },
    { "SHELL", user->shell != NULL && user->shell[0] == '/' ? user->shell : "/bin/sh" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (defaults); i++)
    if (defaults[i].value != NULL)
      environment = g_environ_setenv (environment, defaults[i].name, defaults[i].value, FALSE);
  return environment;
}

static gboolean
take_terminal (const int stdio[3], gboolean terminal, gboolean direct, GError **error)
{
  if (!direct)
    setsid ();
  if (terminal && ioctl (stdio[0], TIOCSCTTY, 0) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make the pty the controlling terminal");
  return TRUE;
}

static gboolean
place_stdio (const int stdio[3], GError **error)
{
  int high[3];

  for (int i = 0; i < 3; i++)
    if ((high[i] = fcntl (stdio[i], F_DUPFD_CLOEXEC, 3)) < 0)
      return bz_fail_errno (error, errno, NULL, "cannot keep standard stream %d", i);
  for (int i = 0; i < 3; i++)
    if (dup2 (high[i], i) < 0)
      return bz_fail_errno (error, errno, NULL, "cannot place standard stream %d", i);
  return TRUE;
}

static int
compare_descriptors (const void *a, const void *b)
{
  return *(const int *) a - *(const int *) b;
}

/* Closes all but the standard streams, the error socket and what confine() uses. */
static gboolean
close_others (const BzLaunch *launch, GError **error)
{
  int kept[] = { 2, launch->error_socket, launch->kept[0], launch->kept[1] };
  guint count = G_N_ELEMENTS (kept);

  qsort (kept, count, sizeof kept[0], compare_descriptors);
  for (guint i = 0; i < count; i++)
    {
      gboolean last = i + 1 == count;
      if (kept[i] < 2 || (!last && kept[i + 1] <= kept[i] + 1))
        continue;
      unsigned end = last ? ~0U : (unsigned) kept[i + 1] - 1;
      if (bz_close_range ((unsigned) kept[i] + 1, end, 0) != 0)
        return bz_fail_errno (error, errno, "an outer container may refuse close_range(2)",
                              "cannot close what the zone must not have");
    }
  return TRUE;
}

/* direct: what the caller ignores stays so, as nohup(1) wants it. */
static void
reset_signals (gboolean direct)
{
  sigset_t none;
  struct sigaction now;

  for (int sig = 1; sig < NSIG; sig++)
    if (!direct || sigaction (sig, NULL, &now) != 0 || now.sa_handler != SIG_IGN)
      signal (sig, SIG_DFL);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
}

static void
explain_exec (int saved_errno, const char *program, GError **error)
{
  if (program[0] == '\0')
    program = "\"\"";
  switch (saved_errno)
    {
    case EACCES:
      bz_fail (error, BZ_ERROR_NOT_EXECUTABLE, g_strerror (saved_errno),
               "is it a file, and may its user execute it?", "cannot run %s", program);
      break;
    case ENOENT:
    case ENOTDIR:
      bz_fail (error, BZ_ERROR_NOT_FOUND, g_strerror (saved_errno),
               "is it in the zone's PATH, and is its interpreter there?", "cannot run %s", program);
      break;
    case ENOEXEC:
      bz_fail (error, BZ_ERROR_NOT_EXECUTABLE, g_strerror (saved_errno),
               "`brandzone explain E9` and `E12` tell of formats that kernels no longer run",
               "cannot run %s", program);
      break;
    default:
      bz_fail (error, BZ_ERROR_NOT_EXECUTABLE, g_strerror (saved_errno), NULL, "cannot run %s",
               program);
    }
}

/* execvp(3) with the PATH of the new environment, not of ours. */
static int
search_and_exec (char **argv, char **environment)
{
  int kept = ENOENT;

  if (argv[0][0] == '\0')
    return ENOENT;
  if (strchr (argv[0], '/') != NULL)
    {
      execve (argv[0], argv, environment);
      return errno;
    }
  const char *path = g_environ_getenv (environment, "PATH");
  g_auto (GStrv) dirs = g_strsplit (path != NULL ? path : "/bin:/usr/bin", ":", -1);
  for (char **dir = dirs; *dir != NULL; dir++)
    {
      g_autofree char *candidate = g_build_filename ((*dir)[0] != '\0' ? *dir : ".", argv[0], NULL);
      execve (candidate, argv, environment);
      if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
        return errno;
      if (errno == EACCES)
        kept = EACCES;
    }
  return kept;
}

/* The caller's flags stay, but not what uname(2) tells by: that is the brand's, and all tasks of the zone begin with it
 * (syscall-xlat/calls/release.c relies on that). */
static gboolean
set_personality (const BzPlan *plan, GError **error)
{
  int now = personality (PERSONALITY_QUERY);
  unsigned long wanted = (unsigned long) plan->personality;

  if (now >= 0)
    wanted |= (unsigned long) now & ~(unsigned long) (PER_MASK | UNAME26);
  if ((now >= 0 && wanted == (unsigned long) now) || personality (wanted) >= 0)
    return TRUE;
  bz_fail_errno (error, errno, "an outer container may refuse personality(2)",
                 "cannot set the brand's personality");
  bz_error_set_row (error != NULL ? *error : NULL, "S9");
  return FALSE;
}

static void
launch_or_fail (const BzLaunch *launch, GError **error)
{
  const BzCommand *command = launch->command;
  g_auto (BzUser) user = { 0 };

  if (!take_terminal (launch->stdio, launch->terminal, command->direct, error)
      || !place_stdio (launch->stdio, error) || !close_others (launch, error)
      || (!launch->init && !bz_user_lookup (command->user, &user, error)))
    return;
  g_auto (GStrv) environment = launch->init || command->direct
                                   ? g_strdupv (command->environment)
                                   : complete_environment (command, &user);
  if (launch->terminal)
    (void) !fchown (0, user.uid, (gid_t) -1); /* best effort: the tty's group stays */
  if (!command->direct)
    umask (022);
  prctl (PR_SET_PDEATHSIG, launch->init ? SIGKILL : 0);
  reset_signals (command->direct);
  bz_close_range (3, ~0U, BZ_CLOSE_RANGE_CLOEXEC);
  if (!set_limits (launch->plan, error) || !set_personality (launch->plan, error)
      || (command->own_ids && !see_own_ids (command, error))
      || !launch->confine (launch->data, error)
      || (!command->own_ids && !become_user (&user, error))
      || !change_directory (command, &user, error))
    return;
  if (launch->alone)
    prctl (PR_SET_DUMPABLE, 1);
  explain_exec (search_and_exec (command->argv, environment), command->argv[0], error);
}

void
bz_launch (const BzLaunch *launch)
{
  g_autoptr (GError) error = NULL;
  BzLaunch here = *launch;

  /* The socket may be 0, 1 or 2 where the caller had those closed. */
  here.error_socket = fcntl (launch->error_socket, F_DUPFD_CLOEXEC, 3);
  launch_or_fail (&here, &error);
  bz_message_send_error (here.error_socket, error, NULL);
  _exit (bz_error_exit_status (error));
}
