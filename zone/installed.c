/* The list of what was installed.
 *
 * Choice: brandzone-export lists a tree in its sandbox, as it packs one, and here two texts are
 * compared. The list is an own file beside the record: a clone shares it by a link and stays as
 * small as it was. */
#include "config.h"

#include "zone/installed.h"

#include "brand/base/error.h"
#include "installer/export.h"
#include "zone/planning.h"
#include "zone/save.h"
#include "zone/storage.h"
#include "zone/tree-list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
list_tree (const BzZoneState *state, int tree_fd, int out_fd, GError **error)
{
  gboolean user = geteuid () != 0;
  BzExportOptions options = { .tree_fd = tree_fd,
                              .out_fd = out_fd,
                              .temporary_fd = -1,
                              .format = "mtree",
                              .id_shift = bz_save_id_shift (state),
                              .uids = user ? state->uids : NULL,
                              .gids = user ? state->gids : NULL };
  BzExportResult result;

  return bz_exporter_run (&options, &result, error);
}

gboolean
bz_installed_make (const BzDirs *dirs, const BzZoneState *state, GError **error)
{
  g_autofree char *directory = bz_dirs_hidden (dirs, state->name, "installing");
  g_autofree char *tree = g_build_filename (directory, "root", NULL);
  g_autofree char *path = g_build_filename (directory, BZ_INSTALLED, NULL);
  int tree_fd = bz_tree_open (tree, error), fd;

  if (tree_fd < 0)
    return FALSE;
  fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  gboolean good = fd >= 0 ? list_tree (state, tree_fd, fd, error)
                          : bz_fail_errno (error, errno, NULL, "making %s", path);
  if (good && fsync (fd) != 0)
    good = bz_fail_errno (error, errno, NULL, "writing %s", path);
  if (fd >= 0)
    close (fd);
  close (tree_fd);
  return good;
}

gboolean
bz_installed_copy (const char *from, const char *to, GError **error)
{
  g_autofree char *old = g_build_filename (from, BZ_INSTALLED, NULL);
  g_autofree char *new = g_build_filename (to, BZ_INSTALLED, NULL);
  g_autofree char *data = NULL;
  g_autoptr (GError) cause = NULL;
  gsize length;

  if (access (old, F_OK) != 0 && errno == ENOENT)
    return TRUE;
  return (g_file_get_contents (old, &data, &length, &cause)
          && g_file_set_contents_full (new, data, (gssize) length,
                                       G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                       0600, &cause))
         || bz_fail_file (error, cause, NULL, "copying %s to %s", old, new);
}

gboolean
bz_installed_share (const char *from, const char *to, GError **error)
{
  g_autofree char *old = g_build_filename (from, BZ_INSTALLED, NULL);
  g_autofree char *new = g_build_filename (to, BZ_INSTALLED, NULL);

  return link (old, new) == 0 || errno == ENOENT || bz_installed_copy (from, to, error);
}

/* --- beside an archive --- */

#define PIECE (1024 * 1024)
#define HEAD "#mtree\n"
#define MARK HEAD "# of sha256:"
#define SHA256_LENGTH 64
#define LIST_MAX (G_GINT64_CONSTANT (1) << 30)

char *
bz_installed_digest (int fd, const char *label, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guchar *piece = g_malloc (PIECE);
  off_t at = 0;
  ssize_t got;

  while ((got = pread (fd, piece, PIECE, at)) > 0)
    {
      g_checksum_update (checksum, piece, got);
      at += got;
    }
  if (got < 0)
    {
      bz_fail_errno (error, errno, NULL, "reading %s", label);
      return NULL;
    }
  return g_strdup (g_checksum_get_string (checksum));
}

char *
bz_installed_beside (const char *archive)
{
  return g_strconcat (archive, "." BZ_INSTALLED, NULL);
}

static gboolean
write_text (const char *path, const char *text, int mode, GError **error)
{
  g_autoptr (GError) cause = NULL;

  return g_file_set_contents_full (path, text, -1,
                                   G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, mode,
                                   &cause)
         || bz_fail (error, BZ_ERROR_FAILED, cause->message, NULL, "writing %s", path);
}

/* What follows the mark of the archive with which the list came, or the first line. */
static const char *
after_mark (const char *text)
{
  return g_str_has_prefix (text, MARK) ? text + strlen (MARK) + strcspn (text + strlen (MARK), "\n")
                                       : text + strlen (HEAD) - 1;
}

/* A list of a reasonable size: it may have come from a stranger. NULL without an error: there is none. */
static char *
read_list (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  g_autofree char *text = NULL;
  struct stat st;
  gsize got = 0;
  ssize_t size = 1;

  if (fd < 0)
    {
      if (errno != ENOENT)
        bz_fail_errno (error, errno, "take it from a backup, or away", "reading %s", path);
      return NULL;
    }
  if (fstat (fd, &st) == 0 && S_ISREG (st.st_mode) && st.st_size <= LIST_MAX)
    {
      text = g_malloc0 ((gsize) st.st_size + 1);
      while (size > 0 && got < (gsize) st.st_size)
        if ((size = read (fd, text + got, (gsize) st.st_size - got)) > 0)
          got += (gsize) size;
    }
  close (fd);
  if (text == NULL || size < 0 || !g_str_has_prefix (text, HEAD))
    {
      bz_fail (error, BZ_ERROR_INPUT, "it is no list of a tree", "take it from a backup, or away", "%s",
               path);
      return NULL;
    }
  return g_steal_pointer (&text);
}

gboolean
bz_installed_leave (const char *zone, int archive_fd, const char *archive, GError **error)
{
  g_autofree char *from = g_build_filename (zone, BZ_INSTALLED, NULL);
  g_autofree char *to = bz_installed_beside (archive);
  g_autoptr (GError) problem = NULL;
  g_autofree char *list = read_list (from, &problem);

  if (problem != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  if (list == NULL)
    return unlink (to) == 0 || errno == ENOENT
           || bz_fail_errno (error, errno, NULL, "removing %s", to);
  g_autofree char *digest = bz_installed_digest (archive_fd, archive, error);
  if (digest == NULL)
    return FALSE;
  g_autofree char *text = g_strconcat (MARK, digest, after_mark (list), NULL);
  return write_text (to, text, 0644, error);
}

/* Whether the list is of this archive. */
static gboolean
is_of (const char *list, const char *source, gboolean *is, GError **error)
{
  int fd = open (source, O_RDONLY | O_NOCTTY | O_CLOEXEC);
  g_autofree char *digest = fd < 0 ? NULL : bz_installed_digest (fd, source, error);

  if (fd < 0)
    return bz_fail_errno (error, errno, NULL, "reading %s", source);
  close (fd);
  *is = digest != NULL && g_str_has_prefix (list, MARK)
        && strncmp (list + strlen (MARK), digest, SHA256_LENGTH) == 0;
  return digest != NULL;
}

gboolean
bz_installed_take (const char *source, const char *to, gboolean *other, GError **error)
{
  g_autofree char *from = bz_installed_beside (source);
  g_autofree char *path = g_build_filename (to, BZ_INSTALLED, NULL);
  g_autoptr (GError) problem = NULL;
  struct stat st;
  gboolean is = FALSE;

  *other = FALSE;
  if (stat (source, &st) != 0 || !S_ISREG (st.st_mode))
    return TRUE;
  g_autofree char *list = read_list (from, &problem);
  if (problem != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  if (list == NULL)
    return TRUE;
  if (!is_of (list, source, &is, error))
    return FALSE;
  *other = !is;
  if (!is)
    return TRUE;
  g_autoptr (GPtrArray) listed = bz_tree_list_parse (list, from, error);
  return listed != NULL && write_text (path, list, 0600, error);
}

/* --- comparing --- */

/* The tree as it is, as text. */
static char *
list_now (const BzContext *context, const BzZoneState *state, GError **error)
{
  int tree_fd = bz_storage_open (context->dirs, state, FALSE, error);
  int fd = tree_fd < 0 ? -1 : memfd_create ("list", MFD_CLOEXEC);
  char *text = NULL;
  struct stat st;

  if (tree_fd >= 0 && fd < 0)
    bz_fail_errno (error, errno, NULL, "listing zone %s", state->name);
  if (fd >= 0 && list_tree (state, tree_fd, fd, error) && fstat (fd, &st) == 0)
    {
      text = g_malloc0 ((gsize) st.st_size + 1);
      if (pread (fd, text, (gsize) st.st_size, 0) != st.st_size)
        g_clear_pointer (&text, g_free);
    }
  if (fd >= 0)
    close (fd);
  if (tree_fd >= 0)
    close (tree_fd);
  return text;
}

GArray *
bz_installed_compare (const BzContext *context, const BzZoneState *state, GPtrArray **then,
                      GPtrArray **now, GError **error)
{
  g_autofree char *zone = bz_dirs_zone (context->dirs, state->name);
  g_autofree char *path = g_build_filename (zone, BZ_INSTALLED, NULL);
  g_autofree char *old = NULL, *new = NULL, *label = NULL;
  g_autoptr (GError) cause = NULL;

  *then = *now = NULL;
  if (!g_file_get_contents (path, &old, NULL, &cause))
    {
      if (!g_error_matches (cause, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        bz_fail (error, BZ_ERROR_FAILED, cause->message, NULL, "zone %s", state->name);
      return NULL;
    }
  *then = bz_tree_list_parse (old, path, error);
  if (*then == NULL || (new = list_now (context, state, error)) == NULL)
    return NULL;
  label = g_strdup_printf ("the list of zone %s", state->name);
  *now = bz_tree_list_parse (new, label, error);
  return *now == NULL ? NULL : bz_tree_list_compare (*then, *now);
}
