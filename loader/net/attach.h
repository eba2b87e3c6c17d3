/* The keeper's side of a zone's network. */
#pragma once

#include "loader/hand-over.h"
#include "loader/loader.h"

/* What a zone's network holds on the host, as long as the zone runs. */
typedef struct BzAttached BzAttached;

/* Gives the zone, whose first process waits, its interface. NULL with error. */
BzAttached *bz_network_attach (const BzPartition *partition, pid_t init, int net_fd, GError **error);

/* Takes it away; may be NULL. */
void bz_network_detach (BzAttached *attached);

/* Leaves it (or NULL) to the next program, and takes it there. Sets *bad when it was not left whole. */
void bz_network_leave (const BzAttached *attached, BzHandOver *left);
BzAttached *bz_network_take (GVariantDict *values, gboolean *bad);

const char *bz_network_resolv (const BzAttached *attached);   /* of its resolv.conf, or NULL */
const char *bz_network_addresses (const BzAttached *attached); /* for people, or NULL */

/* Whether this network is a namespace of the zone's own, with an interface of ours in it. */
gboolean bz_network_attached (BzNetwork network);

/* The directory of what private networks of root's zones share in this network namespace. It is there
 * only while they do. Owned by the caller. */
char *bz_network_place (void);

/* Removes what killed zones have left of the host's network. Nothing to do is the usual case. */
void bz_network_sweep (void);
/* The same for a zone whose keeper is known to be gone: its interface may be there for a moment yet. */
void bz_network_end_left (const char *run_dir);
