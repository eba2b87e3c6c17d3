/* brandzone-export: writes one tree to one file. Started by installer/export-client.c, with all that
 * it needs open. */
#include "config.h"

#include "brand/base/error.h"
#include "installer/export.h"
#include "installer/report.h"
#include "installer/sandbox.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int tree_fd = -1, out_fd = -1, temporary_fd = -1, report_fd = -1;
static gint64 id_shift;
static char *format, *filter, *prefix, *architecture, *name;

static const GOptionEntry entries[] = {
  { "tree-fd", 0, 0, G_OPTION_ARG_INT, &tree_fd, "The tree's root directory", "FD" },
  { "out-fd", 0, 0, G_OPTION_ARG_INT, &out_fd, "Where to write", "FD" },
  { "temporary-fd", 0, 0, G_OPTION_ARG_INT, &temporary_fd, "A place for an image's layer", "FD" },
  { "report-fd", 0, 0, G_OPTION_ARG_INT, &report_fd, "Report to this descriptor", "FD" },
  { "id-shift", 0, 0, G_OPTION_ARG_INT64, &id_shift, "Take this from every owner id", "N" },
  { "format", 0, 0, G_OPTION_ARG_STRING, &format, "tar, oci or mtree", "FORMAT" },
  { "filter", 0, 0, G_OPTION_ARG_STRING, &filter, "gzip, xz or zstd", "FILTER" },
  { "prefix", 0, 0, G_OPTION_ARG_STRING, &prefix, "Of all names", "TEXT" },
  { "architecture", 0, 0, G_OPTION_ARG_STRING, &architecture, "Of the image", "NAME" },
  { "name", 0, 0, G_OPTION_ARG_STRING, &name, "Of the image", "NAME" },
  { NULL },
};

static gboolean
work (BzExport *export, GError **error)
{
  if (strcmp (format, "oci") == 0)
    return bz_export_image (export, out_fd, temporary_fd, architecture, name, error);
  if (strcmp (format, "mtree") == 0)
    return bz_export_list (export, out_fd, error);
  BzArchiveWriter *writer = bz_export_open (out_fd, filter, error);
  if (writer == NULL)
    return FALSE;
  gboolean good = bz_export_tree (export, writer, error);
  return bz_export_close (writer, good ? error : NULL) && good;
}

static void
report (const BzExport *export, const GError *failure)
{
  g_autofree char *files = g_strdup_printf ("%" G_GUINT64_FORMAT, export->files);
  g_autofree char *bytes = g_strdup_printf ("%" G_GUINT64_FORMAT, export->bytes);
  g_autofree char *sockets = g_strdup_printf ("%u", export->sockets);
  g_autofree char *line = failure != NULL
                              ? bz_report_error_line (failure)
                              : bz_report_line (BZ_REPORT_RESULT, files, bytes, sockets,
                                                BZ_REPORT_END);

  (void) !write (report_fd, line, strlen (line));
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) failure = NULL;
  BzExport export = { 0 };

  if (setlocale (LC_CTYPE, "C.UTF-8") == NULL)
    setlocale (LC_CTYPE, "en_US.UTF-8");
  signal (SIGPIPE, SIG_IGN);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &failure) || format == NULL || tree_fd < 3
      || out_fd < 1 || report_fd < 3 || id_shift < 0 || id_shift > G_MAXUINT32)
    {
      fprintf (stderr, "brandzone-export is started by brandzone export\n");
      return BZ_ERROR_USAGE;
    }
  export.tree_fd = tree_fd;
  export.id_shift = (guint32) id_shift;
  export.prefix = prefix != NULL ? prefix : "";
  int last = MAX (MAX (tree_fd, out_fd), MAX (temporary_fd, report_fd));
  if (bz_sandbox_enter ((unsigned) last + 1, &failure))
    work (&export, &failure);
  report (&export, failure);
  return failure == NULL ? 0 : bz_error_exit_status (failure);
}
