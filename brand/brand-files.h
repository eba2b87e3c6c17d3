/* Files that a brand's userland expects and the host or the tree lacks: [File NAME] of a brand file. */
#pragma once

#include "brand/key-lines.h"

typedef enum {
  BZ_FILE_TEXT,      /* a read-only file that holds `value` */
  BZ_FILE_FORM,      /* one with figures of the machine: `value` names a form of forms.def */
  BZ_FILE_SAME,      /* the file `value` of the zone's /proc under another name */
  BZ_FILE_LINK,      /* a link in /dev to `value` */
  BZ_FILE_DIRECTORY, /* a directory in memory; `value`: names of empty files in it, with ';' */
  BZ_FILE_KIND_COUNT
} BzFileKind;

typedef enum { BZ_FILE_ALWAYS, BZ_FILE_RUN, BZ_FILE_BOOT, BZ_FILE_WHEN_COUNT } BzFileWhen;

typedef struct {
  char *name; /* of its group; NULL in a plan */
  char *path; /* absolute; "%r" stands for the release, not in a plan */
  BzFileKind kind;
  BzFileWhen when; /* in which zones: that run a command, that boot, or both */
  char *value;     /* never NULL */
} BzFile;

#define BZ_FILES_MAX 64

typedef enum {
#define BZ_FORM(id, name, quirk) BZ_FORM_##id,
#include "brand/forms.def"
#undef BZ_FORM
  BZ_FORM_COUNT
} BzForm;

/* BZ_FORM_COUNT: there is none of that name. */
BzForm bz_form_find (const char *name);
const char *bz_form_name (BzForm form);

BzFile *bz_file_new (const char *path, BzFileKind kind, BzFileWhen when, const char *value);
void bz_file_free (BzFile *file);

const char *bz_file_kind_name (BzFileKind kind); /* "Text", as the key is called */
const char *bz_file_when_name (BzFileWhen when); /* "always" */

/* One line for people. Owned by the caller. */
char *bz_file_describe (const BzFile *file);

/* Whether path, kind and value make sense together; else *why says why not (static). */
gboolean bz_file_valid (const BzFile *file, const char **why);

/* Whether a group of a brand file is [File NAME]; its keys, NULL-terminated. */
gboolean bz_file_is_group (const char *group);
const char *const *bz_file_keys (void);

/* Sets what the groups [File NAME] of a brand file say into `files` (of BzFile), which has those of
 * its ancestors: a group of the same name takes an ancestor's place, one with an empty Path takes
 * it away. BZ_ERROR_INPUT with file and line. */
gboolean bz_files_read (const BzKeyLines *lines, GPtrArray *files, GError **error);

/* For a plan with these quirks: copies of what is to be shown, with the release in the place of %r.
 * BZ_ERROR_INPUT if no path comes of it. */
GPtrArray *bz_files_for_plan (const GPtrArray *files, const guint8 *quirk, const char *release, GError **error);

GVariant *bz_files_to_variant (const GPtrArray *files);
/* Checks each one; NULL when one makes no sense. */
GPtrArray *bz_files_from_variant (GVariant *variant);
