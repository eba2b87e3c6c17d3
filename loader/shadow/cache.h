/* Rewritten copies of images, found by the bytes of the original. */
#pragma once

#include "loader/shadow/rewrite.h"

#define BZ_SHADOW_CACHE_LIMIT ((guint64) 512 << 20) /* bytes, when nobody says otherwise */

typedef struct BzShadowCache BzShadowCache;

/* Opens the cache in a directory (absolute, e.g. /var/cache/brandzone/shadow), makes that if need
 * be, and removes what a crash left there. limit: bytes of all copies; 0: BZ_SHADOW_CACHE_LIMIT.
 * owner: for whom copies are made, any text, or NULL: see cache-evict.c.
 * Errors: BZ_ERROR_PERMISSION also when somebody else could write there. */
BzShadowCache *bz_shadow_cache_open (const char *dir, guint64 limit, const char *owner, GError **error);
void bz_shadow_cache_close (BzShadowCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzShadowCache, bz_shadow_cache_close)

/* The edits of an image and a rewritten copy of it, from the cache or made now (by
 * brandzone-rewriter: seconds at worst). image_memfd: of bz_image_copy(). base_name:   the last
 * part of the original's path; any bytes. The copy has a name like it, which /proc/PID/maps shows.
 * entry_path:  set to "KEY/NAME" below the directory, owned by the caller; NULL when edits->n is 0.
 * edits:       overwritten; free with bz_rewrite_clear(). With n == 0 there may still be refused
 * places. Threads and processes may ask at once. Another process may evict an entry when it was not
 * asked for within the last minute, or is one of an owner that has too many: whoever finds no file at entry_path asks again. Errors: those
 * of bz_rewriter_run(); BZ_ERROR_SPACE when the copy doesn't fit beside those in use. */
gboolean bz_shadow_cache_get (BzShadowCache *cache, int image_memfd, const char *base_name,
                              char **entry_path, BzRewrite *edits, GError **error);

/* A file name like `base_name` that is safe as a path's part and on a terminal; owned by the
 * caller. */
char *bz_shadow_cache_name (const char *base_name);
