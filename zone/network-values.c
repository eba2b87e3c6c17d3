/* The values of [Network]: what each looks like. */
#include "config.h"

#include "loader/net/address.h"
#include "zone/zone-keys.h"

#include <string.h>
#include <sys/socket.h>

static void
set_text (char **where, const char *value)
{
  g_free (*where);
  *where = value[0] != '\0' ? g_strdup (value) : NULL;
}

static const char *
take_address (char **where, const char *value, int family, gboolean prefix, const char *why)
{
  BzAddress address;

  if (value[0] != '\0'
      && (!bz_address_parse (value, family, &address) || (!prefix && strchr (value, '/') != NULL)))
    return why;
  set_text (where, value);
  return NULL;
}

const char *
bz_take_address (gpointer field, const char *value)
{
  return take_address (field, value, AF_INET, TRUE, "an address looks like 10.1.2.3 or 10.1.2.3/24");
}

const char *
bz_take_address6 (gpointer field, const char *value)
{
  return take_address (field, value, AF_INET6, TRUE, "an address looks like fd12::5 or fd12::5/64");
}

const char *
bz_take_gateway (gpointer field, const char *value)
{
  return take_address (field, value, AF_INET, FALSE, "a gateway looks like 10.1.2.1");
}

const char *
bz_take_gateway6 (gpointer field, const char *value)
{
  return take_address (field, value, AF_INET6, FALSE, "a gateway looks like fd12::1");
}

static GPtrArray *
split (const char *value)
{
  g_auto (GStrv) all = g_strsplit (value, ";", -1);
  GPtrArray *kept = g_ptr_array_new_with_free_func (g_free);

  for (char **one = all; *one != NULL; one++)
    if (*g_strstrip (*one) != '\0')
      g_ptr_array_add (kept, g_strdup (*one));
  return kept;
}

const char *
bz_take_dns (gpointer field, const char *value)
{
  g_autoptr (GPtrArray) kept = split (value);
  BzAddress address;

  for (guint i = 0; i < kept->len; i++)
    if (strchr (g_ptr_array_index (kept, i), '/') != NULL
        || !bz_address_parse (g_ptr_array_index (kept, i), AF_UNSPEC, &address))
      return "name servers are addresses; ';' separates several";
  g_ptr_array_add (kept, NULL);
  g_strfreev (*(char ***) field);
  *(char ***) field = (char **) g_ptr_array_free (g_steal_pointer (&kept), FALSE);
  return NULL;
}

const char *
bz_take_publish (gpointer field, const char *value)
{
  g_autoptr (GPtrArray) texts = split (value);
  g_autoptr (GPtrArray) ports =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bz_publish_free);

  for (guint i = 0; i < texts->len; i++)
    {
      const char *why = bz_publish_parse (g_ptr_array_index (texts, i), ports);
      if (why != NULL)
        return why;
    }
  g_ptr_array_unref (*(GPtrArray **) field);
  *(GPtrArray **) field = g_steal_pointer (&ports);
  return NULL;
}

const char *
bz_take_configure (gpointer field, const char *value)
{
  return bz_configure_lookup (value, field) ? NULL : "it is start, dhcp or none";
}

const char *
bz_take_interface (gpointer field, const char *value)
{
  if (value[0] != '\0' && !bz_interface_valid (value))
    return "an interface's name has letters, digits, '-', '_' and '.', at most 15";
  set_text (field, value);
  return NULL;
}
