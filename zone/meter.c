/* Progress of long work on standard error: a line on a terminal, or lines of JSON. */
#include "config.h"

#include "zone/names.h"
#include "zone/output.h"

#include <stdio.h>
#include <string.h>

#define INTERVAL_US 100000

struct BzMeter {
  BzMeterKind kind;
  char *label;
  gint64 started, shown;
  gboolean dirty; /* there is something on the terminal's line */
};

BzMeter *
bz_meter_new (BzMeterKind kind, const char *label)
{
  BzMeter *meter = g_new0 (BzMeter, 1);

  meter->kind = kind;
  meter->label = bz_text_safe (label);
  meter->started = g_get_monotonic_time ();
  return meter;
}

static guint64
rate_of (guint64 done, gint64 microseconds)
{
  return microseconds > 0 ? (guint64) (done * 1e6 / microseconds) : 0;
}

char *
bz_meter_line (const char *label, guint64 done, guint64 total, guint64 files, gint64 microseconds)
{
  g_autofree char *amount = bz_bytes_format (done);
  g_autofree char *rate = bz_bytes_format (rate_of (done, microseconds));

  if (total == 0 && done == 0) /* a directory: only its files are counted */
    return g_strdup_printf ("%s: %" G_GUINT64_FORMAT " file%s", label, files,
                            files == 1 ? "" : "s");
  if (total == 0)
    return g_strdup_printf ("%s: %s, %s/s, %" G_GUINT64_FORMAT " files", label, amount, rate,
                            files);
  g_autofree char *whole = bz_bytes_format (total);
  guint percent = (guint) (MIN (done, total) * 100.0 / total);
  return g_strdup_printf ("%s: %s of %s (%u%%), %s/s, %" G_GUINT64_FORMAT " files", label, amount,
                          whole, percent, rate, files);
}

static void
show_json (guint64 done, guint64 total, guint64 files, gint64 microseconds)
{
  JsonBuilder *builder = bz_json_begin ();

  bz_json_text (builder, "event", "progress");
  bz_json_number (builder, "done_bytes", done);
  bz_json_number (builder, "total_bytes", total);
  bz_json_number (builder, "files", files);
  bz_json_number (builder, "bytes_per_second", rate_of (done, microseconds));
  g_autofree char *line = bz_json_end_line (builder);
  fprintf (stderr, "%s\n", line);
}

void
bz_meter_recognised (const BzMeter *meter, const char *kind, guint64 bytes)
{
  if (meter->kind != BZ_METER_JSON)
    return;

  JsonBuilder *builder = bz_json_begin ();
  bz_json_text (builder, "event", "recognised");
  bz_json_text (builder, "kind", kind);
  bz_json_number (builder, "bytes", (gint64) MIN (bytes, (guint64) G_MAXINT64));
  g_autofree char *line = bz_json_end_line (builder);
  fprintf (stderr, "%s\n", line);
}

void
bz_meter_update (BzMeter *meter, guint64 done, guint64 total, guint64 files)
{
  gint64 now = g_get_monotonic_time ();

  if (meter->kind == BZ_METER_NONE || now - meter->shown < INTERVAL_US)
    return;
  meter->shown = now;
  if (meter->kind == BZ_METER_JSON)
    {
      show_json (done, total, files, now - meter->started);
      return;
    }
  g_autofree char *line = bz_meter_line (meter->label, done, total, files, now - meter->started);
  fprintf (stderr, "\r%s\033[K", line);
  fflush (stderr);
  meter->dirty = TRUE;
}

void
bz_meter_free (BzMeter *meter)
{
  if (meter == NULL)
    return;
  if (meter->dirty)
    {
      fputs ("\r\033[K", stderr);
      fflush (stderr);
    }
  g_free (meter->label);
  g_free (meter);
}
