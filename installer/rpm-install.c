/* RPM packages from a repository to a tree that can install them itself.
 *
 * Problem: an old tree's database of packages can only be written by its own rpm (that of today
 * has another format), and scriptlets must run where the old kernel is answered for: in the zone.
 * Choice: two stages. Here the packages of the choice are fetched, checked and laid into the tree
 * (.brandzone/packages), and the payloads of those that rpm itself needs are unpacked with
 * libarchive (the seed). Then the caller runs the zone, whose rpm installs all of them over it as if
 * onto an empty disk (zone/second-stage.c). */
#include "config.h"

#include "installer/install.h"

#include "brand/base/error.h"
#include "installer/packages.h"
#include "installer/report.h"
#include "installer/requests.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define BLOCK (256 * 1024)
#define PLACE ".brandzone/packages"
/* Metadata of today's largest distribution take 600 MiB. */
#define MEMORY_MAX (G_GUINT64_CONSTANT (4) << 30)

typedef struct {
  BzInstall *install;
  BzMedia media;
  gboolean has_keys, verified;
  guint64 files, bytes;
  guint checked, unsigned_count;
} RpmInstall;

BzMedia
bz_install_media (BzInstall *install)
{
  return (BzMedia){ .job = install->job,
                    .dir_fd = install->source_fd,
                    .requests_fd = install->args->requests_fd,
                    .label = install->args->source };
}

gboolean
bz_recognise_rpm (BzJob *job, const BzInstallArgs *args, int dir_fd, BzRecognised *source,
                  gboolean *found, GError **error)
{
  BzMedia media = {
    .job = job, .dir_fd = dir_fd, .requests_fd = args->requests_fd, .label = args->source
  };
  g_autoptr (GError) failure = NULL;
  BzRpmLayout layout;

  *found = FALSE;
  /* A tree may keep packages at its top. */
  if (dir_fd >= 0 && faccessat (dir_fd, "etc", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
    return TRUE;
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

/* The package's bytes into the tree, checked against what the repository says of them. Returns
 * a descriptor of them, or -1. */
static int
lay_down (RpmInstall *x, const BzPackage *package, const char *place, GError **error)
{
  BzTree *tree = x->install->tree;
  g_autoptr (GChecksum) sum = g_checksum_new (
      package->checksum != NULL ? package->checksum_type : G_CHECKSUM_SHA256);
  g_autofree guint8 *block = g_malloc (BLOCK);
  gboolean missing;
  guint64 at = 0;
  gssize size = 0;
  BzNode node = { .mode = S_IFREG | 0644, .mtime.tv_nsec = UTIME_OMIT };
  int from = bz_media_open (&x->media, package->path, &missing, error);

  if (from < 0)
    {
      if (missing)
        bz_fail (error, BZ_ERROR_INPUT, "the repository names it, and it is missing",
                 "get it again", "%s/%.200s", x->media.label, package->path);
      return -1;
    }
  int to = bz_tree_file_open (tree, place, error);
  gboolean good = to >= 0;
  while (good && (size = read (from, block, BLOCK)) > 0)
    {
      g_checksum_update (sum, block, size);
      good = bz_tree_file_write (tree, to, place, block, (gsize) size, at, error);
      at += (guint64) size;
      tree->job->done += (guint64) size;
    }
  if (good && size < 0)
    good = bz_fail_errno (error, errno, NULL, "reading %s/%.200s", x->media.label, package->path);
  close (from);
  if (to >= 0)
    good = bz_tree_file_close (tree, to, place, at, &node, good ? error : NULL) && good;
  if (good && package->checksum != NULL
      && g_ascii_strcasecmp (g_checksum_get_string (sum), package->checksum) != 0)
    good = bz_fail (error, BZ_ERROR_INPUT, "its checksum is not what the repository says of it",
                    "get it again", "%s/%.200s", x->media.label, package->path);
  return good ? bz_beneath_open (tree->fd, place, O_RDONLY, 0, BZ_BENEATH_NO_LINKS) : -1;
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
  g_autofree char *base = g_path_get_basename (package->path);
  g_autofree char *place = g_strdup_printf (PLACE "/%s", base);
  int fd = lay_down (x, package, place, error);

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

static void
limit_memory (void)
{
#if !defined(__SANITIZE_ADDRESS__)
  const struct rlimit limit = { MEMORY_MAX, MEMORY_MAX };

  setrlimit (RLIMIT_AS, &limit);
#endif
}

static gboolean
begin (RpmInstall *x, GPtrArray *packages, GError **error)
{
  BzNode closed = { .mode = S_IFDIR | 0755, .mtime.tv_nsec = UTIME_OMIT };
  BzJob *job = x->install->job;
  guint seeds = 0;

  job->total = 0;
  for (guint i = 0; i < packages->len; i++)
    {
      const BzPackage *package = packages->pdata[i];

      job->total += package->size;
      seeds += package->seed;
    }
  if (seeds == 0)
    return bz_fail (error, BZ_ERROR_INPUT, "nothing of the choice can install packages", NULL,
                    "%s", x->media.label);
  /* Packages of one seed follow links that others made (lib64 -> usr/lib64). */
  x->install->tree->parents = BZ_BENEATH_AS_ROOT;
  return bz_tree_directory (x->install->tree, PLACE, &closed, error);
}

gboolean
bz_install_rpm (BzInstall *install, GError **error)
{
  RpmInstall x = { .install = install, .media = bz_install_media (install) };
  const BzInstallArgs *args = install->args;
  BzRpmChoice choice = { args->wanted, args->seed, args->arch };
  g_autoptr (GPtrArray) packages = NULL;
  BzRpmLayout layout;

  limit_memory ();
  if (!bz_rpm_layout_find (&x.media, &layout, error))
    return FALSE;
  if (bz_media_has_keys (&x.media, &x.has_keys, error))
    packages = bz_rpm_choose (&x.media, &layout, &choice, &x.verified, error);
  g_free (layout.directory);
  if (packages == NULL || !begin (&x, packages, error))
    return FALSE;
  for (guint i = 0; i < packages->len; i++)
    if (!take_package (&x, packages->pdata[i], error))
      return FALSE;
  tell_trust (&x);
  g_autofree char *count = g_strdup_printf ("%u", packages->len);
  bz_job_send (install->job, bz_report_line (BZ_REPORT_STAGE, "rpm", count, BZ_REPORT_END));
  install->job->files = x.files;
  install->job->bytes = x.bytes;
  return TRUE;
}
