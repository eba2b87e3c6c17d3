/* From what the user named (a zone, a tree, a brand) to a plan. */
#pragma once

#include "brand/detect.h"
#include "brand/plan.h"
#include "zone/context.h"
#include "zone/state.h"
#include "zone/zone-file.h"

typedef struct {
  BzZoneState *state;     /* of an installed zone, else NULL */
  BzZoneFile *file;       /* never NULL */
  BzDetection *detection; /* where the brand was detected now, else NULL */
  BzBrand *brand;
  BzHost *host;
  BzPlan *plan;
  char *long_inodes; /* why inode numbers are folded, or NULL: they are not, or the user says so */
  char *tree;  /* the directory, absolute; NULL for a bare brand */
  int tree_fd; /* -1 for a bare brand */
  char *program; /* of one program: its path in the tree, whatever the command calls it; else NULL */
} BzPlanning;

void bz_planning_free (BzPlanning *planning);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzPlanning, bz_planning_free)

/* Each honours --brand, --abi, --release, --disable-row and --without of `arguments` (those that
 * the verb has). */
BzPlanning *bz_planning_zone (const BzContext *context, const BzArguments *arguments,
                              const char *name, GError **error);
BzPlanning *bz_planning_tree (const BzContext *context, const BzArguments *arguments,
                              const char *tree, GError **error);
/* For one program; libraries_fd: the directory of its libraries, or -1. Its tree is the host's. */
BzPlanning *bz_planning_program (const BzContext *context, const BzArguments *arguments,
                                 GBytes *program, const char *path, int libraries_fd,
                                 GError **error);
BzPlanning *bz_planning_brand (const BzContext *context, const BzArguments *arguments,
                               const char *brand, GError **error);

/* Opens a directory that is a distribution's tree. -1 on error, which says what to do with an
 * archive. */
int bz_tree_open (const char *path, GError **error);

/* --abi of the verb: TRUE and *given FALSE when it was not given. */
gboolean bz_abi_option (const BzArguments *arguments, gboolean *given, BzAbi *abi);

/* Fails with BZ_ERROR_HOST for programs of another CPU. */
gboolean bz_detection_check (const BzDetection *detection, const char *tree, GError **error);
