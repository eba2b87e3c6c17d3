/* Loop devices of the host. */
#pragma once

#include <glib.h>

#define BZ_LOOP_DEVICE_MAJOR 7

typedef struct {
  int image;
  guint64 offset, limit; /* of the image's bytes; limit 0: all */
  guint32 block;         /* bytes; 0: the kernel's choice */
  gboolean read_only;
} BzLoopImage;

/* Binds a free loop device to an image: a descriptor of it, or -1 and errno. It is free again once nobody
 * has it open. path: its name on the host. */
int bz_loop_device_attach (const BzLoopImage *image, char path[32]);
