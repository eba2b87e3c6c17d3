/* Lists of trees, in the form of mtree(5) as installer/export.h writes them, and what differs
 * between two. */
#pragma once

#include <glib.h>

typedef struct {
  char *path;   /* "bin/ls"; "": the root */
  char *type;   /* mtree's word: "file", "dir", "link", "char", "block", "fifo" */
  char *target; /* of a link, or the numbers of a device; NULL */
  char *digest; /* SHA-256 of a file's contents; NULL */
  guint64 size, uid, gid;
  guint mode;
  GPtrArray *attributes; /* of "NAME=BASE64"; NULL */
} BzListed;

/* Of BzListed, in the order of their paths. BZ_ERROR_INPUT for what is no such list; `label`: how
 * errors call it. Words that are not known are passed over. */
GPtrArray *bz_tree_list_parse (const char *text, const char *label, GError **error);

typedef enum {
  BZ_DIFFERS_ADDED = 1 << 0,
  BZ_DIFFERS_MISSING = 1 << 1,
  BZ_DIFFERS_TYPE = 1 << 2,
  BZ_DIFFERS_CONTENTS = 1 << 3,
  BZ_DIFFERS_TARGET = 1 << 4,
  BZ_DIFFERS_MODE = 1 << 5,
  BZ_DIFFERS_OWNER = 1 << 6,
  BZ_DIFFERS_ATTRIBUTES = 1 << 7,
} BzDiffers;

/* By its place: what a distribution's packages bring, what its administrator sets, and what its
 * programs write while they run. */
typedef enum { BZ_PLACE_PROGRAM, BZ_PLACE_CONFIGURATION, BZ_PLACE_DATA, BZ_N_PLACES } BzPlace;
const char *bz_place_name (BzPlace place);
BzPlace bz_place_of (const char *path);

typedef struct {
  const BzListed *was, *is; /* borrowed; NULL: added, missing */
  guint differs;            /* of BzDiffers */
  BzPlace place;
} BzTreeChange;

static inline const char *
bz_tree_change_path (const BzTreeChange *change)
{
  return change->is != NULL ? change->is->path : change->was->path;
}

/* Of BzTreeChange, in the order of paths. Times alone are no difference. Of a directory that came
 * or went as a whole only its own name is told. What came and holds nothing is of BZ_PLACE_DATA, wherever it lies. */
GArray *bz_tree_list_compare (GPtrArray *then, GPtrArray *now);

/* NULL-terminated words: "contents", "mode". Owned by the caller. */
char **bz_differs_words (guint differs);
/* "contents (12 bytes, was 10 bytes), mode 755 (was 4755)". Owned by the caller. */
char *bz_tree_change_text (const BzTreeChange *change);
