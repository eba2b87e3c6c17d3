/* Writing a zone's tree to a file of the host. */
#pragma once

#include "installer/export.h"
#include "zone/context.h"
#include "zone/state.h"

typedef struct {
  const char *path;   /* absolute; NULL: standard output */
  const char *format; /* "tar", "oci" or "mtree" */
  const char *prefix; /* or NULL */
  gboolean force;     /* replace what is there */
  const char *zone;   /* the directory whose list of what was installed comes beside the file; or NULL */
} BzSave;

/* What the name of a file says of the compression of an archive; NULL: none. */
const char *bz_save_filter (const char *path);

/* What is taken from the owners of the tree's files for root's zones whose trees hold the host's ids. */
guint32 bz_save_id_shift (const BzZoneState *state);

/* The file appears when it is complete, durably, or not at all. The caller holds the zone still
 * (still.h). BZ_ERROR_STATE when there is one and it is not to be replaced. */
gboolean bz_save_tree (const BzContext *context, const BzZoneState *state, const BzSave *save,
                       BzExportResult *result, GError **error);
