/* Users by the zone's own /etc/passwd and /etc/group. */
#pragma once

#include <glib.h>
#include <sys/types.h>

#define BZ_USER_GROUPS 64

typedef struct {
  uid_t uid;
  gid_t gid;
  gid_t groups[BZ_USER_GROUPS];
  guint group_count;
  char *name, *home, *shell; /* NULL where the zone doesn't know */
} BzUser;

/* Looks up "name", "name:group", "uid" or "uid:gid" (NULL: root) below the current root directory.
 * The files are the zone's: read with bounds, as plain data. Fails with BZ_ERROR_FAILED for an
 * unknown name; release with bz_user_clear(). */
gboolean bz_user_lookup (const char *spec, BzUser *user, GError **error);

/* The same from the two files' text. */
gboolean bz_user_find (const char *spec, const char *passwd, const char *group, BzUser *user,
                       GError **error);
void bz_user_clear (BzUser *user);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BzUser, bz_user_clear)
