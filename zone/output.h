/* What the user sees: aligned tables, JSON, errors, progress. */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

/* A table of text. Cells are made safe for the terminal; columns are aligned by their
 * width on a terminal, not by bytes. No colours. */
typedef struct BzTextTable BzTextTable;

/* headings: NULL-terminated; NULL: no line of headings, and the first row sets the columns. */
BzTextTable *bz_text_table_new (const char *const *headings);
/* cells: as many as there are columns; NULL prints as "-". */
void bz_text_table_add (BzTextTable *table, const char *const *cells);
/* Columns whose cells are numbers are aligned to the right. */
void bz_text_table_right (BzTextTable *table, guint column);
/* The whole table, lines ended. Owned by the caller. */
char *bz_text_table_format (const BzTextTable *table);
void bz_text_table_free (BzTextTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzTextTable, bz_text_table_free)

/* Prints the table on standard output. */
void bz_text_table_print (const BzTextTable *table);

/* Prints "name:   value" with the values in one column, value made safe; nothing when value is
 * NULL. */
void bz_print_field (const char *name, const char *value);

/* Begins an object that has its "schema": 1. */
JsonBuilder *bz_json_begin (void);
/* Closes it and prints it on standard output; frees the builder. */
void bz_json_end (JsonBuilder *builder);
/* The same as one line of text without newline. Owned by the caller; frees the builder. */
char *bz_json_end_line (JsonBuilder *builder);
/* A member; a NULL or invalid text becomes null or is made safe. */
void bz_json_text (JsonBuilder *builder, const char *name, const char *value);
void bz_json_number (JsonBuilder *builder, const char *name, gint64 value);
void bz_json_bool (JsonBuilder *builder, const char *name, gboolean value);
/* An array of texts; NULL is an empty one. */
void bz_json_texts (JsonBuilder *builder, const char *name, const char *const *values);
/* "files": what a brand or plan shows; files (of BzFile) may be NULL. */
void bz_json_files (JsonBuilder *builder, const GPtrArray *files);

/* The one line, or one JSON object, that tells an error. Owned by the caller; ends with a newline.
 */
char *bz_error_format (const GError *error, gboolean json);

/* "12.3 MiB". Owned by the caller. */
char *bz_bytes_format (guint64 bytes);
/* Seconds since the epoch as RFC 3339 in UTC. Owned by the caller. */
char *bz_time_format (gint64 seconds);

/* The line of progress of a long piece of work. */
typedef struct BzMeter BzMeter;
typedef enum { BZ_METER_NONE, BZ_METER_TERMINAL, BZ_METER_JSON } BzMeterKind;

/* label: what is being done; copied. */
BzMeter *bz_meter_new (BzMeterKind kind, const char *label);
/* Tells, as a line of JSON only, what the work is about; before the first bz_meter_update. */
void bz_meter_recognised (const BzMeter *meter, const char *kind, guint64 bytes);
/* done and total in bytes (total 0: unknown); shown at most ten times a second. */
void bz_meter_update (BzMeter *meter, guint64 done, guint64 total, guint64 files);
/* Wipes the line and frees the meter. */
void bz_meter_free (BzMeter *meter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzMeter, bz_meter_free)

/* What the line says after `microseconds` of work. Owned by the caller. */
char *bz_meter_line (const char *label, guint64 done, guint64 total, guint64 files,
                     gint64 microseconds);
