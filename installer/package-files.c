/* Packages on their way from a repository into a tree. */
#include "config.h"

#include "installer/package-files.h"

#include "brand/base/error.h"
#include "installer/report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define BLOCK (256 * 1024)
#define PLACE ".brandzone/packages"
/* Metadata of today's largest distribution take 600 MiB. */
#define MEMORY_MAX (G_GUINT64_CONSTANT (4) << 30)

/* The address sanitizer maps terabytes. */
#if defined(__SANITIZE_ADDRESS__)
#define BZ_NO_LIMIT
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BZ_NO_LIMIT
#endif
#endif

BzMedia
bz_install_media (BzInstall *install)
{
  return (BzMedia){ .job = install->job,
                    .dir_fd = install->source_fd,
                    .requests_fd = install->args->requests_fd,
                    .label = install->args->source };
}

/* The package's bytes into the tree, checked against what the repository says of them. Returns
 * a descriptor of them, or -1. */
int
bz_package_lay_down (BzInstall *install, BzMedia *media, const BzPackage *package, char **name,
                     GError **error)
{
  BzTree *tree = install->tree;
  g_autoptr (GChecksum) sum = g_checksum_new (
      package->checksum != NULL ? package->checksum_type : G_CHECKSUM_SHA256);
  g_autofree guint8 *block = g_malloc (BLOCK);
  g_autofree char *base = g_path_get_basename (package->path);
  g_autofree char *place = g_strdup_printf (PLACE "/%s", base);
  gboolean missing;
  guint64 at = 0;
  gssize size = 0;
  BzNode node = { .mode = S_IFREG | 0644, .mtime.tv_nsec = UTIME_OMIT };
  int from = bz_media_open (media, package->path, &missing, error);

  if (from < 0)
    {
      if (missing)
        bz_fail (error, BZ_ERROR_INPUT, "the repository names it, and it is missing",
                 "get it again", "%s/%.200s", media->label, package->path);
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
    good = bz_fail_errno (error, errno, NULL, "reading %s/%.200s", media->label, package->path);
  close (from);
  if (to >= 0)
    good = bz_tree_file_close (tree, to, place, at, &node, good ? error : NULL) && good;
  if (good && package->checksum != NULL
      && g_ascii_strcasecmp (g_checksum_get_string (sum), package->checksum) != 0)
    good = bz_fail (error, BZ_ERROR_INPUT, "its checksum is not what the repository says of it",
                    "get it again", "%s/%.200s", media->label, package->path);
  if (good)
    *name = g_steal_pointer (&base);
  return good ? bz_beneath_open (tree->fd, place, O_RDONLY, 0, BZ_BENEATH_NO_LINKS) : -1;
}

char **
bz_packages_words (char **words, const char *manager)
{
  g_autofree char *prefix = g_strconcat (manager, ":", NULL);
  g_autoptr (GPtrArray) own = g_ptr_array_new ();

  for (; words != NULL && *words != NULL; words++)
    if (g_str_has_prefix (*words, prefix) && (*words)[strlen (prefix)] != '\0')
      g_ptr_array_add (own, g_strdup (*words + strlen (prefix)));
  g_ptr_array_add (own, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&own), FALSE);
}

void
bz_packages_limit_memory (void)
{
#ifndef BZ_NO_LIMIT
  const struct rlimit limit = { MEMORY_MAX, MEMORY_MAX };

  setrlimit (RLIMIT_AS, &limit);
#endif
}

gboolean
bz_packages_begin (BzInstall *install, const GPtrArray *packages, GError **error)
{
  BzNode closed = { .mode = S_IFDIR | 0755, .mtime.tv_nsec = UTIME_OMIT };
  BzJob *job = install->job;
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
                    "%s", install->args->source);
  /* Packages of one seed follow links that others made (lib64 -> usr/lib64). */
  install->tree->parents = BZ_BENEATH_AS_ROOT;
  install->tree->keep_links = TRUE;
  return bz_tree_directory (install->tree, PLACE, &closed, error);
}

void
bz_packages_end (BzInstall *install, const char *manager, const GPtrArray *packages)
{
  g_autofree char *count = g_strdup_printf ("%u", packages->len);

  bz_job_send (install->job, bz_report_line (BZ_REPORT_STAGE, manager, count, BZ_REPORT_END));
}
