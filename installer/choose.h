/* What has to be installed, by libsolv: what repositories of all kinds have in common. */
#pragma once

#include "installer/packages.h"

#include <solv/pool.h>
#include <solv/queue.h>
#include <solv/repo.h>

typedef struct BzChoosing BzChoosing;
struct BzChoosing {
  BzMedia *media;
  const BzChoice *choice;
  Pool *pool;
  Repo *repo;
  GHashTable *paths;                    /* solvable id -> path, where metadata do not tell it */
  gboolean sums;                        /* metadata tell checksums */
  gboolean verified;                    /* a signature of the metadata was checked */
  gboolean (*is_seed) (BzChoosing *c, Id id); /* of the seed whatever needs it; or NULL */
  /* Called once when something is missing: reads more of the metadata. NULL: there is no more. */
  gboolean (*more) (BzChoosing *c, GError **error);
};

BzChoosing *bz_choosing_new (BzMedia *media, const BzChoice *choice, int disttype, GError **error);
void bz_choosing_free (BzChoosing *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzChoosing, bz_choosing_free)

/* FALSE: a kind of checksum that GLib does not have. */
gboolean bz_choosing_checksum (Id type, GChecksumType *kind);
/* Is what fd holds what the checksum says? */
gboolean bz_choosing_check (BzChoosing *c, int fd, const char *path, GChecksumType kind,
                            const char *wanted, GError **error);
/* After all was read: the packages for the choice and their needs, those of the seed marked. */
GPtrArray *bz_choosing_solve (BzChoosing *c, GError **error);
