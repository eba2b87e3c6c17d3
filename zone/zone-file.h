/* The user's side of a zone: NAME.zone and its drop-ins NAME.zone.d/NN-WHAT.conf (brandzone(1),
 * ZONE FILE). */
#pragma once

#include "brand/abi.h"
#include "loader/loader.h"

/* Bytes that a zone file may have. */
#define BZ_ZONE_FILE_MAX (64 * 1024)

typedef struct {
  char *description; /* for people; NULL: none */
  char *hostname;    /* NULL: the zone's name */
  char *brand;       /* NULL: what install found */
  char *release;     /* NULL: the brand's */
  gboolean has_abi;
  BzAbi abi;
  char **volumes; /* "SRC:DST[:ro]", checked; never NULL */
  gboolean has_network;
  BzNetwork network;
  gboolean strict; /* a call that nothing can carry out kills its program */
  GPtrArray *warnings; /* of char *: "FILE:LINE: unknown key ..." */
} BzZoneFile;

BzZoneFile *bz_zone_file_new (void);
void bz_zone_file_free (BzZoneFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzZoneFile, bz_zone_file_free)

/* Lays `data` (from `path`, which is only named) over what `file` holds already. An unknown group
 * or key is a warning with its line; a bad value or line is BZ_ERROR_INPUT with its line. */
gboolean bz_zone_file_parse (BzZoneFile *file, const char *data, gsize length, const char *path,
                             GError **error);

/* Reads `path` if it is there, then the *.conf files of `path`.d in the order of their names. */
BzZoneFile *bz_zone_file_load (const char *path, GError **error);

/* Writes a new zone file that names the brand, with a comment about what else it can hold; an
 * existing one is kept. */
gboolean bz_zone_file_create (const char *path, const char *brand, GError **error);

/* Removes the file and its drop-ins; one that is not there is no error. */
gboolean bz_zone_file_remove (const char *path, GError **error);

/* Splits "SRC:DST[:ro|:rw]". SRC becomes absolute; both are owned by the caller. BZ_ERROR_USAGE. */
gboolean bz_volume_parse (const char *text, char **source, char **target, gboolean *read_only,
                          GError **error);

/* "none" and "host". */
gboolean bz_network_lookup (const char *name, BzNetwork *network);
const char *bz_network_name (BzNetwork network);
