/* Messages between the parts of a zone: a kind, named values, and descriptors,
 * over SOCK_SEQPACKET. One datagram is one message. */
#pragma once

#include <glib.h>

#define BZ_MESSAGE_FDS 20
#define BZ_MESSAGE_BYTES (128 * 1024)

typedef struct {
  char *kind;         /* "go", "listener", ... */
  GVariantDict *body; /* never NULL */
  int fds[BZ_MESSAGE_FDS];
  guint fd_count;
} BzMessage;

void bz_message_free (BzMessage *message); /* closes the descriptors that were not taken */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzMessage, bz_message_free)

/* Sends. body: an a{sv} (a floating reference is consumed) or NULL. The descriptors stay the
 * caller's. */
gboolean bz_message_send (int socket, const char *kind, GVariant *body, const int *fds,
                          guint fd_count, GError **error);

/* Waits for one message. At the end of the stream returns NULL with BZ_ERROR_FAILED and sets *ended
 * (may be NULL). A message that is no message is BZ_ERROR_INPUT. Received descriptors are
 * close-on-exec. */
BzMessage *bz_message_receive (int socket, gboolean *ended, GError **error);

/* Takes descriptor number `index` out of the message, or -1. */
int bz_message_take_fd (BzMessage *message, guint index);

/* An error as a message, and back: a message of kind "error" sets *error and returns FALSE, any
 * other TRUE. */
gboolean bz_message_send_error (int socket, const GError *problem, GError **error);
gboolean bz_message_check (BzMessage *message, GError **error);
