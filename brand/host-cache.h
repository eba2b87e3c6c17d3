/* The cache of what the probes found. */
#pragma once

#include "brand/host.h"

/* Sets has[] for features that the cache in `dir` says the host gives. It holds only "yes": who
 * mends a lack sees it at once. A cache of another boot, user, namespace or brandzone, or a file
 * that others may write, is not used. */
void bz_host_cache_read (const char *dir, const gboolean *cached, BzHost *host);
void bz_host_cache_write (const char *dir, const gboolean *cached, const BzHost *host);
