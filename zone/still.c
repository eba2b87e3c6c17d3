#include "config.h"

#include "zone/still.h"

#include "brand/base/error.h"

#define LOCK_WAIT_MS 3000

int
bz_zone_lock_if_stopped (const BzDirs *dirs, const char *name, gboolean *running, GError **error)
{
  g_autoptr (GError) cause = NULL;
  int lock = bz_state_lock (dirs, name, LOCK_WAIT_MS, &cause);

  *running = lock < 0 && g_error_matches (cause, BZ_ERROR, BZ_ERROR_STATE);
  if (lock < 0 && !*running)
    g_propagate_error (error, g_steal_pointer (&cause));
  return lock;
}

int
bz_zone_freeze (const BzDirs *dirs, const char *name, GError **error)
{
  g_autofree char *run_dir = bz_dirs_run (dirs, name);
  return bz_loader_freeze (run_dir, error);
}

int
bz_zone_hold_still (const BzDirs *dirs, const char *name, gboolean *running, GError **error)
{
  int lock = bz_zone_lock_if_stopped (dirs, name, running, error);

  return *running ? bz_zone_freeze (dirs, name, error) : lock;
}
