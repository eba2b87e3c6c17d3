/* install: what it says. */
#include "config.h"

#include "zone/install-work.h"

#include "zone/names.h"
#include "zone/output.h"
#include "zone/p2v.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
bz_install_show_progress (const BzProgress *progress, gpointer data)
{
  const BzInstallWork *install = data;

  bz_meter_update (install->meter, progress->done, progress->total, progress->files);
}

const char *
bz_install_article (const char *kind)
{
  return strchr ("aeioAEIO", kind[0]) != NULL ? "an" : "a";
}

/* What the source is, before anything is done with it. */
void
bz_install_show_recognised (const BzSourceInfo *source, gpointer data)
{
  const BzInstallWork *install = data;
  g_autofree char *safe = bz_text_safe (source->kind);
  g_autofree char *amount = bz_bytes_format (source->bytes);

  bz_meter_recognised (install->meter, source->kind, source->bytes);
  if (install->context->quiet || install->context->json)
    return;
  printf ("%s: the source is %s %s%s%s\n", install->state->name, bz_install_article (safe), safe,
          source->bytes > 0 ? " of " : "", source->bytes > 0 ? amount : "");
  fflush (stdout);
}

BzMeterKind
bz_install_meter_kind (const BzContext *context, const BzArguments *arguments)
{
  const char *given = bz_arguments_string (arguments, "progress");

  if (g_strcmp0 (given, "json") == 0)
    return BZ_METER_JSON;
  if (g_strcmp0 (given, "none") == 0 || context->quiet || context->json || !isatty (STDERR_FILENO))
    return BZ_METER_NONE;
  return BZ_METER_TERMINAL;
}

static void
tell_left (const BzInstallWork *install)
{
  for (guint i = 0; install->left != NULL && i < install->left->len; i++)
    {
      const BzLeftBehind *item = install->left->pdata[i];
      g_autofree char *example = item->example == NULL ? NULL : bz_text_safe (item->example);
      g_autofree char *file = bz_text_safe (item->file);

      printf ("%s: %s: %s", install->state->name, file, item->says);
      if (item->lines == 1)
        printf (" (%s)", example);
      else if (item->lines > 1)
        printf (" (%u lines, the first: %s)", item->lines, example);
      printf ("%s%s\n", item->done != NULL ? "; " : "", item->done != NULL ? item->done : "");
    }
}

static void
left_json (JsonBuilder *builder, const GPtrArray *left)
{
  if (left == NULL)
    return;
  json_builder_set_member_name (builder, "left_behind");
  json_builder_begin_array (builder);
  for (guint i = 0; i < left->len; i++)
    {
      const BzLeftBehind *item = left->pdata[i];
      json_builder_begin_object (builder);
      bz_json_text (builder, "check", item->check);
      bz_json_text (builder, "file", item->file);
      bz_json_text (builder, "says", item->says);
      bz_json_number (builder, "lines", item->lines);
      bz_json_text (builder, "example", item->example);
      bz_json_text (builder, "done", item->done);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
report_json (const BzInstallWork *install)
{
  JsonBuilder *builder = bz_json_begin ();

  bz_json_text (builder, "name", install->state->name);
  bz_json_text (builder, "brand", install->state->brand);
  bz_json_text (builder, "abi", bz_abi_name (install->state->abi));
  bz_json_texts (builder, "reasons",
                 install->detection != NULL ? (const char *const *) install->detection->reasons
                                            : NULL);
  bz_json_bool (builder, "nearest", install->detection != NULL && install->detection->nearest);
  bz_json_text (builder, "kind", install->state->kind);
  bz_json_number (builder, "files", install->state->files);
  bz_json_number (builder, "bytes", install->state->bytes);
  bz_json_bool (builder, "shared", install->shared);
  bz_json_text (builder, "shared_with", install->shared ? install->found.zone : NULL);
  bz_json_texts (builder, "notices", (const char *const *) install->result->notices);
  left_json (builder, install->left);
  bz_json_end (builder);
}

void
bz_install_report (const BzInstallWork *install)
{
  const BzZoneState *state = install->state;
  gboolean given = bz_arguments_string (install->arguments, "brand") != NULL;

  if (install->context->json)
    {
      report_json (install);
      return;
    }
  for (char **notice = install->result->notices; *notice != NULL; notice++)
    bz_context_note (install->context, "%s", *notice);
  for (guint i = 0; install->notices != NULL && i < install->notices->len; i++)
    bz_context_note (install->context, "%s", (const char *) install->notices->pdata[i]);
  if (!given && install->detection->nearest)
    bz_context_note (install->context,
                     "no brand is made for this tree: %s is the nearest (choose with --brand; see: "
                     "brandzone brands)",
                     state->brand);
  if (install->context->quiet)
    return;

  g_autofree char *amount = bz_bytes_format (state->bytes);
  if (install->shared)
    printf ("%s: %" G_GUINT64_FORMAT " files, %s, shared with %s\n", state->name, state->files, amount,
            install->found.zone != NULL ? install->found.zone : "other zones of this source");
  else
    printf ("%s: %" G_GUINT64_FORMAT " files, %s, from %s %s\n", state->name, state->files, amount,
            bz_install_article (state->kind), state->kind);
  printf ("%s: brand %s, %s", state->name, state->brand, bz_abi_name (state->abi));
  if (!given && install->detection->reasons[0] != NULL)
    {
      g_autofree char *reasons = g_strjoinv ("; ", install->detection->reasons);
      g_autofree char *safe = bz_text_safe (reasons);
      printf (" (%s)", safe);
    }
  printf ("\n");
  tell_left (install);
  printf ("Run it: brandzone run -it %s\n", state->name);
}
