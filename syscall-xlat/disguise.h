/* A thread that works with a task's permissions. */
#pragma once

#include "syscall-xlat/task.h"

/* Once, before any thread is disguised: remembers the process's own capabilities. */
void bz_disguise_prepare (void);

/* The task's effective capabilities; 0 or a positive errno. */
int bz_disguise_capabilities (pid_t tid, guint64 *effective);

/* This thread's file system ids, groups and capabilities become the task's. 0 or a positive errno;
 * bz_disguise_lift is to be called in either case. */
int bz_disguise (const BzTaskCredentials *as);

/* Gives the thread its capabilities back; the ids stay, for the next time. */
void bz_disguise_lift (void);

/* Gives back the ids as well. */
void bz_disguise_end (void);

/* A new thread may have started with its creator's: the next bz_disguise_end gives them back. */
void bz_disguise_inherit (void);
