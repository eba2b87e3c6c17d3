/* The verbs that show data of brandzone's own: brands and sources. */
#pragma once

#include "zone/verbs.h"

typedef struct {
  const char *verb;  /* "brands" */
  const char *usage; /* what to write, for the hint */
  int (*list) (const BzContext *context, GError **error);
  int (*show) (const BzContext *context, const char *name, GError **error);
  int (*verify) (const BzContext *context, const BzArguments *arguments, GError **error);
} BzListing;

/* Carries out VERB, VERB show NAME, or VERB verify [FILE]...; the verb's exit status, -1 with an
 * error. */
int bz_listing_run (const BzListing *listing, const BzContext *context,
                    const BzArguments *arguments, GError **error);
