/* An installation from beginning to end. */
#include "config.h"

#include "installer/install.h"

#include "brand/base/error.h"
#include "installer/list.h"
#include "installer/report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define DESCEND_MAX 3

typedef gboolean (*Reader) (BzInstall *install, GError **error);

static const Reader readers[] = {
  [BZ_SOURCE_DIRECTORY] = bz_install_directory,
  [BZ_SOURCE_ARCHIVE] = bz_install_archive,
  [BZ_SOURCE_ISO] = bz_install_archive,
  [BZ_SOURCE_IMAGE] = bz_install_image,
  [BZ_SOURCE_IMAGE_ARCHIVE] = bz_install_image_archive,
  [BZ_SOURCE_SERIES] = bz_install_series_directory,
  [BZ_SOURCE_SERIES_ISO] = bz_install_series_iso,
  [BZ_SOURCE_PACKAGES_ISO] = bz_install_packages_iso,
  [BZ_SOURCE_OCI_DIRECTORY] = bz_install_oci_directory,
  [BZ_SOURCE_OCI_ARCHIVE] = bz_install_oci_archive,
  [BZ_SOURCE_DOCKER_ARCHIVE] = bz_install_docker_archive,
  [BZ_SOURCE_RPM_REPOSITORY] = bz_install_rpm,
  [BZ_SOURCE_DEB_REPOSITORY] = bz_install_deb,
};

gboolean
bz_install_archive (BzInstall *install, GError **error)
{
  BzArchiveOptions options = { .keep_partial = install->args->keep_partial };
  BzArchiveFormats formats =
      install->source->type == BZ_SOURCE_ISO ? BZ_ARCHIVE_ISO : BZ_ARCHIVE_TREE;
  g_autoptr (BzArchive) archive = bz_archive_open (install->source_fd, formats, NULL, install->job,
                                                   install->args->source, error);

  return archive != NULL && bz_archive_extract (archive, install->tree, &options, error);
}

gboolean
bz_install_beside (BzInstall *install, BzArchiveFormats formats,
                   gboolean (*function) (BzInstall *, int, GError **), GError **error)
{
  BzArchiveOptions options = { 0 };
  g_autoptr (BzArchive) archive = NULL;
  BzTree *image;
  gboolean ok;
  int fd = -1;

  if (mkdirat (install->partial->fd, "image", 0700) == 0)
    fd = openat (install->partial->fd, "image", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return bz_fail_errno (error, errno, NULL, "making %s.partial/image", install->args->target);
  image = bz_tree_new (install->job, fd, 0);
  image->plain = TRUE;
  archive = bz_archive_open (install->source_fd, formats, NULL, install->job, install->args->source,
                             error);
  ok = archive != NULL && bz_archive_extract (archive, image, &options, error);
  bz_tree_free (image);
  install->job->files = 0; /* those were on the way */
  install->job->bytes = 0;
  ok = ok && function (install, fd, error);
  close (fd);
  return ok;
}

/* The packages of a medium, unpacked to a directory. */
static gboolean
install_packages (BzInstall *install, int fd, GError **error)
{
  BzInstall packages = *install;
  g_auto (BzRecognised) found = { 0 };
  gboolean deb = FALSE, rpm = FALSE;

  packages.source_fd = fd;
  if (!bz_recognise_deb (install->job, install->args, fd, &found, &deb, error)
      || (!deb && !bz_recognise_rpm (install->job, install->args, fd, &found, &rpm, error)))
    return FALSE;
  if (deb || rpm)
    return deb ? bz_install_deb (&packages, error) : bz_install_rpm (&packages, error);
  return bz_fail (error, BZ_ERROR_INPUT, "its packages are in no place where brandzone looks for them",
                  "mount it, and name the directory that holds the packages", "%s",
                  install->args->source);
}

gboolean
bz_install_packages_iso (BzInstall *install, GError **error)
{
  return bz_install_beside (install, BZ_ARCHIVE_ISO, install_packages, error);
}

int
bz_install_temporary (BzInstall *install, GError **error)
{
  int fd = openat (install->partial->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT))
    {
      /* Overlays of old kernels have no O_TMPFILE. */
      fd = openat (install->partial->fd, "temporary", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
      if (fd >= 0)
        unlinkat (install->partial->fd, "temporary", 0);
    }
  if (fd < 0)
    bz_fail_errno (error, errno, NULL, "making a file in %s.partial", install->args->target);
  return fd;
}

/* The only entry of the directory when it has one and it is a directory; else NULL. *userland: a
 * name of the top level of a userland is there; *empty: nothing is. */
static char *
only_directory (int fd, gboolean *userland, gboolean *empty)
{
  DIR *dir = fdopendir (fd);
  struct dirent *entry;
  char *only = NULL;
  guint count = 0;

  *userland = FALSE;
  while (dir != NULL && (entry = readdir (dir)) != NULL)
    {
      struct stat st;

      if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
        continue;
      count++;
      *userland |= bz_recognise_path (entry->d_name);
      g_clear_pointer (&only, g_free);
      if (count == 1 && fstatat (dirfd (dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0
          && S_ISDIR (st.st_mode))
        only = g_strdup (entry->d_name);
    }
  *empty = count == 0;
  if (dir != NULL)
    closedir (dir);
  else
    close (fd);
  return only;
}

/* Where the userland begins: "" or the names of single directories above it. NULL: error. */
static char *
find_userland (BzInstall *install, GError **error)
{
  g_autoptr (GString) path = g_string_new (NULL);

  for (int depth = 0; depth <= DESCEND_MAX; depth++)
    {
      int fd = bz_beneath_open (install->tree->fd, path->str, O_RDONLY | O_DIRECTORY, 0,
                                BZ_BENEATH_NO_LINKS);
      gboolean userland, empty;
      g_autofree char *only = fd < 0 ? NULL : only_directory (fd, &userland, &empty);

      if (fd < 0)
        break;
      if (empty && depth == 0)
        {
          bz_fail (error, BZ_ERROR_INPUT, "it holds no files", NULL, "%s", install->args->source);
          return NULL;
        }
      if (userland)
        {
          if (depth > 0)
            bz_job_notice (install->job, "the tree was taken from the directory %s of the source",
                           path->str);
          return g_strdup (path->str);
        }
      if (only == NULL)
        break;
      g_string_append_printf (path, "%s%s", path->len > 0 ? "/" : "", only);
    }
  bz_job_notice (install->job, "the tree has no etc, bin, lib or usr at its top");
  return g_strdup ("");
}

/* Seen: Alpine's mini root file systems say 0700. */
static void
tell_closed_root (BzInstall *install, const char *userland)
{
  int fd =
      bz_beneath_open (install->tree->fd, userland, O_RDONLY | O_DIRECTORY, 0, BZ_BENEATH_NO_LINKS);
  struct stat st;

  if (fd < 0)
    return;
  if (fstat (fd, &st) == 0 && (st.st_mode & 0001) == 0)
    bz_job_notice (install->job,
                   "the tree's root directory has mode %04o in the source: only "
                   "root can work in it until it is changed",
                   st.st_mode & 07777);
  close (fd);
}

static void
report_source (BzJob *job, const BzRecognised *source)
{
  g_autofree char *bytes = g_strdup_printf ("%" G_GUINT64_FORMAT, source->bytes);

  bz_job_send (job, bz_report_line (BZ_REPORT_SOURCE, source->kind, bytes, BZ_REPORT_END));
}

/* Scripts of packages work above the tree, too: what is committed has to be what was filled. */
static gboolean
is_in_place (BzInstall *install, GError **error)
{
  g_autofree char *path = g_build_filename ("root", install->base, NULL);
  struct stat filled, named;

  return (fstat (install->tree->fd, &filled) == 0
          && fstatat (install->partial->fd, path, &named, AT_SYMLINK_NOFOLLOW) == 0
          && filled.st_dev == named.st_dev && filled.st_ino == named.st_ino)
         || bz_fail (error, BZ_ERROR_INPUT, "one of its scripts has moved the tree away",
                     "this source is damaged or hostile: don't use it", "%s",
                     install->args->source);
}

static gboolean
fill_tree (BzInstall *install, GError **error)
{
  g_autofree char *userland = NULL;
  BzNode root = { .mode = S_IFDIR | 0755, .mtime.tv_nsec = UTIME_OMIT };

  /* Sources that do not tell about their root get root's own, not the installing umask's. */
  if (!bz_tree_directory (install->tree, "", &root, error)
      || !readers[install->source->type](install, error) || !bz_tree_finish (install->tree, error))
    return FALSE;
  userland = find_userland (install, error);
  if (userland == NULL)
    return FALSE;
  tell_closed_root (install, userland);
  bz_job_tell_tallies (install->job);

  g_autofree char *from = g_build_filename (install->base, userland, NULL);
  if (!bz_job_step (install->job, error) || !is_in_place (install, error))
    return FALSE;
  /* Of packages their own manager unpacks the most, later. */
  gboolean seed = install->source->type == BZ_SOURCE_PACKAGES_ISO
                  || install->source->type == BZ_SOURCE_RPM_REPOSITORY
                  || install->source->type == BZ_SOURCE_DEB_REPOSITORY;
  const char *list = seed ? NULL : install->args->list;
  return (list == NULL
          || bz_list_make (install->job, install->partial, from, install->args->id_shift, error))
         && bz_partial_commit (install->partial, from, list, error);
}

static gboolean
install_into (BzInstall *install, GError **error)
{
  gboolean packages = install->source->type == BZ_SOURCE_SERIES
                      || install->source->type == BZ_SOURCE_SERIES_ISO;
  g_autofree char *path = NULL;
  gboolean ok;
  int fd;

  install->base = packages ? "mnt" : "";
  path = g_build_filename ("root", *install->base == '\0' ? NULL : install->base, NULL);
  if (packages && mkdirat (install->partial->fd, path, 0755) < 0)
    return bz_fail_errno (error, errno, NULL, "making %s.partial", install->args->target);
  fd = bz_beneath_open (install->partial->fd, path, O_RDONLY | O_DIRECTORY, 0, BZ_BENEATH_NO_LINKS);
  if (fd < 0)
    return bz_fail_errno (error, errno, NULL, "opening %s.partial", install->args->target);
  install->tree = bz_tree_new (install->job, fd, install->args->id_shift);
  ok = fill_tree (install, error);
  bz_tree_free (install->tree);
  close (fd);
  return ok;
}

/* A server's directory, or a directory that holds packages and no tree. */
static gboolean
recognise (BzJob *job, const BzInstallArgs *args, int fd, BzRecognised *source, GError **error)
{
  gboolean found = FALSE;

  if (fd >= 0 && !bz_recognise (fd, args->source, source, error))
    return FALSE;
  /* A tree may keep packages at its top. */
  if (fd >= 0
      && (source->type != BZ_SOURCE_DIRECTORY
          || faccessat (fd, "etc", F_OK, AT_SYMLINK_NOFOLLOW) == 0))
    return TRUE;
  g_clear_pointer (&source->kind, g_free);
  if (!bz_recognise_deb (job, args, fd, source, &found, error)
      || (!found && !bz_recognise_rpm (job, args, fd, source, &found, error)))
    return FALSE;
  if (!found && fd >= 0)
    source->kind = g_strdup ("directory");
  if (found || fd >= 0)
    return TRUE;
  return bz_fail (error, BZ_ERROR_INPUT, "no package repository that brandzone knows is there",
                  "name the directory that holds repodata, RedHat or dists", "%s", args->source);
}

/* What comes through a pipe is a tar archive or the like: it is read as it comes. Its writer may
 * still be on the way, or have been there and gone: both end the waiting. */
static gboolean
recognise_stream (BzJob *job, const BzInstallArgs *args, int fd, BzRecognised *source,
                  GError **error)
{
  struct pollfd polled = { fd, POLLIN, 0 };
  struct stat st;

  if (fd < 0 || fstat (fd, &st) < 0 || !S_ISFIFO (st.st_mode))
    return TRUE;
  while (poll (&polled, 1, 1000) <= 0)
    if (!bz_job_step (job, error))
      return FALSE;
  if (fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) & ~O_NONBLOCK) < 0)
    return bz_fail_errno (error, errno, NULL, "opening %s", args->source);
  source->type = BZ_SOURCE_ARCHIVE;
  source->kind = g_strdup ("archive from a pipe");
  return TRUE;
}

gboolean
bz_install (BzJob *job, const BzInstallArgs *args, GError **error)
{
  g_auto (BzRecognised) source = { 0 };
  BzPartial partial;
  gboolean ok, remote = strstr (args->source, "://") != NULL;
  int fd = remote ? -1 : open (args->source, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

  if (fd < 0 && !remote && errno == ENXIO)
    return bz_fail (error, BZ_ERROR_INPUT, "it is a socket, or a device without hardware",
                    "name a file, a directory or a pipe", "opening %s", args->source);
  if (fd < 0 && !remote)
    return bz_fail_errno (error, errno, NULL, "opening %s", args->source);
  ok = recognise_stream (job, args, fd, &source, error);
  if (ok && source.kind == NULL)
    ok = recognise (job, args, fd, &source, error);
  if (ok)
    {
      job->total = source.bytes;
      if (job->max_bytes == 0)
        job->max_bytes = source.bytes == 0 ? G_MAXUINT64
                                           : MAX (G_GUINT64_CONSTANT (8) << 30, source.bytes * 200);
      report_source (job, &source);
      ok = bz_partial_begin (args->target, &partial, error);
    }
  if (ok)
    {
      BzInstall install = {
        .job = job, .args = args, .source = &source, .source_fd = fd, .partial = &partial
      };

      ok = install_into (&install, error);
      /* What can't be removed after a failure matters less than the failure. */
      if (!bz_partial_end (&partial, ok ? error : NULL))
        ok = FALSE;
    }
  if (fd >= 0)
    close (fd);
  return ok;
}
