/* What a console said, as text that is safe to show and to keep. */
#pragma once

#include <glib.h>

typedef struct {
  enum { BZ_TEXT_PLAIN, BZ_TEXT_LEAD, BZ_TEXT_ESCAPE, BZ_TEXT_SEQUENCE, BZ_TEXT_STRING } state;
} BzTextFilter;

/* Copies what people read: escape sequences and control characters (but tab, newline, carriage
 * return and backspace) are left out, also where they come in pieces. `out` has room for `length` + 1.
 * Returns how many bytes it got. */
gsize bz_text_filter (BzTextFilter *filter, const char *in, gsize length, char *out);
