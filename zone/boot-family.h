/* Families of inits, as brand/boot/FAMILY.edits describes them: how to know one, how to make it
 * halt, and what of its files has to be edited for a boot in a zone.
 *
 *   [Init]
 *   Title=sysvinit               for people
 *   Order=30                     who is asked first; the first that fits is it
 *   Contains=/dev/initctl        text in the program that is init
 *   Needs=/sbin/brc              a file that the tree has (optional)
 *   Halt=run /sbin/init 0        or: signal USR2
 *   Alone=sleeps                 told to halt and without children, it only sleeps: it need not be
 *                                waited for (optional)
 *
 *   [Edit NAME]
 *   File=/etc/rc.d/rc.S
 *   After=echo "Press ENTER"     the line before (optional); blanks around both do not count
 *   Line=read junk;              the line that is replaced
 *   Replace=:                    by this
 *   Reason=...                   why, and why nothing less would do
 */
#pragma once

#include "zone/planning.h"

typedef struct {
  char *name, *file, *after, *line, *replace, *reason; /* after: or NULL */
} BzBootEdit;

typedef struct {
  char *name, *title;
  guint order;
  char *contains, *needs; /* needs: or NULL */
  int halt_signal;        /* 0: halt_command */
  char **halt_command;    /* or NULL */
  gboolean alone_sleeps;
  GPtrArray *edits; /* of BzBootEdit, in the file's order */
} BzBootFamily;

void bz_boot_family_free (BzBootFamily *family);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzBootFamily, bz_boot_family_free)

/* Reads one file. BZ_ERROR_INPUT names the line. */
BzBootFamily *bz_boot_family_read (const char *path, GError **error);

/* The init of a tree: `given`, or the first of those that a kernel looks for. NULL with
 * BZ_ERROR_INPUT if there is none. Owned by the caller. */
char *bz_boot_find_init (int tree_fd, const char *given, GError **error);

/* The family of that init; *family is NULL if none is known. FALSE for a family file that is wrong.
 */
gboolean bz_boot_family_find (int tree_fd, const char *init, BzBootFamily **family, GError **error);
