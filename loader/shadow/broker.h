/* Having a file examined outside the zone: the supervisor asks, the keeper has it done.
 *
 * The supervisor has the zone root's credentials and no place to keep copies; the keeper forks a
 * child that looks into the cache, runs the rewriter if need be, and answers with the edits and a
 * descriptor of the copy on a detached read-only mount. */
#pragma once

#include "loader/loader.h"
#include "loader/message.h"
#include "loader/shadow/known.h"

/* Asks for the edits of the file whose private copy is `copy`, base name `name`, over the socket to
 * the keeper. Fills file's edits and copy. Waits up to 15 s. FALSE: it could not be examined; it
 * has no edits, but might have. */
gboolean bz_broker_ask (int socket, int copy, const char *name, BzKnownFile *file);

/* In the keeper: serves a message of kind "image" in a child of its own. user_namespace: of the
 * zone, for plain users, or -1. */
void bz_broker_serve (BzMessage *message, const BzPartition *zone, int user_namespace);
