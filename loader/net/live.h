/* The addresses that a zone's interfaces have now, whoever gave them: brandzone, DHCP, or its root. */
#pragma once

#include "loader/namespaces.h"

/* Separated by blanks, those of IPv4 first, without loopback and link-local ones; "" when there are
 * none, or they cannot be read. Takes a child of the caller's, which enters the namespaces. Owned by the
 * caller. */
char *bz_network_live_addresses (const int namespaces[BZ_NAMESPACE_COUNT]);
