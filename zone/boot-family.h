/* Families of inits, as brand/boot/FAMILY.edits describes them: how to know one, how to make it
 * halt, and what of its files has to be edited for a boot in a zone.
 *
 *   [Init]
 *   Title=sysvinit               for people
 *   Order=30                     who is asked first; the first that fits is it
 *   Contains=/dev/initctl        text in the program that is init
 *   Lacks=unified_cgroup         text that it does not hold (optional)
 *   Needs=/sbin/brc              a file that the tree has (optional)
 *   Halt=run /sbin/init 0        or: signal USR2
 *   Alone=sleeps                 told to halt and without children, it only sleeps: it need not be
 *                                waited for (optional)
 *   Environment=container=lxc    what it is told besides HOME, TERM and PATH; more by ;
 *   Single=single                what it is given to come up for one user; missing: it has no such way
 *   Terminals=1                  how many terminals it has, from /dev/console on (default 6)
 *   Cgroups=unified              the hierarchy that it finds at /sys/fs/cgroup, to manage it;
 *                                or: named systemd, one of v1 without controllers, below it at
 *                                systemd; or: none (the default)
 *
 *   [Argument WORD]              what differs when init is given that argument: Cgroups=
 *
 *   [Edit NAME]
 *   File=/etc/rc.d/rc.S
 *   After=echo "Press ENTER"     the line before (optional); blanks around lines and double quotes
 *                                do not count
 *   Unless=BOOTPROTO=dhcp        a line of the file with which it is not needed (optional)
 *   Line=read junk;              the line that is replaced
 *   Replace=:                    by this
 *   Reason=...                   why, and why nothing less would do
 *
 * brand/boot/NAME.network has such edits, too, for a family of network scripts: they are made only where
 * brandzone has configured the interface before the boot, and undone elsewhere.
 */
#pragma once

#include "zone/planning.h"

typedef struct {
  char *name, *file, *after, *unless, *line, *replace, *reason; /* after, unless: or NULL */
} BzBootEdit;

typedef struct {
  BzCgroupView view;
  char *name; /* of a named hierarchy, or NULL */
} BzBootCgroups;

typedef struct {
  char *word;
  BzBootCgroups cgroups;
} BzBootArgument;

typedef struct {
  char *name, *title;
  guint order;
  char *contains, *lacks, *needs; /* the last two: or NULL */
  int halt_signal;        /* 0: halt_command */
  char **halt_command;    /* or NULL */
  gboolean alone_sleeps;
  char **environment; /* "K=V", never NULL */
  char *single;       /* the argument for a boot for one user, or NULL */
  guint terminals;
  BzBootCgroups cgroups;
  GPtrArray *arguments; /* of BzBootArgument */
  GPtrArray *edits; /* of BzBootEdit, in the file's order */
} BzBootFamily;

void bz_boot_family_free (BzBootFamily *family);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzBootFamily, bz_boot_family_free)

/* The hierarchy that the init wants when it is given these arguments (or NULL). Borrowed. */
const BzBootCgroups *bz_boot_family_cgroups (const BzBootFamily *family, char **words);

/* Reads one file. BZ_ERROR_INPUT names the line. */
BzBootFamily *bz_boot_family_read (const char *path, GError **error);

/* The edits of all families of network scripts; nothing else of it is filled. */
BzBootFamily *bz_boot_network_edits (GError **error);

/* The init of a tree: `given`, or the first of those that a kernel looks for. NULL with
 * BZ_ERROR_INPUT if there is none. Owned by the caller. */
char *bz_boot_find_init (int tree_fd, const char *given, GError **error);

/* The family of that init; *family is NULL if none is known. FALSE for a family file that is wrong.
 */
gboolean bz_boot_family_find (int tree_fd, const char *init, BzBootFamily **family, GError **error);
