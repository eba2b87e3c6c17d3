/* The partition as data: making, freeing, and its flat form for the keeper. */
#include "config.h"

#include "loader/partition-data.h"

#include "brand/base/error.h"
#include "loader/overlay.h"

#include <string.h>

BzCommand *
bz_command_new (void)
{
  return g_new0 (BzCommand, 1);
}

void
bz_command_free (BzCommand *command)
{
  if (command == NULL)
    return;
  g_strfreev (command->argv);
  g_strfreev (command->environment);
  g_free (command->directory);
  g_free (command->user);
  g_free (command);
}

BzVolume *
bz_volume_new (const char *source, const char *target, gboolean read_only)
{
  BzVolume *volume = g_new0 (BzVolume, 1);

  volume->source = g_strdup (source);
  volume->target = g_strdup (target);
  volume->read_only = read_only;
  return volume;
}

void
bz_volume_free (BzVolume *volume)
{
  if (volume == NULL)
    return;
  g_free (volume->source);
  g_free (volume->target);
  g_free (volume);
}

BzPartition *
bz_partition_new (void)
{
  BzPartition *partition = g_new0 (BzPartition, 1);

  partition->uids = g_array_new (FALSE, FALSE, sizeof (BzIdRange));
  partition->gids = g_array_new (FALSE, FALSE, sizeof (BzIdRange));
  partition->volumes = g_ptr_array_new_with_free_func ((GDestroyNotify) bz_volume_free);
  partition->settings = bz_settings_new ();
  for (guint i = 0; i < BZ_LOCKS; i++)
    partition->lock_fds[i] = -1;
  return partition;
}

gboolean
bz_partition_is_layered (const BzPartition *partition)
{
  return partition->throw_away || (partition->layers != NULL && partition->layers[0] != NULL);
}

char **
bz_partition_lowers (const BzPartition *partition)
{
  g_autoptr (GStrvBuilder) lowers = g_strv_builder_new ();

  if (partition->throw_away)
    g_strv_builder_add (lowers, partition->root);
  if (partition->layers != NULL)
    g_strv_builder_addv (lowers, (const char **) partition->layers);
  return g_strv_builder_end (lowers);
}

void
bz_partition_free (BzPartition *partition)
{
  if (partition == NULL)
    return;
  g_free (partition->name);
  g_free (partition->root);
  g_strfreev (partition->layers);
  g_free (partition->scratch);
  g_array_unref (partition->uids);
  g_array_unref (partition->gids);
  g_free (partition->hostname);
  g_ptr_array_unref (partition->volumes);
  bz_settings_free (partition->settings);
  g_free (partition->shadow_dir);
  g_free (partition->run_dir);
  g_clear_pointer (&partition->plan, bz_plan_free);
  g_clear_pointer (&partition->filter, g_bytes_unref);
  g_clear_pointer (&partition->command, bz_command_free);
  g_strfreev (partition->halt_command);
  g_free (partition->cgroup_name);
  g_free (partition->console_log);
  g_free (partition);
}

static GVariant *
ranges_to_variant (const GArray *ranges)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(uuu)"));
  for (guint i = 0; i < ranges->len; i++)
    {
      const BzIdRange *range = &g_array_index (ranges, BzIdRange, i);
      g_variant_builder_add (&builder, "(uuu)", range->inside, range->outside, range->count);
    }
  return g_variant_builder_end (&builder);
}

static void
ranges_from_variant (GVariant *variant, GArray *ranges)
{
  GVariantIter iter;
  BzIdRange range;

  g_variant_iter_init (&iter, variant);
  while (g_variant_iter_next (&iter, "(uuu)", &range.inside, &range.outside, &range.count))
    g_array_append_val (ranges, range);
}

GVariant *
bz_volumes_to_variant (const GPtrArray *volumes)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ayayb)"));
  for (guint i = 0; i < volumes->len; i++)
    {
      const BzVolume *volume = g_ptr_array_index (volumes, i);
      g_variant_builder_add (&builder, "(@ay@ayb)", g_variant_new_bytestring (volume->source),
                             g_variant_new_bytestring (volume->target), volume->read_only);
    }
  return g_variant_builder_end (&builder);
}

void
bz_volumes_from_variant (GVariant *variant, GPtrArray *volumes)
{
  GVariantIter iter;
  const char *source, *target;
  gboolean read_only;

  g_variant_iter_init (&iter, variant);
  while (g_variant_iter_next (&iter, "(^&ay^&ayb)", &source, &target, &read_only))
    g_ptr_array_add (volumes, bz_volume_new (source, target, read_only));
}

static void
insert_bytestring (GVariantDict *dict, const char *key, const char *value)
{
  if (value != NULL)
    g_variant_dict_insert_value (dict, key, g_variant_new_bytestring (value));
}

static void
insert_strings (GVariantDict *dict, const char *key, char **value)
{
  static char *const none[] = { NULL };

  g_variant_dict_insert_value (
      dict, key, g_variant_new_bytestring_array ((const char *const *) (value ? value : none), -1));
}

static GVariant *
command_to_variant (const BzCommand *command)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  insert_strings (&dict, "argv", command->argv);
  insert_strings (&dict, "environment", command->environment);
  insert_bytestring (&dict, "directory", command->directory);
  insert_bytestring (&dict, "user", command->user);
  g_variant_dict_insert (&dict, "interactive", "b", command->interactive);
  g_variant_dict_insert (&dict, "terminal", "b", command->terminal);
  g_variant_dict_insert (&dict, "own-ids", "b", command->own_ids);
  g_variant_dict_insert (&dict, "uid", "u", command->uid);
  g_variant_dict_insert (&dict, "gid", "u", command->gid);
  return g_variant_dict_end (&dict);
}

static BzCommand *
command_from_variant (GVariant *variant)
{
  g_autoptr (GVariantDict) dict = g_variant_dict_new (variant);
  g_autoptr (BzCommand) command = bz_command_new ();

  g_variant_dict_lookup (dict, "argv", "^aay", &command->argv);
  g_variant_dict_lookup (dict, "environment", "^aay", &command->environment);
  g_variant_dict_lookup (dict, "directory", "^ay", &command->directory);
  g_variant_dict_lookup (dict, "user", "^ay", &command->user);
  g_variant_dict_lookup (dict, "interactive", "b", &command->interactive);
  g_variant_dict_lookup (dict, "terminal", "b", &command->terminal);
  g_variant_dict_lookup (dict, "own-ids", "b", &command->own_ids);
  g_variant_dict_lookup (dict, "uid", "u", &command->uid);
  g_variant_dict_lookup (dict, "gid", "u", &command->gid);
  if (command->argv == NULL || command->argv[0] == NULL || command->environment == NULL)
    return NULL;
  return g_steal_pointer (&command);
}

GVariant *
bz_partition_to_variant (const BzPartition *partition)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  insert_bytestring (&dict, "name", partition->name);
  insert_bytestring (&dict, "root", partition->root);
  if (partition->layers != NULL)
    insert_strings (&dict, "layers", partition->layers);
  insert_bytestring (&dict, "scratch", partition->scratch);
  g_variant_dict_insert (&dict, "throw-away", "b", partition->throw_away);
  g_variant_dict_insert (&dict, "id-storage", "u", (guint32) partition->id_storage);
  g_variant_dict_insert_value (&dict, "uids", ranges_to_variant (partition->uids));
  g_variant_dict_insert_value (&dict, "gids", ranges_to_variant (partition->gids));
  g_variant_dict_insert (&dict, "no-cgroup", "b", partition->no_cgroup);
  g_variant_dict_insert (&dict, "network", "u", (guint32) partition->network);
  insert_bytestring (&dict, "hostname", partition->hostname);
  g_variant_dict_insert_value (&dict, "volumes", bz_volumes_to_variant (partition->volumes));
  g_variant_dict_insert_value (&dict, "settings", bz_settings_to_variant (partition->settings));
  insert_bytestring (&dict, "shadow-dir", partition->shadow_dir);
  insert_bytestring (&dict, "run-dir", partition->run_dir);
  g_variant_dict_insert_value (&dict, "plan", bz_plan_to_variant (partition->plan));
  g_variant_dict_insert_value (
      &dict, "filter",
      g_variant_new_from_bytes (G_VARIANT_TYPE ("ay"), partition->filter, TRUE));
  if (partition->command != NULL)
    g_variant_dict_insert_value (&dict, "command", command_to_variant (partition->command));
  g_variant_dict_insert (&dict, "boot", "b", partition->boot);
  g_variant_dict_insert (&dict, "halt-signal", "i", (gint32) partition->halt_signal);
  g_variant_dict_insert (&dict, "halt-alone", "b", partition->halt_alone);
  if (partition->halt_command != NULL)
    insert_strings (&dict, "halt-command", partition->halt_command);
  g_variant_dict_insert (&dict, "terminals", "u", partition->terminals);
  g_variant_dict_insert (&dict, "cgroup-view", "u", (guint32) partition->cgroup_view);
  insert_bytestring (&dict, "cgroup-name", partition->cgroup_name);
  insert_bytestring (&dict, "console-log", partition->console_log);
  g_variant_dict_insert (&dict, "idle", "b", partition->idle);
  return g_variant_dict_end (&dict);
}

BzPartition *
bz_partition_from_variant (GVariant *variant, GError **error)
{
  g_autoptr (GVariantDict) dict = g_variant_dict_new (variant);
  g_autoptr (BzPartition) partition = bz_partition_new ();
  g_autoptr (GVariant) uids = NULL, gids = NULL, volumes = NULL, settings = NULL, plan = NULL,
                       filter = NULL, command = NULL;
  guint32 id_storage = 0, network = 0, cgroup_view = 0;
  gint32 halt_signal = 0;

  g_variant_dict_lookup (dict, "name", "^ay", &partition->name);
  g_variant_dict_lookup (dict, "root", "^ay", &partition->root);
  g_variant_dict_lookup (dict, "scratch", "^ay", &partition->scratch);
  g_variant_dict_lookup (dict, "layers", "^aay", &partition->layers);
  g_variant_dict_lookup (dict, "throw-away", "b", &partition->throw_away);
  g_variant_dict_lookup (dict, "id-storage", "u", &id_storage);
  g_variant_dict_lookup (dict, "no-cgroup", "b", &partition->no_cgroup);
  g_variant_dict_lookup (dict, "network", "u", &network);
  g_variant_dict_lookup (dict, "hostname", "^ay", &partition->hostname);
  g_variant_dict_lookup (dict, "shadow-dir", "^ay", &partition->shadow_dir);
  g_variant_dict_lookup (dict, "run-dir", "^ay", &partition->run_dir);
  g_variant_dict_lookup (dict, "boot", "b", &partition->boot);
  g_variant_dict_lookup (dict, "halt-signal", "i", &halt_signal);
  g_variant_dict_lookup (dict, "halt-alone", "b", &partition->halt_alone);
  g_variant_dict_lookup (dict, "halt-command", "^aay", &partition->halt_command);
  g_variant_dict_lookup (dict, "terminals", "u", &partition->terminals);
  g_variant_dict_lookup (dict, "cgroup-view", "u", &cgroup_view);
  g_variant_dict_lookup (dict, "cgroup-name", "^ay", &partition->cgroup_name);
  g_variant_dict_lookup (dict, "console-log", "^ay", &partition->console_log);
  partition->halt_signal = halt_signal;
  g_variant_dict_lookup (dict, "idle", "b", &partition->idle);
  partition->id_storage = id_storage;
  partition->cgroup_view = cgroup_view;
  partition->network = network;
  uids = g_variant_dict_lookup_value (dict, "uids", G_VARIANT_TYPE ("a(uuu)"));
  gids = g_variant_dict_lookup_value (dict, "gids", G_VARIANT_TYPE ("a(uuu)"));
  volumes = g_variant_dict_lookup_value (dict, "volumes", G_VARIANT_TYPE ("a(ayayb)"));
  settings = g_variant_dict_lookup_value (dict, "settings", G_VARIANT_TYPE_VARDICT);
  plan = g_variant_dict_lookup_value (dict, "plan", NULL);
  filter = g_variant_dict_lookup_value (dict, "filter", G_VARIANT_TYPE ("ay"));
  command = g_variant_dict_lookup_value (dict, "command", G_VARIANT_TYPE ("a{sv}"));
  if (partition->name == NULL || partition->root == NULL || partition->run_dir == NULL
      || uids == NULL || gids == NULL || volumes == NULL || settings == NULL || plan == NULL
      || filter == NULL
      || (partition->layers != NULL && g_strv_length (partition->layers) > BZ_OVERLAY_LAYERS_MAX)
      || id_storage > BZ_IDS_SHIFTED || network > BZ_NETWORK_MACVLAN
      || partition->terminals > BZ_TERMINALS_MAX || cgroup_view > BZ_CGROUPS_NAMED
      || (cgroup_view == BZ_CGROUPS_NAMED) != (partition->cgroup_name != NULL))
    {
      bz_fail (error, BZ_ERROR_INPUT, "a field is missing or out of range", NULL,
               "cannot read the partition");
      return NULL;
    }
  ranges_from_variant (uids, partition->uids);
  ranges_from_variant (gids, partition->gids);
  bz_volumes_from_variant (volumes, partition->volumes);
  partition->filter = g_variant_get_data_as_bytes (filter);
  partition->plan = bz_plan_from_variant (plan, error);
  if (partition->plan == NULL)
    return NULL;
  bz_settings_free (partition->settings);
  partition->settings = bz_settings_from_variant (settings, error);
  if (partition->settings == NULL)
    return NULL;
  if (command != NULL && (partition->command = command_from_variant (command)) == NULL)
    {
      bz_fail (error, BZ_ERROR_INPUT, "its command is malformed", NULL,
               "cannot read the partition");
      return NULL;
    }
  return g_steal_pointer (&partition);
}
