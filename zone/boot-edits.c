/* An edited line is
 *
 *     REPLACE #brandzone:NAME# ORIGINAL
 *
 * a comment in every language of boot scripts and inittabs. So it can be seen, is never made twice,
 * and is undone without knowing more than the mark, also when the distribution's own upgrade has
 * changed other lines since.
 *
 * The tree is hostile: a directory on the way may be a link out of it, the file a link, a FIFO or
 * huge. The zone does not run meanwhile (its lock is held), its tree does not change under us. */
#include "config.h"

#include "zone/boot-edits.h"

#include "brand/base/error.h"
#include "loader/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX (1024 * 1024)
#define NEW_NAME ".brandzone-edit"

const char *
bz_edit_state_name (BzEditState state)
{
  static const char *const names[] = { "needed", "made", "not there" };

  return names[state];
}

static void
result_free (gpointer data)
{
  BzEditResult *result = data;

  g_free (result->before);
  g_free (result->after);
  g_free (result);
}

/* --- files --- */

typedef struct {
  int dir, fd; /* -1: there is none */
  struct stat st;
  char *base;
} Place;

static void
close_place (Place *place)
{
  if (place->dir >= 0)
    close (place->dir);
  if (place->fd >= 0)
    close (place->fd);
  g_free (place->base);
}

static gboolean
open_place (int tree_fd, const char *path, Place *place)
{
  g_autofree char *parent = g_path_get_dirname (path);

  *place = (Place){ .dir = -1, .fd = -1, .base = g_path_get_basename (path) };
  place->dir = bz_openat2 (tree_fd, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
                           BZ_RESOLVE_IN_ROOT | BZ_RESOLVE_NO_MAGICLINKS);
  if (place->dir >= 0)
    place->fd = openat (place->dir, place->base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  return place->fd >= 0 && fstat (place->fd, &place->st) == 0 && S_ISREG (place->st.st_mode)
         && place->st.st_size <= FILE_MAX;
}

static char *
read_place (const Place *place)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char bytes[8192];
  ssize_t got;

  while (text->len <= FILE_MAX && (got = read (place->fd, bytes, sizeof bytes)) > 0)
    g_string_append_len (text, bytes, got);
  /* A file with NUL bytes is no script. */
  if (text->len > FILE_MAX || strlen (text->str) != text->len)
    return NULL;
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
write_place (const Place *place, const char *text, const char *path, GError **error)
{
  const struct timespec times[] = { place->st.st_atim, place->st.st_mtim };
  gsize length = strlen (text);

  unlinkat (place->dir, NEW_NAME, 0); /* of a run that was killed */
  int fd =
      openat (place->dir, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  gboolean good = fd >= 0 && write (fd, text, length) == (ssize_t) length
                  && fchown (fd, place->st.st_uid, place->st.st_gid) == 0
                  && fchmod (fd, place->st.st_mode & 07777) == 0 && futimens (fd, times) == 0
                  && fsync (fd) == 0
                  && renameat (place->dir, NEW_NAME, place->dir, place->base) == 0;
  int saved = errno;
  if (fd >= 0)
    close (fd);
  if (good)
    return TRUE;
  unlinkat (place->dir, NEW_NAME, 0);
  return bz_fail_errno (error, saved, "start it with --no-edits to leave its files alone",
                        "cannot edit %s of the zone", path);
}

/* --- lines --- */

static char *
mark_of (const BzBootEdit *edit)
{
  return g_strdup_printf ("#brandzone:%s# ", edit->name);
}

static gboolean
equal_but_blanks (const char *line, const char *wanted)
{
  g_autofree char *copy = g_strdup (line);

  return strcmp (g_strstrip (copy), wanted) == 0;
}

/* Index of the edit's line, marked or not; -1: none. */
static int
find_line (char **lines, const BzBootEdit *edit, gboolean *made)
{
  g_autofree char *mark = mark_of (edit);

  for (int i = 0; lines[i] != NULL; i++)
    if ((*made = strstr (lines[i], mark) != NULL))
      return i;
  for (int i = 0; lines[i] != NULL; i++)
    if (equal_but_blanks (lines[i], edit->line)
        && (edit->after == NULL || (i > 0 && equal_but_blanks (lines[i - 1], edit->after))))
      return i;
  return -1;
}

static BzEditResult *
examine (char **lines, const BzBootEdit *edit)
{
  BzEditResult *result = g_new0 (BzEditResult, 1);
  g_autofree char *mark = mark_of (edit);
  gboolean made;
  int at = lines != NULL ? find_line (lines, edit, &made) : -1;

  result->edit = edit;
  result->state = BZ_EDIT_FOREIGN;
  if (at < 0)
    return result;
  result->state = made ? BZ_EDIT_MADE : BZ_EDIT_NEEDED;
  result->line = (guint) at + 1;
  result->before = g_strdup (made ? strstr (lines[at], mark) + strlen (mark) : lines[at]);
  result->after =
      g_strconcat (edit->replace, edit->replace[0] != '\0' ? " " : "", mark, result->before, NULL);
  return result;
}

static gboolean
edit_one (int tree_fd, const BzBootEdit *edit, BzEditsMode mode, GPtrArray *results, GError **error)
{
  Place place;
  g_autofree char *text = open_place (tree_fd, edit->file, &place) ? read_place (&place) : NULL;
  g_auto (GStrv) lines = text != NULL ? g_strsplit (text, "\n", -1) : NULL;
  BzEditResult *result = examine (lines, edit);
  gboolean good = TRUE;

  g_ptr_array_add (results, result);
  /* A file that is not there needs nothing. */
  if (lines != NULL
      && ((mode == BZ_EDITS_MAKE && result->state == BZ_EDIT_NEEDED)
          || (mode == BZ_EDITS_UNDO && result->state == BZ_EDIT_MADE)))
    {
      g_free (lines[result->line - 1]);
      lines[result->line - 1] = g_strdup (mode == BZ_EDITS_MAKE ? result->after : result->before);
      g_autofree char *changed = g_strjoinv ("\n", lines);
      good = write_place (&place, changed, edit->file, error);
    }
  close_place (&place);
  return good;
}

GPtrArray *
bz_boot_edits (int tree_fd, const BzBootFamily *family, BzEditsMode mode, GError **error)
{
  g_autoptr (GPtrArray) results = g_ptr_array_new_with_free_func (result_free);

  for (guint i = 0; i < family->edits->len; i++)
    if (!edit_one (tree_fd, g_ptr_array_index (family->edits, i), mode, results, error))
      return NULL;
  return g_steal_pointer (&results);
}
