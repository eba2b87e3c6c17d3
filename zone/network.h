/* A zone's network: what its zone file, the options and network.conf make of it. */
#pragma once

#include "zone/context.h"
#include "zone/options.h"
#include "zone/zone-file.h"

/* Fills partition->network and what belongs to it. */
gboolean bz_network_apply (const BzContext *context, BzPartition *partition, const BzZoneFile *file,
                           const BzArguments *arguments, GError **error);

/* Whether the interface that the tree's scripts know as eth0 has its IPv4 address before they run. */
gboolean bz_network_configures (BzNetwork network, const BzNetSettings *settings);

/* Whether the host gives what this network needs; says what is missing for it to work fully. */
gboolean bz_network_check_host (const BzContext *context, const BzHost *host,
                                BzPartition *partition, GError **error);
