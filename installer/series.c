/* Which packages a series has, and in which order.
 *
 * Facts: Softlanding and Slackware Linux come as directories named after floppies (a1 ... a12, ap1,
 * n1), or in one directory, with a package in each .tgz. Their setup goes from floppy to floppy, and
 * by name on each; aaa_base is named so that it comes first. Choice: a directory without the top of
 * a userland that holds packages is a series when one of the first three brings files of a
 * userland; numbers in names are compared as numbers; aaa_base comes first wherever it lies.
 * Limits: tag files, which say what is optional, are not read: all that is there is installed. */
#include "config.h"

#include "installer/series.h"

#include "installer/archive.h"
#include "installer/beneath.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 4
#define PACKAGES_MAX 20000
#define PEEK 3
#define PEEK_ENTRIES 200

typedef struct {
  int dir_fd;
  GPtrArray *found;
  guint64 bytes;
} Search;

gboolean
bz_series_name (const char *path)
{
  static const char *const suffixes[] = { ".tgz", ".tbz", ".tlz", ".txz" };

  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    if (g_str_has_suffix (path, suffixes[i]))
      return TRUE;
  return FALSE;
}

static gboolean
is_base (const char *path)
{
  const char *slash = strrchr (path, '/');

  return g_str_has_prefix (slash == NULL ? path : slash + 1, "aaa_base");
}

/* strcmp, but a number is compared by its value, and "/" sorts before all else. */
static int
natural (const char *a, const char *b)
{
  while (*a != '\0' && *b != '\0')
    {
      if (g_ascii_isdigit (*a) && g_ascii_isdigit (*b))
        {
          gsize in_a = strspn (a, "0"), in_b = strspn (b, "0"), length_a, length_b;

          a += in_a;
          b += in_b;
          length_a = strspn (a, "0123456789");
          length_b = strspn (b, "0123456789");
          int order = length_a != length_b ? (length_a < length_b ? -1 : 1)
                                           : strncmp (a, b, length_a);
          if (order != 0)
            return order;
          a += length_a;
          b += length_b;
        }
      else if (*a != *b)
        return *a == '/' ? -1 : *b == '/' ? 1 : (guint8) *a < (guint8) *b ? -1 : 1;
      else
        {
          a++;
          b++;
        }
    }
  return (*a != '\0') - (*b != '\0');
}

static int
by_order (gconstpointer a, gconstpointer b)
{
  const char *first = *(const char *const *) a, *second = *(const char *const *) b;
  int order = is_base (second) - is_base (first);

  if (order == 0)
    order = natural (first, second);
  return order != 0 ? order : strcmp (first, second);
}

static void search (Search *search, const char *path, int depth);

static void
take (Search *state, int fd, const char *name, const char *path, int depth)
{
  struct stat st;

  if (name[0] == '.' || fstatat (fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return;
  if (S_ISDIR (st.st_mode) && depth < DEPTH_MAX)
    search (state, path, depth + 1);
  else if (S_ISREG (st.st_mode) && bz_series_name (name) && state->found->len < PACKAGES_MAX)
    {
      g_ptr_array_add (state->found, g_strdup (path));
      state->bytes += (guint64) st.st_size;
    }
}

static void
search (Search *state, const char *path, int depth)
{
  int fd = bz_beneath_open (state->dir_fd, path, O_RDONLY | O_DIRECTORY, 0, BZ_BENEATH_NO_LINKS);
  DIR *dir = fd < 0 ? NULL : fdopendir (fd);
  struct dirent *entry;

  if (dir == NULL)
    {
      if (fd >= 0)
        close (fd);
      return;
    }
  while ((entry = readdir (dir)) != NULL)
    {
      g_autofree char *child =
          *path == '\0' ? g_strdup (entry->d_name) : g_strdup_printf ("%s/%s", path, entry->d_name);
      take (state, fd, entry->d_name, child, depth);
    }
  closedir (dir);
}

/* A tree of its own, not a medium with packages? */
static gboolean
has_userland (int dir_fd)
{
  static const char *const top[] = { "bin", "etc", "usr", "lib", "sbin" };

  for (gsize i = 0; i < G_N_ELEMENTS (top); i++)
    if (faccessat (dir_fd, top[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
brings_userland (int dir_fd, const char *path)
{
  int fd = bz_beneath_open (dir_fd, path, O_RDONLY | O_NONBLOCK, 0, BZ_BENEATH_NO_LINKS);
  g_autoptr (BzArchive) archive =
      fd < 0 ? NULL : bz_archive_open (fd, BZ_ARCHIVE_TREE, NULL, NULL, path, NULL);
  struct archive_entry *entry;
  gboolean found = FALSE;

  for (int i = 0; archive != NULL && !found && i < PEEK_ENTRIES
                  && (entry = bz_archive_next (archive, NULL)) != NULL;
       i++)
    found = bz_archive_name (entry) != NULL && bz_recognise_path (bz_archive_name (entry));
  if (fd >= 0)
    close (fd);
  return found;
}

GPtrArray *
bz_series_find (int dir_fd, guint64 *bytes)
{
  Search state = { .dir_fd = dir_fd, .found = g_ptr_array_new_with_free_func (g_free) };
  gboolean series = FALSE;

  if (!has_userland (dir_fd))
    search (&state, "", 0);
  g_ptr_array_sort (state.found, by_order);
  for (guint i = 0; i < state.found->len && i < PEEK && !series; i++)
    series = brings_userland (dir_fd, state.found->pdata[i]);
  if (!series)
    g_ptr_array_set_size (state.found, 0);
  *bytes = state.bytes;
  return state.found;
}
