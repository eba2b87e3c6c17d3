#include "config.h"

#include "loader/settings.h"

#include "brand/base/error.h"

#include <string.h>

BzSettings *
bz_settings_new (void)
{
  BzSettings *settings = g_new0 (BzSettings, 1);

  settings->devices = g_ptr_array_new_with_free_func ((GDestroyNotify) bz_device_free);
  settings->sysctls = g_new0 (char *, 1);
  settings->mounts = g_new0 (char *, 1);
  settings->net = bz_net_settings_new ();
  return settings;
}

void
bz_settings_free (BzSettings *settings)
{
  if (settings == NULL)
    return;
  g_ptr_array_unref (settings->devices);
  g_strfreev (settings->sysctls);
  g_strfreev (settings->mounts);
  g_free (settings->mac_address);
  g_free (settings->processors);
  bz_net_settings_free (settings->net);
  g_free (settings->machine_id);
  g_free (settings);
}

BzDevice *
bz_device_new (const char *source, const char *target)
{
  BzDevice *device = g_new0 (BzDevice, 1);

  device->source = g_strdup (source);
  device->target = g_strdup (target);
  return device;
}

void
bz_device_free (BzDevice *device)
{
  if (device == NULL)
    return;
  g_free (device->source);
  g_free (device->target);
  g_free (device);
}

gboolean
bz_device_target_valid (const char *path)
{
  if (path == NULL || !g_str_has_prefix (path, "/dev/"))
    return FALSE;
  g_auto (GStrv) parts = g_strsplit (path + strlen ("/dev/"), "/", -1);
  for (char **part = parts; *part != NULL; part++)
    {
      if (**part == '\0' || g_str_equal (*part, ".") || g_str_equal (*part, ".."))
        return FALSE;
    }
  return TRUE;
}

/* Names that end in '.' or '_' are beginnings. kernel.hostname is Hostname=. The others of
 * kernel.* and all of vm.* are the whole machine's. */
static const struct {
  const char *name;
  gboolean network;
} own_sysctls[] = {
  { "kernel.shmmax", FALSE },
  { "kernel.shmall", FALSE },
  { "kernel.shmmni", FALSE },
  { "kernel.shm_rmid_forced", FALSE },
  { "kernel.msgmax", FALSE },
  { "kernel.msgmnb", FALSE },
  { "kernel.msgmni", FALSE },
  { "kernel.sem", FALSE },
  { "kernel.domainname", FALSE },
  { "fs.mqueue.", FALSE },
  { "net.", TRUE },
};

/* A dot for each slash of the path below /proc/sys: nothing in it leads elsewhere. */
static gboolean
is_sysctl_name (const char *name)
{
  gsize length = strlen (name);

  return length > 0 && length < 256
         && strspn (name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "._-") == length && name[0] != '.'
         && name[length - 1] != '.' && strstr (name, "..") == NULL;
}

const char *
bz_sysctl_check (const char *name, gboolean network)
{
  if (!is_sysctl_name (name))
    return "a sysctl name looks like kernel.shmmax";
  for (gsize i = 0; i < G_N_ELEMENTS (own_sysctls); i++)
    {
      const char *own = own_sysctls[i].name;
      gboolean same =
          g_str_has_suffix (own, ".") ? g_str_has_prefix (name, own) : g_str_equal (name, own);
      if (same && own_sysctls[i].network && !network)
        return "the zone uses the host's network, whose values are the host's";
      if (same)
        return NULL;
    }
  return "it belongs to the whole machine; a zone's own are kernel.shm*, kernel.msg*, kernel.sem, "
         "kernel.domainname, fs.mqueue.* and net.*";
}

static GVariant *
devices_to_variant (const GPtrArray *devices)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ayayuuu)"));
  for (guint i = 0; i < devices->len; i++)
    {
      const BzDevice *device = g_ptr_array_index (devices, i);
      g_variant_builder_add (&builder, "(@ay@ayuuu)", g_variant_new_bytestring (device->source),
                             g_variant_new_bytestring (device->target), device->mode, device->uid,
                             device->gid);
    }
  return g_variant_builder_end (&builder);
}

GVariant *
bz_settings_to_variant (const BzSettings *settings)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert_value (&dict, "devices", devices_to_variant (settings->devices));
  g_variant_dict_insert_value (
      &dict, "sysctls",
      g_variant_new_bytestring_array ((const char *const *) settings->sysctls, -1));
  g_variant_dict_insert_value (
      &dict, "mounts",
      g_variant_new_bytestring_array ((const char *const *) settings->mounts, -1));
  if (settings->mac_address != NULL)
    g_variant_dict_insert_value (&dict, "mac-address",
                                 g_variant_new_bytestring (settings->mac_address));
  g_variant_dict_insert_value (&dict, "net", bz_net_settings_to_variant (settings->net));
  if (settings->machine_id != NULL)
    g_variant_dict_insert_value (&dict, "machine-id",
                                 g_variant_new_bytestring (settings->machine_id));
  if (settings->has_host_id)
    g_variant_dict_insert (&dict, "host-id", "u", settings->host_id);
  g_variant_dict_insert (&dict, "dropped", "t", settings->capabilities_dropped);
  g_variant_dict_insert (&dict, "kept", "t", settings->capabilities_kept);
  g_variant_dict_insert (&dict, "memory", "t", settings->memory);
  g_variant_dict_insert (&dict, "processes", "t", settings->processes);
  g_variant_dict_insert (&dict, "cpu-percent", "u", settings->cpu_percent);
  if (settings->processors != NULL)
    g_variant_dict_insert_value (&dict, "processors", g_variant_new_bytestring (settings->processors));
  return g_variant_dict_end (&dict);
}

static gboolean
devices_from_variant (GVariant *variant, GPtrArray *devices)
{
  GVariantIter iter;
  const char *source, *target;
  guint32 mode, uid, gid;

  g_variant_iter_init (&iter, variant);
  while (g_variant_iter_next (&iter, "(^&ay^&ayuuu)", &source, &target, &mode, &uid, &gid))
    {
      if (source[0] != '/' || !bz_device_target_valid (target) || devices->len == BZ_DEVICES_MAX)
        return FALSE;
      BzDevice *device = bz_device_new (source, target);
      device->mode = mode & 0777;
      device->uid = uid;
      device->gid = gid;
      g_ptr_array_add (devices, device);
    }
  return TRUE;
}

BzSettings *
bz_settings_from_variant (GVariant *variant, GError **error)
{
  g_autoptr (GVariantDict) dict = g_variant_dict_new (variant);
  g_autoptr (BzSettings) settings = bz_settings_new ();
  g_autoptr (GVariant) devices =
      g_variant_dict_lookup_value (dict, "devices", G_VARIANT_TYPE ("a(ayayuuu)"));
  g_autoptr (GVariant) net = g_variant_dict_lookup_value (dict, "net", G_VARIANT_TYPE_VARDICT);
  char **sysctls = NULL, **mounts = NULL;

  if (g_variant_dict_lookup (dict, "sysctls", "^aay", &sysctls))
    {
      g_strfreev (settings->sysctls);
      settings->sysctls = sysctls;
    }
  if (g_variant_dict_lookup (dict, "mounts", "^aay", &mounts))
    {
      g_strfreev (settings->mounts);
      settings->mounts = mounts;
    }
  g_variant_dict_lookup (dict, "mac-address", "^ay", &settings->mac_address);
  g_variant_dict_lookup (dict, "machine-id", "^ay", &settings->machine_id);
  settings->has_host_id = g_variant_dict_lookup (dict, "host-id", "u", &settings->host_id);
  g_variant_dict_lookup (dict, "dropped", "t", &settings->capabilities_dropped);
  g_variant_dict_lookup (dict, "kept", "t", &settings->capabilities_kept);
  g_variant_dict_lookup (dict, "memory", "t", &settings->memory);
  g_variant_dict_lookup (dict, "processes", "t", &settings->processes);
  g_variant_dict_lookup (dict, "cpu-percent", "u", &settings->cpu_percent);
  g_variant_dict_lookup (dict, "processors", "^ay", &settings->processors);
  if (devices == NULL || sysctls == NULL || net == NULL || !devices_from_variant (devices, settings->devices))
    {
      bz_fail (error, BZ_ERROR_INPUT, "a field is missing or out of range", NULL,
               "cannot read the zone's settings");
      return NULL;
    }
  bz_net_settings_free (settings->net);
  settings->net = bz_net_settings_from_variant (net, error);
  return settings->net != NULL ? g_steal_pointer (&settings) : NULL;
}
