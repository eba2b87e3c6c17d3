/* A user of the zone, for HOME and USER. The loader does its own lookup for the ids. */
#pragma once

#include <glib.h>

typedef struct {
  char *name; /* never NULL: the number when the zone does not know it */
  char *home; /* never NULL: "/" then */
} BzAccount;

/* spec: "name", "name:group", "uid", "uid:gid", or NULL: root. passwd: the text of the zone's file, or NULL. */
void bz_account_find (const char *passwd, const char *spec, BzAccount *account);
/* The same with the file read from the tree, at most 1 MiB of it. */
void bz_account_lookup (int tree_fd, const char *spec, BzAccount *account);
void bz_account_clear (BzAccount *account);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BzAccount, bz_account_clear)
