/* Joining a running zone (join.c), in two steps. */
#pragma once

#include "loader/loader.h"

typedef struct BzJoin BzJoin;

/* Learns from the keeper what a process that joins needs. The command stays the caller's, and must live
 * as long. */
BzJoin *bz_join_new (const char *run_dir, const BzCommand *command, GError **error);
void bz_join_free (BzJoin *join); /* may be NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzJoin, bz_join_free)

/* The connection to the keeper, which is the caller's then. */
int bz_join_take_connection (BzJoin *join);

typedef struct {
  pid_t pid; /* a child of the caller's */
  int pidfd;
  int terminal; /* or -1 */
} BzJoined;

/* Starts the command: returns when it was executed. The signals must be held (attend.h); joined is to be
 * closed after a failure, too. */
gboolean bz_join_start (BzJoin *join, BzJoined *joined, GError **error);
void bz_joined_close (BzJoined *joined);
