/* Ports of the host that lead into a zone: -p [ADDRESS:]HOST[-LAST]:ZONE[-LAST][/tcp|/udp]. */
#pragma once

#include <glib.h>

#define BZ_PUBLISH_MAX 256 /* of a zone; a range counts each of its ports */

typedef struct {
  char *address;    /* of the host; NULL: all of them */
  guint16 outside;  /* the host's port */
  guint16 inside;   /* the zone's */
  gboolean udp;
} BzPublish;

BzPublish *bz_publish_new (const char *address, guint16 outside, guint16 inside, gboolean udp);
void bz_publish_free (BzPublish *publish);

/* Appends what the text says to `list` (of BzPublish); NULL, or why it is no good (a constant). */
const char *bz_publish_parse (const char *text, GPtrArray *list);

/* "[ADDRESS:]HOST:ZONE/tcp" of one. Owned by the caller. */
char *bz_publish_text (const BzPublish *publish);
