#include "config.h"

#include "zone/dirs.h"

#include "brand/base/error.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

BzDirs *
bz_dirs_system (void)
{
  BzDirs *dirs = g_new0 (BzDirs, 1);

  dirs->config = g_strdup (BZ_SYSCONFDIR "/zones");
  dirs->data = g_strdup (BZ_LOCALSTATEDIR "/zones");
  dirs->run = g_strdup (BZ_RUNSTATEDIR);
  dirs->cache = g_strdup (BZ_CACHEDIR);
  return dirs;
}

/* su keeps the XDG_RUNTIME_DIR of the user who called it: only one of our own is any good. */
static char *
user_run_dir (void)
{
  const char *given = g_getenv ("XDG_RUNTIME_DIR");
  struct stat st;

  if (given != NULL && g_path_is_absolute (given) && stat (given, &st) == 0 && S_ISDIR (st.st_mode)
      && st.st_uid == geteuid ())
    return g_build_filename (given, "brandzone", NULL);
  return g_build_filename (g_get_user_cache_dir (), "brandzone", "run", NULL);
}

BzDirs *
bz_dirs_user (void)
{
  BzDirs *dirs = g_new0 (BzDirs, 1);

  dirs->config = g_build_filename (g_get_user_config_dir (), "brandzone", "zones", NULL);
  dirs->data = g_build_filename (g_get_user_data_dir (), "brandzone", "zones", NULL);
  dirs->run = user_run_dir ();
  dirs->cache = g_build_filename (g_get_user_cache_dir (), "brandzone", NULL);
  return dirs;
}

/* g_canonicalize_filename() alone would take / for a directory that is gone. */
char *
bz_path_absolute (const char *path)
{
  char here[PATH_MAX];

  return g_canonicalize_filename (
      path, getcwd (here, sizeof here) != NULL ? NULL : "/proc/self/cwd (deleted)");
}

BzDirs *
bz_dirs_under (const char *root)
{
  g_autofree char *absolute = bz_path_absolute (root);
  BzDirs *dirs = g_new0 (BzDirs, 1);

  dirs->config = g_build_filename (absolute, "config", NULL);
  dirs->data = g_build_filename (absolute, "zones", NULL);
  dirs->run = g_build_filename (absolute, "run", NULL);
  dirs->cache = g_build_filename (absolute, "cache", NULL);
  return dirs;
}

void
bz_dirs_free (BzDirs *dirs)
{
  if (dirs == NULL)
    return;
  g_free (dirs->config);
  g_free (dirs->data);
  g_free (dirs->run);
  g_free (dirs->cache);
  g_free (dirs);
}

gboolean
bz_dirs_make (const char *path, GError **error)
{
  struct stat st;

  if (g_mkdir_with_parents (path, 0700) != 0)
    {
      int saved = errno;
      return bz_fail_errno (error, saved,
                            saved == EACCES || saved == EPERM
                                ? "run as root, or leave --system out"
                                : "make it by hand, or choose another place with --root",
                            "making the directory %s", path);
    }
  if (stat (path, &st) != 0)
    return bz_fail_errno (error, errno, NULL, "looking at the directory %s", path);
  if (st.st_mode & (S_IWGRP | S_IWOTH))
    {
      g_autofree char *hint = g_strdup_printf ("chmod go-w %s", path);
      return bz_fail (error, BZ_ERROR_PERMISSION, "others may write to it", hint,
                      "the directory %s", path);
    }
  return TRUE;
}

char *
bz_dirs_zone (const BzDirs *dirs, const char *name)
{
  return g_build_filename (dirs->data, name, NULL);
}

char *
bz_dirs_zone_root (const BzDirs *dirs, const char *name)
{
  return g_build_filename (dirs->data, name, "root", NULL);
}

char *
bz_dirs_run (const BzDirs *dirs, const char *name)
{
  return g_build_filename (dirs->run, name, NULL);
}

char *
bz_dirs_zone_file (const BzDirs *dirs, const char *name)
{
  g_autofree char *file = g_strconcat (name, ".zone", NULL);

  return g_build_filename (dirs->config, file, NULL);
}

char *
bz_dirs_hidden (const BzDirs *dirs, const char *name, const char *suffix)
{
  g_autofree char *file = g_strconcat (".", name, ".", suffix, NULL);

  return g_build_filename (dirs->data, file, NULL);
}
