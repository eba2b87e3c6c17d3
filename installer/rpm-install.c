/* RPM packages from a repository to a tree that can install them itself.
 *
 * Problem: an old tree's database of packages can only be written by its own rpm (that of today
 * has another format), and scriptlets must run where the old kernel is answered for: in the zone.
 * Choice: two stages. Here the packages of the choice are fetched, checked and laid into the tree
 * (.brandzone/packages), and the payloads of those that rpm itself needs are unpacked with
 * libarchive (the seed). Then the caller runs the zone, whose rpm installs all of them over it as if
 * onto an empty disk (zone/second-stage.c). */
#include "config.h"

#include "installer/package-files.h"

#include "brand/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define BLOCK (256 * 1024)

typedef struct {
  BzInstall *install;
  BzMedia media;
  gboolean has_keys, verified;
  guint64 files, bytes;
  guint checked, unsigned_count;
} RpmInstall;

gboolean
bz_recognise_rpm (BzJob *job, const BzInstallArgs *args, int dir_fd, BzRecognised *source,
                  gboolean *found, GError **error)
{
  BzMedia media = {
    .job = job, .dir_fd = dir_fd, .requests_fd = args->requests_fd, .label = args->source
  };
  g_autoptr (GError) failure = NULL;
  BzRpmLayout layout;

  *found = bz_rpm_layout_find (&media, &layout, &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (*found)
    {
      source->type = BZ_SOURCE_RPM_REPOSITORY;
      source->kind = layout.metadata ? g_strdup ("repository of RPM packages")
                                     : g_strdup_printf ("medium of RPM packages (in %s)",
                                                        layout.directory[0] == '\0'
                                                            ? "its top directory"
                                                            : layout.directory);
      g_free (layout.directory);
    }
  return TRUE;
}

static int
temporary_of (RpmInstall *x, GBytes *bytes, GError **error)
{
  int fd = bz_install_temporary (x->install, error);
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);

  if (fd >= 0 && write (fd, data, size) != (gssize) size)
    {
      bz_fail_errno (error, errno, NULL, "writing a signature");
      close (fd);
      return -1;
    }
  return fd;
}

/* What a signature covers begins at the header and ends at the payload, or with the file. */
static int
temporary_part (RpmInstall *x, int fd, guint64 at, guint64 end, GError **error)
{
  int part = bz_install_temporary (x->install, error);
  g_autofree guint8 *block = g_malloc (BLOCK);

  while (part >= 0 && at < end)
    {
      gssize size = pread (fd, block, MIN (BLOCK, end - at), (off_t) at);

      if (size <= 0)
        break;
      if (write (part, block, (gsize) size) != size)
        {
          bz_fail_errno (error, errno, NULL, "writing what a signature covers");
          close (part);
          return -1;
        }
      at += (guint64) size;
    }
  return part;
}

/* The signature that covers most is checked: of header and payload, else of the header, whose
 * digest of the payload was true. */
static gboolean
verify_package (RpmInstall *x, int fd, const BzRpmHeader *header, GError **error)
{
  const char *label = header->name;
  gboolean whole = header->signatures[1] != NULL;
  GBytes *signature = whole ? header->signatures[1] : header->signatures[0];

  if (signature == NULL)
    return bz_fail (error, BZ_ERROR_INPUT, "it is not signed",
                    "leave --key out to install without looking at signatures", "package %s",
                    label);
  if (!whole && !header->digests)
    return bz_fail (error, BZ_ERROR_INPUT, "its signature does not cover its contents",
                    "leave --key out to install without looking at signatures", "package %s",
                    label);
  int sig_fd = temporary_of (x, signature, error);
  int data_fd = sig_fd < 0 ? -1
                           : temporary_part (x, fd, header->header,
                                             whole ? G_MAXUINT64 : header->payload, error);
  gboolean good = data_fd >= 0 && bz_media_verify (&x->media, data_fd, sig_fd, label, NULL, error);
  if (data_fd >= 0)
    close (data_fd);
  if (sig_fd >= 0)
    close (sig_fd);
  x->checked++;
  return good;
}

static gboolean
unpack_seed (RpmInstall *x, int fd, const char *label, GError **error)
{
  BzArchiveOptions options = { 0 };
  g_autoptr (BzArchive) archive = bz_archive_open (fd, BZ_ARCHIVE_RPM, NULL, NULL, label, error);

  return archive != NULL && bz_archive_extract (archive, x->install->tree, &options, error);
}

static gboolean
take_package (RpmInstall *x, const BzPackage *package, GError **error)
{
  g_autofree char *base = NULL;
  int fd = bz_package_lay_down (x->install, &x->media, package, &base, error);

  if (fd < 0)
    return FALSE;
  g_autoptr (BzRpmHeader) header = bz_rpm_header_read (x->install->job, fd, base, error);
  gboolean good = header != NULL;
  if (good && g_strcmp0 (header->name, package->name) != 0)
    good = bz_fail (error, BZ_ERROR_INPUT, "it is another package than the repository says",
                    "get it again", "package %s", base);
  if (good && x->has_keys && !x->verified)
    good = verify_package (x, fd, header, error);
  if (good && package->seed)
    good = unpack_seed (x, fd, base, error);
  if (good)
    {
      x->files += header->files;
      x->bytes += header->bytes;
    }
  close (fd);
  return good && bz_job_step (x->install->job, error);
}

static void
tell_trust (RpmInstall *x)
{
  if (x->checked > 0)
    bz_job_notice (x->install->job, "the signatures of %u packages are good", x->checked);
  else if (!x->verified)
    bz_job_notice (x->install->job, "no signature was checked: give the distribution's key with "
                                    "--key FILE");
}

gboolean
bz_install_rpm (BzInstall *install, GError **error)
{
  RpmInstall x = { .install = install, .media = bz_install_media (install) };
  const BzInstallArgs *args = install->args;
  g_auto (GStrv) wanted = bz_packages_words (args->wanted, "rpm");
  g_auto (GStrv) seed = bz_packages_words (args->seed, "rpm");
  BzChoice choice = { wanted, seed, args->arch };
  g_autoptr (GPtrArray) packages = NULL;
  BzRpmLayout layout;

  bz_packages_limit_memory ();
  if (!bz_rpm_layout_find (&x.media, &layout, error))
    return FALSE;
  if (bz_media_has_keys (&x.media, &x.has_keys, error))
    packages = bz_rpm_choose (&x.media, &layout, &choice, &x.verified, error);
  g_free (layout.directory);
  if (packages == NULL || !bz_packages_begin (install, packages, error))
    return FALSE;
  for (guint i = 0; i < packages->len; i++)
    if (!take_package (&x, packages->pdata[i], error))
      return FALSE;
  tell_trust (&x);
  bz_packages_end (install, "rpm", packages);
  install->job->files = x.files;
  install->job->bytes = x.bytes;
  return TRUE;
}
