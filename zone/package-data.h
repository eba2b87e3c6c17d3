/* What is installed of a repository, and how its own package manager does it: data
 * (brand/packages). */
#pragma once

#include <glib.h>

typedef struct {
  char **seed;    /* what the package manager needs to run */
  char **profile; /* packages of the profile that was asked for */
  char *script;   /* for the zone's /bin/sh, with the directory of the packages as its $1 */
} BzPackageData;

/* manager: "rpm", "deb". BZ_ERROR_USAGE, with the profiles that there are, when there is none of
 * that name; profile NULL: none is asked for. */
/* The file of a key: a path, or the name of one that lies in a directory `keys` beside those of the
 * brands, such as /etc/brandzone/keys/centos6.asc. Owned by the caller. */
char *bz_package_key_find (const char *word);

BzPackageData *bz_package_data_read (const char *manager, const char *profile, GError **error);
void bz_package_data_free (BzPackageData *data);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzPackageData, bz_package_data_free)
