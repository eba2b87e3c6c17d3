/* What brandzone-install asks of its caller.
 *
 * Problem: packages lie on servers, their signatures are checked by gpgv, and their scripts run in a
 * zone; the installer, which reads what is hostile, has neither network nor other programs. Choice: it asks, over a socket of
 * packets, one line (installer/report.h) with descriptors beside it, and gets one line back. The
 * caller starts a helper process for each and reads nothing of the bytes itself. */
#pragma once

#include "installer/installer.h"

#define BZ_REQUEST_FETCH 'F'  /* path: a descriptor of the file comes back */
#define BZ_REQUEST_KEYS 'Y'   /* : "yes" or "no" */
#define BZ_REQUEST_VERIFY 'V' /* what; data and signature as descriptors: who signed comes back */
#define BZ_REQUEST_RUN 'R'    /* see installer/ask.h: the exit status comes back */
#define BZ_REQUEST_RUN_FIELDS 5

#define BZ_ANSWER_DONE 'K'    /* text */
#define BZ_ANSWER_MISSING 'M' /* : there is no such file */

#define BZ_REQUEST_FDS 2
#define BZ_REQUEST_MAX 16384

/* One packet. Takes the line. */
gboolean bz_request_send (int socket, char *line, const int *fds, guint n_fds);
/* Its line without newline, owned by the caller; NULL: the other side is gone or talks nonsense.
 * Descriptors that did not come are -1. */
char *bz_request_receive (int socket, int fds[BZ_REQUEST_FDS]);

/* The caller's side: answers one request. FALSE: nobody asks any more. directory_fd: where files
 * without a name may be made. */
gboolean bz_requests_answer (int socket, const BzInstallOptions *options);
