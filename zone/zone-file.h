/* The user's side of a zone: NAME.zone and its drop-ins NAME.zone.d/NN-WHAT.conf
 * (brandzone-zone(5)). What it may hold is the table of zone-keys.c. */
#pragma once

#include "brand/abi.h"
#include "brand/brand.h"
#include "loader/loader.h"
#include "zone/tree-copy.h"

/* Bytes that a zone file may have. */
#define BZ_ZONE_FILE_MAX (64 * 1024)

/* Whether 32-bit programs get inode numbers that fit (O1, O2). */
typedef enum { BZ_FOLD_AUTO, BZ_FOLD_YES, BZ_FOLD_NO } BzFoldMode;

typedef struct {
  gboolean set;
  BzAbi value;
} BzZoneAbi;

typedef struct {
  gboolean set;
  BzNetwork value;
} BzZoneNetwork; /* not set: none, or private where ports are published */

typedef struct {
  gboolean set;
  guint32 value;
} BzZoneHostId;

/* [Mount NAME] */
typedef struct {
  char *name;
  char *source, *target; /* NULL: missing, see bz_zone_file_check */
  gboolean read_only;
} BzZoneMount;

/* [Device NAME] */
typedef struct {
  char *name;
  char *source, *target; /* source NULL: missing; target NULL: the source's path */
  guint32 mode;          /* 0: the default */
  guint32 uid, gid;
} BzZoneDevice;

typedef struct {
  char *description; /* for people; NULL: none */
  char *hostname;    /* NULL: the zone's name */
  char *brand;       /* NULL: what install found */
  char *release;     /* NULL: the brand's */
  BzZoneAbi abi;
  char **own_mounts;  /* types of file systems that its own mount(8) may have; never NULL */
  char **volumes;     /* "SRC:DST[:ro]", checked; never NULL */
  GPtrArray *mounts;  /* of BzZoneMount */
  GPtrArray *devices; /* of BzZoneDevice */
  BzZoneNetwork network;
  char *mac_address;
  BzNetSettings net;
  BzZoneHostId host_id;
  char *machine_id;
  char **environment;        /* "NAME=VALUE"; never NULL */
  guint64 memory, processes; /* 0: no limit */
  guint32 cpu_percent;       /* 0: no limit */
  char *processors;          /* a list (loader/processors.h); NULL: all */
  BzLimit descriptors;
  guint64 capabilities_dropped, capabilities_kept;
  GPtrArray *sysctls;  /* of char *: "name=value", each name once */
  BzCopyWay copy;
  BzFoldMode fold_inodes;
  gboolean remember_owners; /* that a zone with one id lacks */
  char *boot_init, *boot_arguments; /* NULL: what the tree has; none */
  gboolean boot_single;   /* for one user */
  gboolean boot_as_it_is; /* no boot edits */
  gboolean strict;     /* a call that nothing can carry out kills its program */
  gboolean autostart;  /* it boots with the host */
  GPtrArray *warnings; /* of char *: "FILE:LINE: unknown key ..." */
  GHashTable *values;  /* "Group\nkey" -> the text that counts: what `config` shows */
  GPtrArray *order;    /* of those keys, as they were first met */
} BzZoneFile;

BzZoneFile *bz_zone_file_new (void);
void bz_zone_file_free (BzZoneFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzZoneFile, bz_zone_file_free)

/* Lays `data` (from `path`, which is only named) over what `file` holds already. An unknown group
 * or key is a warning with its line; a bad value or line is BZ_ERROR_INPUT with its line. */
gboolean bz_zone_file_parse (BzZoneFile *file, const char *data, gsize length, const char *path,
                             GError **error);

/* What bz_zone_file_load would give if `path` held `data`. */
BzZoneFile *bz_zone_file_load_with (const char *path, const char *data, gsize length,
                                    GError **error);

/* What no single line tells: a mount without source, an address on the host's network.
 * BZ_ERROR_INPUT. */
gboolean bz_zone_file_check (const BzZoneFile *file, const char *path, GError **error);

/* Reads `path` if it is there, then the *.conf files of `path`.d in the order of their names, and
 * checks the whole. */
BzZoneFile *bz_zone_file_load (const char *path, GError **error);

/* Writes a new zone file that names the brand, with a comment about what else it can hold; an
 * existing one is kept. */
gboolean bz_zone_file_create (const char *path, const char *brand, GError **error);

/* The paths of a zone file's drop-ins in their order; owned by the caller. */
GPtrArray *bz_zone_file_drop_ins (const char *path);

/* Reads a regular file of at most BZ_ZONE_FILE_MAX bytes (more are cut off after one). A missing
 * one is TRUE with *missing (may be NULL: an error). */
gboolean bz_zone_file_read (const char *path, GString *into, gboolean *missing, GError **error);

/* Replaces `path` in one step. */
gboolean bz_zone_file_write (const char *path, const char *data, gsize length, GError **error);

/* The text of the whole: what counts, without comments. Owned by the caller. */
char *bz_zone_file_text (const BzZoneFile *file);

/* What counts for a key, or NULL. Borrowed. */
const char *bz_zone_file_value (const BzZoneFile *file, const char *group, const char *key);

/* zone-file-edit.c: `data` with group's key set (value NULL: without it). The group of [Mount x] is
 * "Mount x". The result is not checked. Owned by the caller. */
char *bz_zone_file_edit (const char *data, gsize length, const char *group, const char *key,
                         const char *value);

/* Copies a zone file and its drop-ins. BZ_ERROR_STATE where one is there with other contents. */
gboolean bz_zone_file_copy (const char *from, const char *to, GError **error);

/* Removes the file and its drop-ins; one that is not there is no error. */
gboolean bz_zone_file_remove (const char *path, GError **error);

/* Splits "SRC:DST[:ro|:rw]". SRC becomes absolute; both are owned by the caller. BZ_ERROR_USAGE. */
gboolean bz_volume_parse (const char *text, char **source, char **target, gboolean *read_only,
                          GError **error);

/* "auto", "yes" and "no". */
gboolean bz_fold_mode_lookup (const char *name, BzFoldMode *mode);

/* "none", "host", "private" and "macvlan". */
gboolean bz_network_lookup (const char *name, BzNetwork *network);
const char *bz_network_name (BzNetwork network);

/* network.c: the one that holds without options, and whether what [Network] says fits it. */
BzNetwork bz_zone_file_network (const BzZoneFile *file);
gboolean bz_network_check (const BzZoneFile *file, const char *path, GError **error);
