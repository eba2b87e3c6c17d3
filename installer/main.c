/* brandzone-install: unpacks one source into one directory.
 *
 * Started by installer/client.c with a pipe for its report (installer/report.h); by hand it
 * prints to the terminal. */
#include "config.h"

#include "brand/base/error.h"
#include "installer/install.h"
#include "installer/report.h"
#include "installer/sandbox.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int report_fd = -1;
static gboolean keep_partial;
static gint64 id_shift, max_size, max_files = 10 * 1000 * 1000;
static int requests_fd = -1;
static char **wanted, **seed;
static char *arch, *suite, *list;
static char **paths;

static const GOptionEntry entries[] = {
  { "report-fd", 0, 0, G_OPTION_ARG_INT, &report_fd, "Report to this descriptor", "FD" },
  { "keep-partial", 0, 0, G_OPTION_ARG_NONE, &keep_partial,
    "Keep what a cut-off archive still gives", NULL },
  { "id-shift", 0, 0, G_OPTION_ARG_INT64, &id_shift, "Add this to every owner id", "N" },
  { "max-size", 0, 0, G_OPTION_ARG_INT64, &max_size, "Refuse sources that expand beyond this",
    "BYTES" },
  { "max-files", 0, 0, G_OPTION_ARG_INT64, &max_files, "Refuse sources with more files", "N" },
  { "requests-fd", 0, 0, G_OPTION_ARG_INT, &requests_fd, "Ask the caller on this socket", "FD" },
  { "want", 0, 0, G_OPTION_ARG_STRING_ARRAY, &wanted, "Install this package of a repository",
    "NAME" },
  { "seed", 0, 0, G_OPTION_ARG_STRING_ARRAY, &seed,
    "Unpack this package: the package manager needs it", "NAME" },
  { "arch", 0, 0, G_OPTION_ARG_STRING, &arch, "Take packages for this machine", "ARCH" },
  { "suite", 0, 0, G_OPTION_ARG_STRING, &suite, "Take this suite of a Debian repository", "SUITE" },
  { "list", 0, 0, G_OPTION_ARG_FILENAME, &list,
    "List what is in the tree in this file, beside the target", "NAME" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &paths, NULL, "SOURCE TARGET" },
  { NULL },
};

static void
handle_signals (void)
{
  struct sigaction stop = { .sa_handler = bz_job_interrupt };
  struct sigaction ignore = { .sa_handler = SIG_IGN };
  sigset_t none;

  sigaction (SIGINT, &stop, NULL);
  sigaction (SIGTERM, &stop, NULL);
  sigaction (SIGHUP, &stop, NULL);
  sigaction (SIGPIPE, &ignore, NULL);
  sigaction (SIGXFSZ, &ignore, NULL);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
}

static gboolean
parse (int argc, char **argv, BzInstallArgs *args, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) failure = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_summary (context, "Unpacks SOURCE into the new directory TARGET.");
  if (!g_option_context_parse (context, &argc, &argv, &failure))
    return bz_fail (error, BZ_ERROR_USAGE, failure->message, NULL, "brandzone-install");
  if (paths == NULL || g_strv_length (paths) != 2 || id_shift < 0
      || id_shift > (gint64) G_MAXUINT32 - 65536 || max_size < 0 || max_files <= 0
      || (list != NULL && strchr (list, '/') != NULL))
    return bz_fail (error, BZ_ERROR_USAGE, "it takes a SOURCE and a TARGET",
                    "brandzone-install --help", "brandzone-install");
  *args = (BzInstallArgs){ .source = paths[0],
                           .target = paths[1],
                           .keep_partial = keep_partial,
                           .id_shift = (guint32) id_shift,
                           .requests_fd = requests_fd,
                           .wanted = wanted,
                           .seed = seed,
                           .suite = suite,
                           .arch = arch,
                           .list = list };
  return TRUE;
}

static void
report_end (BzJob *job, const GError *failure)
{
  g_autofree char *files = g_strdup_printf ("%" G_GUINT64_FORMAT, job->files);
  g_autofree char *bytes = g_strdup_printf ("%" G_GUINT64_FORMAT, job->bytes);

  if (failure == NULL)
    {
      job->done = MAX (job->done, job->total);
      bz_job_tell_progress (job);
    }
  if (job->report_fd >= 0)
    bz_job_send (job, failure != NULL
                          ? bz_report_error_line (failure)
                          : bz_report_line (BZ_REPORT_RESULT, files, bytes, BZ_REPORT_END));
  else
    {
      for (guint i = 0; i < job->notices->len; i++)
        fprintf (stderr, "note: %s\n", (char *) job->notices->pdata[i]);
      if (failure != NULL)
        fprintf (stderr, "brandzone-install: %s\n", failure->message);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (BzJob) job = bz_job_new (-1);
  BzInstallArgs args;

  umask (0);
  /* UTF-8 names of pax and zip stay the bytes they are. */
  if (setlocale (LC_CTYPE, "C.UTF-8") == NULL)
    setlocale (LC_CTYPE, "en_US.UTF-8");
  handle_signals ();
  if (parse (argc, argv, &args, &failure))
    {
      job->report_fd = report_fd;
      job->max_bytes = (guint64) max_size;
      job->max_files = (guint64) max_files;
      if (bz_sandbox_enter ((unsigned) MAX (MAX (report_fd, requests_fd), 2) + 1, &failure))
        bz_install (job, &args, &failure);
    }
  report_end (job, failure);
  g_strfreev (paths);
  return failure == NULL ? 0 : bz_error_exit_status (failure);
}
