/* network.conf lies beside the directory of zone files, because the subnet is the host's, not a zone's:
 *
 *   [Private]
 *   Subnet=10.20.30.0/24
 *   Subnet6=fd12:3456:789a::/64      or none
 */
#include "config.h"

#include "zone/network.h"

#include "brand/base/error.h"
#include "loader/net/address.h"
#include "zone/names.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONF "network.conf"

BzNetwork
bz_zone_file_network (const BzZoneFile *file)
{
  if (file->network.set)
    return file->network.value;
  return file->net.publish->len > 0 ? BZ_NETWORK_PRIVATE : BZ_NETWORK_NONE;
}

/* NULL, or what does not fit. */
static const char *
check (BzNetwork network, const BzNetSettings *settings, const char **hint)
{
  gboolean own = network == BZ_NETWORK_PRIVATE && settings->bridge == NULL;

  *hint = "set Mode=private, without Bridge=";
  if (settings->publish->len > 0 && !own)
    return "only a private network has ports of the host";
  *hint = "set Parent= to an interface of the host, as `ip link` lists them";
  if (network == BZ_NETWORK_MACVLAN && settings->parent == NULL)
    return "it is not said beside which interface of the host";
  *hint = "write it as ADDRESS/PREFIX";
  if (!own && network != BZ_NETWORK_NONE && network != BZ_NETWORK_HOST
      && ((settings->address != NULL && strchr (settings->address, '/') == NULL)
          || (settings->address6 != NULL && strchr (settings->address6, '/') == NULL)))
    return "an address on a network of the host's needs its prefix";
  return NULL;
}

gboolean
bz_network_check (const BzZoneFile *file, const char *path, GError **error)
{
  const char *hint;
  const char *why = check (bz_zone_file_network (file), &file->net, &hint);

  return why == NULL || bz_fail (error, BZ_ERROR_INPUT, why, hint, "%s: [Network]", path);
}

static gboolean
take_subnet (GKeyFile *conf, const char *path, const char *key, int family, char **subnet,
             GError **error)
{
  g_autofree char *value = g_key_file_get_string (conf, "Private", key, NULL);
  BzAddress address;

  if (value == NULL)
    return TRUE;
  if (!(family == AF_INET6 && g_str_equal (value, "none"))
      && (strchr (value, '/') == NULL || !bz_address_parse (value, family, &address)))
    return bz_fail (error, BZ_ERROR_INPUT, "it is no network",
                    family == AF_INET ? "write it as 10.20.30.0/24"
                                      : "write it as fd12:3456:789a::/64, or none",
                    "%s: %s", path, key);
  *subnet = g_steal_pointer (&value);
  return TRUE;
}

static gboolean
read_conf (const BzContext *context, BzNetSettings *settings, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (context->dirs->config);
  g_autofree char *path = g_build_filename (parent, CONF, NULL);
  g_autoptr (GKeyFile) conf = g_key_file_new ();
  g_autoptr (GError) cause = NULL;

  if (access (path, F_OK) != 0)
    return TRUE;
  if (!g_key_file_load_from_file (conf, path, G_KEY_FILE_NONE, &cause))
    return bz_fail (error, BZ_ERROR_INPUT, cause->message, NULL, "cannot read %s", path);
  return take_subnet (conf, path, "Subnet", AF_INET, &settings->subnet, error)
         && take_subnet (conf, path, "Subnet6", AF_INET6, &settings->subnet6, error);
}

gboolean
bz_network_apply (const BzContext *context, BzPartition *partition, const BzZoneFile *file,
                  const BzArguments *arguments, GError **error)
{
  const char *given = bz_arguments_string (arguments, "network");
  g_autofree const char **ports = bz_arguments_list (arguments, "publish");
  g_autoptr (GVariant) flat = g_variant_ref_sink (bz_net_settings_to_variant (&file->net));
  BzSettings *settings = partition->settings;
  const char *hint;

  bz_net_settings_free (settings->net);
  settings->net = bz_net_settings_from_variant (flat, error);
  if (settings->net == NULL)
    return FALSE;
  for (const char **port = ports; *port != NULL; port++)
    {
      const char *why = bz_publish_parse (*port, settings->net->publish);
      g_autofree char *safe = bz_text_safe (*port);
      if (why != NULL)
        return bz_fail (error, BZ_ERROR_USAGE, why, "`brandzone help run` tells of --publish",
                        "--publish %s", safe);
    }
  partition->network = bz_zone_file_network (file);
  if (ports[0] != NULL && !file->network.set)
    partition->network = BZ_NETWORK_PRIVATE;
  if (given != NULL)
    bz_network_lookup (given, &partition->network);
  const char *why = check (partition->network, settings->net, &hint);
  if (why != NULL)
    return bz_fail (error, BZ_ERROR_USAGE, why, hint, "the zone's network");
  return partition->network != BZ_NETWORK_PRIVATE || read_conf (context, settings->net, error);
}

gboolean
bz_network_configures (BzNetwork network, const BzNetSettings *settings)
{
  gboolean own = network == BZ_NETWORK_PRIVATE && settings->bridge == NULL;

  return (own || ((network == BZ_NETWORK_PRIVATE || network == BZ_NETWORK_MACVLAN)
                  && settings->address != NULL))
         && settings->configure == BZ_CONFIGURE_START
         && (settings->interface == NULL || g_str_equal (settings->interface, "eth0"));
}

/* Forwarding belongs to the host's administrator; between zones, and with the host, it is not needed. */
static gboolean
forwards (void)
{
  g_autofree char *text = NULL;

  return !g_file_get_contents ("/proc/sys/net/ipv4/ip_forward", &text, NULL, NULL)
         || text[0] != '0';
}

static gboolean
needs (const BzHost *host, BzFeature feature, GError **error)
{
  return host->has[feature]
         || bz_fail (error, BZ_ERROR_HOST, "the host does not give it", bz_feature_mend (feature),
                     "%s, needed for %s", bz_feature_name (feature), bz_feature_what (feature));
}

gboolean
bz_network_check_host (const BzContext *context, const BzHost *host, BzPartition *partition,
                       GError **error)
{
  if (partition->network != BZ_NETWORK_PRIVATE || partition->settings->net->bridge != NULL)
    return TRUE;
  if (geteuid () != 0)
    return needs (host, BZ_FEATURE_PASTA, error);
  if (!needs (host, BZ_FEATURE_NFTABLES, error))
    return FALSE;
  if (!forwards ())
    bz_context_note (context, "the host forwards nothing, so zones reach it and each other, but not "
                              "what is beyond: sysctl net.ipv4.ip_forward=1");
  partition->settings->net->nameless = !host->has[BZ_FEATURE_DNSMASQ];
  if (partition->settings->net->nameless)
    bz_context_note (context, "without dnsmasq zones have no DHCP, and no names of each other");
  return TRUE;
}
