/* The zones that are installed: their directories, records and locks.
 *
 *   data/NAME/root/        the tree
 *   data/NAME/zone.state   what install noted (this file)
 *   data/NAME/installed.mtree  what was installed (installed.h)
 *   data/NAME/snapshots/   records of its snapshots (snapshots.h)
 *   data/.layers/          trees that zones share (layers.h)
 *   data/.NAME.lock        its lock, see bz_state_lock
 *   data/.NAME.installing  a zone that is not complete; renamed to NAME in one step
 *   data/.NAME.removing    a zone that is going
 *
 * Directories are 0700: the set-uid programs of a tree are out of reach of the host's users.
 */
#pragma once

#include "loader/loader.h"
#include "zone/dirs.h"

/* What a tree was made of (base.h), in the record of a zone or layer. */
typedef struct {
  char *file;         /* identity of the file that it came from, or NULL */
  char *digest;       /* of its content, as far as anybody has looked; or NULL */
  char *options;      /* what else decides what a tree becomes */
  gint64 begun, made; /* when it was installed: nanoseconds since the epoch */
} BzBase;

void bz_base_free (BzBase *base);
BzBase *bz_base_copy (const BzBase *base);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzBase, bz_base_free)

typedef struct {
  char *name;
  char *brand;
  BzAbi abi;
  char *source;     /* what it was installed from */
  char *kind;       /* "tar.gz archive", or NULL */
  gint64 installed; /* seconds since the epoch */
  guint64 files, bytes;
  BzIdStorage id_storage;
  GArray *uids, *gids; /* of BzIdRange, as BzPartition has them */
  char *upper;         /* the layer that it writes to (layers.h), alone or on `layers`; NULL: its tree
                        * is data/NAME/root */
  BzBase *base;        /* NULL: its tree is not for others */
  GPtrArray *layers;   /* of char *: ids of those below, topmost first */
} BzZoneState;

BzZoneState *bz_zone_state_new (const char *name);
void bz_zone_state_free (BzZoneState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzZoneState, bz_zone_state_free)

/* Names of the complete zones, sorted; NULL with error when the directory can't be read (one that
 * does not exist holds none). Owned by the caller. */
char **bz_state_list (const BzDirs *dirs, GError **error);

/* The zone's record. BZ_ERROR_NO_ZONE with the nearest name when there is no such zone. */
BzZoneState *bz_state_load (const BzDirs *dirs, const char *name, GError **error);

#define BZ_STATE_FILE "zone.state"

/* Writes the record into `directory`, in one step. */
gboolean bz_state_write (const char *directory, const BzZoneState *state, GError **error);

/* Reads the record at `path` whatever its directory is called: for zones that come or go.
 * BZ_ERROR_STATE: a newer brandzone wrote it, and the zone is left alone. */
BzZoneState *bz_state_read (const char *path, const char *name, GError **error);

/* Adds the ids of the record at `path`, as far as they can be read, of whatever format it is. */
void bz_state_read_ids (const char *path, GArray *uids, GArray *gids);

/* Writes data/.NAME.installing/zone.state, making the directory. The lock must be held. */
gboolean bz_state_begin (const BzDirs *dirs, const BzZoneState *state, GError **error);
/* To be called before a zone file is made for a zone that is not complete: until it is, the zone file
 * goes with it, unless there is one already. */
gboolean bz_state_own_zone_file (const BzDirs *dirs, const char *name, GError **error);
/* Writes the record again, then makes the zone appear. BZ_ERROR_STATE if it is there already. */
gboolean bz_state_commit (const BzDirs *dirs, const BzZoneState *state, GError **error);
/* Makes the zone disappear and removes its zone file and tree. The lock must be held; its file goes too. */
gboolean bz_state_remove (const BzDirs *dirs, const char *name, GError **error);
/* Removes what a killed install or remove left of `name`. The lock must be held. */
gboolean bz_state_discard (const BzDirs *dirs, const char *name, GError **error);
/* Removes the directory of a zone or layer, in an order that can be begun again. */
gboolean bz_state_remove_hidden (const char *path, const char *name, GError **error);
/* Removes the file of the lock, which must be held, if there is no such zone. */
void bz_state_forget (const BzDirs *dirs, const char *name);
/* Discards the remains of every zone whose lock is free, and layers that nobody needs. Never fails;
 * returns how many zones were cleaned. */
guint bz_state_sweep (const BzDirs *dirs);

/* A zone is running while its lock is held and its keeper answers. The lock belongs to an open file
 * description (flock), which the keeper inherits: it is free again when the last holder is gone,
 * however that came about. Waits up to wait_ms for a holder that is no running zone. Returns a
 * close-on-exec descriptor or -1: BZ_ERROR_STATE if the zone is running, BZ_ERROR_LOCKED if
 * somebody else works on it. */
int bz_state_lock (const BzDirs *dirs, const char *name, guint wait_ms, GError **error);

typedef enum { BZ_ZONE_STOPPED, BZ_ZONE_BUSY, BZ_ZONE_RUNNING } BzZoneCondition;
/* `info` (may be NULL) is filled in when it is running. */
BzZoneCondition bz_state_condition (const BzDirs *dirs, const char *name, BzZoneInfo *info);
const char *bz_zone_condition_name (BzZoneCondition condition);
