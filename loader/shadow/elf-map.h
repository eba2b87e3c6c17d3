/* Where code and data of an x86-64 ELF image lie, and where its functions begin. Private to
 * brandzone-rewriter. */
#pragma once

#include <glib.h>

typedef struct {
  guint64 offset, address,
      size; /* never empty, wholly inside the image; address + size doesn't wrap */
} BzElfRange;

typedef struct {
  gboolean is_x86_64;
  guint type;
  guint64 lowest, entry;
  char *interpreter;
  GArray *code;   /* of BzElfRange, by offset, disjoint */
  GArray *data;   /* the same: where pointers can lie */
  GArray *starts; /* of guint64 addresses: places where an instruction begins; ordered, unique */
} BzElfMap;

gboolean bz_elf_map_read (const guint8 *image, gsize size, BzElfMap *map, GError **error);
void bz_elf_map_clear (BzElfMap *map);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BzElfMap, bz_elf_map_clear)
