#include "config.h"

#include "zone/still.h"

#include "brand/base/error.h"

#define LOCK_WAIT_MS 3000

int
bz_zone_hold_still (const BzDirs *dirs, const char *name, gboolean *running, GError **error)
{
  g_autoptr (GError) cause = NULL;
  int lock = bz_state_lock (dirs, name, LOCK_WAIT_MS, &cause);

  *running = FALSE;
  if (lock >= 0)
    return lock;
  if (!g_error_matches (cause, BZ_ERROR, BZ_ERROR_STATE))
    {
      g_propagate_error (error, g_steal_pointer (&cause));
      return -1;
    }
  *running = TRUE;
  g_autofree char *run_dir = bz_dirs_run (dirs, name);
  return bz_loader_freeze (run_dir, error);
}
