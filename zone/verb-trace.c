/* trace: the answered calls of a running zone, live or counted. */
#include "config.h"

#include "brand/base/error.h"
#include "zone/counts.h"
#include "zone/planning.h"
#include "zone/trace-line.h"
#include "zone/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int
print_counts (const BzContext *context, const char *run_dir, gint64 started, GError **error)
{
  gint64 seconds = MAX (g_get_real_time () / G_USEC_PER_SEC - started, 1);
  int fd = bz_loader_journal (run_dir, error);

  if (fd < 0)
    return -1;
  g_autoptr (BzJournal) journal = bz_journal_map (fd, error);
  close (fd);
  if (journal == NULL)
    return -1;

  g_autoptr (GArray) counts = bz_journal_counts (journal);
  guint64 successions = bz_journal_successions (journal);
  if (context->json)
    {
      JsonBuilder *builder = bz_json_begin ();
      bz_counts_json (builder, counts, successions, seconds);
      bz_json_end (builder);
      return 0;
    }
  g_autoptr (BzTextTable) table = bz_counts_table (counts, seconds);
  if (counts->len > 0)
    bz_text_table_print (table);
  else
    bz_context_note (context, "no call was answered or passed on so far");
  if (successions > 0)
    bz_context_note (context, "the supervisor was replaced %" G_GUINT64_FORMAT " times",
                     successions);
  return 0;
}

static void
print_event (const BzContext *context, const BzTraceEvent *event, guint64 *lost)
{
  g_autofree char *line = context->json ? bz_trace_json (event) : bz_trace_line (event);

  puts (line);
  if (event->lost > *lost && !context->json)
    bz_context_note (context,
                     "%" G_GUINT64_FORMAT
                     " calls were not shown: they came faster than they could be printed",
                     event->lost - *lost);
  *lost = event->lost;
}

/* Until the zone ends, or the reader of the output is gone. */
static int
follow (const BzContext *context, int fd, GError **error)
{
  BzTraceEvent event;
  guint64 lost = 0;

  for (;;)
    {
      gssize n = recv (fd, &event, sizeof event, 0);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno != ECONNRESET)
        {
          bz_fail_errno (error, errno, NULL, "reading the trace");
          return -1;
        }
      if (n <= 0)
        return 0;
      if ((gsize) n < sizeof event || event.size < sizeof event)
        {
          bz_fail (error, BZ_ERROR_FAILED, "its events are of another version",
                   "stop the zone and start it again", "reading the trace");
          return -1;
        }
      print_event (context, &event, &lost);
      if (fflush (stdout) != 0)
        return 0;
    }
}

int
bz_verb_trace (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0);
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, error);
  g_autofree char *run_dir = bz_dirs_run (context->dirs, name);
  BzZoneInfo info = { 0 };

  if (state == NULL)
    return -1;
  if (bz_state_condition (context->dirs, name, &info) != BZ_ZONE_RUNNING)
    {
      bz_fail (error, BZ_ERROR_STATE, "it is not running",
               "run --stats counts the calls of one command", "zone %s", name);
      return -1;
    }
  if (bz_arguments_flag (arguments, "stats"))
    return print_counts (context, run_dir, info.started, error);
  int fd = bz_loader_trace (run_dir, error);
  if (fd < 0)
    return -1;
  int status = follow (context, fd, error);
  close (fd);
  return status;
}
