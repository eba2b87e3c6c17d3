/* What a client of a mirror asks for. */
#pragma once

#include <glib.h>

typedef struct {
  gboolean head;      /* only the answer's head is wanted */
  char *path;         /* clean, decoded, relative; "" is the top */
  gboolean directory; /* it ended in / */
  guint64 from, to;   /* of bytes; to G_MAXUINT64: to the end */
  gboolean range;
} BzMirrorRequest;

#define BZ_MIRROR_HEAD_MAX 8192

/* Reads a whole head of a request (up to its empty line). Returns 0, or the HTTP status that
 * refuses it. */
int bz_mirror_request_parse (const char *head, gsize size, BzMirrorRequest *request);
void bz_mirror_request_clear (BzMirrorRequest *request);
