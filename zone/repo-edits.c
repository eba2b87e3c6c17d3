/* An edited line becomes
 *
 *     #brandzone:mirror+1# ORIGINAL
 *     REPLACEMENT
 *
 * or the first of them alone, with +0. (A comment at a line's end, as boot edits have it, would be
 * part of the value in yum's files.) So it can be seen, is never made twice, and is undone by what
 * is in the file. The files are the zone's: they may change between making and undoing, and what
 * is no mark of ours stays. */
#include "config.h"

#include "zone/repo-edits.h"

#include "brand/base/error.h"
#include "brand/brand-directories.h"
#include "brand/key-lines.h"
#include "zone/tree-edit.h"

#include "loader/kernel.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".mirror"
#define RULE "Rule "
#define MARK "#brandzone:mirror+"
#define FILES_MAX 256

typedef struct {
  GRegex *match;
  char *replace, *flat;
} Rule;

typedef struct {
  char **files;
  GPtrArray *rules;
} Kind;

static void
rule_free (gpointer data)
{
  Rule *rule = data;

  if (rule->match != NULL)
    g_regex_unref (rule->match);
  g_free (rule->replace);
  g_free (rule->flat);
  g_free (rule);
}

static void
kind_free (gpointer data)
{
  Kind *kind = data;

  g_strfreev (kind->files);
  g_ptr_array_unref (kind->rules);
  g_free (kind);
}

/* --- data --- */

static gboolean
read_rule (const BzKeyLines *lines, const char *group, Kind *kind, GError **error)
{
  g_autofree char *match = bz_key_lines_get (lines, group, "Match");
  g_autoptr (GError) failure = NULL;
  Rule *rule = g_new0 (Rule, 1);

  g_ptr_array_add (kind->rules, rule);
  rule->replace = bz_key_lines_get (lines, group, "Replace");
  rule->flat = bz_key_lines_get (lines, group, "Flat");
  if (match != NULL)
    rule->match = g_regex_new (match, G_REGEX_RAW, 0, &failure);
  if (rule->match == NULL)
    return bz_key_lines_fail (lines, group, "Match",
                              failure == NULL ? "is missing" : failure->message, NULL, error);
  return TRUE;
}

static Kind *
read_kind (const char *path, GError **error)
{
  g_autoptr (BzKeyLines) lines = bz_key_lines_read (path, error);
  Kind *kind = g_new0 (Kind, 1);

  kind->rules = g_ptr_array_new_with_free_func (rule_free);
  g_auto (GStrv) groups = lines == NULL ? NULL : g_key_file_get_groups (lines->keys, NULL);
  g_autofree char *files = lines == NULL ? NULL : bz_key_lines_get (lines, "Mirror", "Files");
  gboolean good = lines != NULL;
  if (good && files == NULL)
    good = bz_key_lines_fail (lines, "Mirror", "Files", "is missing", NULL, error);
  for (char **group = groups; good && *group != NULL; group++)
    if (g_str_has_prefix (*group, RULE))
      good = read_rule (lines, *group, kind, error);
  if (good)
    {
      kind->files = g_strsplit (files, ";", -1);
      return kind;
    }
  kind_free (kind);
  return NULL;
}

/* The files lie beside the brands, in `mirrors`. */
static GPtrArray *
read_kinds (GError **error)
{
  g_autoptr (GPtrArray) kinds = g_ptr_array_new_with_free_func (kind_free);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) brands = bz_brand_directories ();

  for (char **brand = brands; *brand != NULL; brand++)
    {
      g_autofree char *parent = g_path_get_dirname (*brand);
      g_autofree char *place = g_build_filename (parent, "mirrors", NULL);
      g_autoptr (GDir) dir = g_dir_open (place, 0, NULL);
      const char *base;

      while (dir != NULL && (base = g_dir_read_name (dir)) != NULL)
        {
          g_autofree char *path = g_build_filename (place, base, NULL);
          if (!g_str_has_suffix (base, SUFFIX) || !g_hash_table_add (seen, g_strdup (base)))
            continue;
          Kind *kind = read_kind (path, error);
          if (kind == NULL)
            return NULL;
          g_ptr_array_add (kinds, kind);
        }
    }
  return g_steal_pointer (&kinds);
}

/* --- lines --- */

static void
put_back (GPtrArray *lines, guint *edited)
{
  for (guint i = 0; i < lines->len; i++)
    {
      const char *line = lines->pdata[i];

      if (!g_str_has_prefix (line, MARK) || !g_ascii_isdigit (line[strlen (MARK)])
          || strncmp (line + strlen (MARK) + 1, "# ", 2) != 0)
        continue;
      gboolean replaced = line[strlen (MARK)] == '1';
      char *original = g_strdup (line + strlen (MARK) + 3);
      g_free (lines->pdata[i]);
      lines->pdata[i] = original;
      if (replaced && i + 1 < lines->len)
        g_ptr_array_remove_index (lines, i + 1);
      (*edited)++;
    }
}

/* TRUE: the line fits the rule; *replacement may be NULL then, for none. */
static gboolean
apply (const Rule *rule, const char *line, const char *mirror, gboolean flat, char **replacement)
{
  const char *with = flat && rule->flat != NULL ? rule->flat : rule->replace;

  if (!g_regex_match (rule->match, line, 0, NULL))
    return FALSE;
  *replacement = NULL;
  if (with == NULL || *with == '\0')
    return TRUE;
  g_autofree char *expanded = g_regex_replace (rule->match, line, -1, 0, with, 0, NULL);
  if (expanded == NULL)
    return FALSE;
  g_auto (GStrv) parts = g_strsplit (expanded, "@MIRROR@", -1);
  *replacement = g_strjoinv (mirror, parts);
  return TRUE;
}

static void
edit_lines (const Kind *kind, GPtrArray *lines, const char *mirror, gboolean flat, guint *edited)
{
  for (guint i = 0; i < lines->len; i++)
    for (guint j = 0; j < kind->rules->len; j++)
      {
        char *line = lines->pdata[i], *replacement;

        if (!apply (kind->rules->pdata[j], line, mirror, flat, &replacement))
          continue;
        lines->pdata[i] = g_strdup_printf (MARK "%d# %s", replacement != NULL, line);
        g_free (line);
        if (replacement != NULL)
          g_ptr_array_insert (lines, (int) ++i, replacement);
        (*edited)++;
        break;
      }
}

/* mirror NULL: only back. */
static gboolean
edit_file (int tree_fd, const char *path, const Kind *kind, const char *mirror, gboolean flat,
           GPtrArray *told, GError **error)
{
  BzTreeFile file;
  g_autofree char *text =
      bz_tree_file_find (tree_fd, path, &file) ? bz_tree_file_text (&file) : NULL;
  gboolean good = TRUE;

  if (text != NULL)
    {
      g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
      g_auto (GStrv) old = g_strsplit (text, "\n", -1);
      guint undone = 0, edited = 0;

      for (char **line = old; *line != NULL; line++)
        g_ptr_array_add (lines, g_strdup (*line));
      put_back (lines, &undone);
      if (mirror != NULL)
        edit_lines (kind, lines, mirror, flat, &edited);
      g_ptr_array_add (lines, NULL);
      g_autofree char *changed = g_strjoinv ("\n", (char **) lines->pdata);
      if (strcmp (changed, text) != 0)
        {
          good = bz_tree_file_replace (&file, changed, path, NULL, error);
          g_ptr_array_add (told, g_strdup_printf ("%s: %u line%s", path, mirror == NULL ? undone : edited,
                                                  (mirror == NULL ? undone : edited) == 1 ? "" : "s"));
        }
    }
  bz_tree_file_done (&file);
  return good;
}

/* A pattern in the last component alone. */
static GPtrArray *
find_files (int tree_fd, const char *pattern)
{
  g_autofree char *parent = g_path_get_dirname (pattern);
  g_autofree char *base = g_path_get_basename (pattern);
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  int fd = bz_openat2 (tree_fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
                       BZ_RESOLVE_IN_ROOT | BZ_RESOLVE_NO_MAGICLINKS);
  DIR *dir = fd < 0 ? NULL : fdopendir (fd);
  struct dirent *entry;

  while (dir != NULL && paths->len < FILES_MAX && (entry = readdir (dir)) != NULL)
    if (fnmatch (base, entry->d_name, FNM_PERIOD) == 0)
      g_ptr_array_add (paths, g_strdup_printf ("%s/%s", parent, entry->d_name));
  if (dir != NULL)
    closedir (dir);
  else if (fd >= 0)
    close (fd);
  return paths;
}

static gboolean
edit_all (int tree_fd, const char *mirror, gboolean flat, GPtrArray *told, GError **error)
{
  g_autoptr (GPtrArray) kinds = read_kinds (error);

  if (kinds == NULL)
    return FALSE;
  for (guint i = 0; i < kinds->len; i++)
    {
      const Kind *kind = kinds->pdata[i];

      for (char **pattern = kind->files; *pattern != NULL; pattern++)
        {
          g_autoptr (GPtrArray) paths = find_files (tree_fd, *pattern);

          for (guint j = 0; j < paths->len; j++)
            if (!edit_file (tree_fd, paths->pdata[j], kind, mirror, flat, told, error))
              return FALSE;
        }
    }
  return TRUE;
}

gboolean
bz_repo_edits_make (int tree_fd, const char *mirror, gboolean flat, GPtrArray *told,
                    GError **error)
{
  return edit_all (tree_fd, mirror, flat, told, error);
}

gboolean
bz_repo_edits_undo (int tree_fd, GPtrArray *told, GError **error)
{
  return edit_all (tree_fd, NULL, FALSE, told, error);
}
