#include "config.h"

#include "loader/net/address.h"

#include <arpa/inet.h>
#include <string.h>

guint
bz_address_bits (const BzAddress *address)
{
  return address->family == AF_INET ? 32 : 128;
}

gboolean
bz_address_parse (const char *text, int family, BzAddress *address)
{
  const char *slash = strchr (text, '/');
  g_autofree char *plain = slash != NULL ? g_strndup (text, (gsize) (slash - text)) : g_strdup (text);
  guint64 prefix;

  *address = (BzAddress){ .family = strchr (plain, ':') != NULL ? AF_INET6 : AF_INET };
  if ((family != AF_UNSPEC && family != address->family)
      || inet_pton (address->family, plain, address->bytes) != 1)
    return FALSE;
  address->prefix = bz_address_bits (address);
  if (slash == NULL)
    return TRUE;
  if (!g_ascii_string_to_unsigned (slash + 1, 10, 0, address->prefix, &prefix, NULL))
    return FALSE;
  address->prefix = (guint) prefix;
  return TRUE;
}

char *
bz_address_text (const BzAddress *address)
{
  char text[INET6_ADDRSTRLEN];

  inet_ntop (address->family, address->bytes, text, sizeof text);
  return g_strdup (text);
}

char *
bz_address_text_prefix (const BzAddress *address)
{
  g_autofree char *text = bz_address_text (address);

  return g_strdup_printf ("%s/%u", text, address->prefix);
}

/* The mask of byte `index` where the first `prefix` bits count. */
static guint8
mask_of (guint prefix, guint index)
{
  guint bits = prefix > index * 8 ? MIN (prefix - index * 8, 8) : 0;

  return (guint8) (0xff00U >> bits);
}

BzAddress
bz_address_network (const BzAddress *address)
{
  BzAddress network = *address;

  for (guint i = 0; i < G_N_ELEMENTS (network.bytes); i++)
    network.bytes[i] &= mask_of (network.prefix, i);
  return network;
}

BzAddress
bz_address_host (const BzAddress *network, guint32 host)
{
  BzAddress address = bz_address_network (network);
  guint last = bz_address_bits (network) / 8 - 1;

  for (guint i = 0; i < 4; i++)
    address.bytes[last - i] |= (guint8) (host >> (8 * i)) & (guint8) ~mask_of (network->prefix, last - i);
  return address;
}

gboolean
bz_address_within (const BzAddress *address, const BzAddress *network)
{
  if (address->family != network->family)
    return FALSE;
  for (guint i = 0; i < bz_address_bits (network) / 8; i++)
    if (((address->bytes[i] ^ network->bytes[i]) & mask_of (network->prefix, i)) != 0)
      return FALSE;
  return TRUE;
}

gboolean
bz_address_overlap (const BzAddress *a, const BzAddress *b)
{
  return bz_address_within (a, b) || bz_address_within (b, a);
}

gboolean
bz_address_equal (const BzAddress *a, const BzAddress *b)
{
  return a->family == b->family && memcmp (a->bytes, b->bytes, bz_address_bits (a) / 8) == 0;
}

gboolean
bz_mac_parse (const char *text, guint8 mac[6])
{
  if (strlen (text) != strlen ("02:00:00:00:00:01"))
    return FALSE;
  for (guint i = 0; i < 6; i++, text += 3)
    {
      if (!g_ascii_isxdigit (text[0]) || !g_ascii_isxdigit (text[1])
          || text[2] != (i < 5 ? ':' : '\0'))
        return FALSE;
      mac[i] = (guint8) (g_ascii_xdigit_value (text[0]) << 4 | g_ascii_xdigit_value (text[1]));
    }
  return TRUE;
}
