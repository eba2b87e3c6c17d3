/* A row is covered when a quirk that names it is active in the plan: a brand that learns
 * something new is believed without a change here. */
#include "config.h"

#include "zone/finding.h"

#include "zone/names.h"

#include <string.h>

static const struct {
  const char *name, *row, *why, *hint;
} texts[BZ_FINDING_COUNT] = {
#define BZ_FINDING(id, name, row, why, hint) [BZ_FINDING_##id] = { name, row, why, hint },
#include "zone/findings.def"
#undef BZ_FINDING
};

const char *
bz_finding_name (BzFinding finding)
{
  return (guint) finding < BZ_FINDING_COUNT ? texts[finding].name : NULL;
}

const char *
bz_finding_row (BzFinding finding)
{
  return (guint) finding < BZ_FINDING_COUNT ? texts[finding].row : NULL;
}

const char *
bz_finding_hint (BzFinding finding)
{
  return (guint) finding < BZ_FINDING_COUNT ? texts[finding].hint : NULL;
}

char *
bz_finding_why (BzFinding finding, const char *detail)
{
  g_autofree char *safe = bz_text_safe (detail != NULL ? detail : "unknown");
  g_auto (GStrv) parts = g_strsplit (texts[finding].why, "%s", -1);

  return g_strjoinv (safe, parts);
}

const char *
bz_cover_name (BzCover cover)
{
  static const char *const names[] = { "covered", "perhaps", "not covered" };

  return names[cover];
}

static gboolean
host_covers (BzFinding finding, const BzHost *host, char **how)
{
  const char *mode = host != NULL ? host->detail[BZ_FEATURE_VSYSCALL] : NULL;

  if (finding != BZ_FINDING_VSYSCALL || host == NULL || !host->has[BZ_FEATURE_VSYSCALL])
    return FALSE;
  *how = g_strdup_printf ("the host's kernel answers there (vsyscall=%s)",
                          mode != NULL ? mode : "xonly");
  return TRUE;
}

BzCover
bz_finding_cover (BzFinding finding, const char *row, const BzHost *host, const BzPlan *plan,
                  char **how)
{
  if (row == NULL)
    row = bz_finding_row (finding);
  *how = NULL;
  /* Its quirk serves static programs, of which check says nothing then. */
  if (finding == BZ_FINDING_KERNEL)
    return BZ_NOT_COVERED;
  /* gone=count tells that a call failed; it does not help. */
  for (guint quirk = 0; plan != NULL && row != NULL && quirk < BZ_QUIRK_COUNT; quirk++)
    if (quirk != BZ_QUIRK_GONE && plan->quirk[quirk] != 0
        && bz_quirk_has_row ((BzQuirk) quirk, row))
      {
        *how = g_strdup_printf ("quirk %s=%s: %s", bz_quirk_name ((BzQuirk) quirk),
                                bz_quirk_value_name ((BzQuirk) quirk, plan->quirk[quirk]),
                                bz_quirk_meaning ((BzQuirk) quirk));
        return BZ_COVERED;
      }
  return host_covers (finding, host, how) ? BZ_COVERED : BZ_NOT_COVERED;
}
