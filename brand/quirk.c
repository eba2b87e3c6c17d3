#include "config.h"

#include "brand/quirk.h"

#include <string.h>

static const struct {
  const char *name, *values, *rows, *meaning;
} quirks[BZ_QUIRK_COUNT] = {
#define BZ_QUIRK(id, name, values, rows, meaning) [BZ_QUIRK_##id] = { name, values, rows, meaning },
#include "brand/quirks.def"
#undef BZ_QUIRK
};

static gboolean
valid (BzQuirk quirk)
{
  return (guint) quirk < BZ_QUIRK_COUNT;
}

const char *
bz_quirk_name (BzQuirk quirk)
{
  return valid (quirk) ? quirks[quirk].name : NULL;
}

const char *
bz_quirk_rows (BzQuirk quirk)
{
  return valid (quirk) ? quirks[quirk].rows : NULL;
}

const char *
bz_quirk_meaning (BzQuirk quirk)
{
  return valid (quirk) ? quirks[quirk].meaning : NULL;
}

/* The values of all quirks, split once. */
static char **
values_of (BzQuirk quirk)
{
  static char **split[BZ_QUIRK_COUNT];
  static gsize done;

  if (g_once_init_enter (&done))
    {
      for (guint i = 0; i < BZ_QUIRK_COUNT; i++)
        split[i] = g_strsplit (quirks[i].values, ",", -1);
      g_once_init_leave (&done, 1);
    }
  return split[quirk];
}

const char *
bz_quirk_value_name (BzQuirk quirk, guint value)
{
  if (!valid (quirk) || value >= g_strv_length (values_of (quirk)))
    return NULL;
  return values_of (quirk)[value];
}

gboolean
bz_quirk_lookup (const char *name, BzQuirk *quirk)
{
  for (guint i = 0; i < BZ_QUIRK_COUNT; i++)
    if (g_strcmp0 (name, quirks[i].name) == 0)
      {
        *quirk = (BzQuirk) i;
        return TRUE;
      }
  return FALSE;
}

gboolean
bz_quirk_lookup_value (BzQuirk quirk, const char *name, guint *value)
{
  if (!valid (quirk))
    return FALSE;

  char **values = values_of (quirk);
  for (guint i = 0; values[i] != NULL; i++)
    if (g_strcmp0 (name, values[i]) == 0)
      {
        *value = i;
        return TRUE;
      }
  return FALSE;
}

gboolean
bz_quirk_has_row (BzQuirk quirk, const char *row)
{
  if (!valid (quirk) || row == NULL || *row == '\0')
    return FALSE;

  gsize length = strlen (row);
  for (const char *at = quirks[quirk].rows; (at = strstr (at, row)) != NULL; at += length)
    if ((at == quirks[quirk].rows || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
      return TRUE;
  return FALSE;
}
