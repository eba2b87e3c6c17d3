/* Files of a repository: of a directory, or asked for.
 *
 * Facts: media of old distributions are full of links (RedHat/RPMS/x.rpm -> ../../x.rpm), which may
 * lead out of a hostile one; what is found there is read as a package, checked and not shown.
 * Choice: links are followed with the directory as "/". A server's list of a directory is HTML of
 * many kinds: the names are what follows href=, as far as they are names. */
#include "config.h"

#include "installer/media.h"

#include "brand/base/error.h"
#include "installer/beneath.h"
#include "installer/report.h"
#include "installer/requests.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_MAX (16 * 1024 * 1024)

/* Asks, and takes the answer's text and descriptor. FALSE with *missing and no error: there is
 * none. */
static gboolean
ask (BzMedia *media, char *line, const int *fds, guint n_fds, char **text, int *fd,
     gboolean *missing, GError **error)
{
  int got[BZ_REQUEST_FDS] = { -1, -1 };

  *missing = FALSE;
  if (media->requests_fd < 0)
    {
      g_free (line);
      return bz_fail (error, BZ_ERROR_USAGE, "nobody is there to fetch from it",
                      "start it by `brandzone install`", "%s", media->label);
    }
  g_autofree char *answer = bz_request_send (media->requests_fd, line, fds, n_fds)
                                ? bz_request_receive (media->requests_fd, got)
                                : NULL;
  if (got[1] >= 0)
    close (got[1]);
  if (fd != NULL)
    *fd = got[0];
  else if (got[0] >= 0)
    close (got[0]);
  if (answer != NULL && answer[0] == BZ_ANSWER_DONE)
    {
      char **fields = bz_report_parse (answer, 1);

      if (text != NULL && fields != NULL)
        *text = g_strdup (fields[0]);
      bz_report_fields_free (fields, 1);
      return bz_job_step (media->job, error);
    }
  if (answer != NULL && answer[0] == BZ_ANSWER_MISSING)
    {
      *missing = TRUE;
      return FALSE;
    }
  if (answer == NULL)
    return bz_job_step (media->job, error)
           && bz_fail (error, BZ_ERROR_INTERRUPTED, "the caller is gone", NULL, "installing");
  bz_report_error_parse (answer, error);
  return FALSE;
}

static gboolean
check_file (int fd, const char *label, const char *path, GError **error)
{
  struct stat st;

  if (fstat (fd, &st) == 0 && S_ISREG (st.st_mode))
    return TRUE;
  return bz_fail (error, BZ_ERROR_INPUT, "it is not a file", NULL, "%s/%.200s", label, path);
}

int
bz_media_open (BzMedia *media, const char *path, gboolean *missing, GError **error)
{
  int fd = -1;

  *missing = FALSE;
  if (media->dir_fd < 0)
    {
      if (!ask (media, bz_report_line (BZ_REQUEST_FETCH, path, BZ_REPORT_END), NULL, 0, NULL, &fd,
                missing, error))
        return -1;
      if (fd < 0)
        bz_fail (error, BZ_ERROR_FAILED, "the caller sent no file", NULL, "%s/%.200s",
                 media->label, path);
    }
  else
    {
      fd = bz_beneath_open (media->dir_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
                            BZ_BENEATH_AS_ROOT);
      if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        *missing = TRUE;
      else if (fd < 0)
        bz_fail_errno (error, errno, NULL, "opening %s/%.200s", media->label, path);
    }
  if (fd >= 0 && !check_file (fd, media->label, path, error))
    {
      close (fd);
      return -1;
    }
  return fd;
}

static void
take_name (GPtrArray *names, const char *name, gsize length, const char *suffix)
{
  g_autofree char *raw = g_strndup (name, length);
  g_autofree char *plain = g_uri_unescape_string (raw, "/");

  if (plain != NULL && g_str_has_suffix (plain, suffix) && strchr (plain, '/') == NULL
      && plain[0] != '.' && !g_ptr_array_find_with_equal_func (names, plain, g_str_equal, NULL))
    g_ptr_array_add (names, g_steal_pointer (&plain));
}

static void
list_links (GPtrArray *names, int fd, const char *suffix)
{
  g_autoptr (GString) page = g_string_new (NULL);
  char block[16384];
  gssize size;

  while (page->len < LIST_MAX && (size = read (fd, block, sizeof block)) > 0)
    g_string_append_len (page, block, size);
  for (char *at = page->str; (at = strstr (at, "=\"")) != NULL;)
    {
      char *end = strchr (at += 2, '"');

      if (end == NULL)
        break;
      if (end - at <= 255)
        take_name (names, at, (gsize) (end - at), suffix);
      at = end + 1;
    }
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static gboolean
list_directory (BzMedia *media, const char *path, const char *suffix, GPtrArray *names,
                GError **error)
{
  int fd =
      bz_beneath_open (media->dir_fd, path, O_RDONLY | O_DIRECTORY, 0, BZ_BENEATH_AS_ROOT);
  DIR *dir = fd < 0 ? NULL : fdopendir (fd);
  struct dirent *entry;

  if (dir == NULL)
    {
      if (errno != ENOENT && errno != ENOTDIR)
        bz_fail_errno (error, errno, NULL, "reading %s/%s", media->label, path);
      return FALSE;
    }
  while ((entry = readdir (dir)) != NULL)
    if (entry->d_name[0] != '.' && g_str_has_suffix (entry->d_name, suffix))
      g_ptr_array_add (names, g_strdup (entry->d_name));
  closedir (dir);
  return TRUE;
}

GPtrArray *
bz_media_list (BzMedia *media, const char *path, const char *suffix, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  if (media->dir_fd >= 0)
    {
      if (!list_directory (media, path, suffix, names, error))
        return NULL;
    }
  else
    {
      g_autofree char *page = g_strconcat (path, "/", NULL);
      gboolean missing;
      int fd = bz_media_open (media, page, &missing, error);

      if (fd < 0)
        return NULL;
      list_links (names, fd, suffix);
      close (fd);
    }
  g_ptr_array_sort (names, compare_names);
  return g_steal_pointer (&names);
}

gboolean
bz_media_has_keys (BzMedia *media, gboolean *has, GError **error)
{
  g_autofree char *text = NULL;
  gboolean missing;

  *has = FALSE;
  if (media->requests_fd < 0)
    return TRUE;
  if (!ask (media, bz_report_line (BZ_REQUEST_KEYS, BZ_REPORT_END), NULL, 0, &text, NULL, &missing,
            error))
    return FALSE;
  *has = g_strcmp0 (text, "yes") == 0;
  return TRUE;
}

gboolean
bz_media_verify (BzMedia *media, int data_fd, int signature_fd, const char *what, char **told,
                 GError **error)
{
  const int fds[] = { data_fd, signature_fd };
  gboolean missing;

  if (lseek (data_fd, 0, SEEK_SET) < 0 || lseek (signature_fd, 0, SEEK_SET) < 0)
    return bz_fail_errno (error, errno, NULL, "reading %s", what);
  return ask (media, bz_report_line (BZ_REQUEST_VERIFY, what, BZ_REPORT_END), fds, 2, told, NULL,
              &missing, error);
}
