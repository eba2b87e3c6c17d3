/* `check`: what in a file or tree will not work on this host under a plan. */
#pragma once

#include "brand/scan-tree.h"
#include "zone/finding.h"

/* All files with the same trouble. */
typedef struct {
  BzFinding finding;
  char *detail; /* or NULL */
  const char *row;
  BzCover cover;
  char *how; /* what covers it, or what else is to be said; or NULL */
  const char *hint;
  GPtrArray *paths; /* sorted, unique */
} BzTrouble;

typedef struct {
  const BzHost *host;
  const BzPlan *plan;     /* NULL: nothing of it runs here */
  int tree_fd;            /* where interpreters are looked up */
  guint cpu;              /* BzIsa bits of this CPU */
  guint32 lowest_map;     /* vm.mmap_min_addr */
  gboolean strict_memory; /* SELinux may forbid executable data */
  gboolean foreign;       /* the tree is one of another CPU */
  gboolean old_uclibc;    /* the tree's uClibc is of the kind that E30 hits */
  BzScanCounts counts;
  GPtrArray *troubles; /* of BzTrouble; worst first after bz_check_finish() */
  GHashTable *rewrites; /* path -> GPtrArray of lines: where its text is rewritten, and why */

  /* private */
  GHashTable *names, *by_key, *interpreters;
} BzCheck;

/* host and plan are borrowed. cpuinfo: the text of /proc/cpuinfo; NULL: read it. */
BzCheck *bz_check_new (const BzHost *host, const BzPlan *plan, int tree_fd, const char *cpuinfo);
void bz_check_free (BzCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzCheck, bz_check_free)

void bz_check_tree (BzCheck *check);
/* The file and what it needs of the tree. FALSE and errno if it can't be read. *image: whether it
 * is a program, library or script. */
gboolean bz_check_file (BzCheck *check, int dir_fd, const char *name, const char *path,
                        gboolean *image);

/* What can be told only at the end. status: of the tree's file system. */
void bz_check_finish (BzCheck *check, int fd);

/* Whether a file system of this statfs(2) type and size in bytes hands out inode numbers of more
 * than 32 bits. */
gboolean bz_inodes_may_be_wide (guint64 type, guint64 bytes);

/* For the explanation of a command's death: whether the program or script, its interpreter or one
 * of its libraries calls the vsyscall page. */
gboolean bz_check_calls_vsyscall (int tree_fd, const char *program);

/* The same: whether the program's file ends too early. */
gboolean bz_check_is_cut_off (int tree_fd, const char *program);
