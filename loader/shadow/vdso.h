/* The vDSO's functions that do what the vsyscall page did. */
#pragma once

#include "loader/shadow/rewrite.h"

typedef struct {
  guint32 offset[BZ_VSYSCALL_COUNT]; /* from the vDSO's start; 0: it has none */
} BzVdso;

/* Looks at this process's own vDSO, which is that of every 64-bit process of this kernel. All offsets are 0 where
 * rewritten code could not find it (Linux before 6.4). */
void bz_vdso_read (BzVdso *vdso);

/* Whether there is any. */
gboolean bz_vdso_has_any (const BzVdso *vdso);

/* Leads the rewritten calls of a library to the vDSO (vdso-calls.c), where it has room for that; else they stay system
 * calls. image, size: what bz_rewrite_find() was given, rewrite: what it found. */
void bz_rewrite_use_vdso (const guint8 *image, gsize size, const BzVdso *vdso, BzRewrite *rewrite);
