/* What an administrator asks of a zone's network: [Network] of brandzone-zone(5), and network.conf. */
#pragma once

#include "loader/net/publish.h"

/* Who gives the interface its IPv4 address. */
typedef enum {
  BZ_CONFIGURE_START, /* brandzone, before the zone's first program runs */
  BZ_CONFIGURE_DHCP,  /* the zone's own DHCP client */
  BZ_CONFIGURE_NONE,  /* the zone, as it likes: the interface is there, and down */
} BzConfigure;

/* Texts are NULL where nothing is asked for. */
typedef struct {
  char *interface;           /* its name in the zone */
  char *address, *address6;  /* "ADDRESS[/PREFIX]" */
  char *gateway, *gateway6;  /* addresses */
  char **dns;                /* addresses; never NULL */
  GPtrArray *publish;        /* of BzPublish */
  char *bridge;              /* a bridge of the host's, instead of our own */
  char *parent;              /* macvlan: an interface of the host's */
  BzConfigure configure;
  gboolean nameless;         /* no name server is started for the private network */
  char *subnet, *subnet6;    /* of our own bridge: "NETWORK/PREFIX" */
} BzNetSettings;

/* In place, and on the heap. */
void bz_net_settings_init (BzNetSettings *settings);
void bz_net_settings_clear (BzNetSettings *settings);
BzNetSettings *bz_net_settings_new (void);
void bz_net_settings_free (BzNetSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzNetSettings, bz_net_settings_free)

gboolean bz_configure_lookup (const char *name, BzConfigure *configure);

/* Whether it can name an interface. */
gboolean bz_interface_valid (const char *name);

/* The flat form. from_variant checks; NULL with BZ_ERROR_INPUT. */
GVariant *bz_net_settings_to_variant (const BzNetSettings *settings);
BzNetSettings *bz_net_settings_from_variant (GVariant *variant, GError **error);
