/* mirror: a repository for zones, over plain HTTP. */
#include "config.h"

#include "brand/base/error.h"
#include "installer/mirror.h"
#include "zone/dirs.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/planning.h"
#include "zone/repo-edits.h"
#include "zone/verbs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  const BzContext *context;
  const char *source, *zone;
  gboolean flat;
  int tree_fd; /* of the zone, or -1 */
} Mirror;

static void
tell (const Mirror *mirror, const GPtrArray *told, const char *what)
{
  for (guint i = 0; i < told->len; i++)
    bz_context_note (mirror->context, "%s %s of zone %s", (const char *) told->pdata[i], what,
                     mirror->zone);
}

static gboolean
undo (const Mirror *mirror, GError **error)
{
  g_autoptr (GPtrArray) told = g_ptr_array_new_with_free_func (g_free);

  if (mirror->tree_fd < 0)
    return TRUE;
  gboolean good = bz_repo_edits_undo (mirror->tree_fd, told, error);
  tell (mirror, told, "put back in the repository files");
  return good;
}

static gboolean
ready (const char *address, gpointer data, GError **error)
{
  const Mirror *mirror = data;
  g_autoptr (GPtrArray) told = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *safe = bz_text_safe (mirror->source);

  if (mirror->tree_fd >= 0)
    {
      if (!bz_repo_edits_make (mirror->tree_fd, address, mirror->flat, told, error))
        return FALSE;
      tell (mirror, told, "edited in the repository files");
      if (told->len == 0)
        bz_context_note (mirror->context, "zone %s has no repository files that could be edited",
                         mirror->zone);
    }
  if (mirror->context->json)
    {
      JsonBuilder *builder = bz_json_begin ();
      bz_json_text (builder, "address", address);
      g_autofree char *line = bz_json_end_line (builder);
      printf ("%s\n", line);
    }
  else
    printf ("serving %s at %s/ (Ctrl-C ends it)\n", safe, address);
  fflush (stdout);
  return TRUE;
}

static gboolean
is_address (const char *source)
{
  return g_str_has_prefix (source, "http://") || g_str_has_prefix (source, "https://");
}

/* Its own metadata at the top: every repository file means the same then. */
static gboolean
is_flat (const char *source)
{
  g_autofree char *metadata = g_build_filename (source, "repodata", "repomd.xml", NULL);

  return !is_address (source) && access (metadata, F_OK) == 0;
}

static gboolean
open_zone (Mirror *mirror, GError **error)
{
  if (mirror->zone == NULL)
    return TRUE;
  g_autoptr (BzZoneState) state = bz_state_load (mirror->context->dirs, mirror->zone, error);
  g_autofree char *tree = bz_dirs_zone_root (mirror->context->dirs, mirror->zone);
  if (state == NULL)
    return FALSE;
  mirror->tree_fd = bz_tree_open (tree, error);
  return mirror->tree_fd >= 0;
}

static gboolean
serve (Mirror *mirror, const BzArguments *arguments, GError **error)
{
  const char *given = bz_arguments_word (arguments, 0);
  const char *listen = bz_arguments_string (arguments, "listen");
  g_autofree char *source = NULL;
  g_autofree char *scratch = g_build_filename (mirror->context->dirs->cache, "fetched", NULL);

  if (given == NULL)
    return bz_fail (error, BZ_ERROR_USAGE, "no repository is named",
                    "write: brandzone mirror DIRECTORY, or an http or https address",
                    "brandzone mirror");
  source = is_address (given) ? g_strdup (given) : bz_path_absolute (given);
  mirror->source = source;
  mirror->flat = is_flat (source);
  if (!bz_dirs_make (mirror->context->dirs->cache, error))
    return FALSE;
  BzMirrorOptions options = { .source = source,
                              .listen = listen != NULL ? listen : "127.0.0.1:0",
                              .scratch = scratch,
                              .ready = ready,
                              .data = mirror };
  gboolean good = bz_mirror_serve (&options, error);
  /* What was edited goes back whatever happened. */
  return undo (mirror, good ? error : NULL) && good;
}

int
bz_verb_mirror (BzContext *context, const BzArguments *arguments, GError **error)
{
  Mirror mirror = { .context = context,
                    .zone = bz_arguments_string (arguments, "zone"),
                    .tree_fd = -1 };
  gboolean back = bz_arguments_flag (arguments, "undo");

  if (back && mirror.zone == NULL)
    {
      bz_fail (error, BZ_ERROR_USAGE, "no zone is named", "write: --undo --zone NAME",
               "brandzone mirror --undo");
      return -1;
    }
  gboolean good = open_zone (&mirror, error)
                  && (back ? undo (&mirror, error) : serve (&mirror, arguments, error));
  if (mirror.tree_fd >= 0)
    close (mirror.tree_fd);
  return good ? 0 : -1;
}
