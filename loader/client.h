/* Talking to a zone's keeper. */
#pragma once

#include "loader/message.h"

/* Connects to the keeper that listens in run_dir: a descriptor, or -1 and BZ_ERROR_STATE when none
 * does. */
int bz_client_connect (const char *run_dir, GError **error);

/* Sends a request and returns its answer; an "error" answer becomes *error. body as in
 * bz_message_send. */
BzMessage *bz_client_ask (int connection, const char *kind, GVariant *body, const int *fds,
                          guint fd_count, GError **error);
