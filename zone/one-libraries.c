/* The directory that holds the interpreter is shown where the program looks for that, so that the
 * dynamic linker has its default place; all directories are named by LD_LIBRARY_PATH too, since that
 * default is another one in each distribution (lib64, lib/x86_64-linux-gnu), and there is no
 * ld.so.cache. What the caller has in LD_LIBRARY_PATH names libraries of the host and is dropped;
 * that of -e comes after ours. */
#include "config.h"

#include "zone/one-libraries.h"

#include "brand/base/error.h"
#include "brand/scan.h"
#include "brand/tree.h"
#include "loader/loader.h"
#include "zone/names.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY_BYTES ((gsize) 64 << 20)
#define MOST_LIBRARIES 256

struct BzOneLibraries {
  GPtrArray *directories; /* of char *, absolute; the interpreter's is the first */
  GArray *fds;            /* of int, in the same order */
  char *place;            /* of the interpreter, in the zone */
};

void
bz_one_libraries_free (BzOneLibraries *libraries)
{
  for (guint i = 0; i < libraries->fds->len; i++)
    close (g_array_index (libraries->fds, int, i));
  g_array_unref (libraries->fds);
  g_ptr_array_unref (libraries->directories);
  g_free (libraries->place);
  g_free (libraries);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzOneLibraries, bz_one_libraries_free)

int
bz_one_libraries_fd (const BzOneLibraries *libraries)
{
  return g_array_index (libraries->fds, int, 0);
}

/* Where directory number `index` is in the zone. */
static const char *
shown_as (const BzOneLibraries *libraries, guint index)
{
  return index == 0 ? libraries->place : g_ptr_array_index (libraries->directories, index);
}

void
bz_one_libraries_show (const BzOneLibraries *libraries, GPtrArray *volumes)
{
  for (guint i = 0; i < libraries->directories->len; i++)
    g_ptr_array_add (volumes, bz_volume_new (g_ptr_array_index (libraries->directories, i),
                                             shown_as (libraries, i), TRUE));
}

char **
bz_one_libraries_environment (const BzOneLibraries *libraries, char **environment)
{
  const char *given = g_environ_getenv (environment, "LD_LIBRARY_PATH");
  g_autoptr (GString) path = g_string_new (NULL);

  for (guint i = 0; i < libraries->directories->len; i++)
    g_string_append_printf (path, "%s%s", i > 0 ? ":" : "", shown_as (libraries, i));
  if (given != NULL)
    g_string_append_printf (path, ":%s", given);
  return g_environ_setenv (environment, "LD_LIBRARY_PATH", path->str, TRUE);
}

/* --- what is missing --- */

static char *
names_of (const GPtrArray *names)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < names->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "",
                            (const char *) g_ptr_array_index (names, i));
  return bz_text_safe (text->str);
}

static gboolean
nothing_given (const BzScan *scan, const char *program, GError **error)
{
  g_autofree char *safe = bz_text_safe (program);
  g_autofree char *names = names_of (scan->needed);
  g_autofree char *why = g_strdup_printf (
      "it needs the interpreter %s%s%s, and nothing says where they are", scan->interpreter,
      scan->needed->len == 1 ? " and the library "
      : scan->needed->len > 1 ? " and the libraries "
                              : "",
      names);

  return bz_fail (error, BZ_ERROR_NOT_FOUND, why,
                  "--libs DIR names a directory of old libraries, --image TREE a whole old system",
                  "running %s", safe);
}

static gboolean
no_interpreter (const BzScan *scan, const char *const *given, const char *program, GError **error)
{
  g_autofree char *safe = bz_text_safe (program);
  g_autofree char *all = g_strjoinv (", ", (char **) given);
  g_autofree char *safe_all = bz_text_safe (all);
  g_autofree char *base = g_path_get_basename (scan->interpreter);
  g_autofree char *why = g_strdup_printf ("its interpreter %s is not in %s", base, safe_all);

  return bz_fail (error, BZ_ERROR_NOT_FOUND, why,
                  "give the directory that holds it (often lib or lib64), or the whole tree to "
                  "--image",
                  "running %s", safe);
}

/* Also where ld.so of glibc 2.2 to 2.5 looks first, for NPTL and newer CPUs. */
static gboolean
scan_library (const BzOneLibraries *libraries, const char *name, BzScan *scan)
{
  static const char *const below[] = { ".", "tls", "i686", "tls/i686" };

  for (guint i = 0; i < libraries->fds->len * G_N_ELEMENTS (below); i++)
    {
      int fd = g_array_index (libraries->fds, int, i / G_N_ELEMENTS (below));
      g_autofree char *path = g_build_filename (below[i % G_N_ELEMENTS (below)], name, NULL);
      g_autoptr (GBytes) bytes = NULL;
      if (!bz_tree_read (fd, path, LIBRARY_BYTES, &bytes))
        continue;
      bz_scan_read (bytes, NULL, scan);
      return TRUE;
    }
  return FALSE;
}

/* Follows the names that libraries need in turn. */
static void
note_missing (const BzOneLibraries *libraries, const BzScan *program, const char *name,
              const BzContext *context)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) queue = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) missing = g_ptr_array_new ();

  for (guint i = 0; i < program->needed->len; i++)
    g_ptr_array_add (queue, g_strdup (g_ptr_array_index (program->needed, i)));
  for (guint i = 0; i < queue->len && i < MOST_LIBRARIES; i++)
    {
      char *wanted = g_ptr_array_index (queue, i);
      g_auto (BzScan) scan = { .kind = BZ_SCAN_NONE };

      if (strchr (wanted, '/') != NULL || !g_hash_table_add (seen, g_strdup (wanted)))
        continue;
      if (!scan_library (libraries, wanted, &scan))
        g_ptr_array_add (missing, wanted);
      for (guint j = 0; scan.needed != NULL && j < scan.needed->len; j++)
        g_ptr_array_add (queue, g_strdup (g_ptr_array_index (scan.needed, j)));
    }
  if (missing->len == 0)
    return;
  g_autofree char *names = names_of (missing);
  bz_context_note (context, "%s needs %s, which %s not in --libs", name, names,
                   missing->len == 1 ? "is" : "are");
}

/* --- finding --- */

static gboolean
add_directory (BzOneLibraries *libraries, const char *path, const char *interpreter, gboolean *found,
               GError **error)
{
  g_autofree char *real = realpath (path, NULL);
  int fd = real != NULL ? open (real, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

  if (fd < 0)
    {
      g_autofree char *safe = bz_text_safe (path);
      return bz_fail_errno (error, errno, "name a directory of libraries", "--libs %s", safe);
    }
  gboolean holds = !*found && bz_tree_has_file (fd, interpreter);
  g_ptr_array_insert (libraries->directories, holds ? 0 : -1, g_steal_pointer (&real));
  if (holds)
    g_array_prepend_val (libraries->fds, fd);
  else
    g_array_append_val (libraries->fds, fd);
  *found = *found || holds;
  return TRUE;
}

static BzOneLibraries *
find (const char **given, const BzScan *scan, const char *name, GError **error)
{
  g_autoptr (BzOneLibraries) libraries = g_new0 (BzOneLibraries, 1);
  g_autofree char *base = g_path_get_basename (scan->interpreter);
  gboolean found = FALSE;

  libraries->directories = g_ptr_array_new_with_free_func (g_free);
  libraries->fds = g_array_new (FALSE, FALSE, sizeof (int));
  libraries->place = g_path_get_dirname (scan->interpreter);
  for (const char **one = given; *one != NULL; one++)
    if (!add_directory (libraries, *one, base, &found, error))
      return NULL;
  if (!found)
    {
      no_interpreter (scan, given, name, error);
      return NULL;
    }
  return g_steal_pointer (&libraries);
}

gboolean
bz_one_libraries_find (const BzContext *context, const BzArguments *arguments, GBytes *program,
                       const char *name, BzOneLibraries **libraries, GError **error)
{
  g_autofree const char **given = bz_arguments_list (arguments, "libs");
  g_auto (BzScan) scan = { .kind = BZ_SCAN_NONE };

  *libraries = NULL;
  bz_scan_read (program, NULL, &scan);
  if (scan.kind == BZ_SCAN_SCRIPT)
    {
      g_autofree char *safe = bz_text_safe (name);
      g_autofree char *why = g_strdup_printf ("it is a script for %s", scan.interpreter);
      return bz_fail (error, BZ_ERROR_NOT_FOUND, why,
                      "--image TREE names an old system that has that", "running %s", safe);
    }
  if (scan.kind != BZ_SCAN_ELF || scan.interpreter == NULL)
    return TRUE;
  if (given[0] == NULL)
    return nothing_given (&scan, name, error);
  *libraries = find (given, &scan, name, error);
  if (*libraries == NULL)
    return FALSE;
  note_missing (*libraries, &scan, name, context);
  return TRUE;
}
