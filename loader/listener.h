/* Installing a zone's filter. */
#pragma once

#include <glib.h>

/* Installs the program (struct sock_filter[]) for the calling task and what it forks, and returns
 * its listener (close-on-exec). Needs CAP_SYS_ADMIN in the task's user namespace, not no_new_privs:
 * zones hold set-uid programs. -1 and error on failure; BZ_ERROR_HOST when another filter with a
 * listener is in the way (one per chain, Linux 5.0). */
int bz_listener_install (GBytes *program, gboolean wait_killable, GError **error);
