/* What every verb is given. */
#pragma once

#include "brand/host.h"
#include "zone/dirs.h"
#include "zone/options.h"

typedef struct BzContext {
  BzDirs *dirs;
  gboolean json, quiet, verbose;
} BzContext;

/* From the global options of both places, before and after the verb. BZ_ERROR_USAGE if they
 * contradict each other. */
BzContext *bz_context_new (const BzArguments *before, const BzArguments *after, GError **error);
void bz_context_free (BzContext *context);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzContext, bz_context_free)

/* The host as `--without` and the environment's BRANDZONE_WITHOUT leave it. `arguments` may be
 * NULL. */
BzHost *bz_context_host (const BzContext *context, const BzArguments *arguments, GError **error);

/* A remark on standard error, "brandzone: ..." made safe, unless -q. */
void bz_context_note (const BzContext *context, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* The same, only with --verbose. */
void bz_context_detail (const BzContext *context, const char *format, ...) G_GNUC_PRINTF (2, 3);
