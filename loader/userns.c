/* User namespaces.
 *
 * Facts: a process may map one id, its own, by itself, and only after setgroups is
 * denied (Linux 3.19). Ranges need CAP_SETUID over the parent namespace: the
 * host's root has it, and newuidmap(1) lends it to plain users within
 * /etc/subuid and /etc/subgid. newuidmap wants a process of the caller's,
 * so the child waits while its parent maps it. */
#include "config.h"

#include "loader/userns.h"

#include "brand/base/error.h"
#include "loader/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define SUBORDINATE_WANTED 65535
#define SUBORDINATE_LINES 100000

static gboolean
write_file (pid_t pid, const char *name, const char *text, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/%s", (int) pid, name);
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gsize length = strlen (text);

  if (fd < 0)
    return bz_fail_errno (error, errno, NULL, "cannot open %s", path);
  ssize_t written = write (fd, text, length);
  int saved = errno;
  close (fd);
  if (written != (ssize_t) length)
    return bz_fail_errno (error, saved, "see `brandzone doctor`", "cannot map the zone's ids");
  return TRUE;
}

static gboolean
write_ranges (pid_t pid, const char *name, const GArray *ranges, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < ranges->len; i++)
    {
      const BzIdRange *range = &g_array_index (ranges, BzIdRange, i);
      g_string_append_printf (text, "%u %u %u\n", range->inside, range->outside, range->count);
    }
  return write_file (pid, name, text->str, error);
}

/* Runs newuidmap or newgidmap, both set-uid root. */
static gboolean
run_newidmap (const char *program, pid_t pid, const GArray *ranges, GError **error)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *complaint = NULL;
  g_autoptr (GError) problem = NULL;
  int status = 0;

  g_ptr_array_add (argv, g_strdup (program));
  g_ptr_array_add (argv, g_strdup_printf ("%d", (int) pid));
  for (guint i = 0; i < ranges->len; i++)
    {
      const BzIdRange *range = &g_array_index (ranges, BzIdRange, i);
      g_ptr_array_add (argv, g_strdup_printf ("%u", range->inside));
      g_ptr_array_add (argv, g_strdup_printf ("%u", range->outside));
      g_ptr_array_add (argv, g_strdup_printf ("%u", range->count));
    }
  g_ptr_array_add (argv, NULL);
  if (!g_spawn_sync (NULL, (char **) argv->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                     &complaint, &status, &problem))
    return bz_fail (error, BZ_ERROR_HOST, problem->message, "install newuidmap (package uidmap)",
                    "cannot map subordinate ids");
  if (status != 0)
    return bz_fail (error, BZ_ERROR_HOST, g_strchomp (complaint),
                    "check /etc/subuid and /etc/subgid", "%s refused the zone's ids", program);
  return TRUE;
}

static gboolean
map_own_id (pid_t pid, GError **error)
{
  g_autofree char *uid = g_strdup_printf ("0 %u 1\n", (guint) geteuid ());
  g_autofree char *gid = g_strdup_printf ("0 %u 1\n", (guint) getegid ());

  return write_file (pid, "setgroups", "deny", error) && write_file (pid, "uid_map", uid, error)
         && write_file (pid, "gid_map", gid, error);
}

static gboolean
is_own_id_alone (const GArray *ranges, guint32 own)
{
  const BzIdRange *first = ranges->len > 0 ? &g_array_index (ranges, BzIdRange, 0) : NULL;

  return first == NULL
         || (geteuid () != 0 && ranges->len == 1 && first->count == 1 && first->outside == own);
}

gboolean
bz_userns_write_maps (pid_t pid, const GArray *uids, const GArray *gids, GError **error)
{
  if (is_own_id_alone (uids, geteuid ()) || is_own_id_alone (gids, getegid ()))
    return map_own_id (pid, error);
  if (geteuid () == 0)
    return write_ranges (pid, "uid_map", uids, error) && write_ranges (pid, "gid_map", gids, error);
  return run_newidmap ("newuidmap", pid, uids, error)
         && run_newidmap ("newgidmap", pid, gids, error);
}

int
bz_userns_become_root (void)
{
  /* EPERM: denied, as it must be where one id is mapped by its owner; there is nothing to drop
   * then. */
  if (setgroups (0, NULL) != 0 && errno != EPERM)
    return errno;
  if (setresgid (0, 0, 0) != 0 || setresuid (0, 0, 0) != 0)
    return errno;
  return 0;
}

guint32
bz_userns_root_id (const GArray *ranges)
{
  for (guint i = 0; i < ranges->len; i++)
    {
      const BzIdRange *range = &g_array_index (ranges, BzIdRange, i);
      if (range->inside == 0)
        return range->outside;
    }
  return (guint32) -1;
}

/* --- a function inside a namespace --- */

typedef struct {
  int wait_fd; /* the parent writes one byte when the maps are there */
  BzInsideFunc function;
  gpointer data;
} Inside;

static G_GNUC_NORETURN void
run_inside (const Inside *inside)
{
  char byte;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (read (inside->wait_fd, &byte, 1) != 1)
    _exit (BZ_EXIT_BRANDZONE);
  close (inside->wait_fd);
  if (bz_userns_become_root () != 0)
    _exit (BZ_EXIT_BRANDZONE);
  prctl (PR_SET_PDEATHSIG, SIGKILL); /* changing ids cleared it */
  if (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    _exit (BZ_EXIT_BRANDZONE);
  _exit (inside->function (inside->data));
}

gboolean
bz_userns_run (const GArray *uids, const GArray *gids, BzInsideFunc function, gpointer data,
               int *exit_status, GError **error)
{
  int pipe_fds[2], status;

  if (pipe2 (pipe_fds, O_CLOEXEC) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make a pipe");
  pid_t pid = bz_clone (CLONE_NEWUSER | CLONE_NEWNS, NULL, -1);
  if (pid < 0)
    {
      int saved = errno;
      close (pipe_fds[0]);
      close (pipe_fds[1]);
      return bz_fail_errno (error, saved, "see `brandzone doctor`", "cannot make a user namespace");
    }
  if (pid == 0)
    {
      close (pipe_fds[1]);
      run_inside (&(Inside){ pipe_fds[0], function, data });
    }
  close (pipe_fds[0]);
  gboolean mapped = bz_userns_write_maps (pid, uids, gids, error);
  if (mapped && write (pipe_fds[1], "", 1) != 1)
    mapped = bz_fail_errno (error, errno, NULL, "cannot wake the process in the user namespace");
  close (pipe_fds[1]); /* without its byte the child ends by itself */
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    ;
  if (mapped)
    *exit_status = WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
  return mapped;
}

/* --- subordinate ids --- */

/* Whether the first field of a subuid(5) line names the user, by name or number. */
static gboolean
line_is_of (const char *owner, const struct passwd *user)
{
  char *end;

  if (strcmp (owner, user->pw_name) == 0)
    return TRUE;
  guint64 number = g_ascii_strtoull (owner, &end, 10);
  return end != owner && *end == '\0' && number == user->pw_uid;
}

/* Appends the user's ranges, from inside id 1 on, until SUBORDINATE_WANTED ids are there. */
static guint32
read_subordinate (const char *path, const struct passwd *user, GArray *ranges)
{
  FILE *file = fopen (path, "re");
  char line[512];
  guint32 next = 1;

  if (file == NULL)
    return 0;
  for (guint i = 0; i < SUBORDINATE_LINES && fgets (line, sizeof line, file) != NULL; i++)
    {
      g_auto (GStrv) fields = g_strsplit (g_strchomp (line), ":", 4);
      guint64 first, count;

      if (g_strv_length (fields) != 3 || !line_is_of (fields[0], user)
          || !g_ascii_string_to_unsigned (fields[1], 10, 1, G_MAXUINT32 - 1, &first, NULL)
          || !g_ascii_string_to_unsigned (fields[2], 10, 1, G_MAXUINT32 - first, &count, NULL))
        continue;
      guint32 wanted = SUBORDINATE_WANTED - (next - 1);
      BzIdRange range = { next, (guint32) first, MIN ((guint32) count, wanted) };
      if (range.count > 0)
        g_array_append_val (ranges, range);
      next += range.count;
    }
  fclose (file);
  return next - 1;
}

static gboolean
have_newidmap (void)
{
  g_autofree char *uid = g_find_program_in_path ("newuidmap");
  g_autofree char *gid = g_find_program_in_path ("newgidmap");

  return uid != NULL && gid != NULL;
}

gboolean
bz_userns_subordinate (GArray *uids, GArray *gids, char **why, GError **error)
{
  const struct passwd *user = getpwuid (geteuid ());
  BzIdRange own_uid = { 0, geteuid (), 1 }, own_gid = { 0, getegid (), 1 };

  g_array_set_size (uids, 0);
  g_array_set_size (gids, 0);
  *why = NULL;
  if (user == NULL)
    return bz_fail (error, BZ_ERROR_HOST, "the password database does not know it", NULL,
                    "cannot look up user id %u", (guint) geteuid ());
  g_array_append_val (uids, own_uid);
  g_array_append_val (gids, own_gid);
  if (read_subordinate ("/etc/subuid", user, uids) == 0
      || read_subordinate ("/etc/subgid", user, gids) == 0)
    *why = g_strdup_printf ("%s has no range in /etc/subuid and /etc/subgid", user->pw_name);
  else if (!have_newidmap ())
    *why = g_strdup ("newuidmap and newgidmap are not installed");
  if (*why != NULL)
    {
      g_array_set_size (uids, 0);
      g_array_set_size (gids, 0);
    }
  return TRUE;
}
