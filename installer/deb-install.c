/* Debian packages from a repository to a tree that can install them itself.
 *
 * Problem and choice are those of rpm-install.c; what is unpacked first is what debootstrap unpacks,
 * too: everything essential or required. It happens here and not in debootstrap because a script
 * that runs tar as root is no place for what came over the network, and a plain user could not run
 * it. Facts: a package is an ar archive with debian-binary, control.tar and data.tar, each compressed
 * in its own way. Of Debian 12 the packages still hold /bin, and need it to be a link to /usr/bin: a package
 * (usr-is-merged) says so, by refusing to be installed elsewhere. debootstrap makes the links before anything is
 * unpacked, and so does this. */
#include "config.h"

#include "installer/package-files.h"

#include "brand/base/error.h"

#include <string.h>
#include <unistd.h>

gboolean
bz_recognise_deb (BzJob *job, const BzInstallArgs *args, int dir_fd, BzRecognised *source,
                  gboolean *found, GError **error)
{
  BzMedia media = {
    .job = job, .dir_fd = dir_fd, .requests_fd = args->requests_fd, .label = args->source
  };
  g_autoptr (GError) failure = NULL;
  BzDebLayout layout;

  *found = bz_deb_layout_find (&media, args->suite, &layout, &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (*found)
    {
      source->type = BZ_SOURCE_DEB_REPOSITORY;
      source->kind = g_strdup_printf ("repository of Debian packages (%s)", layout.suite);
    }
  bz_deb_layout_clear (&layout);
  return TRUE;
}

static gboolean
unpack (BzInstall *install, int fd, const char *label, GError **error)
{
  g_autoptr (BzArchive) outer = bz_archive_open (fd, BZ_ARCHIVE_DEB, NULL, NULL, label, error);
  BzArchiveOptions options = { 0 };
  struct archive_entry *entry;
  g_autoptr (GError) failure = NULL;

  if (outer == NULL)
    return FALSE;
  while ((entry = bz_archive_next (outer, &failure)) != NULL)
    {
      const char *name = bz_archive_name (entry);

      if (name == NULL || !g_str_has_prefix (name, "data.tar"))
        continue;
      g_autoptr (BzArchive) data = bz_archive_open_inside (outer, BZ_ARCHIVE_TREE, NULL, error);
      return data != NULL && bz_archive_extract (data, install->tree, &options, error);
    }
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return bz_fail (error, BZ_ERROR_INPUT, "it holds no data.tar", "get it again", "package %s",
                  label);
}

static gboolean
is_merged (const GPtrArray *packages)
{
  for (guint i = 0; i < packages->len; i++)
    if (strcmp (((const BzPackage *) packages->pdata[i])->name, "usr-is-merged") == 0)
      return TRUE;
  return FALSE;
}

static gboolean
merge_usr (BzTree *tree, GError **error)
{
  static const char *const names[] = { "bin", "sbin", "lib", "lib32", "lib64", "libx32" };
  BzNode closed = { .mode = S_IFDIR | 0755, .mtime.tv_nsec = UTIME_OMIT };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *target = g_strconcat ("usr/", names[i], NULL);

      if (!bz_tree_directory (tree, target, &closed, error)
          || !bz_tree_symlink (tree, names[i], target, &closed, error))
        return FALSE;
    }
  return TRUE;
}

/* What the second stage has to know beside the packages: the files of the seed. */
static gboolean
write_seed (BzInstall *install, const GString *names, GError **error)
{
  static const char path[] = ".brandzone/seed";
  BzNode node = { .mode = S_IFREG | 0644, .mtime.tv_nsec = UTIME_OMIT };
  int fd = bz_tree_file_open (install->tree, path, error);

  if (fd < 0)
    return FALSE;
  gboolean good = bz_tree_file_write (install->tree, fd, path, names->str, names->len, 0, error);
  return bz_tree_file_close (install->tree, fd, path, names->len, &node, good ? error : NULL)
         && good;
}

static gboolean
take_packages (BzInstall *install, BzMedia *media, const GPtrArray *packages, GError **error)
{
  g_autoptr (GString) seed = g_string_new (NULL);

  for (guint i = 0; i < packages->len; i++)
    {
      const BzPackage *package = packages->pdata[i];
      g_autofree char *name = NULL;
      int fd = bz_package_lay_down (install, media, package, &name, error);

      if (fd < 0)
        return FALSE;
      gboolean good = !package->seed || unpack (install, fd, name, error);
      close (fd);
      if (!good || !bz_job_step (install->job, error))
        return FALSE;
      if (package->seed)
        g_string_append_printf (seed, "%s\n", name);
    }
  return write_seed (install, seed, error);
}

gboolean
bz_install_deb (BzInstall *install, GError **error)
{
  BzMedia media = bz_install_media (install);
  const BzInstallArgs *args = install->args;
  g_auto (GStrv) wanted = bz_packages_words (args->wanted, "deb");
  g_auto (GStrv) seed = bz_packages_words (args->seed, "deb");
  BzChoice choice = { wanted, seed, args->arch };
  g_autoptr (GPtrArray) packages = NULL;
  BzDebLayout layout;

  bz_packages_limit_memory ();
  if (!bz_deb_layout_find (&media, args->suite, &layout, error))
    return FALSE;
  packages = bz_deb_choose (&media, &layout, &choice, error);
  gboolean good = packages != NULL && bz_packages_begin (install, packages, error)
                  && (!is_merged (packages) || merge_usr (install->tree, error))
                  && take_packages (install, &media, packages, error);
  if (good)
    bz_packages_end (install, "deb", packages);
  bz_deb_layout_clear (&layout);
  return good;
}
