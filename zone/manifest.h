/* What a detached zone says of itself: the file "manifest" of its directory.
 *
 *   DIR/manifest     this: a key file, Format=1
 *   DIR/zone         its zone file; DIR/zone.d/ the drop-ins
 *   DIR/tree.tar     its tree
 *   DIR/installed.mtree  what was installed (installed.h), where that is known
 *
 * It may come from another host, and be changed on the way: everything in it is checked. */
#pragma once

#include "zone/context.h"
#include "zone/state.h"

#define BZ_MANIFEST "manifest"
#define BZ_MANIFEST_ZONE "zone"
#define BZ_MANIFEST_TREE "tree.tar"

typedef struct {
  char *name, *brand, *source;
  BzAbi abi;
  guint64 files, bytes;
  guint64 ids;    /* that the zone had */
  char *digest;   /* SHA-256 of the tree, in hexadecimal digits */
  char *list_digest; /* and of the list of what was installed; NULL: there is none */
} BzManifest;

void bz_manifest_free (BzManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzManifest, bz_manifest_free)

gboolean bz_manifest_write (const char *directory, const BzZoneState *state, GError **error);
BzManifest *bz_manifest_read (const char *directory, GError **error);

/* BZ_ERROR_INPUT unless the tree and the list are those that were detached. */
gboolean bz_manifest_check_tree (const char *directory, const BzManifest *manifest, GError **error);

/* Lines that tell what this host lacks for the zone; *fatal: it could not be attached, or not start.
 * Owned by the caller. */
GPtrArray *bz_manifest_lacks (const BzContext *context, const BzArguments *arguments,
                              const char *directory, const BzManifest *manifest, gboolean *fatal,
                              GError **error);
