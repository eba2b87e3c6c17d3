/* What is to change in an x86-64 ELF image so that it needs no vsyscall page.
 *
 * bz_rewrite_find() parses hostile files with libelf and capstone: only brandzone-rewriter calls it
 * (and its tests). Everybody else gets the facts from bz_rewriter_run() or from the cache. */
#pragma once

#include <glib.h>

/* Part of the cache's keys: raise it when the same bytes would give another result. */
#define BZ_REWRITE_VERSION 2

#define BZ_REWRITE_MAX_IMAGE ((guint64) 512 << 20) /* bytes of an image */
#define BZ_REWRITE_MAX_EDIT 16                     /* bytes of one edit */
#define BZ_REWRITE_MAX_PLACES 4096                 /* edits, refused places, places left: each */
#define BZ_REWRITE_MAX_TEXT 160                    /* bytes of a text or a reason */
#define BZ_REWRITE_MAX_INTERPRETER 4095

/* The entries of the vsyscall page. */
typedef enum {
  BZ_VSYSCALL_GETTIMEOFDAY,
  BZ_VSYSCALL_TIME,
  BZ_VSYSCALL_GETCPU,
  BZ_VSYSCALL_COUNT
} BzVsyscall;
#define BZ_VSYSCALL_PAGE G_GUINT64_CONSTANT (0xffffffffff600000)
#define BZ_VSYSCALL_ADDRESS(entry) (BZ_VSYSCALL_PAGE + ((guint64) (entry) << 10))

/* Every use holds the low half of such an address, 00 {00,04,08} 60 ff. Returns where the next one
 * begins at or after `from`, or `size`. */
#define BZ_VSYSCALL_HALF 4
gsize bz_vsyscall_next (const guint8 *bytes, gsize size, gsize from);

typedef struct {
  guint64 offset;  /* in the file */
  guint64 address; /* as linked; the load address of a shared object or PIE is to be added */
  guint8 length;   /* 1 to BZ_REWRITE_MAX_EDIT */
  guint8 old_bytes[BZ_REWRITE_MAX_EDIT], new_bytes[BZ_REWRITE_MAX_EDIT];
  char *reason;
} BzEdit;

/* A use that stays as it is. */
typedef struct {
  guint64 offset, address;
  char *text; /* its instruction as objdump prints it, or ".quad 0x..." */
  char *reason;
} BzPlace;

typedef struct {
  gboolean is_x86_64; /* FALSE: no x86-64 program or shared object, and all else is empty */
  guint type;         /* ET_EXEC, ET_DYN */
  guint64 lowest;     /* address of the first page of the lowest PT_LOAD */
  guint64 entry;      /* e_entry */
  char *interpreter;  /* PT_INTERP, any bytes; or NULL */
  guint n;            /* edits, ordered by offset, never overlapping */
  BzEdit *edits;
  guint n_refused; /* uses that can't be rewritten: the program needs the tracer of last resort */
  BzPlace *refused;
  guint n_left; /* uses that only run where there is no vDSO: left alone on purpose */
  BzPlace *left;
} BzRewrite;

/* Finds the edits of an image. Pure: the same bytes give the same facts; time and memory are
 * bounded. An image that is no x86-64 program or library gives TRUE and nothing to do; one whose
 * headers are damaged, or that is larger than BZ_REWRITE_MAX_IMAGE, gives BZ_ERROR_INPUT. result:
 * overwritten; free with bz_rewrite_clear(). */
gboolean bz_rewrite_find (const guint8 *image, gsize size, BzRewrite *result, GError **error);

void bz_rewrite_clear (BzRewrite *rewrite);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BzRewrite, bz_rewrite_clear)

/* The facts as bytes: descriptor 4 of brandzone-rewriter, and the cache's file .edits.
 * In the order of the type: BZ_REWRITE_VERSION, is_x86_64, type, lowest, entry, interpreter ("":
 * none); edits (offset, address, old bytes, new bytes, reason); refused places, places left
 * (offset, address, text, reason). */
#define BZ_REWRITE_VARIANT "(ubuttaya(ttayays)a(ttss)a(ttss))"
GVariant *bz_rewrite_to_variant (const BzRewrite *rewrite); /* floating */

/* Reads such bytes, trusting nothing: form, counts, lengths, order, overlaps, the end of the image.
 * The old bytes are compared by bz_rewrite_matches(). Errors: BZ_ERROR_INPUT. */
gboolean bz_rewrite_from_bytes (GBytes *bytes, guint64 image_size, BzRewrite *rewrite,
                                GError **error);

/* Whether fd holds the old bytes of every edit at its place. */
gboolean bz_rewrite_matches (const BzRewrite *rewrite, int fd, GError **error);
