#include "config.h"

#include "zone/scratch.h"

#include "brand/base/error.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* The tree itself, or what it lies in: a subvolume has a device number of its own. */
static gboolean
on_one_file_system (const char *place, const char *tree)
{
  g_autofree char *parent = g_path_get_dirname (tree);
  struct stat first, second, third;

  return stat (place, &first) == 0 && stat (tree, &second) == 0 && stat (parent, &third) == 0
         && (first.st_dev == second.st_dev || first.st_dev == third.st_dev);
}

static gboolean
make (const BzDirs *dirs, const BzZoneState *state, BzScratch *scratch, GError **error)
{
  g_autofree char *place = bz_dirs_hidden (dirs, state->name, "installing");

  if (!bz_state_begin (dirs, state, error))
    return FALSE;
  scratch->path = g_build_filename (place, "root", NULL);
  if (mkdir (scratch->path, 0755) != 0)
    return bz_fail_errno (error, errno, NULL, "making %s", scratch->path);
  scratch->name = g_strdup (state->name);
  return TRUE;
}

gboolean
bz_scratch_make (const BzDirs *dirs, const char *tree, const GArray *uids, const GArray *gids,
                 BzScratch *scratch, GError **error)
{
  g_autofree char *name = g_strdup_printf ("scratch-%d", (int) getpid ());
  g_autoptr (BzZoneState) state = bz_zone_state_new (name);

  *scratch = (BzScratch){ .lock = -1 };
  if (!bz_dirs_make (dirs->data, error))
    return FALSE;
  if (!on_one_file_system (dirs->data, tree))
    return FALSE;
  state->brand = g_strdup ("native"); /* a record names one */
  state->source = g_strdup (tree);
  g_array_append_vals (state->uids, uids->data, uids->len);
  g_array_append_vals (state->gids, gids->data, gids->len);
  state->id_storage = BZ_IDS_SHIFTED;
  scratch->lock = bz_state_lock (dirs, name, 0, error);
  if (scratch->lock < 0)
    return FALSE;
  if (make (dirs, state, scratch, error))
    return TRUE;
  g_clear_pointer (&scratch->path, g_free);
  bz_scratch_remove (dirs, name);
  close (scratch->lock);
  scratch->lock = -1;
  return FALSE;
}

void
bz_scratch_remove (const BzDirs *dirs, const char *name)
{
  /* What can't be removed now is swept by the next command. */
  if (bz_state_discard (dirs, name, NULL))
    bz_state_forget (dirs, name);
}
