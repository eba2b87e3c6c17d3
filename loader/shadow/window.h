/* The decoded code around a use. Private to brandzone-rewriter. */
#pragma once

#include "loader/shadow/elf-map.h"
#include "loader/shadow/shapes.h"

typedef struct {
  const guint8 *image;
  const BzElfMap *map;
  BzDecoder *decoder;
  BzCode code;
  const BzElfRange *range; /* that the code is part of; NULL: nothing is decoded yet */
  guint64 from, to;        /* its addresses */
  gsize decoded;           /* bytes so far, over all windows of the image */
} BzWindow;

/* Nothing is copied: all three must outlive the window. */
void bz_window_init (BzWindow *window, const guint8 *image, const BzElfMap *map,
                     BzDecoder *decoder);
void bz_window_clear (BzWindow *window);

/* Decodes the code around an address in a range; FALSE when too much was decoded already. */
gboolean bz_window_decode (BzWindow *window, const BzElfRange *range, guint64 address);
