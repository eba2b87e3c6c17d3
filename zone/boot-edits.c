/* An edited line is
 *
 *     REPLACE #brandzone:NAME# ORIGINAL
 *
 * a comment in every language of boot scripts and inittabs. So it can be seen, is never made twice,
 * and is undone without knowing more than the mark, also when the distribution's own upgrade has
 * changed other lines since.
 * The zone does not run meanwhile (its lock is held), its tree does not change under us. */
#include "config.h"

#include "zone/boot-edits.h"

#include "zone/tree-edit.h"

#include <string.h>

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

/* --- lines --- */

static char *
mark_of (const BzBootEdit *edit)
{
  return g_strdup_printf ("#brandzone:%s# ", edit->name);
}

/* Without blanks around it and double quotes. */
static char *
plain (const char *line)
{
  g_autoptr (GString) text = g_string_new (line);

  g_string_replace (text, "\"", "", 0);
  return g_strstrip (g_strdup (text->str));
}

static gboolean
equal_but_blanks (const char *line, const char *wanted)
{
  g_autofree char *one = plain (line);
  g_autofree char *other = plain (wanted);

  return strcmp (one, other) == 0;
}

static gboolean
has_line (char **lines, const char *wanted)
{
  for (; *lines != NULL; lines++)
    if (equal_but_blanks (*lines, wanted))
      return TRUE;
  return FALSE;
}

/* Index of the edit's line, marked or not; -1: none. */
static int
find_line (char **lines, const BzBootEdit *edit, gboolean *made)
{
  g_autofree char *mark = mark_of (edit);

  for (int i = 0; lines[i] != NULL; i++)
    if ((*made = strstr (lines[i], mark) != NULL))
      return i;
  if (edit->unless != NULL && has_line (lines, edit->unless))
    return -1;
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
  BzTreeFile place;
  g_autofree char *text =
      bz_tree_file_find (tree_fd, edit->file, &place) ? bz_tree_file_text (&place) : NULL;
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
      good = bz_tree_file_replace (&place, changed, edit->file,
                                   "start it with --no-edits to leave its files alone", error);
    }
  bz_tree_file_done (&place);
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
