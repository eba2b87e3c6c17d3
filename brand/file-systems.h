/* File systems that a zone's own mount(8) may ask brandzone for (catalogue row B12). */
#pragma once

#include <glib.h>

typedef enum {
  BZ_FILE_SYSTEM_IMAGE,  /* of a block device, or of a regular file by a loop device */
  BZ_FILE_SYSTEM_NETWORK, /* of a server */
  BZ_FILE_SYSTEM_REFUSED  /* never mounted for a zone, but why is told */
} BzFileSystemKind;

typedef struct {
  const char *name; /* as in /proc/filesystems */
  BzFileSystemKind kind;
  gboolean read_only;  /* is never mounted otherwise */
  const char *options; /* those that a zone may give, separated by blanks */
} BzFileSystem;

/* NULL: nothing is mounted or told. What a user namespace mounts itself (proc, tmpfs, ...)
 * is not among them. */
const BzFileSystem *bz_file_system_lookup (const char *name);

/* All names of those that can be mounted, separated by ", ". Owned by the caller. */
char *bz_file_system_names (void);

/* Loop devices, which mount(8) sets up before it mounts (calls/loops.c); refused like a type. */
#define BZ_FILE_SYSTEM_LOOP "loop"

/* Whether the zone may give this option; name: without its value. */
gboolean bz_file_system_has_option (const BzFileSystem *system, const char *name);
