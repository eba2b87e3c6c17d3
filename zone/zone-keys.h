/* The table of what a zone file may hold. The parser, `config`, completion and brandzone-zone(5)
 * follow it. */
#pragma once

#include "zone/zone-file.h"

/* Takes a value into its field; returns NULL, or why it is no good (a constant). An empty value
 * takes the field back to its default where that makes sense. */
typedef const char *(*BzZoneKeyTake) (gpointer field, const char *value);

typedef struct {
  const char *group;
  const char *key;      /* NULL: any name is a key (values keep theirs), as in [Sysctl] */
  const char *value;    /* what a value looks like; words between bars are the only ones */
  const char *fallback; /* what holds without it, for people; NULL: nothing */
  const char *help;     /* one sentence without full stop */
  gsize offset;         /* of its field in BzZoneFile, BzZoneMount or BzZoneDevice */
  BzZoneKeyTake take;
} BzZoneKey;

/* Ends with a row without group. Rows of a group stand together. */
extern const BzZoneKey bz_zone_keys[];

/* A group that may occur several times, as [GROUP NAME]. */
typedef struct {
  const char *group;
  const char *help;
  gsize list;              /* offset of its GPtrArray in BzZoneFile */
  gpointer (*make) (void); /* an entry; its first member is char *name */
} BzZoneNamedGroup;

/* NULL if `group` is a plain one or unknown. */
const BzZoneNamedGroup *bz_zone_named_group (const char *group);
gboolean bz_zone_group_known (const char *group);

/* NULL when there is none. */
const BzZoneKey *bz_zone_key_lookup (const char *group, const char *key);

/* The known key of `group` that `key` was probably meant to be, or NULL. */
const char *bz_zone_key_nearest (const char *group, const char *key);

/* The mdoc list of all groups and keys. Owned by the caller. */
char *bz_zone_keys_manual (void);

/* network-values.c */
const char *bz_take_publish (gpointer field, const char *value);       /* GPtrArray * of BzPublish */
const char *bz_take_configure (gpointer field, const char *value);     /* BzConfigure */
const char *bz_take_address (gpointer field, const char *value);       /* char **, as the next */
const char *bz_take_address6 (gpointer field, const char *value);
const char *bz_take_gateway (gpointer field, const char *value);
const char *bz_take_gateway6 (gpointer field, const char *value);
const char *bz_take_dns (gpointer field, const char *value);           /* char *** */
const char *bz_take_interface (gpointer field, const char *value);     /* char ** */

/* zone-values.c */
const char *bz_take_format (gpointer field, const char *value);
const char *bz_take_text (gpointer field, const char *value);          /* char ** */
const char *bz_take_hostname (gpointer field, const char *value);      /* char ** */
const char *bz_take_brand (gpointer field, const char *value);         /* char ** */
const char *bz_take_release (gpointer field, const char *value);       /* char ** */
const char *bz_take_abi (gpointer field, const char *value);           /* BzZoneAbi */
const char *bz_take_volumes (gpointer field, const char *value);       /* char *** */
const char *bz_take_mounts (gpointer field, const char *value);        /* char ** */
const char *bz_take_network (gpointer field, const char *value);       /* BzZoneNetwork */
const char *bz_take_host_id (gpointer field, const char *value);       /* BzZoneHostId */
const char *bz_take_machine_id (gpointer field, const char *value);    /* char ** */
const char *bz_take_environment (gpointer field, const char *value);   /* char *** */
const char *bz_take_mac (gpointer field, const char *value);           /* char ** */
const char *bz_take_source (gpointer field, const char *value);        /* char ** */
const char *bz_take_target (gpointer field, const char *value);        /* char ** */
const char *bz_take_device_target (gpointer field, const char *value); /* char ** */
const char *bz_take_bool (gpointer field, const char *value);          /* gboolean */
const char *bz_take_fold_mode (gpointer field, const char *value);     /* BzFoldMode */
const char *bz_take_copy_way (gpointer field, const char *value);      /* BzCopyWay */
const char *bz_take_mode (gpointer field, const char *value);          /* guint32 */
const char *bz_take_id (gpointer field, const char *value);            /* guint32 */
const char *bz_take_bytes (gpointer field, const char *value);         /* guint64 */
const char *bz_take_cpus (gpointer field, const char *value);          /* guint32, percent */
const char *bz_take_processors (gpointer field, const char *value);    /* char * */
const char *bz_take_count (gpointer field, const char *value);         /* guint64 */
const char *bz_take_descriptors (gpointer field, const char *value);   /* BzLimit */
const char *bz_take_capabilities (gpointer field, const char *value);  /* guint64 */
