#include "config.h"

#include "loader/net/settings.h"

#include "brand/base/error.h"

#include <net/if.h>
#include <stddef.h>
#include <string.h>

static const char *const configure_names[] = { "start", "dhcp", "none" };

static const struct {
  const char *name;
  gsize offset;
} texts[] = {
  { "interface", offsetof (BzNetSettings, interface) },
  { "address", offsetof (BzNetSettings, address) },
  { "address6", offsetof (BzNetSettings, address6) },
  { "gateway", offsetof (BzNetSettings, gateway) },
  { "gateway6", offsetof (BzNetSettings, gateway6) },
  { "bridge", offsetof (BzNetSettings, bridge) },
  { "parent", offsetof (BzNetSettings, parent) },
  { "subnet", offsetof (BzNetSettings, subnet) },
  { "subnet6", offsetof (BzNetSettings, subnet6) },
};

void
bz_net_settings_init (BzNetSettings *settings)
{
  settings->dns = g_new0 (char *, 1);
  settings->publish = g_ptr_array_new_with_free_func ((GDestroyNotify) bz_publish_free);
}

BzNetSettings *
bz_net_settings_new (void)
{
  BzNetSettings *settings = g_new0 (BzNetSettings, 1);

  bz_net_settings_init (settings);
  return settings;
}

void
bz_net_settings_clear (BzNetSettings *settings)
{
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (G_STRUCT_MEMBER (char *, settings, texts[i].offset));
  g_strfreev (settings->dns);
  g_ptr_array_unref (settings->publish);
}

void
bz_net_settings_free (BzNetSettings *settings)
{
  if (settings == NULL)
    return;
  bz_net_settings_clear (settings);
  g_free (settings);
}

gboolean
bz_configure_lookup (const char *name, BzConfigure *configure)
{
  for (gsize i = 0; i < G_N_ELEMENTS (configure_names); i++)
    if (g_str_equal (name, configure_names[i]))
      {
        *configure = (BzConfigure) i;
        return TRUE;
      }
  return FALSE;
}

gboolean
bz_interface_valid (const char *name)
{
  gsize length = strlen (name);

  return length > 0 && length < IFNAMSIZ
         && strspn (name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-._@") == length
         && name[0] != '.' && name[0] != '-';
}

GVariant *
bz_net_settings_to_variant (const BzNetSettings *settings)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GStrvBuilder) publish = g_strv_builder_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      const char *text = G_STRUCT_MEMBER (char *, settings, texts[i].offset);
      if (text != NULL)
        g_variant_dict_insert (&dict, texts[i].name, "s", text);
    }
  for (guint i = 0; i < settings->publish->len; i++)
    {
      g_autofree char *text = bz_publish_text (g_ptr_array_index (settings->publish, i));
      g_strv_builder_add (publish, text);
    }
  g_auto (GStrv) ports = g_strv_builder_end (publish);
  g_variant_dict_insert (&dict, "dns", "^as", settings->dns);
  g_variant_dict_insert (&dict, "publish", "^as", ports);
  g_variant_dict_insert (&dict, "configure", "u", (guint32) settings->configure);
  g_variant_dict_insert (&dict, "nameless", "b", settings->nameless);
  return g_variant_dict_end (&dict);
}

BzNetSettings *
bz_net_settings_from_variant (GVariant *variant, GError **error)
{
  g_autoptr (GVariantDict) dict = g_variant_dict_new (variant);
  g_autoptr (BzNetSettings) settings = bz_net_settings_new ();
  g_auto (GStrv) publish = NULL, dns = NULL;
  guint32 configure = 0;
  gboolean good;

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    g_variant_dict_lookup (dict, texts[i].name, "s",
                           G_STRUCT_MEMBER_P (settings, texts[i].offset));
  g_variant_dict_lookup (dict, "configure", "u", &configure);
  g_variant_dict_lookup (dict, "nameless", "b", &settings->nameless);
  good = g_variant_dict_lookup (dict, "dns", "^as", &dns)
         && g_variant_dict_lookup (dict, "publish", "^as", &publish)
         && configure <= BZ_CONFIGURE_NONE;
  for (char **one = publish; good && *one != NULL; one++)
    good = bz_publish_parse (*one, settings->publish) == NULL;
  if (!good)
    {
      bz_fail (error, BZ_ERROR_INPUT, "a field is missing or out of range", NULL,
               "cannot read the zone's network");
      return NULL;
    }
  g_strfreev (settings->dns);
  settings->dns = g_steal_pointer (&dns);
  settings->configure = configure;
  return g_steal_pointer (&settings);
}
