/* What clone, snapshot and rollback have in common: how the user wants trees copied, and what is
 * told of it. */
#pragma once

#include "zone/context.h"
#include "zone/options.h"
#include "zone/output.h"
#include "zone/storage.h"

/* --storage, or what the zone file of `zone` says; and the host's features. */
gboolean bz_storage_wish (const BzContext *context, const BzArguments *arguments, const char *zone,
                          BzStorageWish *wish, GError **error);

/* --freeze-limit, in milliseconds; 0: none. */
gboolean bz_storage_freeze_limit (const BzArguments *arguments, guint *limit_ms, GError **error);

typedef struct {
  BzCopyWay way;
  gboolean running; /* it was held still for copied.held_us */
  BzTreeCopied copied;
} BzStorageDone;

/* "btrfs snapshot; z stood still for 3.2 ms". state: what lies there now, for overlays; or NULL. Owned
 * by the caller. */
char *bz_storage_tell (const BzStorageDone *done, const BzZoneState *state, const char *zone);
/* "storage", and "frozen_ms" where something stood still. */
void bz_storage_tell_json (JsonBuilder *builder, const BzStorageDone *done);
