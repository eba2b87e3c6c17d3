/* Serving a repository over plain HTTP. */
#pragma once

#include <glib.h>

typedef struct {
  const char *source; /* a directory, or the http or https address that is passed on */
  const char *listen; /* "127.0.0.1:0", "[::1]:8080" */
  const char *scratch; /* where files on their way may lie without a name */
  /* Called once it listens, with its address ("http://127.0.0.1:4711"). FALSE ends it. */
  gboolean (*ready) (const char *address, gpointer data, GError **error);
  gpointer data;
} BzMirrorOptions;

/* Serves until SIGINT or SIGTERM. */
gboolean bz_mirror_serve (const BzMirrorOptions *options, GError **error);
