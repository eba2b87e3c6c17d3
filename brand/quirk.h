/* Quirks: the units in which a brand differs from the host. See quirks.def. */
#pragma once

#include <glib.h>

typedef enum {
#define BZ_QUIRK(id, name, values, rows, meaning) BZ_QUIRK_##id,
#include "brand/quirks.def"
#undef BZ_QUIRK
  BZ_QUIRK_COUNT
} BzQuirk;

/* Values of the quirks whose value matters to a handler, by position in quirks.def. */
enum { BZ_SYSINFO_HOST, BZ_SYSINFO_CLAMP, BZ_SYSINFO_NO_UNIT };
enum { BZ_PROGRAM_RELEASE_HOST, BZ_PROGRAM_RELEASE_NOTE, BZ_PROGRAM_RELEASE_VARIABLE };
enum { BZ_MOUNTS_HOST, BZ_MOUNTS_TELL, BZ_MOUNTS_ASK };
enum { BZ_GONE_HOST, BZ_GONE_COUNT, BZ_GONE_STOP };

const char *bz_quirk_name (BzQuirk quirk);
const char *bz_quirk_rows (BzQuirk quirk);    /* catalogue rows, separated by spaces */
const char *bz_quirk_meaning (BzQuirk quirk); /* one line */

/* The name of the quirk's value, or NULL when out of range. */
const char *bz_quirk_value_name (BzQuirk quirk, guint value);

/* Looks a quirk up by name; FALSE if there is none. */
gboolean bz_quirk_lookup (const char *name, BzQuirk *quirk);

/* Looks one of the quirk's values up by name; FALSE if it has no such value. */
gboolean bz_quirk_lookup_value (BzQuirk quirk, const char *name, guint *value);

/* Whether `row` ("E30") is one of the quirk's catalogue rows. */
gboolean bz_quirk_has_row (BzQuirk quirk, const char *row);
