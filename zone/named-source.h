/* Where trees of distributions can be had, by name: installer/sources/distributions.sources tells the
 * form. */
#pragma once

#include "brand/abi.h"

#include <glib.h>

typedef struct {
  char *name;      /* "debian:etch" */
  char **names;    /* others; never NULL */
  BzAbi abi;
  char *title, *kind, *url;
  char *sha256;     /* hexadecimal, or NULL */
  char *unverified; /* why there is no checksum, or NULL */
  char *source;     /* where these were read, or NULL */
  char *file;       /* for messages: "FILE:LINE" */
} BzNamedSource;

void bz_named_source_free (BzNamedSource *source);

/* Those of one file, in its order. NULL: BZ_ERROR_INPUT with the line. */
GPtrArray *bz_named_sources_read (const char *file, GError **error);
/* All: of $BRANDZONE_SOURCES_PATH (files' directories, with : between them), else of
 * /etc/brandzone/sources, ~/.config/brandzone/sources and the package; the first of a name and ABI
 * wins. Sorted by name. */
GPtrArray *bz_named_sources_load (GError **error);

/* The one of that name; for `abi` if has_abi, else for x86_64, else for i386. NULL with
 * BZ_ERROR_INPUT, which names the nearest. Borrowed from `all`. */
const BzNamedSource *bz_named_source_find (const GPtrArray *all, const char *name,
                                           gboolean has_abi, BzAbi abi, GError **error);

/* Whether what install was given has the form of a name: "debian:etch". */
gboolean bz_named_source_like (const char *given);
