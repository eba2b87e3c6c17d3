/* Mounting for a zone with the host's rights, in processes of their own. */
#pragma once

#include "loader/message.h"
#include "loader/namespaces.h"

/* Carries out the supervisor's request "mount" {type, source, options, flags} + reply, mount point,
 * mount namespace[, image]: in a child; its answer {error} goes to the reply. The caller has decided
 * that the zone may have the type. name: the zone's, for the log. loop: the number of the zone's loop
 * device that the image is, or -1. */
void bz_mount_broker_serve (BzMessage *message, const int namespaces[BZ_NAMESPACE_COUNT],
                            const char *name, int loop);
