/* What a terminal says while nobody is attached to it. */
#pragma once

#include "loader/console-text.h"

typedef struct {
  GString *text; /* the last of it, without what a terminal would answer */
  BzTextFilter filter;
} BzKeptText;

void bz_kept_text_init (BzKeptText *kept);
void bz_kept_text_clear (BzKeptText *kept);

/* Reads what there is, from a terminal that does not block. FALSE: it has come to its end. */
gboolean bz_kept_text_read (BzKeptText *kept, int terminal);

/* A byte string for a message. Floating. */
GVariant *bz_kept_text_to_variant (const BzKeptText *kept);

/* A full-screen program draws anew when its window changes: it is made one row smaller, and who attaches
 * sets the real size. */
void bz_terminal_ask_to_redraw (int terminal);
