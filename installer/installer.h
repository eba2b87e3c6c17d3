/* Bringing a distribution's tree into a directory.
 *
 * The work is done by a process of its own, brandzone-install, which parses what
 * is hostile (archives, images, layers); this is its caller's side. */
#pragma once

#include "loader/loader.h"

/* What a source was recognised as. */
typedef struct {
  char *kind; /* "directory", "tar.gz archive", "ext2 image in a zip archive", "OCI layout", "docker
                 archive", ... */
  guint64 bytes; /* size of the source, 0 if unknown */
} BzSourceInfo;

typedef struct {
  guint64 done, total; /* bytes of the source; total 0: unknown */
  guint64 files;       /* made so far */
} BzProgress;
typedef void (*BzProgressFunc) (const BzProgress *progress, gpointer data);
typedef void (*BzRecognisedFunc) (const BzSourceInfo *source, gpointer data);

/* A program that the source brings and wants to be run before the tree is complete. */
typedef struct {
  const char *tree;      /* the root of the zone to run it in: TARGET.partial/root */
  const char *what_for;  /* "bash": a package */
  const char *directory; /* in the zone */
  char *argv[4];         /* ended by NULL */
} BzInstallRun;
/* Runs it and waits until no process of its zone is left. FALSE: it can't be run; BZ_ERROR_INTERRUPTED
 * ends the installation, others are told as a notice, once. */
typedef gboolean (*BzInstallRunFunc) (const BzInstallRun *run, int *exit_status, gpointer data,
                                      GError **error);

typedef struct {
  const char *source;          /* path */
  const char *target;          /* a directory that does not exist yet, absolute; its parent does */
  gboolean keep_partial;       /* an archive that is cut off: keep what could be read, and say so */
  const GArray *uids, *gids;   /* plain users: unpack inside a user namespace with these maps; NULL:
                                * as host root;   empty: the caller's id alone is mapped */
  guint32 id_shift;            /* root with BZ_IDS_SHIFTED: added to every id; 0: none */
  const char *list; /* name of the file beside the target that lists the tree; NULL: none. Never made of
                     * what has a stage (BzInstallResult) */
  BzProgressFunc progress;     /* or NULL */
  gpointer data;               /* for progress and recognised */
  BzRecognisedFunc recognised; /* told once, before anything is written; or NULL */
  BzInstallRunFunc run;        /* or NULL: nothing of the source is run */
  guint64 max_files; /* 0: 10 million */
  guint64 max_size; /* bytes that the source may expand to; 0: 8 GiB or 200 times its size */
  /* Package repositories: what to install, and what the package manager needs to run (see BzChoice
   * in installer/packages.h); NULL or absent for other sources. */
  const char *const *wanted, *const *seed;
  const char *suite;       /* of a Debian repository; NULL: the only one there is */
  const char *arch;        /* "x86_64", "i686"; NULL: the best that the repository has */
  const char *const *keys; /* files of OpenPGP keys that must have signed; NULL: none is looked at */
  gboolean allow_expired_key;
} BzInstallOptions;

typedef struct {
  BzSourceInfo source;
  guint64 files, bytes;
  char *stage; /* "rpm": packages lie in the tree for its own package manager, else NULL */
  guint64 packages;
  char **notices; /* one line each: "12 device nodes left out: a plain user can't make them"; never
                     NULL */
} BzInstallResult;

/* Unpacks. On failure, or when interrupted (SIGINT, SIGTERM to the caller's process group:
 * BZ_ERROR_INTERRUPTED), the target is gone again. BZ_ERROR_INPUT for damaged or hostile sources.
 */
BzInstallResult *bz_installer_run (const BzInstallOptions *options, GError **error);
void bz_install_result_free (BzInstallResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzInstallResult, bz_install_result_free)

/* Removes a tree made by bz_installer_run, inside the user namespace when maps are given. Never
 * follows links, never leaves the tree, survives a tree that changes while it is removed. Safe to
 * call again. */
gboolean bz_installer_remove (const char *tree, const GArray *uids, const GArray *gids,
                              GError **error);
