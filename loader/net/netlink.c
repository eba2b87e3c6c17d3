#include "config.h"

#include "loader/net/netlink.h"

#include "brand/base/error.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

struct BzNetlink {
  struct mnl_socket *socket;
  guint32 sequence;
};

typedef union {
  struct nlmsghdr header;
  char bytes[4096];
} Request;

BzNetlink *
bz_netlink_open (GError **error)
{
  BzNetlink *netlink = g_new0 (BzNetlink, 1);

  netlink->socket = mnl_socket_open2 (NETLINK_ROUTE, SOCK_CLOEXEC);
  if (netlink->socket != NULL && mnl_socket_bind (netlink->socket, 0, MNL_SOCKET_AUTOPID) == 0)
    return netlink;
  bz_fail_errno (error, errno, NULL, "cannot talk to the kernel about networks");
  bz_netlink_close (netlink);
  return NULL;
}

void
bz_netlink_close (BzNetlink *netlink)
{
  if (netlink == NULL)
    return;
  if (netlink->socket != NULL)
    mnl_socket_close (netlink->socket);
  g_free (netlink);
}

static struct nlmsghdr *
begin (BzNetlink *netlink, Request *request, guint16 type, guint16 flags)
{
  struct nlmsghdr *header = mnl_nlmsg_put_header (request->bytes);

  header->nlmsg_type = type;
  header->nlmsg_flags = NLM_F_REQUEST | flags;
  header->nlmsg_seq = ++netlink->sequence;
  return header;
}

/* Sends and gives every answer to `callback` (may be NULL). 0 or an errno. */
static int
talk (BzNetlink *netlink, const struct nlmsghdr *header, mnl_cb_t callback, void *data)
{
  guint port = mnl_socket_get_portid (netlink->socket);
  char answer[32768];
  int state = MNL_CB_OK;

  if (mnl_socket_sendto (netlink->socket, header, header->nlmsg_len) < 0)
    return errno;
  while (state > MNL_CB_STOP)
    {
      ssize_t length = mnl_socket_recvfrom (netlink->socket, answer, sizeof answer);
      if (length < 0 && errno == EINTR)
        continue;
      if (length < 0)
        return errno;
      state = mnl_cb_run (answer, (size_t) length, header->nlmsg_seq, port, callback, data);
    }
  return state == MNL_CB_ERROR ? errno : 0;
}

/* One that the kernel only acknowledges. */
static int
ask (BzNetlink *netlink, struct nlmsghdr *header)
{
  header->nlmsg_flags |= NLM_F_ACK;
  return talk (netlink, header, NULL, NULL);
}

/* --- links --- */

static struct nlmsghdr *
begin_link (BzNetlink *netlink, Request *request, guint16 type, guint16 flags, guint index)
{
  struct nlmsghdr *header = begin (netlink, request, type, flags);
  struct ifinfomsg *info = mnl_nlmsg_put_extra_header (header, sizeof *info);

  info->ifi_family = AF_UNSPEC;
  info->ifi_index = (int) index;
  return header;
}

static int
add_link (BzNetlink *netlink, struct nlmsghdr *header)
{
  header->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
  return ask (netlink, header);
}

gboolean
bz_netlink_add_bridge (BzNetlink *netlink, const char *name, const guint8 mac[BZ_MAC_BYTES],
                       GError **error)
{
  Request request;
  struct nlmsghdr *header = begin_link (netlink, &request, RTM_NEWLINK, 0, 0);

  mnl_attr_put_strz (header, IFLA_IFNAME, name);
  mnl_attr_put (header, IFLA_ADDRESS, BZ_MAC_BYTES, mac);
  struct nlattr *info = mnl_attr_nest_start (header, IFLA_LINKINFO);
  mnl_attr_put_strz (header, IFLA_INFO_KIND, "bridge");
  mnl_attr_nest_end (header, info);
  int failed = add_link (netlink, header);
  return failed == 0
         || bz_fail_errno (error, failed,
                           failed == EOPNOTSUPP ? "the kernel lacks bridges: modprobe bridge" : NULL,
                           "cannot make the bridge %s", name);
}

gboolean
bz_netlink_add_veth (BzNetlink *netlink, const char *name, const char *alias, guint bridge,
                     const char *peer, const guint8 mac[BZ_MAC_BYTES], int net_fd, GError **error)
{
  Request request;
  struct nlmsghdr *header = begin_link (netlink, &request, RTM_NEWLINK, 0, 0);

  mnl_attr_put_strz (header, IFLA_IFNAME, name);
  mnl_attr_put_u32 (header, IFLA_MASTER, bridge);
  mnl_attr_put_strz (header, IFLA_IFALIAS, alias);
  struct nlattr *info = mnl_attr_nest_start (header, IFLA_LINKINFO);
  mnl_attr_put_strz (header, IFLA_INFO_KIND, "veth");
  struct nlattr *data = mnl_attr_nest_start (header, IFLA_INFO_DATA);
  struct nlattr *other = mnl_attr_nest_start (header, VETH_INFO_PEER);
  mnl_nlmsg_put_extra_header (header, sizeof (struct ifinfomsg));
  mnl_attr_put_strz (header, IFLA_IFNAME, peer);
  mnl_attr_put (header, IFLA_ADDRESS, BZ_MAC_BYTES, mac);
  mnl_attr_put_u32 (header, IFLA_NET_NS_FD, (guint32) net_fd);
  mnl_attr_nest_end (header, other);
  mnl_attr_nest_end (header, data);
  mnl_attr_nest_end (header, info);
  int failed = add_link (netlink, header);
  return failed == 0
         || bz_fail_errno (error, failed,
                           failed == EOPNOTSUPP ? "the kernel lacks them: modprobe veth" : NULL,
                           "cannot make the zone's pair of interfaces");
}

gboolean
bz_netlink_add_macvlan (BzNetlink *netlink, guint parent, const char *name,
                        const guint8 mac[BZ_MAC_BYTES], int net_fd, GError **error)
{
  Request request;
  struct nlmsghdr *header = begin_link (netlink, &request, RTM_NEWLINK, 0, 0);

  mnl_attr_put_strz (header, IFLA_IFNAME, name);
  mnl_attr_put (header, IFLA_ADDRESS, BZ_MAC_BYTES, mac);
  mnl_attr_put_u32 (header, IFLA_LINK, parent);
  mnl_attr_put_u32 (header, IFLA_NET_NS_FD, (guint32) net_fd);
  struct nlattr *info = mnl_attr_nest_start (header, IFLA_LINKINFO);
  mnl_attr_put_strz (header, IFLA_INFO_KIND, "macvlan");
  struct nlattr *data = mnl_attr_nest_start (header, IFLA_INFO_DATA);
  mnl_attr_put_u32 (header, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
  mnl_attr_nest_end (header, data);
  mnl_attr_nest_end (header, info);
  int failed = add_link (netlink, header);
  return failed == 0
         || bz_fail_errno (error, failed,
                           failed == EOPNOTSUPP ? "the kernel lacks them: modprobe macvlan"
                           : failed == EBUSY    ? "a port of a bridge cannot have one: use Bridge="
                                                : NULL,
                           "cannot make the zone's macvlan interface");
}

gboolean
bz_netlink_delete (BzNetlink *netlink, guint index, GError **error)
{
  Request request;
  int failed = ask (netlink, begin_link (netlink, &request, RTM_DELLINK, 0, index));

  return failed == 0 || failed == ENODEV
         || bz_fail_errno (error, failed, NULL, "cannot remove an interface");
}

gboolean
bz_netlink_up (BzNetlink *netlink, guint index, GError **error)
{
  Request request;
  struct nlmsghdr *header = begin_link (netlink, &request, RTM_NEWLINK, 0, index);
  struct ifinfomsg *info = mnl_nlmsg_get_payload (header);

  info->ifi_flags = info->ifi_change = IFF_UP;
  int failed = ask (netlink, header);
  return failed == 0 || bz_fail_errno (error, failed, NULL, "cannot raise an interface");
}

/* --- addresses and routes --- */

static size_t
size_of (const BzAddress *address)
{
  return bz_address_bits (address) / 8;
}

gboolean
bz_netlink_add_address (BzNetlink *netlink, guint index, const BzAddress *address, GError **error)
{
  Request request;
  struct nlmsghdr *header = begin (netlink, &request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
  struct ifaddrmsg *info = mnl_nlmsg_put_extra_header (header, sizeof *info);

  info->ifa_family = (unsigned char) address->family;
  info->ifa_prefixlen = (unsigned char) address->prefix;
  info->ifa_flags = address->family == AF_INET6 ? IFA_F_NODAD : 0;
  info->ifa_index = index;
  mnl_attr_put (header, IFA_LOCAL, size_of (address), address->bytes);
  mnl_attr_put (header, IFA_ADDRESS, size_of (address), address->bytes);
  if (address->family == AF_INET && address->prefix < 31)
    {
      guint32 all = 0xffffffffU >> address->prefix;
      BzAddress broadcast = bz_address_host (address, all);
      mnl_attr_put (header, IFA_BROADCAST, size_of (&broadcast), broadcast.bytes);
    }
  int failed = ask (netlink, header);
  if (failed == 0)
    return TRUE;
  g_autofree char *text = bz_address_text_prefix (address);
  return bz_fail_errno (error, failed, NULL, "cannot set the address %s", text);
}

gboolean
bz_netlink_add_default (BzNetlink *netlink, guint index, const BzAddress *gateway, GError **error)
{
  Request request;
  struct nlmsghdr *header = begin (netlink, &request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
  struct rtmsg *info = mnl_nlmsg_put_extra_header (header, sizeof *info);

  *info = (struct rtmsg){ .rtm_family = (unsigned char) gateway->family,
                          .rtm_table = RT_TABLE_MAIN,
                          .rtm_protocol = RTPROT_STATIC,
                          .rtm_scope = RT_SCOPE_UNIVERSE,
                          .rtm_type = RTN_UNICAST };
  mnl_attr_put (header, RTA_GATEWAY, size_of (gateway), gateway->bytes);
  mnl_attr_put_u32 (header, RTA_OIF, index);
  int failed = ask (netlink, header);
  if (failed == 0)
    return TRUE;
  g_autofree char *text = bz_address_text (gateway);
  return bz_fail_errno (error, failed, "is it in the network of the zone's address?",
                        "cannot set the gateway %s", text);
}

typedef struct {
  GArray *networks;
  int family;
  guint except;
} Networks;

static int
add_network (const struct nlmsghdr *header, void *data)
{
  const struct rtmsg *info = mnl_nlmsg_get_payload (header);
  Networks *wanted = data;
  BzAddress network = { .family = wanted->family, .prefix = info->rtm_dst_len };
  const struct nlattr *attribute;
  gboolean has = FALSE;
  guint interface = 0;

  if (info->rtm_family != wanted->family || info->rtm_dst_len == 0)
    return MNL_CB_OK;
  mnl_attr_for_each (attribute, header, sizeof *info)
  {
    if (mnl_attr_get_type (attribute) == RTA_OIF && mnl_attr_get_payload_len (attribute) >= 4)
      interface = mnl_attr_get_u32 (attribute);
    if (mnl_attr_get_type (attribute) == RTA_DST
        && mnl_attr_get_payload_len (attribute) == size_of (&network))
      {
        memcpy (network.bytes, mnl_attr_get_payload (attribute), size_of (&network));
        has = TRUE;
      }
  }
  if (has && (interface == 0 || interface != wanted->except))
    g_array_append_val (wanted->networks, network);
  return MNL_CB_OK;
}

GArray *
bz_netlink_networks (BzNetlink *netlink, int family, guint except, GError **error)
{
  g_autoptr (GArray) networks = g_array_new (FALSE, FALSE, sizeof (BzAddress));
  Networks wanted = { networks, family, except };
  Request request;
  struct nlmsghdr *header = begin (netlink, &request, RTM_GETROUTE, NLM_F_DUMP);
  struct rtmsg *info = mnl_nlmsg_put_extra_header (header, sizeof *info);

  info->rtm_family = (unsigned char) family;
  int failed = talk (netlink, header, add_network, &wanted);
  if (failed == 0)
    return g_steal_pointer (&networks);
  bz_fail_errno (error, failed, NULL, "cannot read the host's routes");
  return NULL;
}
