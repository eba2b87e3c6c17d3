/* Helper processes: programs that see hostile bytes for us. */
#pragma once

#include "installer/installer.h"

/* Runs a program (argv[0]: a path, or a name to look up in the system's directories) with fds as its
 * descriptors 3, 4, ..., an empty environment, standard input from nowhere and standard output
 * to output_fd; -1: it is returned. What it says on standard error is returned otherwise. NULL:
 * it could not be run. It gets SIGTERM when the caller is interrupted or dies. */
char *bz_helper_run (const char *const *argv, const int *fds, guint n_fds, int output_fd,
                     int *status, GError **error);

/* The same for one that writes to output_fd; `tick` is called while it works. */
typedef void (*BzHelperTick) (gpointer data);
char *bz_helper_run_watched (const char *const *argv, int output_fd, BzHelperTick tick,
                             gpointer data, int *status, GError **error);
/* Whether a SIGINT or SIGTERM that the caller holds back is waiting. */
gboolean bz_helper_interrupted (void);

/* Fetches a URL into a file without a name beside the path `beside`. -1 with *missing: there is no
 * such file. */
int bz_fetch (const char *url, const char *beside, gboolean *missing, GError **error);

/* Checks a signature with gpgv and options->keys; signature_fd -1: the data are signed inline.
 * Returns who signed, owned by the caller; NULL: error. */
char *bz_signature_check (int data_fd, int signature_fd, const char *what,
                          const BzInstallOptions *options, GError **error);
