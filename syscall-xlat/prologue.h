/* The part of a filter that decides by number alone. filter.c's own. */
#pragma once

#include "syscall-xlat/table.h"

#include <linux/filter.h>

typedef enum {
  BZ_DO_ALLOW,
  BZ_DO_ENOSYS,
  BZ_DO_NOTIFY,  /* whatever its arguments */
  BZ_DO_COMPARE, /* notify if the row's condition holds, else allow */
  BZ_DO_SECCOMP  /* go on in libseccomp's program */
} BzDo;

/* The numbers from `first` up to the next range's. */
typedef struct {
  guint32 first;
  BzDo what;
  const BzRow *row; /* COMPARE: the row; else NULL */
} BzRange;

/* What one ABI's calls get. */
typedef struct {
  GArray *ranges;  /* BzRange, sorted; the first starts at 0 */
  GArray *seccomp; /* struct sock_filter: libseccomp's program; may be empty */
} BzPart;

/* Appends to `program` (struct sock_filter) the whole filter. `first` is the ABI that is decided
 * fastest. */
void bz_prologue_emit (GArray *program, const BzPart parts[BZ_ABI_COUNT], BzAbi first);
