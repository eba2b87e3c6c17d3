/* The supervisor's part of shadow text. */
#pragma once

#include "brand/release.h"
#include "syscall-xlat/images.h"
#include "syscall-xlat/starting.h"

/* broker_socket: where a file's copy is examined and rewritten, outside the zone (broker.h). starting: the journal's
 * list; what a dead supervisor has left in it is put right. newer: set to 1 as soon as a static program comes whose ABI
 * note asks for more than `release` (BZ_EVER_NEWER). Lives as long as the process. */
BzImages *bz_images_new (int broker_socket, BzStarting *starting, BzRelease release, _Atomic guint32 *newer,
                         GError **error);
