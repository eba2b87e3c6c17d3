/* What an administrator asks of a zone beyond its brand: devices, identity, sysctl values,
 * capabilities, limits. Empty settings change nothing. */
#pragma once

#include "loader/net/settings.h"

#define BZ_DEVICES_MAX 64

/* A device node of the host, or a directory of such nodes. */
typedef struct {
  char *source;     /* absolute path on the host */
  char *target;     /* absolute path below the zone's /dev */
  guint32 mode;     /* permissions of the nodes; 0: 0600 */
  guint32 uid, gid; /* of the zone */
} BzDevice;

typedef struct {
  GPtrArray *devices; /* of BzDevice */
  char **sysctls;     /* "kernel.shmmax=VALUE", checked by bz_sysctl_check; never NULL */
  char **mounts;      /* file systems that the host's root mounts for it (file-systems.h); never NULL */
  char *mac_address;  /* of its interface (eth0), or NULL */
  BzNetSettings *net; /* never NULL */
  gboolean has_host_id;
  guint32 host_id;              /* what gethostid(3) answers */
  char *machine_id;             /* 32 hexadecimal digits, or NULL */
  guint64 capabilities_dropped; /* bits; programs of the zone can't have them */
  guint64 capabilities_kept;    /* bits of those that zones lack by default */
  guint64 memory;               /* bytes; 0: unlimited */
  guint64 processes;            /* 0: unlimited */
  guint32 cpu_percent;          /* of one processor: 150 is one and a half; 0: unlimited */
  char *processors;             /* a list of those that it is kept on (processors.h), or NULL: all */
} BzSettings;

BzSettings *bz_settings_new (void);
void bz_settings_free (BzSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzSettings, bz_settings_free)

BzDevice *bz_device_new (const char *source, const char *target);
void bz_device_free (BzDevice *device);

/* The flat form for the keeper. from_variant checks what the loader relies on; NULL with
 * BZ_ERROR_INPUT. */
GVariant *bz_settings_to_variant (const BzSettings *settings);
BzSettings *bz_settings_from_variant (GVariant *variant, GError **error);

/* NULL, or why the zone can't have this value of its own (a constant): only what belongs to its
 * namespaces is its own. network: it has a network namespace. */
const char *bz_sysctl_check (const char *name, gboolean network);

/* Whether `path` is absolute, below /dev, and has no "." or "..". */
gboolean bz_device_target_valid (const char *path);
