#pragma once

#include "loader/shadow/cache.h"

struct BzShadowCache {
  int dir_fd;
  guint64 limit;
  char *owner;
};

#define BZ_CACHE_COPY ".copy" /* names of images never begin with a full stop */
#define BZ_CACHE_FACTS ".edits"
#define BZ_CACHE_OWNER ".owner" /* a link that leads nowhere: its text is who had the entry made */
#define BZ_CACHE_TEMPORARY ".tmp-"
#define BZ_CACHE_KEY_LENGTH 64

typedef enum { BZ_ENTRY_GOOD, BZ_ENTRY_MISSING, BZ_ENTRY_DAMAGED } BzEntryState;

/* Verifies the entry, reads its facts, marks it as used. The memfd is the original. */
BzEntryState bz_cache_entry_read (const BzShadowCache *cache, const char *key, int image_memfd,
                                  BzRewrite *edits);

/* Gives the copy one more name; returns "KEY/NAME", owned by the caller, or NULL. */
char *bz_cache_entry_name (const BzShadowCache *cache, const char *key, const char *base_name,
                           GError **error);

/* Makes the entry. TRUE also when another process made it first. */
gboolean bz_cache_entry_make (const BzShadowCache *cache, const char *key, int image_memfd,
                              const BzRewrite *edits, GError **error);

/* Takes an entry away: at once for who looks it up, never for who has it open. */
void bz_cache_entry_remove (const BzShadowCache *cache, const char *key);

/* A name below the cache that nobody else has; owned by the caller. */
char *bz_cache_temporary_name (void);

/* Removes a directory and the files in it; there are no directories in it. */
void bz_cache_remove_directory (const BzShadowCache *cache, const char *name);

/* Removes what crashed processes left, and the entries unused for longest until `needed` more bytes
 * fit; last those in use of owners that have more than their share. FALSE: they don't. */
gboolean bz_cache_make_room (const BzShadowCache *cache, guint64 needed);
