/* The one table of nftables that is brandzone's: translation of addresses, and ports of the host.
 *
 * It is written anew as a whole, in one transaction, whenever a zone comes or goes; connections that
 * are known to the kernel go on. Nothing of the host's own rules is read or changed. So a host whose
 * own rules drop what is forwarded has to let it through by rules of its own: an accept of ours would
 * not count against its drop.
 *
 * A port for 127.0.0.1 is for the host's own programs, whose packets come by way of the output: what arrives
 * with that address is a neighbour's, and the kernel, which would drop it, must see it unchanged. The bridge has
 * route_localnet for the ports' sake, by which the kernel would take 127.0.0.2 for a sender, too. */
#include "config.h"

#include "loader/net/host.h"

#include "brand/base/error.h"

#include <nftables/libnftables.h>
#include <string.h>

static void
append_port (GString *text, const BzPublish *publish, const BzMember *member, gboolean six)
{
  const BzAddress *to = six ? &member->address6 : &member->address;
  gboolean only_six = publish->address != NULL && strchr (publish->address, ':') != NULL;

  if (to->family == 0 || (publish->address != NULL && only_six != six))
    return;
  g_autofree char *address = bz_address_text (to);
  const char *family = six ? "ip6" : "ip";
  g_string_append (text, "    ");
  if (publish->address != NULL)
    g_string_append_printf (text, "%s daddr %s ", family, publish->address);
  g_string_append_printf (text, "%s dport %u dnat %s to %s%s%s:%u\n", publish->udp ? "udp" : "tcp",
                          publish->outside, family, six ? "[" : "", address, six ? "]" : "",
                          publish->inside);
}

static void
append_ports (GString *text, const BzHostNet *host)
{
  g_string_append (text, "  chain ports {\n");
  for (guint i = 0; i < host->members->len; i++)
    {
      const BzMember *member = g_ptr_array_index (host->members, i);
      for (guint j = 0; j < member->publish->len; j++)
        {
          append_port (text, g_ptr_array_index (member->publish, j), member, FALSE);
          append_port (text, g_ptr_array_index (member->publish, j), member, TRUE);
        }
    }
  g_string_append (text, "  }\n");
}

/* What leaves the bridge for elsewhere has the host's address; so has what comes back to the bridge by
 * way of one of the host's ports, from a zone or from the host's loopback. */
static void
append_source (GString *text, const char *family, const BzAddress *bridge)
{
  BzAddress network = bz_address_network (bridge);
  g_autofree char *subnet = bz_address_text_prefix (&network);

  g_string_append_printf (text,
                          "    %s saddr %s oifname != \"" BZ_BRIDGE "\" masquerade\n"
                          "    %s saddr %s oifname \"" BZ_BRIDGE "\" ct status dnat masquerade\n",
                          family, subnet, family, subnet);
}

char *
bz_nat_rules (const BzHostNet *host)
{
  GString *text = g_string_new ("table inet " BZ_TABLE "\n"
                                "delete table inet " BZ_TABLE "\n"
                                "table inet " BZ_TABLE " {\n");

  append_ports (text, host);
  g_string_append (
      text, "  chain prerouting {\n"
            "    type nat hook prerouting priority dstnat\n"
            "    ip daddr 127.0.0.0/8 accept\n"
            "    fib daddr type local jump ports\n"
            "  }\n"
            "  chain output {\n"
            "    type nat hook output priority -100\n"
            "    fib daddr type local jump ports\n"
            "  }\n"
            "  chain postrouting {\n"
            "    type nat hook postrouting priority srcnat\n");
  append_source (text, "ip", &host->address);
  if (host->address6.family != 0)
    append_source (text, "ip6", &host->address6);
  g_string_append (
      text, "    ip saddr 127.0.0.0/8 oifname \"" BZ_BRIDGE "\" masquerade\n"
            "  }\n"
            "  chain raw {\n"
            "    type filter hook prerouting priority raw\n"
            "    iifname \"" BZ_BRIDGE "\" ip daddr 127.0.0.0/8 drop\n"
            "    iifname \"" BZ_BRIDGE "\" ip saddr 127.0.0.0/8 drop\n"
            "  }\n"
            "  chain forward {\n"
            "    type filter hook forward priority filter\n"
            "    oifname \"" BZ_BRIDGE "\" iifname != \"" BZ_BRIDGE
            "\" ct state new ct status ! dnat drop\n"
            "  }\n"
            "}\n");
  return g_string_free (text, FALSE);
}

static gboolean
run (const char *commands, GError **error)
{
  struct nft_ctx *context = nft_ctx_new (NFT_CTX_DEFAULT);
  gboolean good;

  if (context == NULL)
    return bz_fail (error, BZ_ERROR_HOST, "the library does not start", NULL,
                    "cannot use nftables");
  nft_ctx_buffer_error (context);
  nft_ctx_buffer_output (context);
  good = nft_run_cmd_from_buffer (context, commands) == 0;
  if (!good)
    {
      const char *said = nft_ctx_get_error_buffer (context);
      g_autofree char *why = g_strndup (said, strcspn (said, "\n"));
      bz_fail (error, BZ_ERROR_HOST, why, "see `brandzone doctor`, nftables",
               "cannot set the table " BZ_TABLE " of nftables");
    }
  nft_ctx_free (context);
  return good;
}

gboolean
bz_nat_apply (const BzHostNet *host, GError **error)
{
  g_autofree char *rules = bz_nat_rules (host);

  return run (rules, error);
}

gboolean
bz_nat_remove (GError **error)
{
  return run ("table inet " BZ_TABLE "\ndelete table inet " BZ_TABLE "\n", error);
}
