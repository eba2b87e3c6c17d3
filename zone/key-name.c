#include "config.h"

#include "zone/key-name.h"

#include "brand/base/error.h"
#include "zone/names.h"
#include "zone/zone-keys.h"

#include <string.h>

char *
bz_key_name (const char *group, const char *key)
{
  return g_strdelimit (g_strconcat (group, ".", key, NULL), " ", '.');
}

char **
bz_key_name_list (void)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (const BzZoneKey *row = bz_zone_keys; row->group != NULL; row++)
    {
      if (row->key != NULL && bz_zone_named_group (row->group) == NULL)
        g_ptr_array_add (names, bz_key_name (row->group, row->key));
    }
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

static gboolean
fail_key (const char *text, const char *why, const char *nearest, GError **error)
{
  g_autofree char *safe = bz_text_safe (text);
  g_autofree char *hint = nearest != NULL
                              ? g_strdup_printf ("did you mean %s?", nearest)
                              : g_strdup ("brandzone-zone(5) lists them, as in Zone.Hostname");

  return bz_fail (error, BZ_ERROR_USAGE, why, hint, "the key %s", safe);
}

static gboolean
no_such_key (const char *text, GError **error)
{
  g_auto (GStrv) names = bz_key_name_list ();

  return fail_key (text, "there is no such key",
                   bz_name_nearest (text, (const char *const *) names), error);
}

static const BzZoneKey *
find (const char *group, const char *key)
{
  for (const BzZoneKey *row = bz_zone_keys; row->group != NULL; row++)
    {
      if ((group == NULL ? bz_zone_named_group (row->group) == NULL
                         : g_ascii_strcasecmp (row->group, group) == 0)
          && row->key != NULL && g_ascii_strcasecmp (row->key, key) == 0)
        return row;
    }
  return NULL;
}

/* Mount.NAME.KEY: the name may have dots itself, the key has none. */
static gboolean
parse_named (const char *text, const char *rest, const BzZoneNamedGroup *named, char **group,
             char **key, GError **error)
{
  const char *last = strrchr (rest, '.');
  g_autofree char *name = last != NULL ? g_strndup (rest, last - rest) : NULL;
  const BzZoneKey *row = last != NULL ? find (named->group, last + 1) : NULL;

  if (last != NULL && row == NULL)
    return fail_key (text, "there is no such key", bz_zone_key_nearest (named->group, last + 1),
                     error);
  if (name == NULL || name[0] == '\0'
      || strspn (name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "._-") != strlen (name))
    return fail_key (text, "it needs a name of letters, digits, '.', '_' and '-' in the middle",
                     NULL, error);
  *group = g_strconcat (named->group, " ", name, NULL);
  *key = g_strdup (row->key);
  return TRUE;
}

static gboolean
parse_sysctl (const char *name, char **group, char **key, GError **error)
{
  const char *why = bz_sysctl_check (name, TRUE);

  if (why != NULL)
    return fail_key (name, why, NULL, error);
  *group = g_strdup ("Sysctl");
  *key = g_strdup (name);
  return TRUE;
}

gboolean
bz_key_name_parse (const char *text, char **group, char **key, GError **error)
{
  const char *dot = strchr (text, '.');
  g_autofree char *first = dot != NULL ? g_strndup (text, dot - text) : NULL;

  if (dot != NULL && g_ascii_strcasecmp (first, "Sysctl") == 0)
    return parse_sysctl (dot + 1, group, key, error);
  for (const BzZoneKey *row = bz_zone_keys; dot != NULL && row->group != NULL; row++)
    {
      const BzZoneNamedGroup *named = bz_zone_named_group (row->group);
      if (named != NULL && g_ascii_strcasecmp (first, row->group) == 0)
        return parse_named (text, dot + 1, named, group, key, error);
    }
  if (dot != NULL && bz_sysctl_check (text, TRUE) == NULL)
    return parse_sysctl (text, group, key, error);
  const BzZoneKey *row = dot != NULL ? find (first, dot + 1) : find (NULL, text);
  if (row == NULL)
    return no_such_key (text, error);
  *group = g_strdup (row->group);
  *key = g_strdup (row->key);
  return TRUE;
}
