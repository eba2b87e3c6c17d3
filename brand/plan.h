/* The plan of a zone: brand x host x configuration, as plain data.
 *
 * Everything that runs a zone reads the plan and nothing else, so it can be
 * printed, compared, masked and tested without a kernel. */
#pragma once

#include "brand/brand.h"
#include "brand/host.h"

typedef struct {
  char *brand;   /* name of the brand */
  BzAbi abi;     /* the zone's own ABI */
  char *release; /* uname -r as the zone sees it; never NULL */
  char *version; /* uname -v */
  char *machine[BZ_ABI_COUNT];
  char *proc_version; /* the line of /proc/version, without newline, or NULL: the host's */
  BzRelease release_number;
  guint64 personality; /* of the first program; with PER_LINUX32 in i386 zones */
  guint8 quirk[BZ_QUIRK_COUNT];
  BzLimit limits[BZ_LIMIT_COUNT];
  char **calls_present; /* sorted; may be empty, never NULL */
  char **calls_absent;
  GPtrArray *files;     /* of BzFile, their paths whole; NULL: none */
  gboolean sync_wake_up;  /* the listener may use SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (6.6) */
  gboolean wait_killable; /* the filter may use SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (5.19) */
  gboolean fuse;          /* files may be served */
  BzRelease host_release;
  guint32 ids; /* user ids that the zone has, from 0 on; 1: only its root's */
} BzPlan;

#define BZ_PLAN_ALL_IDS 65536

typedef struct {
  BzAbi abi;
  const char *release;              /* the zone's own choice of release, or NULL */
  gboolean program_release;         /* BRANDZONE_RELEASE in a program's environment counts */
  const char *const *disabled_rows; /* catalogue rows put back to the host's behaviour, or NULL */
  guint32 ids;                      /* that the zone has; 0: BZ_PLAN_ALL_IDS */
  gboolean fold_inodes;             /* file systems of the zone need it, or the user wants it */
  gboolean remember_owners;         /* those that a zone with one id lacks */
  gboolean mounts;                  /* the zone may have file systems mounted by the host's root */
  gboolean strict;                  /* a call that nothing can carry out kills its program */
} BzPlanOptions;

/* host may have been masked by bz_host_mask. */
BzPlan *bz_plan_make (const BzBrand *brand, const BzHost *host, const BzPlanOptions *options,
                      GError **error);
void bz_plan_free (BzPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzPlan, bz_plan_free)

/* A flat form for other processes; from_variant checks every field and fails with BZ_ERROR_INPUT.
 */
GVariant *bz_plan_to_variant (const BzPlan *plan);
BzPlan *bz_plan_from_variant (GVariant *variant, GError **error);
