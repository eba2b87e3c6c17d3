#include "config.h"

#include "zone/apply.h"

#include "brand/base/error.h"
#include "zone/names.h"
#include "zone/zone-keys.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static gboolean
add_mount (BzPartition *partition, const char *source, const char *target, gboolean read_only,
           GError **error)
{
  if (access (source, F_OK) != 0)
    {
      g_autofree char *safe = bz_text_safe (source);
      return bz_fail_errno (error, errno, "a volume's source must be there before the zone starts",
                            "volume %s", safe);
    }
  g_ptr_array_add (partition->volumes, bz_volume_new (source, target, read_only));
  return TRUE;
}

static gboolean
add_volumes (BzPartition *partition, const char *const *texts, GError **error)
{
  for (; *texts != NULL; texts++)
    {
      g_autofree char *source = NULL;
      g_autofree char *target = NULL;
      gboolean read_only;

      if (!bz_volume_parse (*texts, &source, &target, &read_only, error)
          || !add_mount (partition, source, target, read_only, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
apply_volumes (BzPartition *partition, const BzZoneFile *file, const BzArguments *arguments,
               GError **error)
{
  g_autofree const char **given = bz_arguments_list (arguments, "volume");

  if (!add_volumes (partition, (const char *const *) file->volumes, error))
    return FALSE;
  for (guint i = 0; i < file->mounts->len; i++)
    {
      const BzZoneMount *mount = g_ptr_array_index (file->mounts, i);
      if (!add_mount (partition, mount->source, mount->target, mount->read_only, error))
        return FALSE;
    }
  return add_volumes (partition, given, error);
}

static gboolean
bad_option (const char *option, const char *value, const char *why, GError **error)
{
  g_autofree char *safe = bz_text_safe (value);
  g_autofree char *hint = g_strdup_printf ("brandzone help run tells of --%s", option);

  return bz_fail (error, BZ_ERROR_USAGE, why, hint, "--%s %s", option, safe);
}

/* --device SRC[:DST[:MODE]], the letters of podman's rwm included. */
static gboolean
add_device_option (BzSettings *settings, const char *text, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ":", 3);
  guint count = g_strv_length (parts);
  const char *target = count > 1 ? parts[1] : count > 0 ? parts[0] : "";
  guint32 mode = 0;

  if (count == 0 || parts[0][0] != '/')
    return bad_option ("device", text, "a device's path is absolute", error);
  if (!bz_device_target_valid (target))
    return bad_option ("device", text, "a device's path in the zone is below /dev", error);
  if (count > 2 && strspn (parts[2], "rwm") != strlen (parts[2])
      && bz_take_mode (&mode, parts[2]) != NULL)
    return bad_option ("device", text, "permissions are octal, such as 0660", error);
  if (settings->devices->len == BZ_DEVICES_MAX)
    return bad_option ("device", text, "a zone has at most 64 devices", error);
  BzDevice *device = bz_device_new (parts[0], target);
  device->mode = mode;
  g_ptr_array_add (settings->devices, device);
  return TRUE;
}

/* --mounts TYPE,... goes over what the file says. */
static gboolean
apply_mounts (BzSettings *settings, const BzZoneFile *file, const BzArguments *arguments,
              GError **error)
{
  const char *given = bz_arguments_string (arguments, "mounts");

  g_strfreev (settings->mounts);
  settings->mounts = g_strdupv (file->own_mounts);
  if (given == NULL)
    return TRUE;
  g_autofree char *list = g_strdelimit (g_strdup (given), ",", ';');
  const char *why = bz_take_mounts (&settings->mounts, list);
  return why == NULL || bad_option ("mounts", given, why, error);
}

static gboolean
apply_devices (BzSettings *settings, const BzZoneFile *file, const BzArguments *arguments,
               GError **error)
{
  g_autofree const char **given = bz_arguments_list (arguments, "device");

  if (file->devices->len > BZ_DEVICES_MAX)
    return bz_fail (error, BZ_ERROR_INPUT, "a zone has at most 64 devices",
                    "a directory of nodes counts as one", "the zone file's devices");
  for (guint i = 0; i < file->devices->len; i++)
    {
      const BzZoneDevice *from = g_ptr_array_index (file->devices, i);
      BzDevice *device =
          bz_device_new (from->source, from->target != NULL ? from->target : from->source);
      device->mode = from->mode;
      device->uid = from->uid;
      device->gid = from->gid;
      g_ptr_array_add (settings->devices, device);
    }
  for (const char **one = given; *one != NULL; one++)
    {
      if (!add_device_option (settings, *one, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
apply_sysctls (BzPartition *partition, const BzZoneFile *file, const BzArguments *arguments,
               GError **error)
{
  g_autofree const char **given = bz_arguments_list (arguments, "sysctl");
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < file->sysctls->len; i++)
    g_ptr_array_add (all, g_strdup (g_ptr_array_index (file->sysctls, i)));
  for (const char **one = given; *one != NULL; one++)
    {
      g_auto (GStrv) parts = g_strsplit (*one, "=", 2);
      const char *why = parts[0] == NULL || parts[1] == NULL
                            ? "write it as NAME=VALUE"
                            : bz_sysctl_check (parts[0], partition->network != BZ_NETWORK_HOST);
      if (why != NULL)
        return bad_option ("sysctl", *one, why, error);
      g_ptr_array_add (all, g_strdup (*one));
    }
  for (guint i = 0; i < file->sysctls->len; i++)
    {
      g_auto (GStrv) parts = g_strsplit (g_ptr_array_index (all, i), "=", 2);
      const char *why = bz_sysctl_check (parts[0], partition->network != BZ_NETWORK_HOST);
      if (why != NULL)
        return bz_fail (error, BZ_ERROR_INPUT, why, "take it out of [Sysctl]", "the sysctl %s",
                        parts[0]);
    }
  g_ptr_array_add (all, NULL);
  g_strfreev (partition->settings->sysctls);
  partition->settings->sysctls = (char **) g_ptr_array_free (g_steal_pointer (&all), FALSE);
  return TRUE;
}

/* An option whose value is taken as that of a key is. */
static gboolean
take_option (const BzArguments *arguments, const char *option, BzZoneKeyTake take, gpointer field,
             GError **error)
{
  const char *value = bz_arguments_string (arguments, option);
  const char *why = value != NULL ? take (field, value) : NULL;

  return why == NULL || bad_option (option, value, why, error);
}

/* --cap-add and --cap-drop, over what the file says. */
static gboolean
take_capabilities (const BzArguments *arguments, const char *option, guint64 *set, guint64 *other,
                   GError **error)
{
  g_autofree const char **given = bz_arguments_list (arguments, option);

  for (const char **one = given; *one != NULL; one++)
    {
      guint64 some = 0;
      const char *why = bz_take_capabilities (&some, *one);
      if (why != NULL)
        return bad_option (option, *one, why, error);
      *set |= some;
      *other &= ~some;
    }
  return TRUE;
}

static gboolean
apply_limits (BzPartition *partition, const BzZoneFile *file, const BzArguments *arguments,
              GError **error)
{
  BzSettings *settings = partition->settings;

  settings->memory = file->memory;
  settings->processes = file->processes;
  settings->cpu_percent = file->cpu_percent;
  settings->processors = g_strdup (file->processors);
  settings->capabilities_dropped = file->capabilities_dropped;
  settings->capabilities_kept = file->capabilities_kept;
  if (file->descriptors.set)
    partition->plan->limits[BZ_LIMIT_NOFILE] = file->descriptors;
  return take_capabilities (arguments, "cap-drop", &settings->capabilities_dropped,
                            &settings->capabilities_kept, error)
         && take_capabilities (arguments, "cap-add", &settings->capabilities_kept,
                               &settings->capabilities_dropped, error)
         && take_option (arguments, "pids-limit", bz_take_count, &settings->processes, error)
         && take_option (arguments, "nofile", bz_take_descriptors,
                         &partition->plan->limits[BZ_LIMIT_NOFILE], error)
         && take_option (arguments, "memory", bz_take_bytes, &settings->memory, error)
         && take_option (arguments, "cpus", bz_take_cpus, &settings->cpu_percent, error)
         && take_option (arguments, "cpuset-cpus", bz_take_processors, &settings->processors, error);
}

static gboolean
apply_identity (BzPartition *partition, const BzZoneFile *file, const BzArguments *arguments,
                GError **error)
{
  BzSettings *settings = partition->settings;

  settings->has_host_id = file->host_id.set;
  settings->host_id = file->host_id.value;
  settings->machine_id = g_strdup (file->machine_id);
  settings->mac_address = g_strdup (file->mac_address);
  if (!take_option (arguments, "mac-address", bz_take_mac, &settings->mac_address, error))
    return FALSE;
  return settings->mac_address == NULL || partition->network != BZ_NETWORK_HOST
         || bz_fail (error, BZ_ERROR_USAGE, "the host's interfaces keep their addresses",
                     "choose another --network", "the address %s", settings->mac_address);
}

gboolean
bz_apply_settings (BzPartition *partition, const BzZoneFile *file, const BzArguments *arguments,
                   GError **error)
{
  return apply_volumes (partition, file, arguments, error)
         && apply_devices (partition->settings, file, arguments, error)
         && apply_mounts (partition->settings, file, arguments, error)
         && apply_sysctls (partition, file, arguments, error)
         && apply_limits (partition, file, arguments, error)
         && apply_identity (partition, file, arguments, error);
}

static gboolean
is_named (const char *const *given, const char *key)
{
  gsize length = strlen (key);

  for (; *given != NULL; given++)
    {
      if (strncmp (*given, key, length) == 0
          && ((*given)[length] == '=' || (*given)[length] == '\0'))
        return TRUE;
    }
  return FALSE;
}

void
bz_apply_environment (BzCommand *command, const BzZoneFile *file, const BzArguments *arguments)
{
  g_autofree const char **given = bz_arguments_list (arguments, "env");

  for (char **one = file->environment; *one != NULL; one++)
    {
      g_auto (GStrv) parts = g_strsplit (*one, "=", 2);
      if (!is_named (given, parts[0]))
        command->environment = g_environ_setenv (command->environment, parts[0], parts[1], TRUE);
    }
}
