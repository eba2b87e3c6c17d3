/* The tree of a running machine, by ssh. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Starts ssh: it writes the machine's tree as a tar archive into `fifo`, which is made. command:
 * the program with its options, "ssh -p 2222"; NULL: ssh. */
gboolean bz_from_ssh_start (const char *host, const char *command, const char *fifo, pid_t *child,
                            GError **error);
/* Waits for its end (and asks for it unless the tree was `taken`). Its failure replaces an error that
 * came of it. *doubts: its tar was not content with all files. */
gboolean bz_from_ssh_end (pid_t child, const char *host, gboolean taken, gboolean *doubts,
                          GError **error);
