/* What the files of install share. */
#pragma once

#include "brand/detect.h"
#include "installer/installer.h"
#include "zone/base.h"
#include "zone/output.h"
#include "zone/package-data.h"
#include "zone/state.h"
#include "zone/verbs.h"

typedef struct {
  BzContext *context;
  const BzArguments *arguments;
  BzZoneState *state;
  BzDetection *detection; /* may stay NULL where --brand and --abi are given */
  BzInstallResult *result;
  BzMeter *meter;
  GPtrArray *notices; /* of the second stage */
  const char *detached;  /* the directory of a zone that comes from elsewhere, or NULL */
  const char *source;
  GPtrArray *left;    /* of a machine: what does not come along; else NULL */
  gboolean ran;       /* something of the source was run: it may not do the same twice */
  BzBaseFound found;  /* of another zone (base.h) */
  gboolean shared;    /* the tree is that one's */
  char *tree;         /* where all of it lies */
} BzInstallWork;

/* --- install-report.c --- */

void bz_install_show_progress (const BzProgress *progress, gpointer data);
const char *bz_install_article (const char *kind);
void bz_install_show_recognised (const BzSourceInfo *source, gpointer data);
BzMeterKind bz_install_meter_kind (const BzContext *context, const BzArguments *arguments);
void bz_install_report (const BzInstallWork *install);

/* --- install-run.c --- */

/* A BzInstallOptions.run: a script of a package. data: the BzInstallWork. */
gboolean bz_install_run (const BzInstallRun *run, int *exit_status, gpointer data, GError **error);

/* --- install-packages.c --- */

#define BZ_INSTALL_MANAGERS 2

typedef struct {
  BzPackageData *data[BZ_INSTALL_MANAGERS];
  GPtrArray *wanted, *seed, *keys; /* NULL at the end */
} BzInstallPackages;

void bz_install_packages_clear (BzInstallPackages *packages);
gboolean bz_install_packages_read (const BzArguments *arguments, BzInstallPackages *packages,
                                   GError **error);
const char *bz_install_packages_arch (const BzArguments *arguments);
gboolean bz_install_packages_finish (BzInstallWork *install, const char *place,
                                     const BzInstallPackages *packages, GError **error);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BzInstallPackages, bz_install_packages_clear)

/* --- install-share.c --- */

typedef enum { BZ_SHARE_AUTO, BZ_SHARE_YES, BZ_SHARE_NO } BzInstallShare;

gboolean bz_install_share_option (const BzArguments *arguments, BzInstallShare *share,
                                  GError **error);
/* A descriptor to close when the record is written; -1: the tree has to be unpacked. */
int bz_install_share (BzInstallWork *install, const char *source, BzInstallShare share);
void bz_install_base_end (BzInstallWork *install);
void bz_install_base_make (BzInstallWork *install, BzInstallShare share);
gboolean bz_install_share_list (const BzInstallWork *install, const char *directory,
                                GError **error);

/* --- install-source.c --- */

/* The second word of install, made what the installer takes. *shown: where it came from. */
char *bz_install_source (const BzInstallWork *install, const char *given, char **shown,
                         GError **error);

/* --- verb-install.c --- */

/* --from-ssh or --from-disk. */
gboolean bz_install_is_machine (const BzArguments *arguments);
