/* One brand file: its form and what it sets. */
#pragma once

#include "brand/brand.h"
#include "brand/key-lines.h"

#define BZ_BRAND_SUFFIX ".brand"

/* [a-z0-9][a-z0-9_.-]{0,62} */
gboolean bz_brand_name_valid (const char *name);

/* A brand in which nothing is set. */
BzBrand *bz_brand_new (void);

/* The parent that the file names, or NULL without error. */
char *bz_brand_file_parent (const BzKeyLines *lines, GError **error);

/* Sets what the file says over what `brand` (the parent's values, or nothing) has. Appends to its
 * warnings. */
gboolean bz_brand_file_apply (const BzKeyLines *lines, const char *name, BzBrand *brand,
                              GError **error);

/* The checks of single values, for the plan's readers too. */
gboolean bz_brand_text_valid (const char *text,
                              gsize longest); /* printable ASCII, 1 to longest bytes */
gboolean bz_brand_word_valid (const char *text, gsize longest); /* the same without blanks */
gboolean bz_brand_call_valid (const char *name);                /* [a-z_][a-z0-9_]{0,63} */
guint64 bz_brand_personality_flags (void);                      /* all that [Personality] may set */
