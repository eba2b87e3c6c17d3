#include "config.h"

#include "zone/save.h"

#include "brand/base/error.h"
#include "zone/installed.h"
#include "zone/names.h"
#include "zone/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

const char *
bz_save_filter (const char *path)
{
  static const struct {
    const char *suffix, *filter;
  } known[] = { { ".gz", "gzip" }, { ".tgz", "gzip" }, { ".xz", "xz" },
                { ".txz", "xz" },  { ".zst", "zstd" } };

  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_has_suffix (path, known[i].suffix))
      return known[i].filter;
  return NULL;
}

guint32
bz_save_id_shift (const BzZoneState *state)
{
  return geteuid () == 0 && state->id_storage == BZ_IDS_SHIFTED && state->uids->len > 0
             ? g_array_index (state->uids, BzIdRange, 0).outside
             : 0;
}

/* A file without a name, which vanishes with its last descriptor. */
static int
open_nameless (const char *directory, GError **error)
{
  int fd = open (directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);

  if (fd < 0)
    bz_fail_errno (error, errno,
                   errno == EOPNOTSUPP ? "write it to another file system, or to - and redirect it"
                                       : NULL,
                   "making a file in %s", directory);
  return fd;
}

/* Gives it its name, in one step. */
static gboolean
give_name (int fd, const BzSave *save, GError **error)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *beside = g_strdup_printf ("%s.%08x", save->path, g_random_int ());
  g_autofree char *parent = g_path_get_dirname (save->path);
  gboolean good;

  if (fsync (fd) != 0)
    return bz_fail_errno (error, errno, NULL, "writing %s", save->path);
  good = linkat (AT_FDCWD, link, AT_FDCWD, save->path, AT_SYMLINK_FOLLOW) == 0;
  if (!good && errno == EEXIST && save->force)
    {
      good = linkat (AT_FDCWD, link, AT_FDCWD, beside, AT_SYMLINK_FOLLOW) == 0
             && rename (beside, save->path) == 0;
      if (!good)
        unlink (beside);
    }
  if (!good && errno == EEXIST)
    return bz_fail (error, BZ_ERROR_STATE, "there is a file of this name already",
                    "choose another name, or replace it with --force", "%s", save->path);
  if (!good)
    return bz_fail_errno (error, errno, NULL, "writing %s", save->path);
  int dir = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir >= 0)
    {
      fsync (dir);
      close (dir);
    }
  return TRUE;
}

/* Looked at before the work, and again by what gives it its name. A device of the host such as /dev/null is not
 * replaced, also not by way of a link such as /dev/stdout. */
static gboolean
check_name (const BzSave *save, GError **error)
{
  struct stat st;

  if (save->path == NULL || lstat (save->path, &st) != 0)
    return TRUE;
  if (S_ISLNK (st.st_mode) && stat (save->path, &st) != 0)
    st.st_mode = S_IFREG;
  if (!S_ISREG (st.st_mode))
    return bz_fail (error, BZ_ERROR_STATE, "there is something of this name that is no regular file",
                    "choose another name; for a device or a pipe name - and redirect the output", "%s",
                    save->path);
  return save->force
         || bz_fail (error, BZ_ERROR_STATE, "there is a file of this name already",
                     "choose another name, or replace it with --force", "%s", save->path);
}

/* The list first: one without its archive does no harm. */
static gboolean
publish (int fd, const BzSave *save, GError **error)
{
  if (save->path == NULL)
    return TRUE;
  if (save->zone != NULL && !bz_installed_leave (save->zone, fd, save->path, error))
    return FALSE;
  if (give_name (fd, save, error))
    return TRUE;
  g_autofree char *list = bz_installed_beside (save->path);
  if (save->zone != NULL)
    unlink (list);
  return FALSE;
}

static gboolean
run (const BzContext *context, const BzZoneState *state, const BzSave *save,
     BzExportOptions *options, BzExportResult *result, GError **error)
{
  options->tree_fd = bz_storage_open (context->dirs, state, FALSE, error);
  if (options->tree_fd < 0)
    return FALSE;
  gboolean done = bz_exporter_run (options, result, error);
  close (options->tree_fd);
  return done && publish (options->out_fd, save, error);
}

gboolean
bz_save_tree (const BzContext *context, const BzZoneState *state, const BzSave *save,
              BzExportResult *result, GError **error)
{
  g_autofree char *parent =
      save->path != NULL ? g_path_get_dirname (save->path) : g_strdup (g_get_tmp_dir ());
  gboolean oci = g_strcmp0 (save->format, "oci") == 0;
  gboolean packed = g_strcmp0 (save->format, "tar") == 0, user = geteuid () != 0;
  BzExportOptions options = { .out_fd = STDOUT_FILENO,
                              .temporary_fd = -1,
                              .format = save->format,
                              .prefix = save->prefix,
                              .filter = save->path != NULL && packed ? bz_save_filter (save->path)
                                                                   : NULL,
                              .architecture = state->abi == BZ_ABI_I386 ? "386" : "amd64",
                              .name = state->name,
                              .id_shift = bz_save_id_shift (state),
                              .uids = user ? state->uids : NULL,
                              .gids = user ? state->gids : NULL };

  if (!check_name (save, error)
      || (save->path != NULL && (options.out_fd = open_nameless (parent, error)) < 0))
    return FALSE;
  gboolean good = !oci || (options.temporary_fd = open_nameless (parent, error)) >= 0;
  good = good && run (context, state, save, &options, result, error);
  if (save->path != NULL)
    close (options.out_fd);
  if (options.temporary_fd >= 0)
    close (options.temporary_fd);
  return good;
}
