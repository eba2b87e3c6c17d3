/* How execve(2) begins: which file it opens, and what that file's first bytes say. */
#pragma once

#include "loader/shadow/known.h"
#include "syscall-xlat/call.h"

typedef struct BzExecContext BzExecContext;
BzExecContext *bz_exec_context_new (GError **error);

/* Finds, as the zone's root, the file that the target's execveat (directory, path, flags) means: by
 * the target's own root and working directory. A descriptor that tells which file it is (O_PATH), or
 * -1 when there is none. */
int bz_exec_context_open (BzExecContext *context, BzCall *call, int directory, const char *path,
                          guint flags);

/* Opens for reading what the descriptor stands for; -1 when it may not be read. */
int bz_exec_context_reopen (BzExecContext *context, int fd);

/* The program that the task runs, for reading, or -1. */
int bz_exec_context_open_program (BzExecContext *context, pid_t tid);

/* Fills elf64, entry, lowest and interpreter from the first 4 KiB of the file's copy. Reads with
 * bounds: the bytes are the zone's. */
void bz_start_read (int copy, BzKnownFile *file);
