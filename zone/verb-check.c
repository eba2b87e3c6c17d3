/* check. */
#include "config.h"

#include "brand/base/error.h"
#include "zone/check.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/planning.h"
#include "zone/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXAMPLES 3

/* The tree that a file lies in: the nearest directory above that holds a userland; "/" if none
 * does. Owned by the caller. */
static char *
tree_of_file (const char *file)
{
  char *at = g_path_get_dirname (file);

  while (strcmp (at, "/") != 0)
    {
      g_autofree char *etc = g_build_filename (at, "etc", NULL);
      g_autofree char *bin = g_build_filename (at, "bin", NULL);
      g_autofree char *usr = g_build_filename (at, "usr", NULL);
      g_autofree char *proc = g_build_filename (at, "proc", NULL);
      char *up;

      /* /usr has etc and bin, too. */
      if (g_file_test (etc, G_FILE_TEST_IS_DIR) && g_file_test (bin, G_FILE_TEST_IS_DIR)
          && (g_file_test (usr, G_FILE_TEST_IS_DIR) || g_file_test (proc, G_FILE_TEST_IS_DIR)))
        return at;
      up = g_path_get_dirname (at);
      g_free (at);
      at = up;
    }
  return at;
}

/* Programs of another CPU, of i386 where the host runs none, or in no tree at all are what `check`
 * is for: it goes on with the brand that changes nothing. */
static BzPlanning *
planning_for (const BzContext *context, const BzArguments *arguments, const char *tree,
              GError **error)
{
  g_autoptr (GError) cause = NULL;
  BzPlanning *planning =
      strcmp (tree, "/") == 0 ? NULL : bz_planning_tree (context, arguments, tree, &cause);
  const char *brand = bz_arguments_string (arguments, "brand");

  if (planning != NULL)
    return planning;
  if (cause != NULL
      && (cause->domain != BZ_ERROR
          || (cause->code != BZ_ERROR_INPUT && cause->code != BZ_ERROR_HOST)))
    {
      g_propagate_error (error, g_steal_pointer (&cause));
      return NULL;
    }
  planning = bz_planning_brand (context, arguments,
                                brand != NULL && cause == NULL ? brand : "native", error);
  if (planning == NULL)
    return NULL;
  planning->tree = g_strdup (tree);
  planning->tree_fd = bz_tree_open (tree, error);
  if (planning->tree_fd < 0)
    g_clear_pointer (&planning, bz_planning_free);
  return planning;
}

static gboolean
is_program (const BzCheck *check, const char *path, GError **error)
{
  g_autofree char *safe = bz_text_safe (path);

  return check->counts.images > 0
         || bz_fail (error, BZ_ERROR_INPUT, "no program, library or script is in it",
                     "an archive is unpacked or installed first: brandzone install NAME ARCHIVE",
                     "checking %s", safe);
}

static BzCheck *
check_path (const BzPlanning *planning, const char *path, gboolean directory, GError **error)
{
  g_autoptr (BzCheck) check =
      bz_check_new (planning->host, planning->plan, planning->tree_fd, NULL);
  g_autofree char *dir = g_path_get_dirname (path), *base = g_path_get_basename (path);
  g_autofree char *safe = bz_text_safe (path);
  gboolean image = FALSE;

  if (directory)
    {
      bz_check_tree (check);
      bz_check_finish (check, planning->tree_fd);
    }
  else
    {
      int fd = open (dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
      gboolean done = fd >= 0 && bz_check_file (check, fd, base, path, &image);
      int saved = errno;
      if (done)
        bz_check_finish (check, planning->tree_fd);
      if (fd >= 0)
        close (fd);
      if (!done)
        {
          if (saved == EINVAL)
            bz_fail (error, BZ_ERROR_INPUT, "it is neither a file nor a directory",
                     "name a program or a tree", "checking %s", safe);
          else
            bz_fail_errno (error, saved, NULL, "checking %s", safe);
          return NULL;
        }
    }
  return is_program (check, path, error) ? g_steal_pointer (&check) : NULL;
}

static guint
count_cover (const BzCheck *check, BzCover cover)
{
  guint count = 0;

  for (guint i = 0; i < check->troubles->len; i++)
    count += ((BzTrouble *) g_ptr_array_index (check->troubles, i))->cover == cover;
  return count;
}

/* "bin/a, bin/b, bin/c and 12 more" */
static char *
examples (const BzTrouble *trouble)
{
  GString *text = g_string_new (NULL);
  guint shown =
      trouble->paths->len == EXAMPLES + 1 ? EXAMPLES + 1 : MIN (trouble->paths->len, EXAMPLES);

  for (guint i = 0; i < shown; i++)
    {
      g_autofree char *safe = bz_text_safe (g_ptr_array_index (trouble->paths, i));
      g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", safe);
    }
  if (trouble->paths->len > shown)
    g_string_append_printf (text, " and %u more", trouble->paths->len - shown);
  return g_string_free (text, FALSE);
}

/* Each place of a file's text that is rewritten, by its address as linked. */
static void
print_places (const BzCheck *check, const BzTrouble *trouble, const char *path)
{
  const GPtrArray *lines =
      trouble->finding == BZ_FINDING_VSYSCALL ? g_hash_table_lookup (check->rewrites, path) : NULL;

  for (guint i = 0; lines != NULL && i < lines->len; i++)
    {
      g_autofree char *safe = bz_text_safe (lines->pdata[i]);
      printf ("         %s\n", safe);
    }
}

static void
print_trouble (const BzContext *context, const BzCheck *check, const BzTrouble *trouble)
{
  g_autofree char *why = bz_finding_why (trouble->finding, trouble->detail);
  g_autofree char *some = examples (trouble);
  g_autofree char *how = trouble->how != NULL ? bz_text_safe (trouble->how) : NULL;

  printf ("%-4s %-11s  %s%s%s%s%s%s: %u file%s", trouble->row != NULL ? trouble->row : "-",
          bz_cover_name (trouble->cover), why, how != NULL ? "; " : "", how != NULL ? how : "",
          trouble->hint != NULL ? " (" : "", trouble->hint != NULL ? trouble->hint : "",
          trouble->hint != NULL ? ")" : "", trouble->paths->len,
          trouble->paths->len == 1 ? "" : "s");
  if (!context->verbose)
    {
      printf (": %s\n", some);
      return;
    }
  putchar ('\n');
  for (guint i = 0; i < trouble->paths->len; i++)
    {
      g_autofree char *safe = bz_text_safe (g_ptr_array_index (trouble->paths, i));
      printf ("       %s\n", safe);
      print_places (check, trouble, g_ptr_array_index (trouble->paths, i));
    }
}

/* What was not looked at. */
static void
note_gaps (const BzContext *context, const BzScanCounts *counts)
{
  const struct {
    guint64 count;
    const char *what;
  } gaps[] = {
    { counts->unreadable, "files or directories could not be read" },
    { counts->other_mounts, "other file systems mounted in the tree were left out" },
    { counts->too_deep, "directories lie too deep" },
    { counts->cut, "images are so long that only their first 64 MiB were read" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (gaps); i++)
    if (gaps[i].count > 0)
      bz_context_note (context, "%" G_GUINT64_FORMAT " %s", gaps[i].count, gaps[i].what);
  if (counts->full)
    bz_context_note (context, "the tree is too large: not all of it was looked at");
}

static void
print_text (const BzContext *context, const BzCheck *check, gboolean single)
{
  guint bad = count_cover (check, BZ_NOT_COVERED);

  for (guint i = 0; i < check->troubles->len; i++)
    print_trouble (context, check, g_ptr_array_index (check->troubles, i));
  if (context->quiet)
    return;
  if (!single)
    printf ("%" G_GUINT64_FORMAT " files, %" G_GUINT64_FORMAT " programs, libraries and scripts: ",
            check->counts.files, check->counts.images);
  if (bad > 0)
    printf ("%u thing%s not covered\n", bad, bad == 1 ? " is" : "s are");
  else
    puts (check->troubles->len > 0 ? "all is covered" : "nothing stands in the way");
}

static void
json_trouble (JsonBuilder *builder, const BzTrouble *trouble, gboolean all)
{
  g_autofree char *why = bz_finding_why (trouble->finding, trouble->detail);
  g_autoptr (GPtrArray) some = g_ptr_array_new ();

  for (guint i = 0; i < trouble->paths->len && (all || i < EXAMPLES); i++)
    g_ptr_array_add (some, g_ptr_array_index (trouble->paths, i));
  g_ptr_array_add (some, NULL);
  json_builder_begin_object (builder);
  bz_json_text (builder, "finding", bz_finding_name (trouble->finding));
  bz_json_text (builder, "row", trouble->row);
  bz_json_text (builder, "cover",
                trouble->cover == BZ_NOT_COVERED ? "not_covered" : bz_cover_name (trouble->cover));
  bz_json_text (builder, "detail", trouble->detail);
  bz_json_text (builder, "why", why);
  bz_json_text (builder, "how", trouble->how);
  bz_json_text (builder, "hint", trouble->hint);
  bz_json_number (builder, "count", trouble->paths->len);
  bz_json_texts (builder, "files", (const char *const *) some->pdata);
  json_builder_end_object (builder);
}

static void
json_places (JsonBuilder *builder, const BzCheck *check)
{
  g_autoptr (GList) paths = g_list_sort (g_hash_table_get_keys (check->rewrites), (GCompareFunc) strcmp);

  json_builder_set_member_name (builder, "rewritten");
  json_builder_begin_array (builder);
  for (const GList *path = paths; path != NULL; path = path->next)
    {
      const GPtrArray *lines = g_hash_table_lookup (check->rewrites, path->data);
      g_autoptr (GPtrArray) places = g_ptr_array_new ();
      for (guint i = 0; i < lines->len; i++)
        g_ptr_array_add (places, lines->pdata[i]);
      g_ptr_array_add (places, NULL);
      json_builder_begin_object (builder);
      bz_json_text (builder, "file", path->data);
      bz_json_texts (builder, "places", (const char *const *) places->pdata);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
print_json (const BzContext *context, const BzPlanning *planning, const BzCheck *check,
            const char *path)
{
  const BzScanCounts *counts = &check->counts;
  JsonBuilder *builder = bz_json_begin ();

  bz_json_text (builder, "path", path);
  bz_json_text (builder, "brand", planning->plan->brand);
  bz_json_text (builder, "abi", bz_abi_name (planning->plan->abi));
  bz_json_text (builder, "release", planning->plan->release);
  bz_json_bool (builder, "covered", count_cover (check, BZ_NOT_COVERED) == 0);
  json_builder_set_member_name (builder, "findings");
  json_builder_begin_array (builder);
  for (guint i = 0; i < check->troubles->len; i++)
    json_trouble (builder, g_ptr_array_index (check->troubles, i), context->verbose);
  json_builder_end_array (builder);
  if (context->verbose)
    json_places (builder, check);
  bz_json_number (builder, "files", (gint64) counts->files);
  bz_json_number (builder, "images", (gint64) counts->images);
  bz_json_number (builder, "unreadable", (gint64) counts->unreadable);
  bz_json_number (builder, "other_mounts", (gint64) counts->other_mounts);
  bz_json_number (builder, "too_deep", (gint64) counts->too_deep);
  bz_json_number (builder, "cut", (gint64) counts->cut);
  bz_json_bool (builder, "complete",
                !counts->full && counts->unreadable + counts->too_deep + counts->cut == 0);
  bz_json_end (builder);
}

/* A path, or else the name of a zone, whose own plan then counts: *planning. */
static gboolean
find_given (const BzContext *context, const BzArguments *arguments, char resolved[PATH_MAX],
            BzPlanning **planning, GError **error)
{
  const char *given = bz_arguments_word (arguments, 0);
  g_autofree char *safe = bz_text_safe (given);

  *planning = NULL;
  if (realpath (given, resolved) != NULL)
    return TRUE;
  if (errno != ENOENT)
    return bz_fail_errno (error, errno, NULL, "checking %s", safe);
  g_autoptr (GError) problem = NULL;
  if (bz_name_valid (given))
    *planning = bz_planning_zone (context, arguments, given, &problem);
  if (problem != NULL && !g_error_matches (problem, BZ_ERROR, BZ_ERROR_NO_ZONE))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  if (*planning == NULL || realpath ((*planning)->tree, resolved) == NULL)
    return bz_fail (error, BZ_ERROR_INPUT, "it does not exist", "name a program, a tree or a zone",
                    "checking %s", safe);
  return TRUE;
}

int
bz_verb_check (BzContext *context, const BzArguments *arguments, GError **error)
{
  g_autoptr (BzPlanning) planning = NULL;
  char resolved[PATH_MAX];
  struct stat status;

  if (!find_given (context, arguments, resolved, &planning, error))
    return -1;
  if (stat (resolved, &status) != 0)
    {
      bz_fail_errno (error, errno, NULL, "checking %s", resolved);
      return -1;
    }

  gboolean directory = S_ISDIR (status.st_mode);
  g_autofree char *tree = directory ? g_strdup (resolved) : tree_of_file (resolved);
  if (planning == NULL)
    planning = planning_for (context, arguments, tree, error);
  if (planning == NULL)
    return -1;
  if (!directory)
    bz_context_detail (context, "with its libraries, in the tree %s, brand %s", tree,
                       planning->plan->brand);
  g_autoptr (BzCheck) check = check_path (planning, resolved, directory, error);
  if (check == NULL)
    return -1;
  if (context->json)
    print_json (context, planning, check, resolved);
  else
    {
      print_text (context, check, !directory);
      note_gaps (context, &check->counts);
    }
  return count_cover (check, BZ_NOT_COVERED) > 0 ? BZ_ERROR_FAILED : 0;
}
