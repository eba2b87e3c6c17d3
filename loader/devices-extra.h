/* Further devices of the host in a zone's /dev. */
#pragma once

#include "loader/settings.h"

/* As the host's root: makes nodes like those of device->source in `dir`, a /dev made by
 * bz_devices_make. uid and gid: the owner as the host counts. A directory is gone through, four
 * levels deep; what is no device in it is left out. */
gboolean bz_devices_add (int dir, const BzDevice *device, guint32 uid, guint32 gid, GError **error);

/* In a zone that binds its nodes, before the host's tree is left: the same by a mount. */
gboolean bz_devices_bind_one (int dir, const BzDevice *device, GError **error);
