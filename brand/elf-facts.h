/* What an ELF (or a.out) image tells about the kernel it wants. */
#pragma once

#include "brand/release.h"

typedef enum { BZ_IMAGE_NONE, BZ_IMAGE_ELF, BZ_IMAGE_AOUT } BzImage;

typedef struct {
  BzImage image;
  guint bits; /* ELF: 32 or 64 */
  gboolean big_endian;
  guint machine;         /* ELF: e_machine */
  guint type;            /* ELF: e_type */
  char *interpreter;     /* PT_INTERP in printable ASCII, or NULL */
  gboolean has_abi_note; /* .note.ABI-tag of Linux */
  BzRelease abi_note;    /* the least kernel it names */
} BzElfFacts;

/* Reads an image from a private copy, whole or cut off behind its headers. Never fails: what is no
 * image, or is damaged, gives BZ_IMAGE_NONE or fewer facts. */
void bz_elf_facts_read (GBytes *bytes, BzElfFacts *facts);
void bz_elf_facts_clear (BzElfFacts *facts);

/* "AArch64", "MIPS", "machine 4711"; owned by the caller. */
char *bz_elf_machine_name (const BzElfFacts *facts);

/* Where the least kernel and the version stand in a C library's own text; see tree-facts.h. */
typedef struct {
  char *text;    /* the GNU C library's text about itself, printable, at most 2000 bytes; or NULL */
  char *version; /* "2.12", "5.4.46", "1.1.16"; or NULL */
  gboolean old_start; /* uClibc whose programs begin in __uClibc_start_main alone (before 0.9.27) */
} BzLibcText;
/* Whether the file was damaged on its way, as by FTP's text mode: each LF has a CR before it. Such
 * programs have whole headers and crash. bytes: of an ELF file; a few without a LF are not told. */
gboolean bz_elf_has_text_damage (GBytes *bytes);

void bz_libc_text_read (GBytes *bytes, BzLibcText *text);
void bz_libc_text_clear (BzLibcText *text);
