/* Packages on their way from a repository into a tree, of all kinds. */
#pragma once

#include "installer/install.h"
#include "installer/packages.h"

BzMedia bz_install_media (BzInstall *install);

/* Of words such as "rpm:bash" those for one package manager, without its name. */
char **bz_packages_words (char **words, const char *manager);

/* Metadata may be made to take any memory: the process gets an end of it. */
void bz_packages_limit_memory (void);

/* Makes the place for the packages, and tells the job how much is to be done. */
gboolean bz_packages_begin (BzInstall *install, const GPtrArray *packages, GError **error);

/* The package's bytes into that place, checked against what the repository says of them. *name: of
 * its file, the caller's. Returns a descriptor of it, or -1. */
int bz_package_lay_down (BzInstall *install, BzMedia *media, const BzPackage *package, char **name,
                         GError **error);

/* Tells the caller what has to be done in the zone. */
void bz_packages_end (BzInstall *install, const char *manager, const GPtrArray *packages);
