/* Packages of a repository, as its metadata tell of them. */
#pragma once

#include "installer/media.h"

typedef struct {
  char *path; /* in the repository, clean */
  char *name, *evr, *arch;
  char *checksum; /* hexadecimal, or NULL: none is told */
  GChecksumType checksum_type;
  guint64 size;  /* of the package; 0: not told */
  gboolean seed; /* needed before the tree's own package manager can run */
} BzPackage;

void bz_package_free (BzPackage *package);

/* Where the packages of one kind of media lie, and what tells of them. */
typedef struct {
  char *directory; /* of the packages where no metadata are: "RedHat/RPMS" */
  gboolean metadata;
} BzRpmLayout;

/* FALSE without an error: it is no such repository. *layout->directory: the caller's. */
gboolean bz_rpm_layout_find (BzMedia *media, BzRpmLayout *layout, GError **error);

typedef struct {
  char **wanted; /* of the user: "bash", "sh-utils|coreutils", "?vim" (if there), "@base" (a group) */
  char **seed;   /* what the package manager needs to run, in the same words */
  const char *arch; /* "x86_64", "i686"; NULL: x86_64 if the repository has it */
} BzChoice;

/* Reads what the repository holds and finds what has to be installed for the choice, with all that
 * it needs. *verified: a signature of the metadata was checked, which covers the packages'
 * checksums. Returns an array of BzPackage. */
GPtrArray *bz_rpm_choose (BzMedia *media, const BzRpmLayout *layout, const BzChoice *choice,
                          gboolean *verified, GError **error);

/* A Debian repository: dists/SUITE/Release and what it names. */
typedef struct {
  char *suite;  /* as asked for */
  char *arch;   /* "amd64" */
} BzDebLayout;

/* FALSE without an error: it is no such repository. suite NULL: the only one that is there.
 * arch: as BzChoice has it. */
gboolean bz_deb_layout_find (BzMedia *media, const char *suite, BzDebLayout *layout,
                             GError **error);
void bz_deb_layout_clear (BzDebLayout *layout);
/* The same as bz_rpm_choose. "@required" and the like are packages of a priority; the signature of
 * Release is checked when there are keys. *arch of the layout is found. */
GPtrArray *bz_deb_choose (BzMedia *media, BzDebLayout *layout, const BzChoice *choice,
                          GError **error);

/* What a package's own headers tell. */
typedef struct {
  char *name;
  guint64 files, bytes;   /* as installed */
  guint64 header, payload; /* where they begin in the file */
  GBytes *signatures[2];  /* of the header; of header and payload; NULL: none */
  gboolean digests;       /* what it says of its payload was true */
} BzRpmHeader;

/* Reads and checks the headers, with librpm, and the payload's digest. */
BzRpmHeader *bz_rpm_header_read (BzJob *job, int fd, const char *label, GError **error);
void bz_rpm_header_free (BzRpmHeader *header);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzRpmHeader, bz_rpm_header_free)
