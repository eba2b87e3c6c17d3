/* The keeper's side of the terminals of a zone that boots. */
#pragma once

#include "loader/hand-over.h"
#include "loader/message.h"

typedef struct BzConsole BzConsole;

/* log: the file that keeps the console's text. */
BzConsole *bz_console_new (const char *log);

/* Takes the masters of a zone's terminals (message "terminals"), of its first start and of those
 * after a reboot. BZ_ERROR_FAILED if there are none. */
gboolean bz_console_connect (BzConsole *console, BzMessage *terminals, GError **error);

/* Leaves the terminals and the clients to the next program, and takes them there, into a new console.
 * FALSE: they were not left whole. */
void bz_console_leave (const BzConsole *console, BzHandOver *left);
gboolean bz_console_take (BzConsole *console, GVariantDict *values);

/* Reads what a zone that has ended has left, and closes its terminals. Clients stay. */
void bz_console_disconnect (BzConsole *console);

/* A line of the keeper's own for who reads the console. */
void bz_console_say (BzConsole *console, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* A new client of terminal number `terminal` (1: the console), which a zone that has six has as
 * /dev/ttyN: a stream socket that gets the last `replay` bytes of the log if it is the console's, then
 * what the terminal says. plain: as text (console-text.h), and what it sends is ignored. The caller's, or
 * -1. */
int bz_console_join (BzConsole *console, guint terminal, guint replay, gboolean plain, GError **error);

void bz_console_resize (BzConsole *console, guint terminal, guint rows, guint columns);
void bz_console_free (BzConsole *console);
