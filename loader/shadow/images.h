/* The supervisor's part of shadow text. */
#pragma once

#include "syscall-xlat/images.h"

/* broker: a function that has a file's copy examined and rewritten outside the zone (broker.h);
 * root_fd: the supervisor's own root directory, proc_fd its /proc. Lives as long as the process. */
BzImages *bz_images_new (int broker_socket, GError **error);
