/* refresh: zones that run go on with the brandzone that is installed now. */
#include "config.h"

#include "brand/base/error.h"
#include "loader/loader.h"
#include "zone/state.h"
#include "zone/verbs.h"

static gboolean
refresh_one (const BzContext *context, const char *name, GError **error)
{
  g_autofree char *run_dir = bz_dirs_run (context->dirs, name);
  g_autofree char *version = NULL;

  if (!bz_loader_refresh (run_dir, &version, error))
    return FALSE;
  bz_context_note (context, "zone %s is kept by brandzone %s", name,
                   version != NULL ? version : "now");
  return TRUE;
}

/* One that cannot be refreshed runs on, and does not keep the others from it. */
static gboolean
refresh_all (const BzContext *context, GError **error)
{
  g_auto (GStrv) names = bz_state_list (context->dirs, error);
  guint failed = 0;

  for (char **name = names; names != NULL && *name != NULL; name++)
    {
      g_autoptr (GError) problem = NULL;

      if (bz_state_condition (context->dirs, *name, NULL) != BZ_ZONE_RUNNING
          || refresh_one (context, *name, &problem))
        continue;
      bz_context_note (context, "zone %s: %s", *name, problem->message);
      failed++;
    }
  return names != NULL
         && (failed == 0
             || bz_fail (error, BZ_ERROR_FAILED, "see above",
                         "they run on with the old program until they are restarted",
                         "%u zones were not refreshed", failed));
}

int
bz_verb_refresh (BzContext *context, const BzArguments *arguments, GError **error)
{
  gboolean all = bz_arguments_flag (arguments, "all");

  if (all == (bz_arguments_n_words (arguments) > 0))
    {
      bz_fail (error, BZ_ERROR_USAGE, "it takes zones, or --all alone",
               "write: brandzone refresh NAME", "brandzone refresh");
      return -1;
    }
  if (all)
    return refresh_all (context, error) ? 0 : -1;
  for (guint i = 0; i < bz_arguments_n_words (arguments); i++)
    {
      const char *name = bz_arguments_word (arguments, i);
      g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, error);

      if (state == NULL)
        return -1;
      if (bz_state_condition (context->dirs, name, NULL) != BZ_ZONE_RUNNING)
        {
          bz_fail (error, BZ_ERROR_STATE, "it is not running", "nothing of it is to be refreshed",
                   "zone %s", name);
          return -1;
        }
      if (!refresh_one (context, name, error))
        return -1;
    }
  return 0;
}
