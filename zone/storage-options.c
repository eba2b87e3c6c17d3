#include "config.h"

#include "zone/storage-options.h"

#include "brand/base/error.h"
#include "zone/output.h"
#include "zone/zone-file.h"

#define LIMIT_SECONDS 10
#define LIMIT_SECONDS_MAX (24 * 60 * 60)

gboolean
bz_storage_wish (const BzContext *context, const BzArguments *arguments, const char *zone,
                 BzStorageWish *wish, GError **error)
{
  const char *given = bz_arguments_string (arguments, "storage");
  g_autofree char *path = bz_dirs_zone_file (context->dirs, zone);
  g_autoptr (BzZoneFile) file = given == NULL ? bz_zone_file_load (path, error) : NULL;
  g_autoptr (BzHost) host = NULL;

  if ((given == NULL && file == NULL)
      || (host = bz_context_host (context, arguments, error)) == NULL)
    return FALSE;
  *wish = (BzStorageWish){ .insist = given != NULL, .overlay = host->has[BZ_FEATURE_OVERLAY] };
  if (given == NULL)
    wish->wanted = file->copy;
  return given == NULL || bz_copy_way_lookup (given, &wish->wanted)
         || bz_fail (error, BZ_ERROR_USAGE, "it is auto, overlay, btrfs, reflink or copy", NULL,
                     "--storage");
}

gboolean
bz_storage_freeze_limit (const BzArguments *arguments, guint *limit_ms, GError **error)
{
  const char *given = bz_arguments_string (arguments, "freeze-limit");
  char *end = NULL;
  double seconds = given != NULL ? g_ascii_strtod (given, &end) : LIMIT_SECONDS;

  if (given != NULL
      && (!g_ascii_isdigit (given[0]) || *end != '\0' || !(seconds <= LIMIT_SECONDS_MAX)))
    return bz_fail (error, BZ_ERROR_USAGE, "it is not a number of seconds", "0 is no limit",
                    "--freeze-limit");
  *limit_ms = (guint) (seconds * 1000 + 0.999); /* rounded up: 0 is none */
  return TRUE;
}

static char *
describe_way (const BzStorageDone *done, const BzZoneState *state)
{
  switch (done->way)
    {
    case BZ_COPY_BTRFS:
      return g_strdup ("btrfs snapshot");
    case BZ_COPY_REFLINK:
      return g_strdup ("copy that shares its blocks");
    case BZ_COPY_PLAIN:
      return g_strdup (done->copied.shared ? "copy that shares its blocks" : "copy");
    default:
      return state != NULL ? bz_storage_describe (state) : g_strdup ("overlay");
    }
}

char *
bz_storage_tell (const BzStorageDone *done, const BzZoneState *state, const char *zone)
{
  g_autofree char *way = describe_way (done, state);

  if (!done->running)
    return g_steal_pointer (&way);
  return g_strdup_printf ("%s; %s stood still for %.1f ms", way, zone,
                          (double) done->copied.held_us / 1000);
}

void
bz_storage_tell_json (JsonBuilder *builder, const BzStorageDone *done)
{
  gboolean shared = done->way == BZ_COPY_PLAIN && done->copied.shared;

  bz_json_text (builder, "storage", bz_copy_way_name (shared ? BZ_COPY_REFLINK : done->way));
  if (done->running)
    {
      json_builder_set_member_name (builder, "frozen_ms");
      json_builder_add_double_value (builder, (double) done->copied.held_us / 1000);
    }
}
