/* Which brand a tree wants, and why. Reads the tree as hostile data: regular
 * files only, at most 64 KiB of a release file, openat2(RESOLVE_IN_ROOT). */
#pragma once

#include "brand/brand.h"

typedef struct {
  char *brand;      /* the brand's name */
  BzAbi abi;        /* the ABI of the tree's own programs */
  gboolean foreign; /* programs for another CPU (reasons say which); abi is meaningless */
  gboolean nearest; /* no brand is made for it: that of a relative, or the profile nearest to the
                       libc's needs, was taken */
  char **reasons;   /* one line each: "etc/issue says \"Welcome to 4.0\"", "lib/libc.so.5.4.46 is
                       libc5" */
} BzDetection;

/* tree_fd: O_PATH or O_RDONLY directory. Brands are read from dirs as in
 * bz_brand_load. Fails with BZ_ERROR_INPUT when the directory holds no userland at all. */
BzDetection *bz_detect (int tree_fd, const char *const *dirs, GError **error);
/* The same for one program. libraries_fd: the directory of its libraries, or -1. program: a private
 * copy of the file. */
BzDetection *bz_detect_program (GBytes *program, const char *path, int libraries_fd,
                                const char *const *dirs, GError **error);
void bz_detection_free (BzDetection *detection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzDetection, bz_detection_free)
