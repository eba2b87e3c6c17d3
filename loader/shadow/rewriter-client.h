/* Asks brandzone-rewriter. */
#pragma once

#include "loader/shadow/rewrite.h"

/* Finds the edits of an image in a process of its own, which is killed after 10 seconds.
 * image_memfd: of bz_image_copy(). What comes back is checked against the image. result:
 * overwritten; free with bz_rewrite_clear(). Errors: BZ_ERROR_INPUT when the image is damaged or
 * the process did not survive it; else the host's. */
gboolean bz_rewriter_run (int image_memfd, BzRewrite *result, GError **error);
