#include "config.h"

#include "installer/job.h"

#include "brand/base/error.h"
#include "installer/report.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_INTERVAL (100 * 1000) /* microseconds */

typedef struct {
  const char *one, *many;
  char *example;
  guint64 count;
} BzTally;

static volatile sig_atomic_t interrupted;

static void
tally_free (gpointer data)
{
  BzTally *tally = data;

  g_free (tally->example);
  g_free (tally);
}

BzJob *
bz_job_new (int report_fd)
{
  BzJob *job = g_new0 (BzJob, 1);

  job->report_fd = report_fd;
  job->max_bytes = G_MAXUINT64;
  job->max_files = G_MAXUINT64;
  job->notices = g_ptr_array_new_with_free_func (g_free);
  job->tallies = g_ptr_array_new_with_free_func (tally_free);
  return job;
}

void
bz_job_free (BzJob *job)
{
  g_ptr_array_unref (job->notices);
  g_ptr_array_unref (job->tallies);
  g_free (job);
}

void
bz_job_interrupt (int signal G_GNUC_UNUSED)
{
  interrupted = 1;
}

void
bz_job_send (BzJob *job, char *line)
{
  g_autofree char *owned = line;
  gsize length = strlen (owned);

  while (job->report_fd >= 0 && !job->deaf && length > 0)
    {
      gssize written = write (job->report_fd, line, length);

      if (written >= 0)
        {
          line += written;
          length -= (gsize) written;
        }
      else if (errno != EINTR)
        job->deaf = TRUE; /* SIGPIPE is ignored: nobody waits for this tree any more */
    }
}

void
bz_job_tell_progress (BzJob *job)
{
  /* A zip's directory is read twice, and a tar's padding not at all. */
  guint64 now = job->total == 0 ? job->done : MIN (job->done, job->total);
  g_autofree char *done = g_strdup_printf ("%" G_GUINT64_FORMAT, now);
  g_autofree char *total = g_strdup_printf ("%" G_GUINT64_FORMAT, job->total);
  g_autofree char *files = g_strdup_printf ("%" G_GUINT64_FORMAT, job->files);

  bz_job_send (job, bz_report_line (BZ_REPORT_PROGRESS, done, total, files, BZ_REPORT_END));
}

gboolean
bz_job_step (BzJob *job, GError **error)
{
  gint64 now = g_get_monotonic_time ();

  if (now - job->last_report >= PROGRESS_INTERVAL)
    {
      job->last_report = now;
      bz_job_tell_progress (job);
    }
  if (interrupted)
    return bz_fail (error, BZ_ERROR_INTERRUPTED, "interrupted", NULL, "installing");
  if (job->deaf)
    return bz_fail (error, BZ_ERROR_INTERRUPTED, "the caller is gone", NULL, "installing");
  return TRUE;
}

gboolean
bz_job_count_bytes (BzJob *job, guint64 bytes, GError **error)
{
  if (bytes > job->max_bytes - MIN (job->bytes, job->max_bytes))
    {
      g_autofree char *why =
          g_strdup_printf ("it expands to more than %.1f MiB", (double) job->max_bytes / (1 << 20));

      return bz_fail (error, BZ_ERROR_INPUT, why, "if that is right, give a larger --max-size",
                      "unpacking the source");
    }
  job->bytes += bytes;
  return TRUE;
}

gboolean
bz_job_count_file (BzJob *job, GError **error)
{
  if (job->files >= job->max_files)
    {
      g_autofree char *why =
          g_strdup_printf ("it holds more than %" G_GUINT64_FORMAT " files", job->max_files);

      return bz_fail (error, BZ_ERROR_INPUT, why, "if that is right, give a larger --max-files",
                      "unpacking the source");
    }
  job->files++;
  return bz_job_step (job, error);
}

void
bz_job_notice (BzJob *job, const char *format, ...)
{
  va_list args;
  char *text;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_ptr_array_add (job->notices, text);
  bz_job_send (job, bz_report_line (BZ_REPORT_NOTICE, text, BZ_REPORT_END));
}

void
bz_job_tally (BzJob *job, const char *one, const char *many, const char *example)
{
  for (guint i = 0; i < job->tallies->len; i++)
    {
      BzTally *tally = job->tallies->pdata[i];

      if (tally->one == one)
        {
          tally->count++;
          return;
        }
    }

  BzTally *tally = g_new0 (BzTally, 1);
  *tally = (BzTally){ .one = one, .many = many, .count = 1, .example = g_strdup (example) };
  g_ptr_array_add (job->tallies, tally);
}

void
bz_job_tell_tallies (BzJob *job)
{
  for (guint i = 0; i < job->tallies->len; i++)
    {
      const BzTally *tally = job->tallies->pdata[i];

      if (tally->count == 1)
        bz_job_notice (job, "1 %s (%s)", tally->one, tally->example);
      else
        bz_job_notice (job, "%" G_GUINT64_FORMAT " %s (the first: %s)", tally->count, tally->many,
                       tally->example);
    }
  g_ptr_array_set_size (job->tallies, 0);
}
