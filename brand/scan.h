/* What programs and libraries ask of a kernel that not every kernel gives. Pure: bytes in, facts
 * out; what they mean on a host and under a plan is for others (zone/check.h). */
#pragma once

#include "brand/elf-facts.h"

typedef enum { BZ_SCAN_NONE, BZ_SCAN_ELF, BZ_SCAN_AOUT, BZ_SCAN_SCRIPT } BzScanKind;
typedef enum {
  BZ_AOUT_OMAGIC,
  BZ_AOUT_NMAGIC,
  BZ_AOUT_ZMAGIC,
  BZ_AOUT_QMAGIC,
  BZ_AOUT_COUNT
} BzAoutMagic;

/* What PT_GNU_STACK says. */
typedef enum { BZ_STACK_PLAIN, BZ_STACK_UNSAID, BZ_STACK_EXECUTABLE } BzStack;

/* Levels of the x86-64 ABI as bits: GNU_PROPERTY_X86_ISA_1_BASELINE, V2, V3, V4. */
typedef enum { BZ_ISA_BASELINE = 1, BZ_ISA_V2 = 2, BZ_ISA_V3 = 4, BZ_ISA_V4 = 8 } BzIsa;

#define BZ_SCAN_CALLS 512 /* call numbers above are not looked for */

typedef struct {
  BzScanKind kind;
  gboolean program;  /* it can be executed: no library, object or core */
  BzElfFacts elf;    /* ELF */
  char *interpreter; /* PT_INTERP, or the word after #!; NULL */

  /* ELF */
  gboolean dynamic;     /* has PT_DYNAMIC or PT_INTERP: its calls are the C library's */
  gboolean text_damage; /* bz_elf_has_text_damage() */
  gboolean cut_off;     /* the bytes end before what is to be mapped of them, and before the section headers */
  BzStack stack;
  guint isa;             /* BzIsa bits that it says it needs */
  guint vsyscall_calls;  /* x86-64: the page's address goes into a register that is called */
  guint vsyscall_others; /* the address goes into a register or lies in data, no use was seen */
  GPtrArray *needed;     /* DT_NEEDED names; strings of its own */
  GPtrArray *imports;    /* undefined symbols that the caller asked for; his own strings */
  /* Programs that are no shared objects: numbers that are loaded directly before the system call,
   * and a few instructions before it. */
  guint64 calls[BZ_SCAN_CALLS / 64], calls_near[BZ_SCAN_CALLS / 64];

  /* a.out */
  BzAoutMagic magic;
  guint32 address; /* where its text is linked */
  gboolean uselib; /* it names /lib/ld.so or a libc.so: it wants shared libraries */
} BzScan;

/* Looks at an image or script, whole or cut off. Never fails: what is no such thing, or is
 * damaged, gives BZ_SCAN_NONE or fewer facts.
 * bytes: a private copy. names: a set of symbols to look for among the imports, or NULL. */
void bz_scan_read (GBytes *bytes, GHashTable *names, BzScan *scan);
void bz_scan_clear (BzScan *scan);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BzScan, bz_scan_clear)

const char *bz_aout_name (BzAoutMagic magic); /* "ZMAGIC" */
const char *bz_isa_name (guint isa);          /* of the highest bit: "x86-64-v3" */

/* The levels of a CPU, from the text of /proc/cpuinfo. */
guint bz_isa_of_cpu (const char *cpuinfo);

/* Which magic number the header has; FALSE: none of a.out. */
gboolean bz_aout_magic (const guint8 *image, gsize size, BzAoutMagic *magic);

/* scan-aout.c; FALSE when it is no a.out program (libraries and objects are none either). */
gboolean bz_scan_aout (const guint8 *image, gsize size, BzScan *scan);
/* scan-code.c; code: the file's bytes of one executable segment. */
void bz_scan_vsyscall (const guint8 *code, gsize size, BzScan *scan);
/* data: of a segment that is not executable. */
void bz_scan_vsyscall_data (const guint8 *data, gsize size, BzScan *scan);
void bz_scan_calls (const guint8 *code, gsize size, guint bits, BzScan *scan);
