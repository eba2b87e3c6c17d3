/* Problem: archives of 100 MB over lines that break, from servers that nobody controls.
 *
 * Choice: brandzone-fetch writes to a descriptor of a file in the cache and goes on where that file
 * ends; three times, as long as something arrives. Here the file is read again for its checksum:
 * what the helper says is not believed. A wrong one is thrown away. A file is named by its checksum,
 * so that the next install of it needs no network; one without a known checksum is fetched anew.
 *
 * A mirror holds files by their whole address (server.example/dir/file) or by their last name. In a
 * directory they are used where they lie.
 *
 * Limits: one download of a file at a time; a server that does not know Range sends it all again. */
#include "config.h"

#include "installer/download.h"

#include "brand/base/error.h"
#include "brand/base/libexec.h"
#include "installer/fetch.h"
#include "installer/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ATTEMPTS 3

/* The last part of an address, made a file name. Owned by the caller. */
static char *
last_name (const char *url)
{
  g_autofree char *path = g_strndup (url, strcspn (url, "?#"));
  const char *slash = strrchr (path, '/');
  char *name = g_strdup (slash != NULL && slash[1] != '\0' ? slash + 1 : "file");

  return g_strcanon (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-", '_');
}

/* "server.example/dir/file" of an address. */
static const char *
whole_name (const char *url)
{
  const char *at = strstr (url, "://");

  return at != NULL ? at + 3 : url;
}

/* Owned by the caller; NULL: it can't be read. */
static char *
checksum_of (int fd, GError **error)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  guchar block[65536];
  off_t at = 0;
  gssize got;

  while ((got = pread (fd, block, sizeof block, at)) > 0)
    {
      g_checksum_update (sum, block, got);
      at += got;
    }
  if (got == 0)
    return g_strdup (g_checksum_get_string (sum));
  bz_fail_errno (error, errno, NULL, "reading what was fetched");
  return NULL;
}

/* FALSE with an error that names both. */
static gboolean
right (const BzDownload *download, const char *path, int fd, char **sha256, GError **error)
{
  *sha256 = checksum_of (fd, error);
  if (*sha256 == NULL)
    return FALSE;
  if (download->sha256 == NULL || strcmp (*sha256, download->sha256) == 0)
    return TRUE;
  g_autofree char *why = g_strdup_printf ("its SHA-256 is %s, not %s", *sha256, download->sha256);
  g_clear_pointer (sha256, g_free);
  return bz_fail (error, BZ_ERROR_INPUT, why,
                  "it is damaged, or is not the file that was meant: try another --mirror", "%s", path);
}

/* --- a directory as mirror --- */

static char *
in_directory (const BzDownload *download, char **sha256, GError **error)
{
  g_autofree char *name = last_name (download->url);
  const char *const names[] = { whole_name (download->url), name };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (download->mirror, names[i], NULL);
      int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
      if (fd < 0)
        continue;
      gboolean good = right (download, path, fd, sha256, error);
      close (fd);
      return good ? g_canonicalize_filename (path, NULL) : NULL;
    }
  bz_fail (error, BZ_ERROR_INPUT, "the mirror has no such file",
           "put it there under this name, or leave --mirror out", "%s in %s", name,
           download->mirror);
  return NULL;
}

/* --- a server --- */

typedef struct {
  const BzDownload *download;
  int fd;
} Watch;

static void
tick (gpointer data)
{
  const Watch *watch = data;
  struct stat status;

  if (watch->download->progress == NULL || fstat (watch->fd, &status) != 0)
    return;
  const BzProgress progress = { .done = (guint64) status.st_size };
  watch->download->progress (&progress, watch->download->data);
}

static gint64
size_of (int fd)
{
  struct stat status;

  return fstat (fd, &status) == 0 ? status.st_size : -1;
}

/* One address; *missing: the server has no such file. */
static gboolean
fetch (const BzDownload *download, const char *url, int fd, gboolean *missing, GError **error)
{
  g_autofree char *program = bz_libexec_program ("brandzone-fetch");
  const char *const argv[] = { program, "--resume", url, NULL };
  Watch watch = { download, fd };

  *missing = FALSE;
  for (guint attempt = 1;; attempt++)
    {
      gint64 before = size_of (fd);
      int status = 0;
      g_autofree char *said = bz_helper_run_watched (argv, fd, tick, &watch, &status, error);
      if (said == NULL)
        return FALSE;
      if (status == 0)
        return TRUE;
      g_strchomp (said);
      *missing = status == BZ_FETCH_MISSING;
      if (bz_helper_interrupted ())
        return bz_fail (error, BZ_ERROR_INTERRUPTED, "it was interrupted",
                        "what has arrived is kept: the same command goes on from there",
                        "fetching %s", url);
      if (*missing)
        return bz_fail (error, BZ_ERROR_INPUT, "the server has no such file",
                        "it may have moved: fetch it by hand, and install the file, or name a --mirror",
                        "fetching %s", url);
      if (status == BZ_FETCH_UNTRUSTED)
        return bz_fail (error, BZ_ERROR_FAILED, said, BZ_FETCH_UNTRUSTED_HINT, "fetching %s", url);
      if (status > 128 || attempt >= ATTEMPTS || size_of (fd) <= before)
        return bz_fail (error, BZ_ERROR_FAILED, said[0] != '\0' ? said : "the fetching process died",
                        "is the network there (a proxy is taken from http_proxy and https_proxy)? what "
                        "has arrived is kept",
                        "fetching %s", url);
    }
}

static gboolean
fetch_somewhere (const BzDownload *download, int fd, GError **error)
{
  g_autofree char *name = last_name (download->url);
  g_autoptr (GError) first = NULL;
  gboolean missing;

  if (download->mirror == NULL)
    return fetch (download, download->url, fd, &missing, error);

  gsize length = strlen (download->mirror);
  const char *slash = length > 0 && download->mirror[length - 1] == '/' ? "" : "/";
  g_autofree char *whole = g_strconcat (download->mirror, slash, whole_name (download->url), NULL);
  g_autofree char *last = g_strconcat (download->mirror, slash, name, NULL);
  if (fetch (download, whole, fd, &missing, &first))
    return TRUE;
  if (missing && ftruncate (fd, 0) == 0)
    return fetch (download, last, fd, &missing, error);
  g_propagate_error (error, g_steal_pointer (&first));
  return FALSE;
}

/* The file under way, locked. -1: error. */
static int
open_partial (const char *partial, const BzDownload *download, GError **error)
{
  int fd = open (partial, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

  if (fd < 0)
    {
      bz_fail_errno (error, errno, NULL, "writing what is downloaded to %s", partial);
      return -1;
    }
  if (flock (fd, LOCK_EX | LOCK_NB) == 0)
    return fd;
  close (fd);
  bz_fail (error, BZ_ERROR_LOCKED, "another brandzone fetches it", "wait for it to end",
           "fetching %s", download->url);
  return -1;
}

/* Complete and right: it gets its name. */
static char *
keep (const BzDownload *download, const char *partial, int fd, char **sha256, GError **error)
{
  if (!right (download, download->url, fd, sha256, error))
    {
      g_unlink (partial);
      return NULL;
    }
  g_autofree char *name = last_name (download->url);
  g_autofree char *base = g_strdup_printf ("%s-%s", *sha256, name);
  g_autofree char *path = g_build_filename (download->cache, base, NULL);
  if (g_rename (partial, path) == 0)
    return g_steal_pointer (&path);
  bz_fail_errno (error, errno, NULL, "keeping the download as %s", path);
  g_clear_pointer (sha256, g_free);
  return NULL;
}

/* What an earlier install fetched. NULL: nothing, or it was damaged since. */
static char *
kept (const BzDownload *download, char **sha256)
{
  g_autofree char *name = last_name (download->url);
  g_autofree char *base = g_strdup_printf ("%s-%s", download->sha256, name);
  g_autofree char *path = g_build_filename (download->cache, base, NULL);
  int fd = download->sha256 != NULL ? open (path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;

  if (fd < 0)
    return NULL;
  gboolean good = right (download, path, fd, sha256, NULL);
  close (fd);
  if (!good)
    g_unlink (path);
  return good ? g_steal_pointer (&path) : NULL;
}

char *
bz_download (const BzDownload *download, char **sha256, GError **error)
{
  *sha256 = NULL;
  if (download->mirror != NULL && strstr (download->mirror, "://") == NULL)
    return in_directory (download, sha256, error);

  char *path = kept (download, sha256);
  if (path != NULL)
    return path;
  if (g_mkdir_with_parents (download->cache, 0700) != 0)
    {
      bz_fail_errno (error, errno, NULL, "making the cache %s", download->cache);
      return NULL;
    }
  g_autofree char *key = g_compute_checksum_for_string (
      G_CHECKSUM_SHA256, download->sha256 != NULL ? download->sha256 : download->url, -1);
  g_autofree char *base = g_strdup_printf ("%.16s.partial", key);
  g_autofree char *partial = g_build_filename (download->cache, base, NULL);
  int fd = open_partial (partial, download, error);
  if (fd < 0)
    return NULL;
  /* What may have changed since is not gone on with. */
  if (download->sha256 == NULL && ftruncate (fd, 0) != 0)
    bz_fail_errno (error, errno, NULL, "writing what is downloaded to %s", partial);
  else if (fetch_somewhere (download, fd, error))
    path = keep (download, partial, fd, sha256, error);
  close (fd);
  return path;
}
