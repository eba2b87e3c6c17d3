/* Addresses and networks of IPv4 and IPv6 as text and as bytes. */
#pragma once

#include <glib.h>

typedef struct {
  int family;       /* AF_INET, AF_INET6 */
  guint8 bytes[16]; /* in network order; of IPv4 the first four */
  guint prefix;     /* length of the network's part */
} BzAddress;

/* "ADDRESS" or "ADDRESS/PREFIX"; without one the prefix is the whole length. family: AF_UNSPEC for
 * either. Zones of an address ("%eth0") are refused. */
gboolean bz_address_parse (const char *text, int family, BzAddress *address);

/* "02:00:00:00:00:01": six bytes of two hexadecimal digits each. */
gboolean bz_mac_parse (const char *text, guint8 mac[6]);

/* Without and with the prefix. Owned by the caller. */
char *bz_address_text (const BzAddress *address);
char *bz_address_text_prefix (const BzAddress *address);

guint bz_address_bits (const BzAddress *address); /* 32 or 128 */

/* The first of the network that it is in, with its prefix. */
BzAddress bz_address_network (const BzAddress *address);

/* Number `host` of the network, with its prefix. */
BzAddress bz_address_host (const BzAddress *network, guint32 host);

/* Whether the address is in the network; whether two networks have an address in common. */
gboolean bz_address_within (const BzAddress *address, const BzAddress *network);
gboolean bz_address_overlap (const BzAddress *a, const BzAddress *b);
gboolean bz_address_equal (const BzAddress *a, const BzAddress *b); /* without the prefix */
