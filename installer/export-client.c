/* The caller's side of brandzone-export. What it is given is open already, so that it needs no path
 * of the host: the tree, the file to write to, a pipe for its report. */
#include "config.h"

#include "installer/export.h"

#include "brand/base/error.h"
#include "brand/base/libexec.h"
#include "installer/report.h"
#include "loader/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TREE_FD = 10, OUT_FD, TEMPORARY_FD, REPORT_FD };

typedef struct {
  const BzExportOptions *options;
  char **argv;
  int report;
} Start;

static void
add (GPtrArray *argv, const char *option, const char *value)
{
  if (value != NULL)
    g_ptr_array_add (argv, g_strdup_printf ("--%s=%s", option, value));
}

static char **
make_argv (const BzExportOptions *options)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();

  g_ptr_array_add (argv, bz_libexec_program ("brandzone-export"));
  g_ptr_array_add (argv, g_strdup_printf ("--tree-fd=%d", TREE_FD));
  g_ptr_array_add (argv, g_strdup_printf ("--out-fd=%d", OUT_FD));
  g_ptr_array_add (argv, g_strdup_printf ("--report-fd=%d", REPORT_FD));
  if (options->temporary_fd >= 0)
    g_ptr_array_add (argv, g_strdup_printf ("--temporary-fd=%d", TEMPORARY_FD));
  g_ptr_array_add (argv, g_strdup_printf ("--id-shift=%u", options->id_shift));
  add (argv, "format", options->format);
  add (argv, "filter", options->filter);
  add (argv, "prefix", options->prefix);
  add (argv, "architecture", options->architecture);
  add (argv, "name", options->name);
  g_ptr_array_add (argv, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&argv), FALSE);
}

static int
become_exporter (gpointer data)
{
  const Start *start = data;
  const BzExportOptions *options = start->options;
  int from[] = { options->tree_fd, options->out_fd, options->temporary_fd, start->report };
  int high[G_N_ELEMENTS (from)];

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  /* Out of the way of each other first. */
  for (guint i = 0; i < G_N_ELEMENTS (from); i++)
    high[i] = from[i] >= 0 ? fcntl (from[i], F_DUPFD_CLOEXEC, REPORT_FD + 1) : -1;
  for (guint i = 0; i < G_N_ELEMENTS (from); i++)
    if (high[i] >= 0)
      dup2 (high[i], TREE_FD + (int) i);
  execv (start->argv[0], start->argv);
  g_autoptr (GError) error = NULL;
  bz_fail_errno (&error, errno, "is brandzone installed completely?", "starting %s",
                 start->argv[0]);
  g_autofree char *line = bz_report_error_line (error);
  (void) !write (REPORT_FD, line, strlen (line));
  return 1;
}

static gboolean
run (Start *start, int *status, GError **error)
{
  const BzExportOptions *options = start->options;

  if (options->uids != NULL)
    return bz_userns_run (options->uids, options->gids, become_exporter, start, status, error);
  pid_t pid = fork ();
  if (pid == 0)
    _exit (become_exporter (start));
  if (pid < 0)
    return bz_fail_errno (error, errno, NULL, "starting brandzone-export");
  while (waitpid (pid, status, 0) < 0 && errno == EINTR)
    ;
  return TRUE;
}

static gboolean
take_report (char *line, BzExportResult *result, GError **error)
{
  g_strchomp (line);
  if (line[0] == BZ_REPORT_ERROR)
    {
      bz_report_error_parse (line, error);
      return FALSE;
    }
  char **fields = line[0] == BZ_REPORT_RESULT ? bz_report_parse (line, 3) : NULL;
  if (fields == NULL || fields[0] == NULL || fields[1] == NULL || fields[2] == NULL)
    return bz_fail (error, BZ_ERROR_FAILED, "brandzone-export died", "try again", "exporting");
  result->files = g_ascii_strtoull (fields[0], NULL, 10);
  result->bytes = g_ascii_strtoull (fields[1], NULL, 10);
  result->sockets = (guint) g_ascii_strtoull (fields[2], NULL, 10);
  bz_report_fields_free (fields, 3);
  return TRUE;
}

gboolean
bz_exporter_run (const BzExportOptions *options, BzExportResult *result, GError **error)
{
  g_auto (GStrv) argv = make_argv (options);
  g_autofree char *line = g_malloc0 (BZ_REPORT_LINE_MAX + 1);
  int ends[2], status = 0;

  /* One line, less than a pipe holds. */
  if (pipe2 (ends, O_CLOEXEC | O_NONBLOCK) != 0)
    return bz_fail_errno (error, errno, NULL, "starting brandzone-export");
  Start start = { options, argv, ends[1] };
  gboolean ran = run (&start, &status, error);
  close (ends[1]);
  (void) !read (ends[0], line, BZ_REPORT_LINE_MAX);
  close (ends[0]);
  return ran && take_report (line, result, error);
}
