/* The resolv.conf that a zone sees. */
#pragma once

#include "loader/net/address.h"

/* Of the servers that are given, else of `server`, else of those of the host that others than the
 * host can reach. NULL: there is none. Owned by the caller. */
char *bz_resolv_text (char *const *dns, const BzAddress *server);
