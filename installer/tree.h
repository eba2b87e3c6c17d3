/* Writing a tree below one directory descriptor, from hostile descriptions. */
#pragma once

#include "installer/beneath.h"
#include "installer/job.h"

#include <sys/stat.h>
#include <time.h>

typedef struct {
  char *name;
  guint8 *value;
  gsize size;
} BzXattr;

/* What is to be made, as the source tells it. */
typedef struct {
  mode_t mode; /* type and permissions */
  guint64 uid, gid;
  dev_t device;
  struct timespec mtime; /* tv_nsec UTIME_OMIT: unknown */
  GArray *xattrs;        /* of BzXattr, or NULL */
} BzNode;

void bz_node_init (BzNode *node);
void bz_node_clear (BzNode *node);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BzNode, bz_node_clear)
void bz_node_add_xattr (BzNode *node, const char *name, const void *value, gsize size);

typedef struct {
  BzJob *job;
  int fd; /* the tree's root */
  guint32 id_shift;
  gboolean plain;          /* attributes don't matter: files on the way, ours alone */
  gboolean keep_links;     /* a link to a directory is one where a directory is to be made */
  BzBeneath parents;       /* how directories on the way are looked up */
  GHashTable *directories; /* clean path -> BzNode: times (and tight modes) given at the end */
  GHashTable *made;        /* clean paths made since bz_tree_begin_layer; NULL: not kept */
  char *parent_path;       /* the last parent directory */
  int parent_fd;
  char *name; /* the last name in it */
} BzTree;

/* fd: a directory of ours, not taken. */
BzTree *bz_tree_new (BzJob *job, int fd, guint32 id_shift);
void bz_tree_free (BzTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzTree, bz_tree_free)

/* The name as a path below the root without ".", empty components and leading "/": "" is
 * the root. BZ_ERROR_INPUT for ".." and for names that no file system takes. Owned by the caller.
 */
char *bz_tree_clean_path (const char *path, gboolean *absolute, GError **error);

/* All paths below are clean. What is there already is replaced, as tar does; a directory
 * stays one and takes the new attributes. Missing parents are made. */
gboolean bz_tree_directory (BzTree *tree, const char *path, const BzNode *node, GError **error);
gboolean bz_tree_symlink (BzTree *tree, const char *path, const char *target, const BzNode *node,
                          GError **error);
/* FALSE with *missing set when `to` is not in the tree. */
gboolean bz_tree_link (BzTree *tree, const char *path, const char *to, gboolean *missing,
                       GError **error);
/* Devices, FIFOs; sockets are left out. */
gboolean bz_tree_special (BzTree *tree, const char *path, const BzNode *node, GError **error);

/* A regular file: open, write, close. The descriptor is the caller's until bz_tree_file_close. */
int bz_tree_file_open (BzTree *tree, const char *path, GError **error);
/* The same for a file that is there already (data that comes with a hard link): truncated. */
int bz_tree_file_reopen (BzTree *tree, const char *path, GError **error);
gboolean bz_tree_file_write (BzTree *tree, int fd, const char *path, const void *data, gsize size,
                             guint64 offset, GError **error);
/* Gives size (a hole at the end included) and attributes; closes fd in any case. node NULL: leave
 * them. */
gboolean bz_tree_file_close (BzTree *tree, int fd, const char *path, guint64 size,
                             const BzNode *node, GError **error);

/* Layers (whiteouts). remove: what a lower layer made. clear: everything in the directory that
 * this layer has not made itself. */
void bz_tree_begin_layer (BzTree *tree);
gboolean bz_tree_remove (BzTree *tree, const char *path, GError **error);
gboolean bz_tree_clear (BzTree *tree, const char *path, GError **error);

/* Times and modes of directories; nothing is remembered of the tree after it. */
gboolean bz_tree_finish (BzTree *tree, GError **error);

/* installer/attributes.c: owner, mode, xattrs, time of an open file, or (fd O_PATH or parent +
 * name) of others. */
gboolean bz_tree_set_attributes (BzTree *tree, int fd, int dir_fd, const char *name,
                                 const char *path, const BzNode *node, GError **error);
