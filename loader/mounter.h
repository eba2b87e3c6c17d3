/* The supervisor's way to have something mounted for its zone. */
#pragma once

#include "syscall-xlat/mounter.h"

/* How long a mount may take, in milliseconds: less than a call's budget. */
#define BZ_MOUNT_BUDGET_MS 4000

/* socket: to the keeper, which answers "mount", "loops" and "node", and is told "mount-refused" (mount-broker.h). Lives as
 * long as the process. nodes: the keeper can make nodes. */
BzMounter *bz_mounter_new (int socket, gboolean nodes);
