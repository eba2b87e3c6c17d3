/* Pointing the repository files of a zone to a mirror, and back: data (brand/mirrors). */
#pragma once

#include <glib.h>

/* Edits what fits the rules, once: a line that is edited already is brought up to date. flat: the
 * mirror is a repository itself. *told: an array of "FILE: N lines". */
gboolean bz_repo_edits_make (int tree_fd, const char *mirror, gboolean flat, GPtrArray *told,
                             GError **error);
/* Puts every edited line back. */
gboolean bz_repo_edits_undo (int tree_fd, GPtrArray *told, GError **error);
