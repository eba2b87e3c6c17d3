/* Interfaces, addresses and routes, by rtnetlink (libmnl). Everything concerns the network namespace in which
 * the handle was opened. */
#pragma once

#include "loader/net/address.h"

typedef struct BzNetlink BzNetlink;
BzNetlink *bz_netlink_open (GError **error);
void bz_netlink_close (BzNetlink *netlink);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzNetlink, bz_netlink_close)

#define BZ_MAC_BYTES 6

gboolean bz_netlink_add_bridge (BzNetlink *netlink, const char *name,
                                const guint8 mac[BZ_MAC_BYTES], GError **error);

/* A pair: `name` here, a port of the bridge; `peer` in the other network namespace. */
gboolean bz_netlink_add_veth (BzNetlink *netlink, const char *name, const char *alias, guint bridge,
                              const char *peer, const guint8 mac[BZ_MAC_BYTES], int net_fd,
                              GError **error);

/* `name` in the other network namespace, on an interface of this one. */
gboolean bz_netlink_add_macvlan (BzNetlink *netlink, guint parent, const char *name,
                                 const guint8 mac[BZ_MAC_BYTES], int net_fd, GError **error);

gboolean bz_netlink_delete (BzNetlink *netlink, guint index, GError **error);
gboolean bz_netlink_up (BzNetlink *netlink, guint index, GError **error);

/* Without duplicate address detection, for which IPv6 would wait a second. */
gboolean bz_netlink_add_address (BzNetlink *netlink, guint index, const BzAddress *address,
                                 GError **error);
gboolean bz_netlink_add_default (BzNetlink *netlink, guint index, const BzAddress *gateway,
                                 GError **error);

/* The networks of all routing tables but the default route and those through interface `except`: of BzAddress. */
GArray *bz_netlink_networks (BzNetlink *netlink, int family, guint except, GError **error);
