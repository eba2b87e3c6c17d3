/* Problem: a console's bytes may tell a terminal to answer (ESC [ 6 n, which shells with line
 * editing send with every prompt), to set its title or its keys. Shown again later, the answers
 * would be typed into a program that never asked.
 * Choice: what is kept is text. Sequences are those of ECMA-48 in 7 bits, and their beginnings
 * U+0080 to U+009F in UTF-8, which xterm and others obey in it. Single bytes from 0x80 on are
 * somebody's letters and stay. */
#include "config.h"

#include "loader/console-text.h"

#include <string.h>

static gboolean
is_text (unsigned char c)
{
  return (c >= ' ' && c != 0x7f) || c == '\n' || c == '\r' || c == '\t' || c == '\b';
}

/* After ESC: what kind of sequence begins. */
static int
begin_sequence (unsigned char c)
{
  if (c == '[')
    return BZ_TEXT_SEQUENCE;
  if (strchr ("]P^_X", c) != NULL && c != '\0')
    return BZ_TEXT_STRING;
  /* Intermediate bytes ("ESC ( B") go on, any other byte is the sequence's last. */
  return c >= ' ' && c <= '/' ? BZ_TEXT_ESCAPE : BZ_TEXT_PLAIN;
}

/* The second byte of U+0080 to U+009F, which are ESC and a byte from '@' to '_'. */
static gboolean
is_c1 (unsigned char c)
{
  return c >= 0x80 && c <= 0x9f;
}

#define C1_LEAD 0xc2

gsize
bz_text_filter (BzTextFilter *filter, const char *in, gsize length, char *out)
{
  gsize n = 0;

  for (gsize i = 0; i < length; i++)
    {
      unsigned char c = (unsigned char) in[i];

      if (filter->state == BZ_TEXT_LEAD)
        {
          filter->state = is_c1 (c) ? begin_sequence (c - 0x40) : BZ_TEXT_PLAIN;
          if (is_c1 (c))
            continue;
          out[n++] = (char) C1_LEAD;
        }
      if (c == 0x1b)
        filter->state = BZ_TEXT_ESCAPE;
      else if (filter->state == BZ_TEXT_ESCAPE)
        filter->state = begin_sequence (c);
      else if (filter->state == BZ_TEXT_SEQUENCE)
        {
          if (c < ' ' || c >= '@')
            filter->state = BZ_TEXT_PLAIN;
        }
      else if (filter->state == BZ_TEXT_STRING)
        {
          /* A newline ends one that was never closed: the rest is not swallowed with it. */
          if (c == '\a' || c == '\n')
            filter->state = BZ_TEXT_PLAIN;
        }
      else if (c == C1_LEAD)
        filter->state = BZ_TEXT_LEAD;
      else if (is_text (c))
        out[n++] = (char) c;
    }
  return n;
}
