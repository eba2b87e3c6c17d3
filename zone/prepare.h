/* From a plan and the options of run to a partition that the loader can start. */
#pragma once

#include "zone/planning.h"

typedef struct {
  BzPlanning *planning;
  BzPartition *partition;
  int lock; /* of the zone, or of a throw-away zone's ids; the keeper takes it over; -1: none */
  char *scratch; /* name of the throw-away zone's place for changes (scratch.h), or NULL */
  int scratch_lock;
} BzPrepared;

void bz_prepared_free (BzPrepared *prepared);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzPrepared, bz_prepared_free)

/* To be called when the zone has ended: removes what was made for its life. */
void bz_prepared_finish (BzPrepared *prepared, const BzContext *context);

/* The zone called `name`, locked. */
BzPrepared *bz_prepare_zone (const BzContext *context, const BzArguments *arguments,
                             const char *name, GError **error);
/* The same, to boot: its command is the init of the tree (boot.h). */
BzPrepared *bz_prepare_boot (const BzContext *context, const BzArguments *arguments,
                             const char *name, GError **error);
/* A throw-away zone of a tree on the host. */
BzPrepared *bz_prepare_image (const BzContext *context, const BzArguments *arguments,
                              const char *tree, GError **error);

/* A zone that is being installed: `state` is not complete, its tree lies in `tree`; argv is what it
 * runs. The caller holds its lock. */
BzPrepared *bz_prepare_unfinished (const BzContext *context, const BzArguments *arguments,
                                   const BzZoneState *state, const char *tree,
                                   const char *const *argv, GError **error);

/* A throw-away zone for one program: of the tree that was planned (image), else with an empty root,
 * whose place becomes the partition's. Takes the planning. A plain user has his one id in it. */
BzPrepared *bz_prepare_program (const BzContext *context, const BzArguments *arguments,
                                BzPlanning *planning, gboolean image, GError **error);

/* The command that run and exec were given, or a shell; tree_fd: for the terminals that it knows
 * (may be -1). */
BzCommand *bz_prepare_command (const BzArguments *arguments, int tree_fd, GError **error);
/* The PATH that a command of the zone is looked up in. Borrowed from the command. */
const char *bz_command_path (const BzCommand *command);
