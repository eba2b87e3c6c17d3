/* What this host's kernel and set-up give. Probed by trying, never by version
 * where trying is possible; cached per boot. */
#pragma once

#include "brand/release.h"

typedef enum {
#define BZ_FEATURE(id, name, need, what, cost, mend) BZ_FEATURE_##id,
#include "brand/features.def"
#undef BZ_FEATURE
  BZ_FEATURE_COUNT
} BzFeature;

typedef enum { BZ_NEED_REQUIRED, BZ_NEED_ROOT, BZ_NEED_USER, BZ_NEED_BETTER } BzNeed;

typedef struct {
  BzRelease release;
  char *release_text; /* uname -r */
  gboolean root;      /* probed as the host's root */
  gboolean has[BZ_FEATURE_COUNT];
  char *detail[BZ_FEATURE_COUNT]; /* what was seen: "xonly", "100000:65536", or NULL */
} BzHost;

/* Probes, or reads the cache: a key file in cache_dir (NULL: no cache) that holds for this
 * boot id, uid and brandzone version. A cache that can't be written is no error. */
BzHost *bz_host_probe (const char *cache_dir, GError **error);
void bz_host_free (BzHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzHost, bz_host_free)

const char *bz_feature_name (BzFeature feature); /* "sync-wake-up" */
BzNeed bz_feature_need (BzFeature feature);
const char *bz_feature_what (BzFeature feature); /* what it is for */
const char *bz_feature_cost (BzFeature feature); /* what its lack costs */
const char *bz_feature_mend (BzFeature feature); /* how to get it */
gboolean bz_feature_lookup (const char *name, BzFeature *feature);

/* `--without FEATURE`: pretends that the host lacks it. BZ_ERROR_USAGE if there is no such
 * feature. */
gboolean bz_host_mask (BzHost *host, const char *feature, GError **error);

/* Fails with BZ_ERROR_HOST, naming the first required feature that is missing. */
gboolean bz_host_check (const BzHost *host, GError **error);
