/* Masks of processors, apart from any effect. */
#pragma once

#include <glib.h>

/* Fills `guest` (length bytes) from a longer mask: the bits that fit, and for each that does not
 * the lowest that is free, while there is one. */
void bz_affinity_fit (const guint8 *host, gsize host_length, guint8 *guest, gsize length);
