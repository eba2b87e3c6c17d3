/* brandzone-network SOCKET-FD: the part of a zone's network that lies on the host. Started by a zone's
 * keeper, or by brandzone(1), for one request; messages as in message.h.
 *
 *   attach {id, name, hostname, mac, mode, settings} + network namespace
 *                        -> attached {address, address6, resolv}    gives the zone an interface
 *   detach {id}          -> detached                                 takes it away
 *   sweep                -> swept                                    removes what killed zones have left
 *
 * It is a program of its own so that keepers need neither libnftables nor the memory for it. */
#include "config.h"

#include "brand/base/error.h"
#include "loader/loader.h"
#include "loader/message.h"
#include "loader/net/host.h"
#include "loader/net/resolv.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
  char *id, *name, *hostname, *mac_text;
  guint32 mode;
  BzNetSettings *settings;
  int net_fd;
  guint8 mac[BZ_MAC_BYTES];
  BzAddress address, address6, gateway, gateway6; /* family 0: none */
  char *resolv;
} Request;

static void
request_clear (Request *request)
{
  g_free (request->id);
  g_free (request->name);
  g_free (request->hostname);
  g_free (request->mac_text);
  g_free (request->resolv);
  bz_net_settings_free (request->settings);
  if (request->net_fd >= 0)
    close (request->net_fd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Request, request_clear)

/* --- what a zone gets --- */

static void
digest_of (const char *text, guint8 digest[32])
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *machine = NULL;
  gsize length = 32;

  if (!g_file_get_contents ("/etc/machine-id", &machine, NULL, NULL))
    machine = g_strdup (g_get_host_name ());
  g_checksum_update (sum, (const guchar *) text, -1);
  g_checksum_update (sum, (const guchar *) machine, -1);
  g_checksum_get_digest (sum, digest, &length);
}

/* Its own, or one that the zone's name gives: the same after each start, unlike another machine's. */
static gboolean
choose_mac (Request *request, GError **error)
{
  guint8 digest[32];

  if (request->mac_text != NULL)
    return bz_mac_parse (request->mac_text, request->mac)
           || bz_fail (error, BZ_ERROR_INPUT, "it is malformed", NULL, "the address %s",
                       request->mac_text);
  digest_of (request->name, digest);
  memcpy (request->mac, digest, BZ_MAC_BYTES);
  request->mac[0] = 0x02;
  return TRUE;
}

static const BzMember *
member_with (const BzHostNet *host, const BzAddress *address)
{
  for (guint i = 0; i < host->members->len; i++)
    {
      const BzMember *member = g_ptr_array_index (host->members, i);
      if (bz_address_equal (&member->address, address)
          || bz_address_equal (&member->address6, address))
        return member;
    }
  return NULL;
}

/* An address that was asked for. */
static gboolean
take_address (const BzHostNet *host, const char *text, const BzAddress *bridge, BzAddress *address,
              GError **error)
{
  if (bridge->family == 0)
    return bz_fail (error, BZ_ERROR_INPUT, "the zones' network has no such addresses", NULL,
                    "the address %s", text);
  if (!bz_address_parse (text, bridge->family, address))
    return bz_fail (error, BZ_ERROR_INPUT, "it is malformed", NULL, "the address %s", text);
  address->prefix = bridge->prefix;
  if (!bz_address_within (address, bridge) || bz_address_equal (address, bridge))
    {
      g_autofree char *network = bz_address_text_prefix (bridge);
      g_autofree char *why = g_strdup_printf ("the zones' network is %s, whose first is the host's", network);
      return bz_fail (error, BZ_ERROR_INPUT, why,
                      "choose another, or set Subnet= in network.conf", "the address %s", text);
    }
  const BzMember *other = member_with (host, address);
  if (other == NULL)
    return TRUE;
  g_autofree char *why = g_strdup_printf ("zone %s has it", other->name);
  return bz_fail (error, BZ_ERROR_STATE, why, "choose another", "the address %s", text);
}

/* The first that is free from the one on that the name gives. IPv6 has the same number. */
static gboolean
choose_addresses (const BzHostNet *host, Request *request, GError **error)
{
  guint bits = MIN (32 - host->address.prefix, 16);
  guint32 usable = (1U << bits) - 3; /* without network, host and broadcast */
  guint8 digest[32];
  guint32 number;

  digest_of (request->name, digest);
  memcpy (&number, digest + 8, sizeof number);
  for (guint32 i = 0; i < usable; i++)
    {
      guint32 place = 2 + (guint32) (((guint64) number + i) % usable);
      request->address = bz_address_host (&host->address, place);
      request->address6 = (BzAddress){ 0 };
      if (host->address6.family != 0)
        request->address6 = bz_address_host (&host->address6, place);
      if (member_with (host, &request->address) == NULL
          && (host->address6.family == 0 || member_with (host, &request->address6) == NULL))
        break;
      if (i == usable - 1)
        return bz_fail (error, BZ_ERROR_STATE, "all its addresses are taken",
                        "choose a larger Subnet= in network.conf", "the zones' network is full");
    }
  const BzNetSettings *settings = request->settings;
  return (settings->address == NULL
          || take_address (host, settings->address, &host->address, &request->address, error))
         && (settings->address6 == NULL
             || take_address (host, settings->address6, &host->address6, &request->address6, error));
}

/* On a network that is not ours: what was asked for, or nothing. */
static gboolean
take_given (const char *text, int family, BzAddress *address, GError **error)
{
  *address = (BzAddress){ 0 };
  return text == NULL || bz_address_parse (text, family, address)
         || bz_fail (error, BZ_ERROR_INPUT, "it is malformed", NULL, "the address %s", text);
}

static gboolean
take_all_given (Request *request, GError **error)
{
  const BzNetSettings *settings = request->settings;

  return take_given (settings->address, AF_INET, &request->address, error)
         && take_given (settings->address6, AF_INET6, &request->address6, error);
}

static gboolean
check_ports (const BzHostNet *host, const BzNetSettings *settings, GError **error)
{
  for (guint i = 0; i < host->members->len; i++)
    {
      const BzMember *member = g_ptr_array_index (host->members, i);
      for (guint j = 0; j < member->publish->len; j++)
        for (guint k = 0; k < settings->publish->len; k++)
          {
            const BzPublish *theirs = g_ptr_array_index (member->publish, j);
            const BzPublish *ours = g_ptr_array_index (settings->publish, k);
            if (theirs->outside != ours->outside || theirs->udp != ours->udp
                || (theirs->address != NULL && ours->address != NULL
                    && !g_str_equal (theirs->address, ours->address)))
              continue;
            g_autofree char *why = g_strdup_printf ("it leads into zone %s", member->name);
            return bz_fail (error, BZ_ERROR_STATE, why, "choose another", "port %u of the host",
                            ours->outside);
          }
    }
  return TRUE;
}

/* --- inside --- */

static gboolean
set_up (const Request *request, const char *interface, GError **error)
{
  g_autoptr (BzNetlink) netlink = bz_netlink_open (error);
  const BzNetSettings *settings = request->settings;
  guint index = if_nametoindex (interface);

  if (netlink == NULL)
    return FALSE;
  if (index == 0)
    return bz_fail_errno (error, errno, NULL, "cannot find the zone's interface %s", interface);
  if (settings->configure == BZ_CONFIGURE_NONE)
    return TRUE;
  if (!bz_netlink_up (netlink, index, error))
    return FALSE;
  if (settings->configure == BZ_CONFIGURE_START && request->address.family != 0
      && (!bz_netlink_add_address (netlink, index, &request->address, error)
          || (request->gateway.family != 0
              && !bz_netlink_add_default (netlink, index, &request->gateway, error))))
    return FALSE;
  return request->address6.family == 0
         || (bz_netlink_add_address (netlink, index, &request->address6, error)
             && (request->gateway6.family == 0
                 || bz_netlink_add_default (netlink, index, &request->gateway6, error)));
}

/* In the zone's network namespace, and back. */
static gboolean
set_up_inside (const Request *request, const char *interface, GError **error)
{
  int own = open ("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  gboolean good = FALSE;

  if (own < 0 || setns (request->net_fd, CLONE_NEWNET) != 0)
    bz_fail_errno (error, errno, NULL, "cannot enter the zone's network");
  else
    {
      good = set_up (request, interface, error);
      if (setns (own, CLONE_NEWNET) != 0)
        _exit (BZ_EXIT_BRANDZONE);
    }
  if (own >= 0)
    close (own);
  return good;
}

static gboolean
choose_gateways (Request *request, const BzHostNet *host, GError **error)
{
  const BzNetSettings *settings = request->settings;

  if (host != NULL)
    {
      request->gateway = host->address;
      request->gateway6 = host->address6;
    }
  return (settings->gateway == NULL
          || take_given (settings->gateway, AF_INET, &request->gateway, error))
         && (settings->gateway6 == NULL
             || take_given (settings->gateway6, AF_INET6, &request->gateway6, error));
}

static const char *
interface_of (const Request *request)
{
  return request->settings->interface != NULL ? request->settings->interface : "eth0";
}

/* --- the three kinds --- */

static BzMember *
member_of (const Request *request)
{
  BzMember *member = g_new0 (BzMember, 1);

  member->id = g_strdup (request->id);
  member->name = g_strdup (request->name);
  member->hostname = g_strdup (request->hostname);
  memcpy (member->mac, request->mac, BZ_MAC_BYTES);
  member->address = request->address;
  member->address6 = request->address6;
  member->publish = g_ptr_array_ref (request->settings->publish);
  return member;
}

static gboolean
attach_to_own (BzHostNet *host, Request *request, GError **error)
{
  g_autofree char *link = bz_member_link (request->id);
  BzNetSettings *settings = request->settings;

  if (!bz_host_net_make (host, settings, error) || !check_ports (host, settings, error)
      || !choose_addresses (host, request, error) || !choose_gateways (request, host, error)
      || !bz_host_net_add (host, member_of (request), error))
    return FALSE;
  host->nameless = settings->nameless;
  request->resolv = bz_resolv_text (
      settings->dns, bz_names_there () && !settings->nameless ? &host->address : NULL);
  return bz_netlink_add_veth (host->netlink, link, request->name, host->bridge,
                              interface_of (request), request->mac, request->net_fd, error)
         && bz_netlink_up (host->netlink, if_nametoindex (link), error)
         && bz_host_net_apply (host, error)
         && set_up_inside (request, interface_of (request), error);
}

static void
insert_address (GVariantDict *dict, const char *key, const BzAddress *address)
{
  g_autofree char *text = address->family != 0 ? bz_address_text (address) : NULL;

  if (text != NULL)
    g_variant_dict_insert (dict, key, "s", text);
}

static gboolean
send_attached (int socket, const Request *request, GError **error)
{
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  insert_address (&body, "address", &request->address);
  insert_address (&body, "address6", &request->address6);
  if (request->resolv != NULL && request->settings->configure == BZ_CONFIGURE_START)
    g_variant_dict_insert (&body, "resolv", "s", request->resolv);
  return bz_message_send (socket, "attached", g_variant_dict_end (&body), NULL, 0, error);
}

/* What fails leaves nothing: neither the zone's part nor, if it was the first, the rest. Also when the keeper was
 * killed meanwhile: whoever looked for what it has left came before us, or waits for the lock. */
static gboolean
attach_own (int socket, Request *request, GError **error)
{
  g_autoptr (BzHostNet) host = bz_host_net_open (error);

  if (host == NULL)
    return FALSE;
  bz_host_net_drop (host, request->id);
  if (attach_to_own (host, request, error) && send_attached (socket, request, error))
    return TRUE;
  bz_host_net_drop (host, request->id);
  bz_host_net_apply (host, NULL);
  return FALSE;
}

static guint
find_interface (const char *name, GError **error)
{
  guint index = if_nametoindex (name);

  if (index == 0)
    bz_fail_errno (error, errno, "`ip link` lists the host's interfaces",
                   "cannot find the host's interface %s", name);
  return index;
}

/* A network of the host's: the interface dies with the zone's namespace, nothing else is made. */
static gboolean
attach_foreign (Request *request, GError **error)
{
  const BzNetSettings *settings = request->settings;
  g_autoptr (BzNetlink) netlink = bz_netlink_open (error);
  g_autofree char *link = bz_member_link (request->id);
  gboolean bridge = request->mode == BZ_NETWORK_PRIVATE;
  const char *name = bridge ? settings->bridge : settings->parent;

  if (name == NULL)
    return bz_fail (error, BZ_ERROR_INPUT, "it is not said on which interface of the host",
                    "set Parent= in [Network]", "the zone's network");
  guint index = netlink != NULL ? find_interface (name, error) : 0;
  if (index == 0 || !take_all_given (request, error) || !choose_gateways (request, NULL, error))
    return FALSE;
  if (request->settings->configure == BZ_CONFIGURE_START && request->address.family != 0)
    request->resolv = bz_resolv_text (settings->dns, NULL);
  if (!bridge)
    return bz_netlink_add_macvlan (netlink, index, interface_of (request), request->mac,
                                   request->net_fd, error)
           && set_up_inside (request, interface_of (request), error);
  guint left = if_nametoindex (link);
  return (left == 0 || bz_netlink_delete (netlink, left, error))
         && bz_netlink_add_veth (netlink, link, request->name, index, interface_of (request),
                                 request->mac, request->net_fd, error)
         && bz_netlink_up (netlink, if_nametoindex (link), error)
         && set_up_inside (request, interface_of (request), error);
}

/* --- requests --- */

static gboolean
read_request (BzMessage *message, Request *request, GError **error)
{
  g_autoptr (GVariant) settings = NULL;

  g_variant_dict_lookup (message->body, "id", "s", &request->id);
  g_variant_dict_lookup (message->body, "name", "s", &request->name);
  g_variant_dict_lookup (message->body, "hostname", "s", &request->hostname);
  g_variant_dict_lookup (message->body, "mac", "s", &request->mac_text);
  g_variant_dict_lookup (message->body, "mode", "u", &request->mode);
  settings = g_variant_dict_lookup_value (message->body, "settings", G_VARIANT_TYPE_VARDICT);
  request->net_fd = bz_message_take_fd (message, 0);
  if (request->id == NULL || request->name == NULL || request->hostname == NULL || settings == NULL
      || request->net_fd < 0)
    return bz_fail (error, BZ_ERROR_INPUT, "a field is missing", NULL,
                    "cannot read the zone's network");
  request->settings = bz_net_settings_from_variant (settings, error);
  return request->settings != NULL;
}

static gboolean
answer_attach (int socket, BzMessage *message, GError **error)
{
  g_auto (Request) request = { .net_fd = -1 };

  if (!read_request (message, &request, error) || !choose_mac (&request, error))
    return FALSE;
  return request.mode == BZ_NETWORK_PRIVATE && request.settings->bridge == NULL
             ? attach_own (socket, &request, error)
             : attach_foreign (&request, error) && send_attached (socket, &request, error);
}

static gboolean
answer_detach (int socket, BzMessage *message, GError **error)
{
  g_autoptr (BzHostNet) host = bz_host_net_open (error);
  const char *id = NULL;

  if (host == NULL || !g_variant_dict_lookup (message->body, "id", "&s", &id))
    return FALSE;
  bz_host_net_drop (host, id);
  return bz_host_net_apply (host, error)
         && bz_message_send (socket, "detached", NULL, NULL, 0, error);
}

static gboolean
answer_sweep (int socket, BzMessage *message G_GNUC_UNUSED, GError **error)
{
  g_autoptr (BzHostNet) host = bz_host_net_open (error);

  if (host == NULL)
    return FALSE;
  gboolean wanting = host->stale || host->members->len == 0 || !bz_names_alive (host);
  return (!wanting || bz_host_net_apply (host, error))
         && bz_message_send (socket, "swept", NULL, NULL, 0, error);
}

static const struct {
  const char *kind;
  gboolean (*answer) (int socket, BzMessage *message, GError **error);
} requests[] = { { "attach", answer_attach },
                 { "detach", answer_detach },
                 { "sweep", answer_sweep } };

static gboolean
serve (int socket, GError **error)
{
  g_autoptr (BzMessage) message = bz_message_receive (socket, NULL, error);

  if (message == NULL)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (requests); i++)
    if (g_str_equal (message->kind, requests[i].kind))
      return requests[i].answer (socket, message, error);
  return bz_fail (error, BZ_ERROR_INPUT, "it is unknown", NULL, "the request %s", message->kind);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  gint64 number;

  if (argc != 2 || !g_ascii_string_to_signed (argv[1], 10, 3, G_MAXINT, &number, NULL)
      || fcntl ((int) number, F_SETFD, FD_CLOEXEC) != 0)
    {
      fputs ("brandzone-network is started by brandzone(1)\n", stderr);
      return BZ_EXIT_BRANDZONE;
    }
  signal (SIGPIPE, SIG_IGN);
  if (serve ((int) number, &error))
    return 0;
  bz_message_send_error ((int) number, error, NULL);
  return 1;
}
