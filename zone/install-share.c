/* install: trees that other zones of the same source have. */
#include "config.h"

#include "zone/install-work.h"

#include "brand/base/error.h"
#include "zone/installed.h"
#include "zone/registry.h"

#include <stdio.h>
#include <unistd.h>

gboolean
bz_install_share_option (const BzArguments *arguments, BzInstallShare *share, GError **error)
{
  static const char *const words[] = { "auto", "yes", "no", NULL };
  const char *given = bz_arguments_string (arguments, "share");

  *share = BZ_SHARE_AUTO;
  for (guint i = 0; given != NULL && words[i] != NULL; i++)
    if (g_str_equal (given, words[i]))
      {
        *share = (BzInstallShare) i;
        return TRUE;
      }
  return given == NULL
         || bz_fail (error, BZ_ERROR_USAGE, "it is auto, yes or no", NULL,
                     "brandzone install: --share");
}

/* What makes another tree of the same source: the version of who unpacks it, what is chosen of it,
 * and the ids that it has on disk. Owned by the caller. */
static char *
tree_options (const BzInstallWork *install)
{
  const BzZoneState *state = install->state;
  const char *abi = bz_arguments_string (install->arguments, "abi");
  GString *text = g_string_new (PACKAGE_VERSION);

  g_string_append_printf (text, " %s", abi != NULL ? abi : "any");
  if (geteuid () == 0 && state->id_storage == BZ_IDS_MOUNT)
    g_string_append (text, " own-ids");
  else
    for (guint i = 0; i < state->uids->len; i++)
      {
        const BzIdRange *uid = &g_array_index (state->uids, BzIdRange, i);
        g_string_append_printf (text, " %u:%u:%u", uid->inside, uid->outside, uid->count);
      }
  return g_string_free (text, FALSE);
}

static void
begin_base (BzInstallWork *install, const char *source)
{
  g_autofree char *options = tree_options (install);

  if (!bz_install_is_machine (install->arguments) && !bz_registry_is (source)
      && !bz_arguments_flag (install->arguments, "keep-partial"))
    install->state->base = bz_base_of_source (source, options);
}

static void
tell_shared (BzInstallWork *install)
{
  const BzZoneState *from = install->found.state;
  BzZoneState *state = install->state;

  install->shared = TRUE;
  install->result = g_new0 (BzInstallResult, 1);
  install->result->notices = g_new0 (char *, 1);
  state->kind = g_strdup (from->kind);
  state->files = from->files;
  state->bytes = from->bytes;
  state->base->begun = from->base->begun;
  state->base->made = from->base->made;
  if (!install->context->quiet && !install->context->json)
    printf ("%s: the source is %s %s, which is here already\n", state->name, bz_install_article (state->kind),
            state->kind);
}

/* A plain user's overlay can't rename directories (FAILURES P2): nobody gets one unasked. */
static gboolean
may_overlay (const BzInstallWork *install, BzInstallShare share)
{
  g_autoptr (BzHost) host = bz_context_host (install->context, install->arguments, NULL);

  return host != NULL && host->has[BZ_FEATURE_OVERLAY] && (share == BZ_SHARE_YES || geteuid () == 0);
}

/* A descriptor to close when the record is written; -1: the tree has to be unpacked. */
int
bz_install_share (BzInstallWork *install, const char *source, BzInstallShare share)
{
  g_autoptr (GError) problem = NULL;
  BzZoneState *state = install->state;

  begin_base (install, source);
  if (share == BZ_SHARE_NO || state->base == NULL
      || !bz_base_find (install->context->dirs, state->base, source, &install->found))
    return -1;
  int guard = bz_base_share (install->context->dirs, state, &install->found,
                             may_overlay (install, share), &install->tree, &problem);
  if (guard >= 0)
    {
      tell_shared (install);
      return guard;
    }
  if (problem != NULL)
    bz_context_note (install->context, "the tree of another zone is not shared: %s",
                     problem->message);
  bz_storage_adopt (state, NULL, NULL);
  return -1;
}

/* From now on a change of the tree has a later time than its installation. */
void
bz_install_base_end (BzInstallWork *install)
{
  if (install->shared || install->state->base == NULL)
    return;
  if (install->ran || install->result->stage != NULL)
    g_clear_pointer (&install->state->base, bz_base_free);
  else
    bz_base_made (install->state->base);
}

/* The second of its source, while the first has changed; or the first, if that is wanted. */
void
bz_install_base_make (BzInstallWork *install, BzInstallShare share)
{
  g_autoptr (GError) problem = NULL;
  const BzZoneState *state = install->state;
  g_autofree char *tree = bz_storage_tree (install->context->dirs, state);
  gboolean wanted = share == BZ_SHARE_YES || (share == BZ_SHARE_AUTO && install->found.other);
  BzCopyWay way;

  if (install->shared || state->base == NULL || !wanted
      || (geteuid () == 0 && state->id_storage == BZ_IDS_SHIFTED)
      || !bz_copy_way_choose (BZ_COPY_AUTO, tree, may_overlay (install, share), &way, NULL)
      || way != BZ_COPY_OVERLAY)
    return;
  if (!bz_base_make (install->context->dirs, install->state, &problem))
    bz_context_note (install->context, "others can't share its tree: %s", problem->message);
}

gboolean
bz_install_share_list (const BzInstallWork *install, const char *directory, GError **error)
{
  const BzDirs *dirs = install->context->dirs;
  g_autofree char *from = install->found.layer != NULL
                              ? bz_layer_directory (dirs, install->found.layer)
                              : bz_dirs_zone (dirs, install->found.zone);

  return bz_installed_share (from, directory, error);
}
