/* Where the state of zones lives. */
#pragma once

#include <glib.h>

typedef struct {
  char *config; /* zone files: /etc/brandzone/zones, ~/.config/brandzone/zones */
  char *data;  /* trees and their state: /var/lib/brandzone/zones, ~/.local/share/brandzone/zones */
  char *run;   /* of running zones: /run/brandzone, $XDG_RUNTIME_DIR/brandzone */
  char *cache; /* filters and the host probe: /var/cache/brandzone, ~/.cache/brandzone */
} BzDirs;

BzDirs *bz_dirs_system (void);
BzDirs *bz_dirs_user (void);
/* `path` made absolute. Where the current directory has been deleted it becomes one below "/proc/self/cwd (deleted)":
 * nothing is found or made there, and an error that names it tells why. Owned by the caller. */
char *bz_path_absolute (const char *path);
/* Everything under `root`, which is made absolute. */
BzDirs *bz_dirs_under (const char *root);
void bz_dirs_free (BzDirs *dirs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzDirs, bz_dirs_free)

/* Makes a directory and its missing parents, for its owner alone. An existing one is left as it
 * is, but must not be writable by others. */
gboolean bz_dirs_make (const char *path, GError **error);

/* data/NAME, run/NAME, config/NAME.zone, and a hidden one: data/.NAME.SUFFIX. Owned by the caller.
 * Names never begin with a dot, so that hidden ones never meet a zone's. */
char *bz_dirs_zone (const BzDirs *dirs, const char *name);
char *bz_dirs_zone_root (const BzDirs *dirs, const char *name);
char *bz_dirs_run (const BzDirs *dirs, const char *name);
char *bz_dirs_zone_file (const BzDirs *dirs, const char *name);
char *bz_dirs_hidden (const BzDirs *dirs, const char *name, const char *suffix);
