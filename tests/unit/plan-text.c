#include "config.h"

#include "tests/unit/plan-text.h"

#include <stdio.h>
#include <string.h>

static gboolean
set_quirk (BzPlan *plan, const char *name, const char *value)
{
  BzQuirk quirk;
  guint number;

  if (!bz_quirk_lookup (name, &quirk) || !bz_quirk_lookup_value (quirk, value, &number))
    return FALSE;
  plan->quirk[quirk] = (guint8) number;
  return TRUE;
}

static gboolean
set_names (char ***names, const char *value)
{
  g_strfreev (*names);
  *names = g_strsplit (value, ",", -1);
  return TRUE;
}

static gboolean
set_release (BzPlan *plan, const char *value)
{
  g_free (plan->release);
  plan->release = g_strdup (value);
  return bz_release_parse (value, &plan->release_number);
}

static gboolean
set_word (BzPlan *plan, const char *word)
{
  const char *equals = strchr (word, '=');
  g_autofree char *name = NULL;

  if (equals == NULL)
    return FALSE;
  name = g_strndup (word, (gsize) (equals - word));
  if (strcmp (name, "abi") == 0)
    return bz_abi_lookup (equals + 1, &plan->abi);
  if (strcmp (name, "release") == 0 && g_ascii_isdigit (equals[1]))
    return set_release (plan, equals + 1);
  if (strcmp (name, "present") == 0)
    return set_names (&plan->calls_present, equals + 1);
  if (strcmp (name, "absent") == 0)
    return set_names (&plan->calls_absent, equals + 1);
  return set_quirk (plan, name, equals + 1);
}

BzPlan *
plan_from_text (const char *text)
{
  g_autoptr (BzPlan) plan = g_new0 (BzPlan, 1);
  g_auto (GStrv) words = g_strsplit_set (text, " \t", -1);

  plan->brand = g_strdup ("test");
  plan->abi = BZ_ABI_X86_64;
  plan->host_release = BZ_RELEASE (6, 1, 0);
  plan->ids = BZ_PLAN_ALL_IDS;
  set_names (&plan->calls_present, "");
  set_names (&plan->calls_absent, "");
  set_release (plan, "6.1.0");
  for (char **word = words; *word != NULL; word++)
    if (**word != '\0' && !set_word (plan, *word))
      {
        fprintf (stderr, "not a setting of a plan: %s\n", *word);
        return NULL;
      }
  return g_steal_pointer (&plan);
}
