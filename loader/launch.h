/* The last steps before a program of the zone: user, limits, personality, terminal, exec. */
#pragma once

#include "loader/loader.h"

/* How a program starts. */
typedef struct {
  const BzCommand *command;
  const BzPlan *plan;
  int stdio[3];      /* the descriptors to use as 0, 1, 2 */
  gboolean terminal; /* they are a terminal, which becomes the controlling one of a new session */
  gboolean init;    /* it is process 1: no user is looked up, nothing is added to its environment,
                     * and it dies with its parent, the keeper */
  gboolean alone;   /* no other program runs in the zone: nobody there could look into this process,
                     * and the   supervisor shall (shadow/images.c) */
  int error_socket; /* where an error goes, as a message; close-on-exec: its end tells of success */
  int kept[2]; /* descriptors that confine() uses, or -1; all others are closed before the zone's
                  files are looked at */
  /* Puts the process under the zone's filter and waits until its calls are answered. Called when
   * nothing but user, directory and exec is left to do: from here on the process makes only calls
   * as old as Linux 2.0, because the filter refuses what the brand's kernel did not know. */
  gboolean (*confine) (gpointer data, GError **error);
  gpointer data;
} BzLaunch;

/* In a child that is inside the zone already: becomes the command. Exits on failure. */
G_GNUC_NORETURN void bz_launch (const BzLaunch *launch);

/* Narrows the calling process's capability bounding set to what distributions need and the settings
 * leave. Returns 0 or an errno. */
int bz_launch_bound_capabilities (const BzSettings *settings);
