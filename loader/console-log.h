/* The kept text of a zone's console: FILE, and FILE.1 with what came before. */
#pragma once

#include <glib.h>

/* Bytes that each of the two files may have. */
#define BZ_CONSOLE_LOG_MAX (128 * 1024)

typedef struct BzConsoleLog BzConsoleLog;

/* Opens the log for appending. Never NULL: one that cannot be opened keeps nothing. */
BzConsoleLog *bz_console_log_open (const char *path);
void bz_console_log_append (BzConsoleLog *log, const char *text, gsize length);
void bz_console_log_close (BzConsoleLog *log);

/* The last `bytes` of what is kept, from the beginning of a line on; "" when there is nothing. */
GString *bz_console_log_tail (const char *path, gsize bytes);
