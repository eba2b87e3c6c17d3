/* Copying files between a zone's tree and the host. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* A place that is copied from or to. */
typedef struct {
  int root;         /* the zone's tree: `path` is resolved as if this were /; -1: on the host */
  const char *path; /* of the host: relative to the caller's directory */
} BzCopyEnd;

typedef struct {
  BzCopyEnd from, to;
  uid_t uid; /* owner of what is made; (uid_t) -1: the caller */
  gid_t gid;
  dev_t target_dev;     /* the directory that is copied to, for bz_copy() itself */
  ino_t target_ino;
  guint64 files, bytes; /* done */
  guint left_out;       /* sockets, FIFOs, devices: nothing that is copied */
} BzCopy;

/* Copies a file, or a directory with all that is in it, as cp -R does: into `to` if that is a
 * directory (unless the source ends in "/."), else as `to`. Files are replaced, never
 * written through; links are copied as links; set-uid and set-gid are left out; permissions and
 * times are kept. What is changed below the tree meanwhile can't lead out of it. */
gboolean bz_copy (BzCopy *copy, GError **error);
