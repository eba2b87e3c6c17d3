/* A machine's tree names what only that machine had. Solaris's zonep2vchk tells it before the move;
 * here the tree is looked at when it is there. The default is to preserve it: the boot edits and the
 * answers of the kernel's calls deal with most of it. With --unconfigure lines become
 *
 *     #brandzone:unconfigured# LINE
 *
 * and whole files are renamed to NAME.brandzone, so that both can be taken back by hand. Files that
 * can't be read as the installing user are passed over. */
#include "config.h"

#include "zone/p2v.h"

#include "brand/base/error.h"
#include "brand/brand-directories.h"
#include "brand/key-lines.h"
#include "loader/kernel.h"
#include "zone/tree-edit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".report"
#define CHECK "Check "
#define MARK "#brandzone:unconfigured# "
#define RENAMED ".brandzone"
#define FILES_MAX 64

typedef struct {
  char *name, *says, *unconfigure;
  char **files;
  GRegex *line;
} Rule;

void
bz_left_behind_free (BzLeftBehind *item)
{
  g_free (item->check);
  g_free (item->file);
  g_free (item->says);
  g_free (item->example);
  g_free (item);
}

static void
left_free (gpointer data)
{
  bz_left_behind_free (data);
}

static void
rule_free (gpointer data)
{
  Rule *rule = data;

  g_free (rule->name);
  g_free (rule->says);
  g_free (rule->unconfigure);
  g_strfreev (rule->files);
  if (rule->line != NULL)
    g_regex_unref (rule->line);
  g_free (rule);
}

/* --- data --- */

static gboolean
read_rule (const BzKeyLines *lines, const char *group, GPtrArray *rules, GError **error)
{
  g_autofree char *files = bz_key_lines_get (lines, group, "Files");
  g_autofree char *line = bz_key_lines_get (lines, group, "Line");
  g_autoptr (GError) failure = NULL;
  Rule *rule = g_new0 (Rule, 1);

  g_ptr_array_add (rules, rule);
  rule->name = g_strdup (group + strlen (CHECK));
  rule->says = bz_key_lines_get (lines, group, "Says");
  rule->unconfigure = bz_key_lines_get (lines, group, "Unconfigure");
  if (files == NULL || rule->says == NULL)
    return bz_key_lines_fail (lines, group, NULL, "lacks Files or Says", NULL, error);
  if (rule->unconfigure != NULL
      && strcmp (rule->unconfigure, line != NULL ? "comment" : "rename") != 0)
    return bz_key_lines_fail (lines, group, "Unconfigure", "is not what can be done with it",
                              "comment for lines, rename for files", error);
  rule->files = g_strsplit (files, ";", -1);
  if (line != NULL && (rule->line = g_regex_new (line, G_REGEX_RAW, 0, &failure)) == NULL)
    return bz_key_lines_fail (lines, group, "Line", failure->message, NULL, error);
  return TRUE;
}

static gboolean
read_file (const char *path, GPtrArray *rules, GError **error)
{
  g_autoptr (BzKeyLines) lines = bz_key_lines_read (path, error);

  if (lines == NULL)
    return FALSE;
  g_auto (GStrv) groups = g_key_file_get_groups (lines->keys, NULL);
  for (char **group = groups; *group != NULL; group++)
    if (g_str_has_prefix (*group, CHECK) && !read_rule (lines, *group, rules, error))
      return FALSE;
  return TRUE;
}

/* The files lie beside the brands, in `machines`. */
static gboolean
read_rules (GPtrArray *rules, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) brands = bz_brand_directories ();

  for (char **brand = brands; *brand != NULL; brand++)
    {
      g_autofree char *parent = g_path_get_dirname (*brand);
      g_autofree char *place = g_build_filename (parent, "machines", NULL);
      g_autoptr (GDir) dir = g_dir_open (place, 0, NULL);
      const char *base;

      while (dir != NULL && (base = g_dir_read_name (dir)) != NULL)
        {
          g_autofree char *path = g_build_filename (place, base, NULL);
          if (g_str_has_suffix (base, SUFFIX) && g_hash_table_add (seen, g_strdup (base))
              && !read_file (path, rules, error))
            return FALSE;
        }
    }
  return TRUE;
}

/* --- the tree --- */

static int
open_parent (int tree_fd, const char *path)
{
  g_autofree char *parent = g_path_get_dirname (path);

  return bz_openat2 (tree_fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
                     BZ_RESOLVE_IN_ROOT | BZ_RESOLVE_NO_MAGICLINKS);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static GPtrArray *
find_files (int tree_fd, const char *pattern)
{
  g_autofree char *parent = g_path_get_dirname (pattern);
  g_autofree char *base = g_path_get_basename (pattern);
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  int fd = open_parent (tree_fd, pattern);
  DIR *dir = fd < 0 ? NULL : fdopendir (fd);
  struct dirent *entry;

  while (dir != NULL && paths->len < FILES_MAX && (entry = readdir (dir)) != NULL)
    if (fnmatch (base, entry->d_name, FNM_PERIOD) == 0)
      g_ptr_array_add (paths, g_strdup_printf ("%s/%s", strcmp (parent, "/") == 0 ? "" : parent,
                                               entry->d_name));
  if (dir != NULL)
    closedir (dir);
  else if (fd >= 0)
    close (fd);
  g_ptr_array_sort (paths, compare_names);
  return paths;
}

/* Lines that fit, commented out in place when `comment`. */
static void
count_lines (const Rule *rule, char **lines, gboolean comment, BzLeftBehind *item)
{
  for (char **line = lines; *line != NULL; line++)
    {
      if (g_str_has_prefix (*line, MARK) || !g_regex_match (rule->line, *line, 0, NULL))
        continue;
      if (item->lines++ == 0)
        item->example = g_strstrip (g_strdup (*line));
      if (comment)
        {
          char *marked = g_strconcat (MARK, *line, NULL);
          g_free (*line);
          *line = marked;
        }
    }
}

static gboolean
look_at_lines (int tree_fd, const Rule *rule, gboolean unconfigure, BzLeftBehind *item,
               GError **error)
{
  BzTreeFile file;
  g_autofree char *text =
      bz_tree_file_find (tree_fd, item->file, &file) ? bz_tree_file_text (&file) : NULL;
  gboolean comment = unconfigure && rule->unconfigure != NULL, good = TRUE;

  if (text != NULL)
    {
      g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

      count_lines (rule, lines, comment, item);
      if (comment && item->lines > 0)
        {
          g_autofree char *changed = g_strjoinv ("\n", lines);
          good = bz_tree_file_replace (&file, changed, item->file, "leave --unconfigure out", error);
          item->done = "commented out";
        }
    }
  bz_tree_file_done (&file);
  return good;
}

static gboolean
look_at_file (int tree_fd, const Rule *rule, gboolean unconfigure, BzLeftBehind *item,
              GError **error)
{
  g_autofree char *base = g_path_get_basename (item->file);
  g_autofree char *aside = g_strconcat (base, RENAMED, NULL);
  int fd;

  if (!unconfigure || rule->unconfigure == NULL)
    return TRUE;
  fd = open_parent (tree_fd, item->file);
  if (fd < 0 || renameat (fd, base, fd, aside) < 0)
    {
      bz_fail_errno (error, errno, "leave --unconfigure out", "renaming %s of the zone",
                     item->file);
      if (fd >= 0)
        close (fd);
      return FALSE;
    }
  close (fd);
  item->done = "renamed";
  return TRUE;
}

static gboolean
look (int tree_fd, const Rule *rule, const char *path, gboolean unconfigure, GPtrArray *left,
      GError **error)
{
  BzLeftBehind *item = g_new0 (BzLeftBehind, 1);

  item->check = g_strdup (rule->name);
  item->file = g_strdup (path);
  item->says = g_strdup (rule->says);
  gboolean good = rule->line != NULL ? look_at_lines (tree_fd, rule, unconfigure, item, error)
                                     : look_at_file (tree_fd, rule, unconfigure, item, error);
  if (good && (rule->line == NULL || item->lines > 0))
    g_ptr_array_add (left, item);
  else
    bz_left_behind_free (item);
  return good;
}

GPtrArray *
bz_p2v (int tree_fd, gboolean unconfigure, GError **error)
{
  g_autoptr (GPtrArray) rules = g_ptr_array_new_with_free_func (rule_free);
  g_autoptr (GPtrArray) left = g_ptr_array_new_with_free_func (left_free);

  if (!read_rules (rules, error))
    return NULL;
  for (guint i = 0; i < rules->len; i++)
    {
      const Rule *rule = rules->pdata[i];

      for (char **pattern = rule->files; *pattern != NULL; pattern++)
        {
          g_autoptr (GPtrArray) paths = find_files (tree_fd, *pattern);

          for (guint j = 0; j < paths->len; j++)
            if (!look (tree_fd, rule, paths->pdata[j], unconfigure, left, error))
              return NULL;
        }
    }
  return g_steal_pointer (&left);
}
