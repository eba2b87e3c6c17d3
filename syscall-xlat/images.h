/* What the loader knows of the files that a zone's programs execute and map.
 *
 * The handlers of calls/image.c only pass calls on to it: finding and rewriting program text is the
 * loader's part (loader/shadow/). */
#pragma once

#include "syscall-xlat/call.h"

typedef struct BzImages BzImages;

typedef struct {
  /* The target maps the file behind its descriptor `number` with PROT_EXEC. by_linker: so asks only
   * glibc's dynamic linker, which closes the descriptor next (MAP_DENYWRITE). */
  BzVerdict (*map) (BzImages *images, BzCall *call, int number, gboolean by_linker);
  /* The target executes: directory is a descriptor number or AT_FDCWD, path an address in it, flags
   * those of execveat(2). */
  BzVerdict (*execute) (BzImages *images, BzCall *call, int directory, guint64 path, guint flags);
  /* The target's static program has begun: it sets its thread pointer. */
  BzVerdict (*begun) (BzImages *images, BzCall *call);
} BzImagesClass;

struct BzImages {
  const BzImagesClass *class;
};
