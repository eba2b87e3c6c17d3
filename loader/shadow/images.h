/* The supervisor's part of shadow text. */
#pragma once

#include "syscall-xlat/images.h"
#include "syscall-xlat/starting.h"

/* broker_socket: where a file's copy is examined and rewritten, outside the zone (broker.h). starting: the journal's
 * list; what a dead supervisor has left in it is put right. Lives as long as the process. */
BzImages *bz_images_new (int broker_socket, BzStarting *starting, GError **error);
