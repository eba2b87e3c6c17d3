/* What brandzone-install tells its caller: lines of tab-separated, escaped fields over a pipe. */
#pragma once

#include "installer/installer.h"

/* Tags. Each is followed by its fields. */
#define BZ_REPORT_SOURCE 'S'   /* kind, bytes: before anything is written */
#define BZ_REPORT_PROGRESS 'P' /* done, total, files */
#define BZ_REPORT_NOTICE 'N'   /* text */
#define BZ_REPORT_RESULT 'R'   /* files, bytes: the target is there */
#define BZ_REPORT_STAGE 'T'    /* package manager, packages: what is left to be done in the zone */
#define BZ_REPORT_ERROR 'E'    /* code, what, why, hint, row */

#define BZ_REPORT_LINE_MAX 65536

/* One line with its newline; fields end with BZ_REPORT_END and may be NULL. Owned by the caller. */
char *bz_report_line (int tag, ...);
extern const char bz_report_end[];
#define BZ_REPORT_END bz_report_end

/* The fields of a line (without newline), exactly `count`; absent ones are NULL in
 * the array, so free it with bz_report_fields_free. NULL: not such a line. */
char **bz_report_parse (const char *line, guint count);
void bz_report_fields_free (char **fields, guint count);

char *bz_report_error_line (const GError *error);
/* The error of an 'E' line, parts and all; BZ_ERROR_FAILED when it makes no sense. */
void bz_report_error_parse (const char *line, GError **error);
