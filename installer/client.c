/* The caller's side: starts brandzone-install and reads its report.
 *
 * Problem: whatever happens to either process (Ctrl-C, SIGTERM, SIGKILL), no half tree may be left
 * under the target's name, and as little as possible under any other.
 * Choice: the tree is made in TARGET.partial (installer/partial.h) and renamed when complete. The
 * installer stops and cleans up at SIGINT and SIGTERM, when its parent dies (PR_SET_PDEATHSIG), and
 * when nobody reads its report. When it was killed itself, its caller cleans up. When both were,
 * the next operation on the target does. While it works, SIGINT and SIGTERM of the calling thread
 * are taken by a signalfd. With id maps a child in between sits in bz_userns_run; a signal to it
 * reaches the installer as its parent's death. Limits: the program is BRANDZONE_LIBEXECDIR
 * (environment, for uninstalled builds) or the built-in directory; the variable is ignored in
 * set-id processes. */
#include "config.h"

#include "installer/installer.h"

#include "brand/base/error.h"
#include "brand/base/libexec.h"
#include "installer/partial.h"
#include "installer/remove.h"
#include "installer/report.h"
#include "installer/requests.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPORT_FD 3
#define REQUESTS_FD 4
#define SPARE_FD 10

typedef struct {
  const BzInstallOptions *options;
  char **argv;
  GArray *uids, *gids; /* NULL: no user namespace */
  int report_fd, requests_fd; /* the child's ends */
  pid_t parent;
  sigset_t old_mask;
} Start;

typedef struct {
  const BzInstallOptions *options;
  BzInstallResult *result;
  GPtrArray *notices;
  gboolean done;
  GError *failure;
} Reading;

static void
add_each (GPtrArray *argv, const char *option, const char *const *words)
{
  for (; words != NULL && *words != NULL; words++)
    g_ptr_array_add (argv, g_strconcat (option, *words, NULL));
}

static char **
make_argv (const BzInstallOptions *options)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();

  g_ptr_array_add (argv, bz_libexec_program ("brandzone-install"));
  g_ptr_array_add (argv, g_strdup_printf ("--report-fd=%d", REPORT_FD));
  if (options->keep_partial)
    g_ptr_array_add (argv, g_strdup ("--keep-partial"));
  if (options->id_shift != 0)
    g_ptr_array_add (argv, g_strdup_printf ("--id-shift=%u", options->id_shift));
  if (options->max_size != 0)
    g_ptr_array_add (argv, g_strdup_printf ("--max-size=%" G_GUINT64_FORMAT, options->max_size));
  if (options->max_files != 0)
    g_ptr_array_add (argv, g_strdup_printf ("--max-files=%" G_GUINT64_FORMAT, options->max_files));
  g_ptr_array_add (argv, g_strdup_printf ("--requests-fd=%d", REQUESTS_FD));
  add_each (argv, "--want=", options->wanted);
  add_each (argv, "--seed=", options->seed);
  if (options->suite != NULL)
    g_ptr_array_add (argv, g_strconcat ("--suite=", options->suite, NULL));
  if (options->arch != NULL)
    g_ptr_array_add (argv, g_strconcat ("--arch=", options->arch, NULL));
  if (options->list != NULL)
    g_ptr_array_add (argv, g_strconcat ("--list=", options->list, NULL));
  g_ptr_array_add (argv, g_strdup ("--"));
  g_ptr_array_add (argv, g_strdup (options->source));
  g_ptr_array_add (argv, g_strdup (options->target));
  g_ptr_array_add (argv, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&argv), FALSE);
}

static void
send_all (int fd, const char *line)
{
  gsize length = strlen (line);

  while (length > 0)
    {
      gssize written = write (fd, line, length);

      if (written < 0)
        return;
      line += written;
      length -= (gsize) written;
    }
}

/* Becomes the installer. Only returns when that fails, which it reports. */
static int
become_installer (gpointer data)
{
  const Start *start = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *line = NULL;
  int report = fcntl (start->report_fd, F_DUPFD_CLOEXEC, SPARE_FD);
  int requests = fcntl (start->requests_fd, F_DUPFD_CLOEXEC, SPARE_FD);

  prctl (PR_SET_PDEATHSIG, SIGTERM);
  if (report >= 0 && requests >= 0 && dup2 (report, REPORT_FD) == REPORT_FD
      && dup2 (requests, REQUESTS_FD) == REQUESTS_FD)
    execv (start->argv[0], start->argv);
  bz_fail_errno (&error, errno, "is brandzone installed completely?", "starting %s",
                 start->argv[0]);
  line = bz_report_error_line (error);
  send_all (report, line);
  return bz_error_exit_status (error);
}

/* The first child. Never returns. */
static void G_GNUC_NORETURN
child (Start *start)
{
  g_autoptr (GError) error = NULL;
  int status = 1;

  prctl (PR_SET_PDEATHSIG, SIGTERM);
  sigprocmask (SIG_SETMASK, &start->old_mask, NULL);
  if (getppid () != start->parent)
    _exit (1);
  if (start->uids == NULL)
    status = become_installer (start);
  else if (!bz_userns_run (start->uids, start->gids, become_installer, start, &status, &error))
    {
      g_autofree char *line = bz_report_error_line (error);
      send_all (start->report_fd, line);
      status = bz_error_exit_status (error);
    }
  _exit (status);
}

/* Copies of the maps; empty ones map the caller's id alone. NULL: no user namespace. */
static GArray *
copy_map (const GArray *uids, const GArray *map)
{
  GArray *copy = uids == NULL ? NULL : g_array_new (FALSE, FALSE, sizeof (BzIdRange));

  if (copy != NULL && map != NULL && map->len > 0)
    g_array_append_vals (copy, map->data, map->len);
  return copy;
}

static guint64
number (const char *text)
{
  guint64 value = 0;

  if (text != NULL)
    g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64, &value, NULL);
  return value;
}

static void
take_progress (Reading *reading, char **fields)
{
  BzProgress progress = { number (fields[0]), number (fields[1]), number (fields[2]) };

  if (reading->options->progress != NULL)
    reading->options->progress (&progress, reading->options->data);
}

static void
take_line (Reading *reading, const char *line)
{
  static const struct {
    char tag;
    guint fields;
  } known[] = { { BZ_REPORT_SOURCE, 2 },
                { BZ_REPORT_PROGRESS, 3 },
                { BZ_REPORT_NOTICE, 1 },
                { BZ_REPORT_STAGE, 2 },
                { BZ_REPORT_RESULT, 2 } };
  char **fields = NULL;
  guint count = 0;

  if (line[0] == BZ_REPORT_ERROR)
    {
      if (reading->failure == NULL)
        bz_report_error_parse (line, &reading->failure);
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (line[0] == known[i].tag)
      fields = bz_report_parse (line, count = known[i].fields);
  if (fields == NULL)
    return;
  switch (line[0])
    {
    case BZ_REPORT_SOURCE:
      g_free (reading->result->source.kind);
      reading->result->source.kind = g_strdup (fields[0] == NULL ? "" : fields[0]);
      reading->result->source.bytes = number (fields[1]);
      if (reading->options->recognised != NULL)
        reading->options->recognised (&reading->result->source, reading->options->data);
      break;
    case BZ_REPORT_PROGRESS:
      take_progress (reading, fields);
      break;
    case BZ_REPORT_NOTICE:
      if (fields[0] != NULL)
        g_ptr_array_add (reading->notices, g_strdup (fields[0]));
      break;
    case BZ_REPORT_STAGE:
      g_free (reading->result->stage);
      reading->result->stage = g_strdup (fields[0]);
      reading->result->packages = number (fields[1]);
      break;
    default:
      reading->result->files = number (fields[0]);
      reading->result->bytes = number (fields[1]);
      reading->done = TRUE;
      break;
    }
  bz_report_fields_free (fields, count);
}

/* Takes whole lines out of `buffer`. FALSE: the other side talks nonsense. */
static gboolean
take_lines (Reading *reading, GString *buffer)
{
  char *end;

  while ((end = memchr (buffer->str, '\n', buffer->len)) != NULL)
    {
      *end = '\0';
      take_line (reading, buffer->str);
      g_string_erase (buffer, 0, end - buffer->str + 1);
    }
  return buffer->len < BZ_REPORT_LINE_MAX;
}

/* Reads until the installer closes its end. TRUE in *interrupted after SIGINT or SIGTERM. */
static void
read_report (Reading *reading, int fd, int requests_fd, int signal_fd, pid_t pid,
             gboolean *interrupted)
{
  g_autoptr (GString) buffer = g_string_new (NULL);
  char block[4096];

  for (;;)
    {
      struct pollfd polled[3] = { { fd, POLLIN, 0 },
                                  { signal_fd, POLLIN, 0 },
                                  { requests_fd, POLLIN, 0 } };
      struct signalfd_siginfo info;
      gssize size;

      if (poll (polled, 3, -1) < 0)
        continue;
      if ((polled[1].revents & POLLIN) != 0 && read (signal_fd, &info, sizeof info) > 0)
        {
          *interrupted = TRUE;
          kill (pid, SIGTERM);
        }
      if (polled[2].revents != 0 && !bz_requests_answer (requests_fd, reading->options))
        requests_fd = -1;
      if (polled[0].revents == 0)
        continue;
      size = read (fd, block, sizeof block);
      if (size < 0 && errno == EINTR)
        continue;
      if (size <= 0)
        return;
      g_string_append_len (buffer, block, size);
      if (!take_lines (reading, buffer))
        return;
    }
}

typedef struct {
  const char *path;
  gboolean partial_only;
  int report_fd;
} Removal;

static gboolean
remove_here (const Removal *removal, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (removal->path);
  g_autofree char *name = g_path_get_basename (removal->path);
  gboolean ok;
  int fd;

  if (!g_path_is_absolute (removal->path) || strcmp (name, "/") == 0 || strcmp (name, "..") == 0
      || strcmp (name, ".") == 0)
    return bz_fail (error, BZ_ERROR_USAGE, "it is not the absolute path of a tree", NULL,
                    "removing %s", removal->path);
  fd = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return errno == ENOENT ? TRUE : bz_fail_errno (error, errno, NULL, "opening %s", parent);
  ok = removal->partial_only || bz_remove_at (fd, name, removal->path, error);
  close (fd);
  return ok && bz_partial_clear (removal->path, error);
}

static int
remove_inside (gpointer data)
{
  const Removal *removal = data;
  g_autoptr (GError) error = NULL;

  if (remove_here (removal, &error))
    return 0;
  g_autofree char *line = bz_report_error_line (error);
  send_all (removal->report_fd, line);
  return bz_error_exit_status (error);
}

/* In a child in the user namespace; its error comes back over a pipe (one line is less than a pipe
 * holds). */
static gboolean
remove_mapped (Removal *removal, const GArray *uids, const GArray *gids, GError **error)
{
  char line[BZ_REPORT_LINE_MAX];
  int ends[2], status = 0;
  gboolean ok;
  gssize size;

  if (pipe2 (ends, O_CLOEXEC | O_NONBLOCK) < 0)
    return bz_fail_errno (error, errno, NULL, "removing %s", removal->path);
  removal->report_fd = ends[1];
  ok = bz_userns_run (uids, gids, remove_inside, removal, &status, error);
  close (ends[1]);
  size = read (ends[0], line, sizeof line - 1);
  close (ends[0]);
  if (!ok || status == 0)
    return ok;
  if (size <= 0)
    return bz_fail (error, BZ_ERROR_FAILED, "the process that did it died", "try again",
                    "removing %s", removal->path);
  line[size] = '\0';
  g_strchomp (line);
  bz_report_error_parse (line, error);
  return FALSE;
}

static gboolean
remove_tree (const char *path, gboolean partial_only, const GArray *uids, const GArray *gids,
             GError **error)
{
  Removal removal = { path, partial_only, -1 };
  g_autoptr (GArray) use_uids = copy_map (uids, uids);
  g_autoptr (GArray) use_gids = copy_map (uids, gids);

  return use_uids == NULL ? remove_here (&removal, error)
                          : remove_mapped (&removal, use_uids, use_gids, error);
}

gboolean
bz_installer_remove (const char *tree, const GArray *uids, const GArray *gids, GError **error)
{
  return remove_tree (tree, FALSE, uids, gids, error);
}

void
bz_install_result_free (BzInstallResult *result)
{
  g_free (result->source.kind);
  g_free (result->stage);
  g_strfreev (result->notices);
  g_free (result);
}

static gboolean
fail_died (int status, const BzInstallOptions *options, GError **error)
{
  g_autofree char *why =
      WIFSIGNALED (status)
          ? g_strdup_printf ("brandzone-install died: %s", g_strsignal (WTERMSIG (status)))
          : g_strdup_printf ("brandzone-install ended without a result (exit %d)",
                             WEXITSTATUS (status));

  return bz_fail (error, BZ_ERROR_FAILED, why, "try again; if it dies again, report it",
                  "installing %s", options->source);
}

static pid_t
start_child (Start *start, int report_end, int requests_end, GError **error)
{
  pid_t pid = fork ();

  if (pid == 0)
    {
      close (report_end);
      close (requests_end);
      child (start);
    }
  if (pid < 0)
    bz_fail_errno (error, errno, NULL, "starting brandzone-install");
  return pid;
}

/* Runs it and reads to its end. */
static gboolean
run (Start *start, Reading *reading, GError **error)
{
  gboolean interrupted = FALSE;
  int ends[2], sockets[2], status = 0, signal_fd;
  sigset_t taken;
  pid_t pid;

  if (pipe2 (ends, O_CLOEXEC) < 0)
    return bz_fail_errno (error, errno, NULL, "starting brandzone-install");
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
    {
      close (ends[0]);
      close (ends[1]);
      return bz_fail_errno (error, errno, NULL, "starting brandzone-install");
    }
  start->report_fd = ends[1];
  start->requests_fd = sockets[1];
  start->parent = getpid ();
  sigemptyset (&taken);
  sigaddset (&taken, SIGINT);
  sigaddset (&taken, SIGTERM);
  pthread_sigmask (SIG_BLOCK, &taken, &start->old_mask);
  signal_fd = signalfd (-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
  pid = start_child (start, ends[0], sockets[0], error);
  close (ends[1]);
  close (sockets[1]);
  if (pid > 0)
    {
      read_report (reading, ends[0], sockets[0], signal_fd, pid, &interrupted);
      close (ends[0]);
      while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
        ;
    }
  else
    close (ends[0]);
  close (sockets[0]);
  close (signal_fd);
  pthread_sigmask (SIG_SETMASK, &start->old_mask, NULL);
  if (pid < 0)
    return FALSE;
  if (reading->done)
    return TRUE;
  if (reading->failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&reading->failure));
      return FALSE;
    }
  if (interrupted)
    return bz_fail (error, BZ_ERROR_INTERRUPTED, "interrupted", NULL, "installing %s",
                    start->options->source);
  return fail_died (status, start->options, error);
}

BzInstallResult *
bz_installer_run (const BzInstallOptions *options, GError **error)
{
  g_autoptr (BzInstallResult) result = g_new0 (BzInstallResult, 1);
  g_auto (GStrv) argv = make_argv (options);
  g_autoptr (GArray) uids = copy_map (options->uids, options->uids);
  g_autoptr (GArray) gids = copy_map (options->uids, options->gids);
  Reading reading = { .options = options, .result = result, .notices = g_ptr_array_new () };
  Start start = { .options = options, .argv = argv };
  gboolean ok;

  start.uids = uids;
  start.gids = gids;
  ok = run (&start, &reading, error);
  g_clear_error (&reading.failure);
  g_ptr_array_add (reading.notices, NULL);
  result->notices = (char **) g_ptr_array_free (reading.notices, FALSE);
  if (ok)
    return g_steal_pointer (&result);
  /* Nothing to do after an orderly failure; what is another's is locked. */
  remove_tree (options->target, TRUE, options->uids, options->gids, NULL);
  return NULL;
}
