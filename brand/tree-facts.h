/* What a tree's programs and its C library tell, before any brand is asked. */
#pragma once

#include "brand/abi.h"
#include "brand/release.h"

typedef enum {
  BZ_LIBC_NONE, /* no C library in the tree: static programs, or none */
  BZ_LIBC_4,    /* a.out libc.so.4 */
  BZ_LIBC_5,    /* ELF libc.so.5 */
  BZ_LIBC_GLIBC,
  BZ_LIBC_UCLIBC,
  BZ_LIBC_MUSL,
  BZ_LIBC_COUNT
} BzLibcKind;

/* The names that [Detect] Libc takes. */
#define BZ_LIBC_NAMES "none, libc4, libc5, glibc, uclibc, musl"
const char *bz_libc_name (BzLibcKind kind);
gboolean bz_libc_lookup (const char *name, BzLibcKind *kind);

typedef struct {
  gboolean found;   /* there is a program or a C library at all */
  BzAbi abi;        /* of most programs looked at, else of the C library */
  gboolean foreign; /* most are for another CPU; abi is meaningless */
  char *program;    /* an example: "bin/bash is an i386 program for /lib/ld-linux.so.1", or NULL */

  BzLibcKind libc; /* the one that most programs want, else the newest kind in the tree */
  char *libc_file; /* path in the tree, or NULL */
  gboolean has_version;
  BzRelease version; /* of the C library; 2.12 is 2.12.0 */
  char *text;        /* what it says of itself, or NULL */
  gboolean has_kernel;
  BzRelease kernel; /* the least kernel that the ABI notes of libc and programs name */
} BzTreeFacts;

/* The same for one program and the directory of its libraries (libraries_fd -1: it has
 * none). program: a private copy; path: what to call it. */
void bz_tree_facts_of_program (GBytes *program, const char *path, int libraries_fd,
                               BzTreeFacts *facts);

/* Looks at about 24 programs and the C libraries. Never fails. */
void bz_tree_facts_read (int tree_fd, BzTreeFacts *facts);
void bz_tree_facts_clear (BzTreeFacts *facts);
