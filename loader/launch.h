/* The last steps before a program of the zone: user, limits, personality, terminal, exec. */
#pragma once

#include "loader/loader.h"

/* In a child that is inside the zone already: becomes the command. On failure writes the error as a message to
 * error_socket (bz_message_send_error) and exits. stdio: the descriptors to use as 0, 1, 2;
 * terminal: they are a terminal, which becomes the controlling one of a new session. */
G_GNUC_NORETURN void bz_launch (const BzCommand *command, const BzPlan *plan, const int stdio[3],
                                gboolean terminal, int error_socket);

/* Narrows the calling process's capability bounding set to what distributions need. Returns 0 or an errno. */
int bz_launch_bound_capabilities (void);
