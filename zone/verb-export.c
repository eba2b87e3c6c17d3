/* export: a zone's tree as an archive, as a container image, or as a list. */
#include "config.h"

#include "brand/base/error.h"
#include "zone/dirs.h"
#include "zone/output.h"
#include "zone/save.h"
#include "zone/still.h"
#include "zone/verbs.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *
format_of (const BzArguments *arguments, const char *path)
{
  const char *given = bz_arguments_string (arguments, "format");

  if (given != NULL && strcmp (given, "auto") != 0)
    return given;
  return strstr (path, ".oci") != NULL          ? "oci"
         : g_str_has_suffix (path, ".mtree") ? "mtree"
                                             : "tar";
}

static void
report (const BzContext *context, const char *name, const char *path, const BzSave *save,
        const BzExportResult *result)
{
  if (result->sockets > 0)
    bz_context_note (context, "%u socket%s left out", result->sockets,
                     result->sockets == 1 ? "" : "s");
  if (save->path == NULL)
    return;
  if (context->json)
    {
      JsonBuilder *builder = bz_json_begin ();
      bz_json_text (builder, "name", name);
      bz_json_text (builder, "file", path);
      bz_json_text (builder, "format", save->format);
      bz_json_number (builder, "files", (gint64) result->files);
      bz_json_number (builder, "bytes", (gint64) result->bytes);
      bz_json_end (builder);
    }
  else if (!context->quiet)
    {
      g_autofree char *amount = bz_bytes_format (result->bytes);
      printf ("%s: %" G_GUINT64_FORMAT " files, %s, to %s\n", name, result->files, amount, path);
    }
}

static gboolean
is_writable (int fd)
{
  int flags = fcntl (fd, F_GETFL);

  return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

int
bz_verb_export (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0), *word = bz_arguments_word (arguments, 1);
  g_autoptr (BzZoneState) before = bz_state_load (context->dirs, name, error);
  gboolean out = strcmp (word, "-") == 0, running;
  g_autofree char *path = out ? NULL : bz_path_absolute (word);
  g_autofree char *zone = bz_dirs_zone (context->dirs, name);
  const char *format = format_of (arguments, word);
  BzSave save = { .path = path,
                  .format = format,
                  .zone = strcmp (format, "mtree") == 0 ? NULL : zone,
                  .force = bz_arguments_flag (arguments, "force") };
  BzExportResult result = { 0 };

  if (before == NULL)
    return -1;
  if (out && (isatty (STDOUT_FILENO) || !is_writable (STDOUT_FILENO)))
    {
      bz_fail (error, BZ_ERROR_USAGE,
               isatty (STDOUT_FILENO) ? "standard output is a terminal" : "standard output is closed",
               "redirect it, or name a file", "brandzone export");
      return -1;
    }
  int still = bz_zone_hold_still (context->dirs, name, &running, error);
  if (still < 0)
    return -1;
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, error);
  gboolean done = state != NULL && bz_save_tree (context, state, &save, &result, error);
  close (still);
  if (!done)
    return -1;
  report (context, name, path, &save, &result);
  return 0;
}
