/* One run of brandzone-install: its limits, its progress, its notices. */
#pragma once

#include <glib.h>

typedef struct {
  int report_fd;        /* lines of installer/report.h; -1: texts to nobody */
  gboolean deaf;        /* the reader of report_fd is gone */
  guint64 done, total;  /* bytes of the source */
  guint64 files, bytes; /* made in the tree; bytes: data written, holes not counted */
  guint64 max_bytes, max_files;
  gint64 last_report; /* monotonic microseconds */
  GPtrArray *notices; /* of char * */
  GPtrArray *tallies; /* of BzTally: things left out, told once each with a count */
} BzJob;

BzJob *bz_job_new (int report_fd);
void bz_job_free (BzJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzJob, bz_job_free)

/* Asks the work to stop: safe in a signal handler. */
void bz_job_interrupt (int signal);

/* Called between pieces of work. Tells progress ten times a second. FALSE with
 * BZ_ERROR_INTERRUPTED after bz_job_interrupt or when the caller is gone. */
gboolean bz_job_step (BzJob *job, GError **error);

/* Tells progress now. */
void bz_job_tell_progress (BzJob *job);

/* Counts data before it is written. BZ_ERROR_INPUT when the source expands beyond max_bytes. */
gboolean bz_job_count_bytes (BzJob *job, guint64 bytes, GError **error);
gboolean bz_job_count_file (BzJob *job, GError **error);

/* A line that the user should read. */
void bz_job_notice (BzJob *job, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Counts a thing that was left out. `one` and `many` are static texts that follow the count:
 * "device node left out: a plain user can't make it". */
void bz_job_tally (BzJob *job, const char *one, const char *many, const char *example);
/* Turns the tallies into notices. */
void bz_job_tell_tallies (BzJob *job);

void bz_job_send (BzJob *job, char *line); /* takes the line */
