/* By default, only zones of i386 programs are looked at, and only where their brand wants anything
 * of a kernel: a userland that the host's own kernel serves has large-file support. */
#include "config.h"

#include "zone/inodes.h"

#include "brand/inodes.h"

static gboolean
wants_nothing (const BzBrand *brand)
{
  for (guint quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    if (brand->quirk[quirk] != 0)
      return FALSE;
  return TRUE;
}

static void
look (BzPlanning *planning, const char *path)
{
  if (planning->long_inodes == NULL && path != NULL)
    planning->long_inodes = bz_inodes_look (path);
}

/* One that is wrong is complained about later. */
static void
look_at_volume (BzPlanning *planning, const char *text)
{
  g_autofree char *source = NULL;
  g_autofree char *target = NULL;
  gboolean read_only;

  if (bz_volume_parse (text, &source, &target, &read_only, NULL))
    look (planning, source);
}

gboolean
bz_planning_folds (BzPlanning *planning, const BzArguments *arguments, BzAbi abi)
{
  const char *given = bz_arguments_string (arguments, "fold-inodes");
  g_autofree const char **volumes = bz_arguments_list (arguments, "volume");
  BzFoldMode mode = planning->file->fold_inodes;

  if (given != NULL)
    bz_fold_mode_lookup (given, &mode);
  if (mode != BZ_FOLD_AUTO)
    return mode == BZ_FOLD_YES;
  if (abi != BZ_ABI_I386 || wants_nothing (planning->brand))
    return FALSE;
  look (planning, planning->tree);
  for (char **one = planning->file->volumes; *one != NULL; one++)
    look_at_volume (planning, *one);
  for (guint i = 0; i < planning->file->mounts->len; i++)
    look (planning, ((const BzZoneMount *) g_ptr_array_index (planning->file->mounts, i))->source);
  for (const char **one = volumes; *one != NULL; one++)
    look_at_volume (planning, *one);
  return planning->long_inodes != NULL;
}

char *
bz_planning_would_fold (const BzPlanning *planning, const char *path)
{
  gboolean asked = planning->file->fold_inodes != BZ_FOLD_AUTO;

  if (asked || planning->plan->abi != BZ_ABI_I386 || wants_nothing (planning->brand)
      || planning->plan->quirk[BZ_QUIRK_FOLD_INODES] != 0)
    return NULL;
  return bz_inodes_look (path);
}
