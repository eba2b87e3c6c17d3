/* One or two passes over a tree that is copied. Inside a user namespace where its owner is a plain
 * user's. */
#pragma once

#include <glib.h>

typedef struct _BzCopyPass BzCopyPass;

/* share: try to share the blocks of files; must_share: fail where that can't be. `to` is made. */
BzCopyPass *bz_copy_pass_new (const char *from, const char *to, gboolean share, gboolean must_share,
                              GError **error);
void bz_copy_pass_free (BzCopyPass *pass);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzCopyPass, bz_copy_pass_free)

/* The first time all of it, later what has changed since the time before began. moving: the tree may
 * change meanwhile, and what can't be read of it is left to the next pass. */
gboolean bz_copy_pass_run (BzCopyPass *pass, gboolean moving, GError **error);

/* Whether all data is shared. */
gboolean bz_copy_pass_shared (const BzCopyPass *pass);
