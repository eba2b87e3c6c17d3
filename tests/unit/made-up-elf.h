/* x86-64 programs made of given bytes, small enough to be read and good enough to run. */
#pragma once

#include <glib.h>

#define MADE_UP_BASE G_GUINT64_CONSTANT (0x400000)
#define MADE_UP_TEXT (MADE_UP_BASE + 0x1000)   /* file offset 0x1000; also the entry point */
#define MADE_UP_DATA (MADE_UP_BASE + 0x200000) /* file offset: behind the text, page-aligned */

typedef struct {
  const guint8 *text;
  gsize text_size;
  const guint8 *data; /* or NULL */
  gsize data_size;
  gboolean bare;       /* no section headers */
  guint64 function[8]; /* addresses of symbols; the first 0 ends them */
  const char *interpreter;
} MadeUpElf;

GByteArray *made_up_elf (const MadeUpElf *spec);
