/* Packages and repositories of any bytes: an RPM package, the outside and inside of a Debian one,
 * lists of packages whose checksums are right, a mirror's request. The first byte chooses. */
#include "config.h"

#include "installer/archive.h"
#include "installer/mirror-request.h"
#include "installer/packages.h"
#include "installer/remove.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static int
file_of (const uint8_t *data, size_t size)
{
  int fd = memfd_create ("fuzz", MFD_CLOEXEC);

  if (fd < 0 || write (fd, data, size) != (ssize_t) size)
    abort ();
  return fd;
}

static void
read_rpm (BzJob *job, const uint8_t *data, size_t size)
{
  int fd = file_of (data, size);
  g_autoptr (BzRpmHeader) header = bz_rpm_header_read (job, fd, "fuzz", NULL);

  if (header != NULL && header->payload < header->header)
    abort ();
  close (fd);
}

static void
read_entries (const uint8_t *data, size_t size, BzArchiveFormats formats)
{
  int fd = file_of (data, size);
  g_autoptr (BzArchive) outer = bz_archive_open (fd, formats, NULL, NULL, "fuzz", NULL);
  char block[4096];

  while (outer != NULL && bz_archive_next (outer, NULL) != NULL)
    {
      g_autoptr (BzArchive) inner = formats == BZ_ARCHIVE_DEB
                                        ? bz_archive_open_inside (outer, BZ_ARCHIVE_TREE, NULL, NULL)
                                        : NULL;
      while (inner != NULL && bz_archive_next (inner, NULL) != NULL)
        ;
      if (formats != BZ_ARCHIVE_DEB)
        bz_archive_read (outer, block, sizeof block, NULL);
    }
  close (fd);
}

static void
put (int root, const char *path, const void *data, size_t size)
{
  int fd = openat (root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

  if (fd < 0 || write (fd, data, size) != (ssize_t) size)
    abort ();
  close (fd);
}

static char place[64];

static void
remove_repository (void)
{
  g_autofree char *parent = g_path_get_dirname (place);
  g_autofree char *name = g_path_get_basename (place);
  int fd = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  bz_remove_at (fd, name, place, NULL);
  close (fd);
}

/* One directory for the process's life, in memory where there is some. */
static int
repository (void)
{
  static int root = -1;

  if (root >= 0)
    return root;
  g_snprintf (place, sizeof place, "%s/brandzone-fuzz-XXXXXX",
              access ("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
  if (mkdtemp (place) == NULL)
    abort ();
  atexit (remove_repository);
  root = open (place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  mkdirat (root, "repodata", 0700);
  mkdirat (root, "dists", 0700);
  mkdirat (root, "dists/x", 0700);
  mkdirat (root, "dists/x/main", 0700);
  mkdirat (root, "dists/x/main/binary-amd64", 0700);
  return root;
}

static void
choose_rpm (BzJob *job, const uint8_t *data, size_t size)
{
  char *wanted[] = { (char *) "a", NULL };
  BzChoice choice = { wanted, wanted, NULL };
  BzMedia media = { job, repository (), -1, "fuzz" };
  BzRpmLayout layout = { (char *) "", TRUE };
  g_autofree char *sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, size);
  g_autofree char *index = g_strdup_printf (
      "<repomd xmlns=\"http://linux.duke.edu/metadata/repo\"><data type=\"primary\">"
      "<checksum type=\"sha256\">%s</checksum><location href=\"repodata/p.xml\"/></data></repomd>",
      sum);
  gboolean verified;

  put (media.dir_fd, "repodata/repomd.xml", index, strlen (index));
  put (media.dir_fd, "repodata/p.xml", data, size);
  GPtrArray *packages = bz_rpm_choose (&media, &layout, &choice, &verified, NULL);
  if (packages != NULL)
    g_ptr_array_unref (packages);
}

static void
choose_deb (BzJob *job, const uint8_t *data, size_t size)
{
  char *wanted[] = { (char *) "a", (char *) "@required", NULL };
  BzChoice choice = { wanted, wanted, NULL };
  BzMedia media = { job, repository (), -1, "fuzz" };
  BzDebLayout layout = { g_strdup ("x"), NULL };
  g_autofree char *sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, size);
  g_autofree char *release = g_strdup_printf (
      "Architectures: amd64\nSHA256:\n %s %zu main/binary-amd64/Packages\n", sum, size);

  put (media.dir_fd, "dists/x/Release", release, strlen (release));
  put (media.dir_fd, "dists/x/main/binary-amd64/Packages", data, size);
  GPtrArray *packages = bz_deb_choose (&media, &layout, &choice, NULL);
  if (packages != NULL)
    g_ptr_array_unref (packages);
  bz_deb_layout_clear (&layout);
}

static void
release (BzJob *job, const uint8_t *data, size_t size)
{
  char *wanted[] = { (char *) "a", NULL };
  BzChoice choice = { wanted, wanted, NULL };
  BzMedia media = { job, repository (), -1, "fuzz" };
  BzDebLayout layout = { g_strdup ("x"), NULL };

  put (media.dir_fd, "dists/x/Release", data, size);
  GPtrArray *packages = bz_deb_choose (&media, &layout, &choice, NULL);
  if (packages != NULL)
    g_ptr_array_unref (packages);
  bz_deb_layout_clear (&layout);
}

static void
ask_mirror (const uint8_t *data, size_t size)
{
  BzMirrorRequest request;
  g_autofree char *wrapped = NULL;

  if (bz_mirror_request_parse ((const char *) data, size, &request) == 0)
    {
      wrapped = g_strdup_printf ("/%s/", request.path);
      if (request.path[0] == '/' || strstr (wrapped, "/../") != NULL || request.to < request.from)
        abort ();
    }
  bz_mirror_request_clear (&request);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (BzJob) job = bz_job_new (-1);

  if (size == 0)
    return 0;
  job->max_bytes = 1 << 20;
  job->max_files = 1000;
  switch (data[0] % 7)
    {
    case 0:
      read_rpm (job, data + 1, size - 1);
      break;
    case 1:
      read_entries (data + 1, size - 1, BZ_ARCHIVE_RPM);
      break;
    case 2:
      read_entries (data + 1, size - 1, BZ_ARCHIVE_DEB);
      break;
    case 3:
      choose_rpm (job, data + 1, size - 1);
      break;
    case 4:
      choose_deb (job, data + 1, size - 1);
      break;
    case 5:
      release (job, data + 1, size - 1);
      break;
    default:
      ask_mirror (data + 1, size - 1);
      break;
    }
  return 0;
}
