/* The whole of an installation, inside brandzone-install. */
#pragma once

#include "installer/archive.h"
#include "installer/partial.h"
#include "installer/recognise.h"

typedef struct {
  const char *source, *target;
  gboolean keep_partial;
  guint32 id_shift;
  int requests_fd; /* to the caller (installer/requests.h), or -1 */
  char **wanted, **seed;
  const char *suite;
  const char *arch;
  const char *list; /* name of the file beside the target for the list of the tree, or NULL */
} BzInstallArgs;

/* Tells the source first (BZ_REPORT_SOURCE). On failure nothing is left. */
gboolean bz_install (BzJob *job, const BzInstallArgs *args, GError **error);

/* What the readers of each kind get. */
typedef struct {
  BzJob *job;
  const BzInstallArgs *args;
  const BzRecognised *source;
  int source_fd;
  BzPartial *partial;
  BzTree *tree;
  const char *base; /* where the tree lies below root/: "" or a name */
  int series_fd;    /* of a series: the directory that it is in */
} BzInstall;

gboolean bz_install_archive (BzInstall *install, GError **error);
gboolean bz_install_directory (BzInstall *install, GError **error);
gboolean bz_install_image (BzInstall *install, GError **error);
gboolean bz_install_image_archive (BzInstall *install, GError **error);
gboolean bz_install_series_directory (BzInstall *install, GError **error);
gboolean bz_install_series_iso (BzInstall *install, GError **error);
gboolean bz_install_series (BzInstall *install, GError **error);
gboolean bz_install_oci_directory (BzInstall *install, GError **error);
gboolean bz_install_oci_archive (BzInstall *install, GError **error);
gboolean bz_install_docker_archive (BzInstall *install, GError **error);

gboolean bz_install_packages_iso (BzInstall *install, GError **error);
gboolean bz_install_rpm (BzInstall *install, GError **error);
gboolean bz_install_deb (BzInstall *install, GError **error);

/* Is it a repository of RPM packages? dir_fd -1: args->source is on a server. */
gboolean bz_recognise_rpm (BzJob *job, const BzInstallArgs *args, int dir_fd, BzRecognised *source,
                           gboolean *found, GError **error);
gboolean bz_recognise_deb (BzJob *job, const BzInstallArgs *args, int dir_fd, BzRecognised *source,
                           gboolean *found, GError **error);

/* Unpacks the source to image/ beside the tree and has `function` work with that directory. */
gboolean bz_install_beside (BzInstall *install, BzArchiveFormats formats,
                            gboolean (*function) (BzInstall *, int, GError **), GError **error);

/* A file without a name beside the tree, for what must be unpacked before it can be read. -1:
 * error. */
int bz_install_temporary (BzInstall *install, GError **error);
