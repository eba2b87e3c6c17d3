/* Container images that a registry, or another place that skopeo knows, has. */
#pragma once

#include "zone/context.h"

/* TRUE for "docker://IMAGE", "registry:IMAGE", "dir:PATH", "oci:PATH" and the like, unless a file is
 * called so. */
gboolean bz_registry_is (const char *source);

/* Has skopeo copy the image into the new file `to`, an OCI archive. i386: of several images the one
 * for i386, else for x86-64. BZ_ERROR_INTERRUPTED when SIGINT or SIGTERM, which the caller holds
 * back, has come; it stays pending. */
gboolean bz_registry_fetch (const BzContext *context, const char *source, gboolean i386,
                            const char *to, GError **error);
