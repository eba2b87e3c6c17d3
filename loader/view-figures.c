/* Files with figures of the machine, mounted: views-main.c has the problem and the choice. */
#include "config.h"

#include "loader/view-private.h"

#include "loader/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define ATTRIBUTES                                                                                 \
  (BZ_MOUNT_ATTR_RDONLY | BZ_MOUNT_ATTR_NOSUID | BZ_MOUNT_ATTR_NODEV | BZ_MOUNT_ATTR_NOEXEC)

gboolean
bz_view_mount_figures (int root, const char *path, BzForm form, BzViews *views, GError **error)
{
  char device[32];
  const char *const options[] = { "source=brandzone", device, "rootmode=100444", "user_id=0", "group_id=0",
                                  "default_permissions", "allow_other", NULL };
  /* The zone's own: what the host's says of its users does not matter, and it has to be opened in the zone's
   * user namespace. */
  int fd = bz_openat2 (root, "dev/fuse", O_RDWR | O_CLOEXEC, 0,
                       BZ_RESOLVE_IN_ROOT | BZ_RESOLVE_NO_MAGICLINKS | BZ_RESOLVE_NO_SYMLINKS);

  if (fd < 0 || views->count == BZ_VIEWS_MAX)
    {
      int failed = fd < 0 ? errno : ENOSPC;
      if (fd >= 0)
        close (fd);
      return bz_fail_errno (error, failed, NULL, "cannot serve the zone's %s", path);
    }
  g_snprintf (device, sizeof device, "fd=%d", fd);
  if (!bz_view_mount_file (root, path, "fuse", options, ATTRIBUTES, error))
    {
      close (fd);
      return FALSE;
    }
  views->fd[views->count] = fd;
  views->form[views->count++] = form;
  return TRUE;
}
