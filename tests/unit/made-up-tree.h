/* Trees, brand directories and ELF images that tests make up. */
#pragma once

#include <glib.h>

/* A new empty directory under the temporary one. Owned by the caller. */
char *tree_new (void);
/* Removes it with what it holds. Frees path. */
void tree_remove (char *path);

/* Makes a file with its directories. */
void tree_write (const char *tree, const char *path, const char *text);
void tree_write_bytes (const char *tree, const char *path, const void *bytes, gsize length);
void tree_link (const char *tree, const char *path, const char *target);
void tree_fifo (const char *tree, const char *path);

/* A small ELF program or library. interpreter, note and text may be NULL; note: the four words
 * of an ABI note; text: put behind the headers, as a C library's own text. */
typedef struct {
  guint bits, machine, type;
  const char *interpreter, *text;
  const guint32 *note;
} MadeUpElf;
GBytes *elf_make (const MadeUpElf *elf);
void tree_write_elf (const char *tree, const char *path, const MadeUpElf *elf);
