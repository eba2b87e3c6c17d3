/* Taking away from brandzone-install what it does not need, before it reads a byte. */
#pragma once

#include <glib.h>

/* Closes descriptors from first_fd on; keeps only the capabilities that making files
 * needs; no new privileges; no network, no programs, no mounts, no other process. */
gboolean bz_sandbox_enter (unsigned first_fd, GError **error);
