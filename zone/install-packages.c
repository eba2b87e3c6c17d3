/* install: which packages of a repository, and what their own manager does in the zone. */
#include "config.h"

#include "zone/install-work.h"

#include "brand/base/error.h"
#include "zone/second-stage.h"

#include <string.h>

static const char *const managers[BZ_INSTALL_MANAGERS] = { "rpm", "deb" };

/* What a repository will turn out to be is found by the installer: "rpm:bash" is a name for one
 * kind. */
static void
add_names (GPtrArray *names, const char *manager, char **more)
{
  for (; more != NULL && *more != NULL; more++)
    g_ptr_array_add (names, g_strdup_printf ("%s:%s", manager, *more));
}

void
bz_install_packages_clear (BzInstallPackages *packages)
{
  for (gsize i = 0; i < G_N_ELEMENTS (managers); i++)
    bz_package_data_free (packages->data[i]);
  g_clear_pointer (&packages->wanted, g_ptr_array_unref);
  g_clear_pointer (&packages->seed, g_ptr_array_unref);
  g_clear_pointer (&packages->keys, g_ptr_array_unref);
}

/* The profile is minimal unless packages are named. */
gboolean
bz_install_packages_read (const BzArguments *arguments, BzInstallPackages *packages, GError **error)
{
  const char *profile = bz_arguments_string (arguments, "profile");
  g_autofree const char **given = bz_arguments_list (arguments, "packages");

  packages->wanted = g_ptr_array_new_with_free_func (g_free);
  packages->seed = g_ptr_array_new_with_free_func (g_free);
  if (profile == NULL && given[0] == NULL)
    profile = "minimal";
  for (gsize i = 0; i < G_N_ELEMENTS (managers); i++)
    {
      packages->data[i] = bz_package_data_read (managers[i], profile, error);
      if (packages->data[i] == NULL)
        return FALSE;
      add_names (packages->wanted, managers[i], packages->data[i]->profile);
      add_names (packages->seed, managers[i], packages->data[i]->seed);
      for (const char **list = given; *list != NULL; list++)
        {
          g_auto (GStrv) names = g_strsplit (*list, ",", -1);
          add_names (packages->wanted, managers[i], names);
        }
    }
  g_autofree const char **keys = bz_arguments_list (arguments, "key");
  packages->keys = g_ptr_array_new_with_free_func (g_free);
  for (const char **key = keys; *key != NULL; key++)
    g_ptr_array_add (packages->keys, bz_package_key_find (*key));
  g_ptr_array_add (packages->keys, NULL);
  g_ptr_array_add (packages->wanted, NULL);
  g_ptr_array_add (packages->seed, NULL);
  return TRUE;
}

const char *
bz_install_packages_arch (const BzArguments *arguments)
{
  const char *abi = bz_arguments_string (arguments, "abi");

  return abi == NULL ? NULL : strcmp (abi, "i386") == 0 ? "i686" : abi;
}

/* What was unpacked of a repository is a seed: its package manager does the rest in the zone. */
gboolean
bz_install_packages_finish (BzInstallWork *install, const char *place,
                            const BzInstallPackages *packages, GError **error)
{
  const BzPackageData *data = NULL;
  g_autoptr (BzMeter) meter = NULL;

  if (install->result->stage == NULL)
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (managers); i++)
    if (strcmp (managers[i], install->result->stage) == 0)
      data = packages->data[i];
  if (data == NULL)
    return bz_fail (error, BZ_ERROR_FAILED, "it is not known", NULL, "package manager %s",
                    install->result->stage);
  meter = bz_meter_new (bz_install_meter_kind (install->context, install->arguments), install->state->name);
  install->notices = g_ptr_array_new_with_free_func (g_free);
  return bz_second_stage (install->context, install->arguments, install->state, place, data,
                          install->result->packages, meter, install->notices, error);
}
