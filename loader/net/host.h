/* What the private networks of zones share on the host: a bridge, a table of nftables, a name server, and the
 * directory that says which zones there are (host.c). For brandzone-network alone. */
#pragma once

#include "loader/net/netlink.h"
#include "loader/net/settings.h"

#define BZ_BRIDGE "brandzone0"
#define BZ_TABLE "brandzone"

/* A zone on the bridge. */
typedef struct {
  char *id;             /* names its file and its interface of the host */
  char *name, *hostname;
  guint8 mac[BZ_MAC_BYTES];
  BzAddress address, address6;
  GPtrArray *publish;   /* of BzPublish */
} BzMember;

typedef struct {
  char *dir;
  int lock;             /* of the directory; held as long as this lives */
  BzNetlink *netlink;
  guint bridge;         /* its index; 0: it is not there */
  BzAddress address, address6; /* of the bridge, with the prefix; family 0: none (yet) */
  GPtrArray *members;   /* of BzMember, those that live */
  gboolean nameless;    /* no name server is to be started */
  gboolean stale;       /* others were found, and forgotten */
} BzHostNet;

/* Locks, reads, and forgets the zones whose interface has gone. */
BzHostNet *bz_host_net_open (GError **error);
void bz_host_net_close (BzHostNet *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzHostNet, bz_host_net_close)

/* The bridge with its addresses, made if need be. */
gboolean bz_host_net_make (BzHostNet *host, const BzNetSettings *settings, GError **error);

/* Makes table and name server fit the members; without any, all is removed. */
gboolean bz_host_net_apply (BzHostNet *host, GError **error);

gboolean bz_host_net_add (BzHostNet *host, BzMember *member, GError **error); /* takes it over */
void bz_host_net_drop (BzHostNet *host, const char *id);

/* The interface of a zone on the host. Owned by the caller. */
char *bz_member_link (const char *id);

/* nat.c */
gboolean bz_nat_apply (const BzHostNet *host, GError **error);
gboolean bz_nat_remove (GError **error);
char *bz_nat_rules (const BzHostNet *host); /* as nft(8) reads them; owned by the caller */

/* names.c */
gboolean bz_names_apply (const BzHostNet *host, GError **error); /* TRUE where there is no dnsmasq */
void bz_names_remove (const BzHostNet *host);
gboolean bz_names_alive (const BzHostNet *host); /* or not wanted */
gboolean bz_names_there (void); /* dnsmasq is installed */
