/* Packages of a series: unpacked in order, each one's script run before the next comes.
 *
 * Facts: a package's files of which another version may be in use come under waiting names
 * (bin/bash.new, lib/libc.so.5.4.46.newlib, etc/hosts-incoming), and links are left out; its
 * install/doinst.sh makes both right. Two packages bring the same waiting name, and the first one's
 * script decides: so scripts can't wait until all is unpacked. They are written to run on the
 * installer's floppy, with the new system below /mnt as the current directory, and use programs of
 * the floppy.
 * Choice: a makeshift floppy. The directories of programs, libraries and settings of all packages
 * are unpacked to root/ once, waiting names made final there; the tree itself grows in root/mnt. The
 * caller runs each script in a zone of root/ (installer/ask.h), and this process goes on when no
 * process of that zone is left: nobody but us is in the tree while we write. What a script did to
 * the names above the tree is checked before the tree is committed (installer/install.c).
 * The records for pkgtool are written as installpkg writes them. Limits: a script's exit status is
 * told and otherwise ignored, as installpkg does. */
#include "config.h"

#include "installer/install.h"

#include "brand/base/error.h"
#include "installer/ask.h"
#include "installer/series.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SCRIPT "install/doinst.sh"
#define SCRIPT_MAX (1024 * 1024)
#define RECORDS "var/log/packages"
#define SCRIPTS "var/log/scripts"

typedef struct {
  BzInstall *install;
  GPtrArray *packages;
  int floppy_fd; /* root/ */
  const char *shell;
  gboolean refused; /* no script can be run */
  guint scripts, left;
} Series;

/* --- the floppy --- */

static gboolean
is_on_floppy (const char *path)
{
  static const char *const taken[] = { "bin/", "sbin/", "lib/", "etc/", "usr/bin/", "usr/sbin/" };

  for (gsize i = 0; i < G_N_ELEMENTS (taken); i++)
    if (g_str_has_prefix (path, taken[i]))
      return TRUE;
  return g_str_has_prefix (path, "usr/lib/") && strstr (path, ".so") != NULL;
}

static char *
final_name (const char *name)
{
  static const char *const waiting[] = { ".new", ".newlib", ".incoming", "-incoming" };

  for (gsize i = 0; i < G_N_ELEMENTS (waiting); i++)
    if (g_str_has_suffix (name, waiting[i]) && strlen (name) > strlen (waiting[i]))
      return g_strndup (name, strlen (name) - strlen (waiting[i]));
  return NULL;
}

/* Gives the waiting files of a directory their names, in the directory `to_fd`. */
static void
settle (int floppy_fd, const char *path, const char *into)
{
  int to = bz_beneath_open (floppy_fd, into, O_RDONLY | O_DIRECTORY, 0, BZ_BENEATH_NO_LINKS);
  int fd = bz_beneath_open (floppy_fd, path, O_RDONLY | O_DIRECTORY, 0, BZ_BENEATH_NO_LINKS);
  DIR *dir = fd < 0 ? NULL : fdopendir (fd);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  struct dirent *entry;

  while (dir != NULL && (entry = readdir (dir)) != NULL)
    g_ptr_array_add (names, g_strdup (entry->d_name));
  for (guint i = 0; to >= 0 && i < names->len; i++)
    {
      g_autofree char *name =
          strcmp (path, into) == 0 ? final_name (names->pdata[i]) : g_strdup (names->pdata[i]);

      if (name != NULL && name[0] != '.')
        renameat2 (fd, names->pdata[i], to, name, RENAME_NOREPLACE);
    }
  if (dir != NULL)
    closedir (dir);
  else if (fd >= 0)
    close (fd);
  if (to >= 0)
    close (to);
}

static gboolean
is_there (int floppy_fd, const char *path)
{
  int fd = bz_beneath_open (floppy_fd, path, O_PATH, 0, BZ_BENEATH_AS_ROOT);

  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

static void
finish_floppy (Series *series)
{
  static const char *const made[] = { "bin", "sbin", "lib", "etc", "usr", "dev", "proc", "sys", "tmp", "var", "root" };
  static const char *const settled[] = { "bin", "sbin", "lib", "usr/bin", "usr/sbin", "usr/lib" };
  static const char *const databases[] = { "etc/passwd", "etc/group" };
  static const char *const shells[] = { "bash", "ash", "zsh", "ksh", "sash" };
  int fd = series->floppy_fd;

  for (gsize i = 0; i < G_N_ELEMENTS (made); i++)
    mkdirat (fd, made[i], 0755);
  for (gsize i = 0; i < G_N_ELEMENTS (settled); i++)
    settle (fd, settled[i], settled[i]);
  settle (fd, "lib/incoming", "lib");
  for (gsize i = 0; i < G_N_ELEMENTS (shells) && !is_there (fd, "bin/sh"); i++)
    {
      g_autofree char *path = g_strconcat ("bin/", shells[i], NULL);
      int bin = bz_beneath_open (fd, "bin", O_PATH | O_DIRECTORY, 0, BZ_BENEATH_NO_LINKS);

      if (bin >= 0 && is_there (fd, path))
        symlinkat (shells[i], bin, "sh");
      if (bin >= 0)
        close (bin);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (databases); i++)
    {
      g_autofree char *target = g_strconcat ("/mnt/", databases[i], NULL);
      int etc = bz_beneath_open (fd, "etc", O_PATH | O_DIRECTORY, 0, BZ_BENEATH_NO_LINKS);

      if (etc >= 0)
        {
          symlinkat (target, etc, databases[i] + strlen ("etc/"));
          close (etc);
        }
    }
  series->shell = is_there (fd, "bin/sh") ? "/bin/sh" : NULL;
}

static BzArchive *
open_package (Series *series, const char *path, int *fd, GError **error)
{
  *fd = bz_beneath_open (series->install->series_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
                         BZ_BENEATH_NO_LINKS);
  if (*fd < 0)
    {
      bz_fail_errno (error, errno, NULL, "opening the package %s", path);
      return NULL;
    }
  return bz_archive_open (*fd, BZ_ARCHIVE_TREE, NULL, series->install->job, path, error);
}

static gboolean
fill_floppy (Series *series, GError **error)
{
  BzArchiveOptions options = { .wanted = is_on_floppy };
  const BzJob *job = series->install->job;
  g_autoptr (BzJob) own = bz_job_new (-1);
  g_autoptr (BzTree) tree = bz_tree_new (own, series->floppy_fd, series->install->args->id_shift);
  gboolean ok = TRUE;

  own->max_bytes = job->max_bytes;
  own->max_files = job->max_files;
  tree->parents = BZ_BENEATH_AS_ROOT;
  for (guint i = 0; ok && i < series->packages->len; i++)
    {
      int fd;
      g_autoptr (BzArchive) archive = open_package (series, series->packages->pdata[i], &fd, error);

      ok = archive != NULL && bz_archive_extract (archive, tree, &options, error)
           && bz_job_step (series->install->job, error);
      if (fd >= 0)
        close (fd);
    }
  ok = ok && bz_tree_finish (tree, error);
  if (ok)
    finish_floppy (series);
  return ok;
}

/* --- scripts --- */

/* A small file of the tree, or NULL. */
static char *
read_script (BzTree *tree, gsize *size)
{
  int fd = bz_beneath_open (tree->fd, SCRIPT, O_RDONLY | O_NONBLOCK, 0, BZ_BENEATH_NO_LINKS);
  g_autofree char *text = g_malloc (SCRIPT_MAX);
  gssize got = -1;
  struct stat st;

  if (fd < 0)
    return NULL;
  *size = 0;
  if (fstat (fd, &st) == 0 && S_ISREG (st.st_mode) && st.st_size <= SCRIPT_MAX)
    while ((got = read (fd, text + *size, SCRIPT_MAX - *size)) > 0)
      *size += (gsize) got;
  close (fd);
  return got == 0 ? g_steal_pointer (&text) : NULL;
}

static gboolean
run (Series *series, const BzAsk *ask, GError **error)
{
  BzAsked asked;
  int status;

  if (!bz_ask_run (series->install->job, series->install->args->requests_fd, ask, &asked, &status,
                   error))
    return FALSE;
  series->refused = asked == BZ_ASK_REFUSED;
  if (asked == BZ_ASK_RAN && status != 0)
    bz_job_tally (series->install->job, "install script ended with an exit status that is not 0",
                  "install scripts ended with an exit status that is not 0", ask->name);
  return TRUE;
}

static gboolean
run_script (Series *series, const char *name, GError **error)
{
  const BzAsk ask = {
    .name = name, .directory = "/mnt", .program = series->shell, .argument = SCRIPT
  };

  series->scripts++;
  if (series->refused || series->shell == NULL)
    {
      series->left++;
      return TRUE;
    }
  if (!run (series, &ask, error))
    return FALSE;
  series->left += series->refused ? 1 : 0;
  return TRUE;
}

/* --- packages --- */

static gboolean
write_record (BzTree *tree, const char *directory, const char *name, const char *text, gsize size,
              mode_t mode, GError **error)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_auto (BzNode) node = { 0 };
  int fd;

  bz_node_init (&node);
  node.mode = S_IFREG | mode;
  fd = bz_tree_file_open (tree, path, error);
  if (fd < 0)
    return FALSE;
  if (bz_tree_file_write (tree, fd, path, text, size, 0, error))
    return bz_tree_file_close (tree, fd, path, size, &node, error);
  close (fd);
  return FALSE;
}

/* "PACKAGE NAME: ..." and the list of files, as pkgtool reads it. */
static char *
record_text (const char *name, const char *path, guint64 packed, guint64 unpacked, const char *list)
{
  return g_strdup_printf ("PACKAGE NAME:     %s\n"
                          "COMPRESSED PACKAGE SIZE:     %" G_GUINT64_FORMAT " K\n"
                          "UNCOMPRESSED PACKAGE SIZE:     %" G_GUINT64_FORMAT " K\n"
                          "PACKAGE LOCATION: %s\n"
                          "PACKAGE DESCRIPTION:\n"
                          "FILE LIST:\n"
                          "./\n%s",
                          name, (packed + 1023) / 1024, (unpacked + 1023) / 1024, path, list);
}

static gboolean
keep_records (BzTree *tree, const char *name, const char *record, const char *script, gsize size,
              GError **error)
{
  int fd = bz_beneath_open (tree->fd, RECORDS, O_PATH | O_DIRECTORY, 0, BZ_BENEATH_AS_ROOT);

  if (fd < 0)
    return TRUE; /* not a distribution that keeps any */
  close (fd);
  return write_record (tree, RECORDS, name, record, strlen (record), 0644, error)
         && (script == NULL || write_record (tree, SCRIPTS, name, script, size, 0755, error));
}

static gboolean
install_package (Series *series, const char *path, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);
  BzArchiveOptions options = { .names = names };
  BzTree *tree = series->install->tree;
  BzJob *job = series->install->job;
  g_autofree char *base = g_path_get_basename (path);
  g_autofree char *name = g_strndup (base, strlen (base) - 4);
  guint64 done = job->done, bytes = job->bytes;
  int fd;
  g_autoptr (BzArchive) archive = open_package (series, path, &fd, error);
  gboolean ok = archive != NULL && bz_archive_extract (archive, tree, &options, error)
                && bz_tree_finish (tree, error);
  gsize size = 0;
  g_autofree char *script = ok ? read_script (tree, &size) : NULL;
  g_autofree char *record =
      record_text (name, path, job->done - done, job->bytes - bytes, names->str);

  if (fd >= 0)
    close (fd);
  if (!ok || (script != NULL && !run_script (series, name, error)))
    return FALSE;
  if (script != NULL && (series->refused || series->shell == NULL))
    {
      g_autofree char *kept = g_strconcat ("doinst-", name, ".sh", NULL);
      return write_record (tree, "install", kept, script, size, 0755, error)
             && bz_tree_remove (tree, SCRIPT, error);
    }
  return keep_records (tree, name, record, script, size, error)
         && bz_tree_remove (tree, series->left > 0 ? SCRIPT : "install", error);
}

/* Links to libraries, on the floppy before the first script and in the tree after the last one: by
 * the packages' own ldconfig, a static program. */
static gboolean
link_libraries (Series *series, gboolean tree, GError **error)
{
  const BzAsk on_floppy = { .name = "ldconfig", .directory = "/", .program = "/sbin/ldconfig" };
  BzAsk in_tree = { .name = "ldconfig", .directory = "/", .argument = "/mnt", .argument2 = "/sbin/ldconfig" };
  int fd = series->floppy_fd;

  if (series->refused || series->shell == NULL || !is_there (fd, "sbin/ldconfig"))
    return TRUE;
  if (!tree)
    return run (series, &on_floppy, error);
  in_tree.program = is_there (fd, "usr/sbin/chroot")  ? "/usr/sbin/chroot"
                    : is_there (fd, "usr/bin/chroot") ? "/usr/bin/chroot"
                                                      : NULL;
  return in_tree.program == NULL || run (series, &in_tree, error);
}

static gboolean
install_all (Series *series, GError **error)
{
  for (guint i = 0; i < series->packages->len; i++)
    if (!install_package (series, series->packages->pdata[i], error))
      return FALSE;
  if (series->left > 0)
    bz_job_notice (series->install->job,
                   "%u of %u install scripts were not run; they are kept in /install of the zone",
                   series->left, series->scripts);
  return series->scripts == series->left || link_libraries (series, TRUE, error);
}

gboolean
bz_install_series (BzInstall *install, GError **error)
{
  guint64 bytes;
  g_autoptr (GPtrArray) packages = bz_series_find (install->series_fd, &bytes);
  Series series = { .install = install, .packages = packages };
  gboolean ok;

  /* A plain user's zone is started by processes that are not root in it. */
  if (fchmod (install->partial->fd, 0711) < 0)
    return bz_fail_errno (error, errno, NULL, "making %s", install->args->target);
  install->job->total = 2 * bytes;
  install->tree->parents = BZ_BENEATH_AS_ROOT;
  series.floppy_fd = bz_beneath_open (install->partial->fd, "root", O_RDONLY | O_DIRECTORY, 0,
                                      BZ_BENEATH_NO_LINKS);
  if (series.floppy_fd < 0)
    return bz_fail_errno (error, errno, NULL, "making %s", install->args->target);
  ok = fill_floppy (&series, error) && link_libraries (&series, FALSE, error)
       && install_all (&series, error);
  close (series.floppy_fd);
  return ok;
}

gboolean
bz_install_series_directory (BzInstall *install, GError **error)
{
  install->series_fd = install->source_fd;
  return bz_install_series (install, error);
}

static gboolean
install_beside (BzInstall *install, int fd, GError **error)
{
  install->series_fd = fd;
  return bz_install_series (install, error);
}

gboolean
bz_install_series_iso (BzInstall *install, GError **error)
{
  return bz_install_beside (install, BZ_ARCHIVE_ISO, install_beside, error);
}
