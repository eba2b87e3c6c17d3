#include "config.h"

#include "zone/prepare.h"
#include "zone/apply.h"
#include "zone/scratch.h"

#include "brand/base/error.h"
#include "syscall-xlat/filter.h"
#include "zone/boot.h"
#include "zone/ids.h"
#include "zone/names.h"
#include "zone/network.h"
#include "zone/storage.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A zone that has just ended may hold its lock for this long. */
#define LOCK_WAIT_MS 3000

void
bz_prepared_free (BzPrepared *prepared)
{
  if (prepared == NULL)
    return;
  if (prepared->lock >= 0)
    close (prepared->lock);
  if (prepared->scratch_lock >= 0)
    close (prepared->scratch_lock);
  g_free (prepared->scratch);
  g_clear_pointer (&prepared->partition, bz_partition_free);
  bz_planning_free (prepared->planning);
  g_free (prepared);
}

/* BzPartition owns its plan; the planning keeps its own for messages. */
static BzPlan *
plan_copy (const BzPlan *plan, GError **error)
{
  g_autoptr (GVariant) variant = g_variant_ref_sink (bz_plan_to_variant (plan));

  return bz_plan_from_variant (variant, error);
}

static gboolean
prepare_scratch (BzPrepared *prepared, const BzContext *context, const char *tree, GError **error)
{
  BzPartition *partition = prepared->partition;
  g_autoptr (GError) problem = NULL;
  BzScratch scratch;

  if (!bz_scratch_make (context->dirs, tree, partition->uids, partition->gids, &scratch,
                        &problem))
    {
      if (problem == NULL)
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  prepared->scratch = scratch.name;
  prepared->scratch_lock = partition->lock_fds[1] = scratch.lock;
  partition->scratch = scratch.path;
  return TRUE;
}

void
bz_prepared_finish (BzPrepared *prepared, const BzContext *context)
{
  if (prepared->scratch != NULL)
    bz_scratch_remove (context->dirs, prepared->scratch);
}

/* What zones of both kinds have in common. */
static gboolean
fill (BzPrepared *prepared, const BzContext *context, const BzArguments *arguments, gboolean boot,
      GError **error)
{
  BzPartition *partition = prepared->partition;
  const BzPlanning *planning = prepared->planning;
  const char *hostname = bz_arguments_string (arguments, "hostname");
  gboolean needed;

  if (!bz_host_check (planning->host, error) || !bz_dirs_make (context->dirs->run, error))
    return FALSE;
  if (hostname == NULL)
    hostname = planning->file->hostname;
  partition->hostname = g_strdup (hostname);
  partition->root = g_strdup (planning->tree);
  if (planning->state != NULL)
    partition->layers = bz_storage_layers (context->dirs, planning->state);
  partition->lock_fds[0] = prepared->lock;
  partition->no_cgroup = !planning->host->has[BZ_FEATURE_CGROUP];
  if (!bz_network_apply (context, partition, planning->file, arguments, error)
      || !bz_network_check_host (context, planning->host, partition, error))
    return FALSE;

  partition->plan = plan_copy (planning->plan, error);
  if (partition->plan == NULL
      || !bz_apply_settings (partition, planning->file, arguments, error))
    return FALSE;
  partition->filter = bz_filter_cached (partition->plan, context->dirs->cache, &needed, error);
  if (partition->filter == NULL)
    return FALSE;
  if (partition->plan->quirk[BZ_QUIRK_VSYSCALL] != 0)
    partition->shadow_dir = g_build_filename (context->dirs->cache, "shadow", NULL);
  if (boot)
    return bz_boot_prepare (context, arguments, planning, partition, error);
  partition->command = bz_prepare_command (arguments, planning->tree_fd, error);
  if (partition->command == NULL)
    return FALSE;
  bz_apply_environment (partition->command, planning->file, arguments);
  return !partition->throw_away || prepare_scratch (prepared, context, partition->root, error);
}

static BzPrepared *
prepared_new (void)
{
  BzPrepared *prepared = g_new0 (BzPrepared, 1);

  prepared->lock = -1;
  prepared->scratch_lock = -1;
  prepared->partition = bz_partition_new ();
  return prepared;
}

static void
set_ids (BzPartition *partition, const GArray *uids, const GArray *gids, BzIdStorage storage)
{
  g_array_set_size (partition->uids, 0);
  g_array_set_size (partition->gids, 0);
  g_array_append_vals (partition->uids, uids->data, uids->len);
  g_array_append_vals (partition->gids, gids->data, gids->len);
  partition->id_storage = storage;
}

/* A throw-away copy is an overlay. */
static gboolean
check_overlay (const BzPlanning *planning, const char *option, GError **error)
{
  return planning->host->has[BZ_FEATURE_OVERLAY]
         || bz_fail (error, BZ_ERROR_HOST, "this host has no overlay file system",
                     bz_feature_mend (BZ_FEATURE_OVERLAY), "run %s %s", option, planning->tree);
}

/* The tree was stored for what the host gave when the zone was installed. */
static gboolean
check_storage (const BzPlanning *planning, GError **error)
{
  const BzZoneState *state = planning->state;
  gboolean root = geteuid () == 0;

  if (root && state->id_storage == BZ_IDS_MOUNT
      && !planning->host->has[BZ_FEATURE_IDMAPPED_MOUNTS])
    return bz_fail (error, BZ_ERROR_HOST,
                    "its tree needs idmapped mounts, which this host does not give",
                    "install it again: it is then stored with shifted ids", "zone %s",
                    state->name);
  if (!root && state->uids->len > 1 && !planning->host->has[BZ_FEATURE_SUBORDINATE_IDS])
    return bz_fail (error, BZ_ERROR_HOST,
                    "its tree belongs to subordinate ids, which this host does not give",
                    bz_feature_mend (BZ_FEATURE_SUBORDINATE_IDS), "zone %s", state->name);
  return TRUE;
}

/* What was looked at before the zone was locked is still the zone: it was not renamed, or removed
 * and installed again, and goes on from where it did. */
static gboolean
check_current (const BzContext *context, const BzPlanning *planning, GError **error)
{
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, planning->state->name, NULL);
  struct stat seen, now;
  gboolean same = state != NULL && g_strcmp0 (state->upper, planning->state->upper) == 0;

  if (same && state->upper == NULL)
    same = fstat (planning->tree_fd, &seen) == 0 && stat (planning->tree, &now) == 0
           && seen.st_dev == now.st_dev && seen.st_ino == now.st_ino;
  return same
         || bz_fail (error, BZ_ERROR_LOCKED, "another brandzone has just worked on it",
                     "see `brandzone list`, and try again", "zone %s", planning->state->name);
}

static BzPrepared *
prepare_installed (const BzContext *context, const BzArguments *arguments, const char *name,
                   gboolean boot, GError **error)
{
  g_autoptr (BzPrepared) prepared = prepared_new ();

  /* First the zone, so that a name that does not exist leaves no lock file. */
  prepared->planning = bz_planning_zone (context, arguments, name, error);
  if (prepared->planning == NULL || !check_storage (prepared->planning, error)
      || (bz_arguments_flag (arguments, "rm")
          && !check_overlay (prepared->planning, "--rm", error)))
    return NULL;
  prepared->lock = bz_state_lock (context->dirs, name, LOCK_WAIT_MS, error);
  if (prepared->lock < 0)
    return NULL;
  if (!check_current (context, prepared->planning, error))
    {
      bz_state_forget (context->dirs, name);
      return NULL;
    }

  const BzZoneState *state = prepared->planning->state;
  prepared->partition->name = g_strdup (name);
  prepared->partition->throw_away = bz_arguments_flag (arguments, "rm");
  prepared->partition->run_dir = bz_dirs_run (context->dirs, name);
  set_ids (prepared->partition, state->uids, state->gids, state->id_storage);
  if (geteuid () != 0 && state->uids->len == 0)
    bz_context_note (context, "the zone was installed with one user id: chown, su and daemons with "
                              "users of their own fail (see subordinate-ids in brandzone doctor)");
  if (!fill (prepared, context, arguments, boot, error))
    return NULL;
  return g_steal_pointer (&prepared);
}

BzPrepared *
bz_prepare_zone (const BzContext *context, const BzArguments *arguments, const char *name,
                 GError **error)
{
  return prepare_installed (context, arguments, name, FALSE, error);
}

BzPrepared *
bz_prepare_boot (const BzContext *context, const BzArguments *arguments, const char *name,
                 GError **error)
{
  return prepare_installed (context, arguments, name, TRUE, error);
}

/* Ids of a throw-away zone: root takes a free range for its life, a plain user has his subordinate
 * ones. */
static gboolean
claim_ids (BzPrepared *prepared, const BzContext *context, GError **error)
{
  g_autofree char *why = NULL;
  BzIdRange range = { 0, 0, BZ_IDS_COUNT };

  if (geteuid () != 0)
    {
      prepared->partition->id_storage = BZ_IDS_SHIFTED;
      if (!bz_ids_of_user (prepared->planning->host, prepared->partition->uids,
                           prepared->partition->gids, &why, error))
        return FALSE;
      if (why != NULL)
        bz_context_note (
            context,
            "the zone has one user id (%s): chown, su and daemons with users of their own fail",
            why);
      return TRUE;
    }
  if (!bz_ids_check_own (BZ_IDS_FIRST, error))
    return FALSE;
  if (!prepared->planning->host->has[BZ_FEATURE_IDMAPPED_MOUNTS])
    return bz_fail (error, BZ_ERROR_HOST, "this host has no idmapped mounts",
                    "install a tree: brandzone install NAME TREE", "a throw-away zone");
  prepared->lock = bz_ids_claim (context->dirs, &range.outside, error);
  if (prepared->lock < 0)
    return FALSE;
  g_array_append_val (prepared->partition->uids, range);
  g_array_append_val (prepared->partition->gids, range);
  prepared->partition->id_storage = BZ_IDS_MOUNT;
  return TRUE;
}

BzPrepared *
bz_prepare_image (const BzContext *context, const BzArguments *arguments, const char *tree,
                  GError **error)
{
  g_autoptr (BzPrepared) prepared = prepared_new ();

  prepared->planning = bz_planning_tree (context, arguments, tree, error);
  if (prepared->planning == NULL || !check_overlay (prepared->planning, "--image", error))
    return NULL;
  /* A hidden name: it never meets that of an installed zone. */
  g_autofree char *place = g_strdup_printf (".image-%d", (int) getpid ());
  prepared->partition->name = bz_name_from_path (prepared->planning->tree);
  prepared->partition->run_dir = bz_dirs_run (context->dirs, place);
  prepared->partition->throw_away = TRUE;
  if (!claim_ids (prepared, context, error) || !fill (prepared, context, arguments, FALSE, error))
    return NULL;
  return g_steal_pointer (&prepared);
}

BzPrepared *
bz_prepare_unfinished (const BzContext *context, const BzArguments *arguments,
                       const BzZoneState *state, const char *tree, const char *const *argv,
                       GError **error)
{
  g_autoptr (BzPrepared) prepared = prepared_new ();
  g_autofree char *place = g_strdup_printf (".install-%d", (int) getpid ());

  prepared->planning = bz_planning_tree (context, arguments, tree, error);
  if (prepared->planning == NULL)
    return NULL;
  prepared->partition->name = g_strdup (state->name);
  prepared->partition->run_dir = bz_dirs_run (context->dirs, place);
  set_ids (prepared->partition, state->uids, state->gids, state->id_storage);
  if (!fill (prepared, context, arguments, FALSE, error))
    return NULL;
  BzCommand *command = prepared->partition->command;
  g_strfreev (command->argv);
  command->argv = g_strdupv ((char **) argv);
  command->interactive = command->terminal = FALSE;
  return g_steal_pointer (&prepared);
}

BzPrepared *
bz_prepare_program (const BzContext *context, const BzArguments *arguments, BzPlanning *planning,
                    gboolean image, GError **error)
{
  g_autoptr (BzPrepared) prepared = prepared_new ();
  BzPartition *partition = prepared->partition;
  g_autofree char *place = g_strdup_printf (".image-%d", (int) getpid ());

  prepared->planning = planning;
  if (image && !check_overlay (planning, "--image", error))
    return NULL;
  partition->name = g_strdup ("program");
  partition->run_dir = bz_dirs_run (context->dirs, place);
  partition->throw_away = image;
  partition->id_storage = BZ_IDS_SHIFTED;
  if ((geteuid () == 0 && !claim_ids (prepared, context, error))
      || !fill (prepared, context, arguments, FALSE, error))
    return NULL;
  if (image)
    return g_steal_pointer (&prepared);
  if (!bz_dirs_make (context->dirs->data, error)
      || !prepare_scratch (prepared, context, context->dirs->data, error))
    return NULL;
  g_free (partition->root);
  partition->root = g_steal_pointer (&partition->scratch);
  return g_steal_pointer (&prepared);
}
