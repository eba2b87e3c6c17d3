#include "config.h"

#include "installer/report.h"

#include "brand/base/error.h"

#include <stdarg.h>
#include <string.h>

const char bz_report_end[] = "";

char *
bz_report_line (int tag, ...)
{
  GString *line = g_string_new (NULL);
  const char *field;
  va_list args;

  g_string_append_c (line, (char) tag);
  va_start (args, tag);
  while ((field = va_arg (args, const char *)) != bz_report_end)
    {
      g_autofree char *escaped = field == NULL ? NULL : g_strescape (field, NULL);

      /* '=' before a text, '-' alone for none: NULL and "" stay apart. */
      g_string_append_printf (line, "\t%c%s", field == NULL ? '-' : '=',
                              escaped == NULL ? "" : escaped);
    }
  va_end (args);
  g_string_append_c (line, '\n');
  return g_string_free (line, FALSE);
}

void
bz_report_fields_free (char **fields, guint count)
{
  for (guint i = 0; fields != NULL && i < count; i++)
    g_free (fields[i]);
  g_free (fields);
}

char **
bz_report_parse (const char *line, guint count)
{
  g_auto (GStrv) parts = g_strsplit (line, "\t", -1);
  char **fields;

  if (g_strv_length (parts) != count + 1)
    return NULL;
  fields = g_new0 (char *, count + 1);
  for (guint i = 0; i < count; i++)
    {
      const char *part = parts[i + 1];

      if (part[0] == '=')
        fields[i] = g_strcompress (part + 1);
      else if (strcmp (part, "-") != 0)
        {
          bz_report_fields_free (fields, count);
          return NULL;
        }
    }
  return fields;
}

char *
bz_report_error_line (const GError *error)
{
  const BzErrorParts *parts = bz_error_parts (error);
  g_autofree char *code = g_strdup_printf ("%d", bz_error_exit_status (error));

  if (parts == NULL)
    return bz_report_line (BZ_REPORT_ERROR, code, "installing", error->message, NULL, NULL,
                           BZ_REPORT_END);
  return bz_report_line (BZ_REPORT_ERROR, code, parts->what, parts->why, parts->hint, parts->row,
                         BZ_REPORT_END);
}

void
bz_report_error_parse (const char *line, GError **error)
{
  char **fields = bz_report_parse (line, 5);
  guint64 code = 0;

  if (fields == NULL || fields[0] == NULL || fields[1] == NULL || fields[2] == NULL
      || !g_ascii_string_to_unsigned (fields[0], 10, 1, 255, &code, NULL))
    bz_fail (error, BZ_ERROR_FAILED, "it told an error that makes no sense", NULL,
             "brandzone-install");
  else
    {
      bz_fail (error, (BzErrorCode) code, fields[2], fields[3], "%s", fields[1]);
      if (error != NULL)
        bz_error_set_row (*error, fields[4]);
    }
  bz_report_fields_free (fields, 5);
}
