/* Names of a zone file's keys on the command line. */
#pragma once

#include <glib.h>

/* "Zone.Hostname", "Mount.data.Source", "Sysctl.kernel.shmmax"; without regard to case, and the
 * group may be left out where the key tells it ("hostname", "kernel.shmmax"). *group as it stands
 * in the file ("Mount data"); both owned by the caller. BZ_ERROR_USAGE with the nearest name. */
gboolean bz_key_name_parse (const char *text, char **group, char **key, GError **error);

/* "Mount data" and "Source" as one name. Owned by the caller. */
char *bz_key_name (const char *group, const char *key);

/* All names but those of groups with names, for completion; owned by the caller. */
char **bz_key_name_list (void);
