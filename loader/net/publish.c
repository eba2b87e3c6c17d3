#include "config.h"

#include "loader/net/publish.h"

#include "loader/net/address.h"

#include <string.h>
#include <sys/socket.h>

BzPublish *
bz_publish_new (const char *address, guint16 outside, guint16 inside, gboolean udp)
{
  BzPublish *publish = g_new0 (BzPublish, 1);

  publish->address = g_strdup (address);
  publish->outside = outside;
  publish->inside = inside;
  publish->udp = udp;
  return publish;
}

void
bz_publish_free (BzPublish *publish)
{
  if (publish == NULL)
    return;
  g_free (publish->address);
  g_free (publish);
}

static const char example[] = "a port is written [ADDRESS:]HOST:ZONE[/udp], such as 8080:80";

/* "80" or "80-89". */
static gboolean
parse_ports (const char *text, guint *first, guint *count)
{
  g_auto (GStrv) ends = g_strsplit (text, "-", 2);
  guint64 from, to;

  if (ends[0] == NULL || !g_ascii_string_to_unsigned (ends[0], 10, 1, 65535, &from, NULL))
    return FALSE;
  to = from;
  if (ends[1] != NULL && !g_ascii_string_to_unsigned (ends[1], 10, from, 65535, &to, NULL))
    return FALSE;
  *first = (guint) from;
  *count = (guint) (to - from + 1);
  return TRUE;
}

/* Splits "ADDRESS:HOST:ZONE" from the right; an IPv6 address is in brackets. */
static gboolean
split (char *text, char **address, char **outside, char **inside)
{
  char *colon = strrchr (text, ':');

  if (colon == NULL)
    return FALSE;
  *colon = '\0';
  *inside = colon + 1;
  colon = strrchr (text, ':');
  *address = colon != NULL ? text : NULL;
  *outside = colon != NULL ? colon + 1 : text;
  if (colon != NULL)
    *colon = '\0';
  return TRUE;
}

/* Takes the brackets off. */
static gboolean
check_address (char **address)
{
  gsize length = *address != NULL ? strlen (*address) : 0;
  gboolean bracketed = length > 2 && (*address)[0] == '[' && (*address)[length - 1] == ']';
  BzAddress parsed;

  if (*address == NULL)
    return TRUE;
  if (bracketed)
    {
      (*address)[length - 1] = '\0';
      (*address)++;
    }
  return strchr (*address, '/') == NULL
         && bz_address_parse (*address, bracketed ? AF_INET6 : AF_INET, &parsed);
}

const char *
bz_publish_parse (const char *text, GPtrArray *list)
{
  g_autofree char *copy = g_strdup (text);
  char *slash = strchr (copy, '/'), *address, *outside, *inside;
  guint first, count, inner, inner_count;

  if (slash != NULL)
    *slash = '\0';
  if (slash != NULL && !g_str_equal (slash + 1, "tcp") && !g_str_equal (slash + 1, "udp"))
    return "the protocols are tcp and udp";
  if (!split (copy, &address, &outside, &inside) || !check_address (&address)
      || !parse_ports (outside, &first, &count) || !parse_ports (inside, &inner, &inner_count))
    return example;
  if (count != inner_count)
    return "both ranges must have as many ports";
  if (list->len + count > BZ_PUBLISH_MAX)
    return "a zone has at most 256 ports of the host";
  for (guint i = 0; i < count; i++)
    g_ptr_array_add (list, bz_publish_new (address, (guint16) (first + i), (guint16) (inner + i),
                                           slash != NULL && g_str_equal (slash + 1, "udp")));
  return NULL;
}

char *
bz_publish_text (const BzPublish *publish)
{
  const char *protocol = publish->udp ? "udp" : "tcp";

  if (publish->address == NULL)
    return g_strdup_printf ("%u:%u/%s", publish->outside, publish->inside, protocol);
  return g_strdup_printf (strchr (publish->address, ':') != NULL ? "[%s]:%u:%u/%s" : "%s:%u:%u/%s",
                          publish->address, publish->outside, publish->inside, protocol);
}
