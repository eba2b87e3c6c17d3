#include "config.h"

#include "installer/ask.h"

#include "brand/base/error.h"
#include "installer/report.h"
#include "installer/requests.h"

#include <unistd.h>

/* Sends the request and waits: a signal that came meanwhile has reached the caller, too. */
static char *
exchange (int requests_fd, const BzAsk *ask)
{
  char *line = bz_report_line (BZ_REQUEST_RUN, ask->name, ask->directory, ask->program,
                               ask->argument, ask->argument2, BZ_REPORT_END);
  int got[BZ_REQUEST_FDS] = { -1, -1 };
  char *answer;

  if (!bz_request_send (requests_fd, line, NULL, 0))
    return NULL;
  answer = bz_request_receive (requests_fd, got);
  for (guint i = 0; i < BZ_REQUEST_FDS; i++)
    if (got[i] >= 0)
      close (got[i]);
  return answer;
}

static void
tell_refusal (BzJob *job, const GError *failure)
{
  const BzErrorParts *parts = bz_error_parts (failure);
  gboolean row = parts != NULL && parts->row != NULL;

  bz_job_notice (job, "the packages' scripts can't be run: %s%s%s%s", failure->message,
                 row ? " [" : "", row ? parts->row : "", row ? "]" : "");
}

gboolean
bz_ask_run (BzJob *job, int requests_fd, const BzAsk *ask, BzAsked *asked, int *status,
            GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *answer = NULL;
  char **fields = NULL;
  guint64 number = 0;

  *asked = BZ_ASK_REFUSED;
  *status = 0;
  if (!bz_job_step (job, error))
    return FALSE;
  if (requests_fd < 0)
    return TRUE; /* started by hand */
  answer = exchange (requests_fd, ask);
  if (answer == NULL)
    return bz_fail (error, BZ_ERROR_INTERRUPTED, "the caller is gone", NULL, "installing");
  if (answer[0] == BZ_ANSWER_DONE && (fields = bz_report_parse (answer, 1)) != NULL
      && fields[0] != NULL && g_ascii_string_to_unsigned (fields[0], 10, 0, 255, &number, NULL))
    {
      *asked = BZ_ASK_RAN;
      *status = (int) number;
    }
  else
    bz_report_error_parse (answer, &failure);
  bz_report_fields_free (fields, 1);
  if (g_error_matches (failure, BZ_ERROR, BZ_ERROR_INTERRUPTED))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (failure != NULL)
    tell_refusal (job, failure);
  return bz_job_step (job, error);
}
