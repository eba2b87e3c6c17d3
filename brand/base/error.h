/* The one error style of the project.
 *
 * Every failure is a GError of domain BZ_ERROR whose message reads
 * "what failed: why (what to do)". The three parts, and the catalogue row when
 * there is one, are kept apart so that `--json` can print them as fields.
 * Library code never prints and never exits; the program's main does both, and
 * uses the code as the exit status.
 */
#pragma once

#include <glib.h>

/* Exit statuses of every verb but run, exec and login (brandzone(1)). */
typedef enum {
  BZ_ERROR_FAILED = 1,           /* the operation failed */
  BZ_ERROR_USAGE = 2,            /* the command line makes no sense */
  BZ_ERROR_NO_ZONE = 3,          /* no such zone (or brand) */
  BZ_ERROR_STATE = 4,            /* the zone is in the wrong state for this verb */
  BZ_ERROR_LOCKED = 5,           /* another brandzone works on the zone */
  BZ_ERROR_PERMISSION = 6,       /* the caller may not */
  BZ_ERROR_HOST = 7,             /* the host lacks a feature */
  BZ_ERROR_INPUT = 8,            /* a file, archive or argument is malformed */
  BZ_ERROR_SPACE = 9,            /* no space */
  BZ_ERROR_NOT_EXECUTABLE = 126, /* run, exec, login: found, can't be executed */
  BZ_ERROR_NOT_FOUND = 127,      /* run, exec, login: command not found */
  BZ_ERROR_INTERRUPTED = 130
} BzErrorCode;

/* The status of run, exec and login when brandzone itself failed. */
#define BZ_EXIT_BRANDZONE 125

typedef struct {
  char *what;
  char *why;
  char *hint; /* what to do */
  char *row;  /* catalogue row such as "E1", or NULL */
} BzErrorParts;

#define BZ_ERROR bz_error_quark ()
GQuark bz_error_quark (void);

/* Sets *error to "what: why (hint)" and returns FALSE, so that
 * `return bz_fail (...)` is the whole error path.
 * why:  a short clause in lower case, without a full stop. Must not be NULL.
 * hint: what the user can do; NULL: what helps with errors of that code.
 * format: what failed, names the path or object. */
gboolean bz_fail (GError **error, BzErrorCode code, const char *why, const char *hint,
                  const char *format, ...) G_GNUC_PRINTF (5, 6);

/* The same with an errno value as the reason. The code follows from it:
 * EPERM, EACCES -> PERMISSION; ENOSPC, EDQUOT -> SPACE; else FAILED. hint: NULL for what helps with that
 * errno, or with errors of that code, wherever it happens. */
gboolean bz_fail_errno (GError **error, int saved_errno, const char *hint, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

/* The same with an error of g_file_set_contents() and its kin, whose own text names a file that nobody knows. */
gboolean bz_fail_file (GError **error, const GError *cause, const char *hint, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

/* Names the catalogue row (FAILURES id) that explains `error`. NULL-safe. */
void bz_error_set_row (GError *error, const char *row);

/* The parts of a BZ_ERROR; for a foreign GError (GFileError, ...) NULL. Owned by the error. */
const BzErrorParts *bz_error_parts (const GError *error);

/* The exit status for an error of any domain (foreign ones: 1). */
int bz_error_exit_status (const GError *error);
