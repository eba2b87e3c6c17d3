/* A brand: what a userland expects of its kernel. Data, read from NAME.brand
 * key files; brandzone-brand(5) describes every group and key. */
#pragma once

#include "brand/abi.h"
#include "brand/brand-files.h"
#include "brand/quirk.h"
#include "brand/release.h"

typedef struct {
  guint64 soft, hard; /* G_MAXUINT64: unlimited */
  gboolean set;
} BzLimit;

/* The limits that a brand may set, in the order of BzBrand.limits. */
typedef enum {
  BZ_LIMIT_NOFILE,
  BZ_LIMIT_STACK,
  BZ_LIMIT_NPROC,
  BZ_LIMIT_CORE,
  BZ_LIMIT_COUNT
} BzLimitKind;
const char *bz_limit_name (BzLimitKind kind); /* "nofile" */
int bz_limit_resource (BzLimitKind kind);     /* RLIMIT_NOFILE */

/* After inheritance is resolved. Strings are NULL where the host's own holds. */
typedef struct {
  gint ref_count;
  char *name;       /* "el6" */
  char *title;      /* "Enterprise Linux 6" */
  char *inherits;   /* the direct parent's name, or NULL */
  char *source;     /* where its own file says that the facts were read, or NULL */
  char *init;       /* the family of its init (brand/boot), or NULL */
  char *file;       /* where it was read, for messages */
  gboolean profile; /* a kernel profile such as linux-2.4: never detected by release files */

  char *release[BZ_ABI_COUNT];  /* uname -r of a zone whose own ABI this is */
  char *version[BZ_ABI_COUNT];  /* uname -v */
  char *machine[BZ_ABI_COUNT];  /* uname -m of tasks of that ABI: "i586", "x86_64" */
  char *compiler;               /* the bracketed part of /proc/version, or NULL */
  guint64 personality;          /* flags set before init: ADDR_NO_RANDOMIZE ... (personality(2)) */
  guint8 quirk[BZ_QUIRK_COUNT]; /* values, see quirk.h */
  BzLimit limits[BZ_LIMIT_COUNT];
  char **calls_present; /* names of calls that the vendor's kernel had ahead of its release
                           (backports) */
  char **calls_absent;  /* names of calls that it lacked */
  GPtrArray *files;     /* of BzFile: what its userland looks for; never NULL */

  struct BzDetectRule *detect; /* detect-rule.c's own; NULL if the brand is never detected */
  char **unsourced; /* of its own file: "FILE:LINE: [Calls] names no Source"; never NULL */
  char **warnings; /* one line each: "FILE:LINE: unknown key ..."; the ancestors' too; never NULL */
} BzBrand;

/* Reads brands from `dirs` (first match wins; NULL-terminated). NULL: the
 * directories of bz_brand_directories(). Fails with BZ_ERROR_NO_ZONE if there is
 * no such brand, BZ_ERROR_INPUT (file and key named) if it or an ancestor is
 * malformed, inherits in a circle or deeper than 16. */
BzBrand *bz_brand_load (const char *const *dirs, const char *name, GError **error);
/* What the brand's own file says, without what it inherits: for its rules of detection. Fails as above.
 */
BzBrand *bz_brand_load_alone (const char *const *dirs, const char *name, GError **error);
BzBrand *bz_brand_ref (BzBrand *brand);
void bz_brand_unref (BzBrand *brand);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzBrand, bz_brand_unref)

/* Names of all brands in the directories, sorted. Owned by the caller. */
char **bz_brand_list (const char *const *dirs);

/* $BRANDZONE_BRAND_PATH (colon separated; tests and builds that are not
 * installed), else /etc/brandzone/brands, the user's ~/.config/brandzone/brands,
 * and the package's own. Owned by the caller. */
char **bz_brand_directories (void);
