/* What a brand's userland looks for and finds nowhere: [File NAME] of its brand.
 *
 * Problem: modprobe, df, ps and boot scripts of the time read files that their kernel wrote or their
 * kernel's package brought. Facts: procfs and sysfs take no new names, so a file there is shown only
 * in the place of one that the host has (kernels without modules have no /proc/modules). In the tree a
 * mount needs a name to lie on, and rpm and dpkg can't replace what is mounted on.
 * Choice: what the tree has stays; a name that it lacks is made, empty, and what is shown lies on
 * it in memory. An empty file or directory counts as lacking: it is what the last start left. A
 * directory is made in the tree itself with its empty files, for a package to put its own beside and in the
 * place of them: a kernel's modules stay where rpm has put them. A tree that can't be written does without. What changes
 * all the time is served (views-main.c).
 * Limits: /proc/1/mounts under another name can't be replaced by mount(8), which says so and goes on. */
#include "config.h"

#include "loader/view-files.h"

#include "brand/base/error.h"
#include "loader/figures.h"
#include "loader/kernel.h"
#include "loader/view-private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* --- places --- */

static int
open_inside (int root, const char *path, uint64_t flags)
{
  return bz_openat2 (root, path, flags | O_CLOEXEC, 0,
                     BZ_RESOLVE_IN_ROOT | BZ_RESOLVE_NO_MAGICLINKS);
}

static gboolean
is_empty_directory (int fd)
{
  int again = openat (fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = again >= 0 ? fdopendir (again) : NULL;
  guint entries = 0;

  if (dir == NULL)
    {
      if (again >= 0)
        close (again);
      return FALSE;
    }
  while (entries <= 2 && readdir (dir) != NULL)
    entries++;
  closedir (dir);
  return entries <= 2; /* . and .. */
}

/* Whether the file may be shown at its place: instead of what is there below /proc and /sys, and
 * where nothing is elsewhere. */
static gboolean
has_place (const BzFile *file, int root)
{
  gboolean kernel = g_str_has_prefix (file->path, "/proc/") || g_str_has_prefix (file->path, "/sys/");
  int fd = open_inside (root, file->path, O_PATH | O_NOFOLLOW);
  struct stat st;
  gboolean may;

  if (fd < 0)
    return errno == ENOENT && !kernel;
  if (kernel)
    may = TRUE;
  else if (fstat (fd, &st) != 0)
    may = FALSE;
  else if (file->kind == BZ_FILE_DIRECTORY)
    may = S_ISDIR (st.st_mode) && is_empty_directory (fd);
  else
    may = S_ISREG (st.st_mode) && st.st_size == 0;
  close (fd);
  return may;
}

/* --- kinds --- */

/* Where nothing can be served, meminfo says what was so when the zone started: ps and free of the time die without.
 * Figures that grow are better the host's than still. */
static gboolean
show_figures (const BzFile *file, const char *name, int root, const BzPlan *plan, BzViews *views, GError **error)
{
  BzForm form = bz_form_find (file->value);
  BzFigures figures;
  cpu_set_t all;

  if (plan->fuse && bz_view_mount_figures (root, file->path, form, views, NULL))
    return TRUE;
  if (form != BZ_FORM_MEMINFO_2_4)
    return TRUE;
  if (!bz_figures_read (form, &figures))
    return bz_fail (error, BZ_ERROR_HOST, "the host's can't be read", NULL, "cannot write the zone's %s", file->path);
  memset (&all, 0xff, sizeof all);
  g_autofree char *text = bz_figures_write (form, &figures, &all);
  bz_figures_clear (&figures);
  return bz_view_bind_data (root, name, file->path, text, strlen (text), error);
}

static gboolean
show_link (const BzFile *file, int root, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (file->path);
  g_autofree char *base = g_path_get_basename (file->path);
  int dir = open_inside (root, parent, O_PATH | O_DIRECTORY);
  gboolean good = dir >= 0 && (symlinkat (file->value, dir, base) == 0 || errno == EEXIST);

  if (!good)
    bz_fail_errno (error, errno, NULL, "cannot make the zone's %s", file->path);
  if (dir >= 0)
    close (dir);
  return good;
}

static gboolean
show_directory (const BzFile *file, int root, GError **error)
{
  g_auto (GStrv) names = g_strsplit (file->value, ";", -1);
  int dir = bz_view_make_directory (root, file->path, error);

  if (dir < 0)
    return FALSE;
  for (char **name = names; *name != NULL; name++)
    {
      int fd = **name != '\0'
                   ? openat (dir, *name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644)
                   : -1;
      if (fd >= 0)
        close (fd);
    }
  close (dir);
  return TRUE;
}

static gboolean
show (const BzFile *file, const char *name, int root, const BzPlan *plan, BzViews *views, GError **error)
{
  switch (file->kind)
    {
    case BZ_FILE_TEXT:
      return bz_view_bind_data (root, name, file->path, file->value, strlen (file->value), error);
    case BZ_FILE_FORM:
      return show_figures (file, name, root, plan, views, error);
    case BZ_FILE_SAME:
      return bz_view_bind_same (root, file->path, file->value, error);
    case BZ_FILE_LINK:
      return show_link (file, root, error);
    case BZ_FILE_DIRECTORY:
      return show_directory (file, root, error);
    default:
      return TRUE;
    }
}

gboolean
bz_view_show_files (const BzPartition *partition, int root, BzViews *views, GError **error)
{
  const GPtrArray *files = partition->plan->files;

  for (guint i = 0; files != NULL && i < files->len; i++)
    {
      const BzFile *file = g_ptr_array_index (files, i);
      g_autofree char *name = g_strdup_printf ("brand-%u", i);
      g_autoptr (GError) problem = NULL;

      if (file->when == (partition->boot ? BZ_FILE_RUN : BZ_FILE_BOOT) || !has_place (file, root)
          || show (file, name, root, partition->plan, views, &problem))
        continue;
      if (!g_str_has_prefix (file->path, "/proc/") && !g_str_has_prefix (file->path, "/sys/"))
        continue; /* a tree that can't be written */
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  return TRUE;
}
