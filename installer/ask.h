/* What brandzone-install asks its caller for: running a program in a zone of the tree that it makes.
 */
#pragma once

#include "installer/job.h"

typedef enum {
  BZ_ASK_RAN,
  BZ_ASK_REFUSED /* it can't be run; a notice tells why */
} BzAsked;

typedef struct {
  const char *name;                           /* of what it belongs to: a package */
  const char *directory;                      /* to start in */
  const char *program, *argument, *argument2; /* the last ones may be NULL */
} BzAsk;

/* requests_fd: installer/requests.h, or -1. Returns when no process of that zone is left. *status:
 * the program's exit status. FALSE with BZ_ERROR_INTERRUPTED when the user does not want to go on. */
gboolean bz_ask_run (BzJob *job, int requests_fd, const BzAsk *ask, BzAsked *asked, int *status,
                     GError **error);
