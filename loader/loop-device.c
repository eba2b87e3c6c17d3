#include "config.h"

#include "loader/loop-device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TRIES 16

static void
close_keeping_errno (int fd)
{
  int saved = errno;

  if (fd >= 0)
    close (fd);
  errno = saved;
}

/* Others may take the number that the kernel names: then it is asked again. */
int
bz_loop_device_attach (const BzLoopImage *image, char path[32])
{
  guint32 flags = LO_FLAGS_AUTOCLEAR | (image->read_only ? LO_FLAGS_READ_ONLY : 0);
  struct loop_config config = { .fd = (guint32) image->image,
                                .block_size = image->block,
                                .info = { .lo_offset = image->offset,
                                          .lo_sizelimit = image->limit,
                                          .lo_flags = flags } };
  int control = open ("/dev/loop-control", O_RDWR | O_CLOEXEC), device = -1;

  for (guint tries = 0; control >= 0 && device < 0 && tries < TRIES; tries++)
    {
      int number = ioctl (control, LOOP_CTL_GET_FREE);
      if (number < 0)
        break;
      g_snprintf (path, 32, "/dev/loop%d", number);
      device = open (path, (image->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
      if (device < 0 || ioctl (device, LOOP_CONFIGURE, &config) == 0)
        continue;
      close_keeping_errno (device);
      device = -1;
      if (errno != EBUSY)
        break;
    }
  close_keeping_errno (control);
  return device;
}
