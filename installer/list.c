/* The list of what was installed.
 *
 * Problem: the tree is not what the source's entries say one after the other: entries replace each
 * other, layers take away, a plain user can't set all, scripts of packages have run. Choice: what
 * is there in the end is read again, from the page cache, while the kernel is busy writing it to
 * the disk, which has to be waited for anyway (installer/partial.c). */
#include "config.h"

#include "installer/list.h"

#include "brand/base/error.h"
#include "installer/beneath.h"
#include "installer/export.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static gpointer
sync_all (gpointer data)
{
  const BzPartial *partial = data;

  return GINT_TO_POINTER (syncfs (partial->fd) < 0 ? errno : 0);
}

static gboolean
step (gpointer data, GError **error)
{
  return bz_job_step (data, error);
}

static gboolean
write_list (BzJob *job, BzPartial *partial, int tree_fd, guint32 id_shift, GError **error)
{
  int fd = openat (partial->fd, BZ_PARTIAL_LIST, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  BzExport export = {
    .tree_fd = tree_fd, .id_shift = id_shift, .prefix = "", .step = step, .data = job
  };

  if (fd < 0)
    return bz_fail_errno (error, errno, NULL, "making the list of %s", partial->target);
  gboolean good = bz_export_list (&export, fd, error);
  if (good && fsync (fd) < 0)
    good = bz_fail_errno (error, errno, NULL, "writing the list of %s", partial->target);
  close (fd);
  return good;
}

gboolean
bz_list_make (BzJob *job, BzPartial *partial, const char *subdirectory, guint32 id_shift,
              GError **error)
{
  g_autofree char *path =
      g_build_filename ("root", *subdirectory == '\0' ? NULL : subdirectory, NULL);
  int fd = bz_beneath_open (partial->fd, path, O_RDONLY | O_DIRECTORY, 0, BZ_BENEATH_NO_LINKS);

  if (fd < 0)
    return bz_fail_errno (error, errno, NULL, "opening %s.partial", partial->target);
  GThread *writing = g_thread_new ("sync", sync_all, partial);
  gboolean good = write_list (job, partial, fd, id_shift, error);
  int failed = GPOINTER_TO_INT (g_thread_join (writing));
  close (fd);
  partial->synced = failed == 0;
  return good
         && (failed == 0
             || bz_fail_errno (error, failed, NULL, "writing %s to its disk", partial->target));
}
