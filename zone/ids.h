/* Ranges of 65536 user and group ids for the zones of the host's root. */
#pragma once

#include "brand/host.h"
#include "zone/dirs.h"

#define BZ_IDS_COUNT 65536u
#define BZ_IDS_FIRST 0x80000u
#define BZ_IDS_LAST 0x6fff0000u

typedef struct {
  guint64 first, count;
} BzIdSpan;

/* The lowest aligned range that meets none of `used` (of BzIdSpan). FALSE if there is none. */
gboolean bz_ids_choose (const GArray *used, guint32 *base);

/* Adds the spans of a file in the form of /etc/subuid to `used`. A missing file or a malformed line
 * adds nothing. */
void bz_ids_add_subordinate (GArray *used, const char *data);

/* Whether a map, as /proc/PID/uid_map has it, holds the range of a zone: not so for root of
 * most user namespaces (unshare -r, containers). */
gboolean bz_ids_in_map (const char *map, guint32 base);

/* Fails, and says why, where this root has no such ids. */
gboolean bz_ids_check_own (guint32 base, GError **error);

/* Serialises the choice of ranges. Returns a descriptor to close, or -1. */
int bz_ids_lock (const BzDirs *dirs, GError **error);

/* A range that no zone, no running throw-away zone and no subordinate range of the host uses. The
 * caller holds bz_ids_lock until the range is written into a zone's record. */
gboolean bz_ids_allocate (const BzDirs *dirs, guint32 *base, GError **error);

/* bz_userns_subordinate, unless the host as it was probed or masked gives no subordinate ids. */
gboolean bz_ids_of_user (const BzHost *host, GArray *uids, GArray *gids, char **why,
                         GError **error);

/* A range for a zone without record. It stays taken as long as the returned descriptor, or a copy
 * of it in another process, is open. -1 on error. */
int bz_ids_claim (const BzDirs *dirs, guint32 *base, GError **error);
