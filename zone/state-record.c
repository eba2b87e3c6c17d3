/* The record of a zone: what install noted.
 *
 * Two versions of brandzone may meet the same zones. A key that others may ignore is simply added:
 * unknown ones are passed over, missing ones have a meaning. What an older version must not ignore
 * raises FORMAT: it then leaves the zone alone, also in remove and in sweeping. A newer version
 * reads the formats of older ones, giving what they lack the meaning it had; the record itself
 * stays as it is until it is written anew. Format 2 has [Storage], trees in layers, and format 3 one that
 * lies alone in a layer; what does not need a format is still written in the one before. The group [Ids] keeps
 * its form in every format: versions of any age must not give the ids of a zone to another. */
#include "config.h"

#include "zone/state.h"

#include "brand/base/error.h"
#include "loader/overlay.h"
#include "zone/layers.h"
#include "zone/names.h"

#define FORMAT 3
#define FORMAT_PLAIN 1
#define FORMAT_LAYERS 2
#define FORMAT_ALONE 3
#define RANGES_MAX 340 /* what the kernel takes in a uid_map */

static char **
ranges_to_texts (const GArray *ranges)
{
  char **texts = g_new0 (char *, ranges->len + 1);

  for (guint i = 0; i < ranges->len; i++)
    {
      const BzIdRange *range = &g_array_index (ranges, BzIdRange, i);
      texts[i] = g_strdup_printf ("%u:%u:%u", range->inside, range->outside, range->count);
    }
  return texts;
}

/* Fills `ranges`; FALSE if a text is no range, or wraps. */
static gboolean
ranges_from_texts (char **texts, GArray *ranges)
{
  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (texts[i], ":", 3);
      guint64 numbers[3];

      if (i >= RANGES_MAX || g_strv_length (parts) != 3)
        return FALSE;
      for (int n = 0; n < 3; n++)
        {
          if (!g_ascii_string_to_unsigned (parts[n], 10, 0, G_MAXUINT32, &numbers[n], NULL))
            return FALSE;
        }
      if (numbers[2] == 0 || numbers[0] + numbers[2] > G_MAXUINT32
          || numbers[1] + numbers[2] > G_MAXUINT32)
        return FALSE;
      BzIdRange range = { numbers[0], numbers[1], numbers[2] };
      g_array_append_val (ranges, range);
    }
  return TRUE;
}

static const char *const storage_names[] = {
  [BZ_IDS_MOUNT] = "mount", [BZ_IDS_SHIFTED] = "shifted"
};

static void
set_ranges (GKeyFile *keys, const char *key, const GArray *ranges)
{
  g_auto (GStrv) texts = ranges_to_texts (ranges);

  g_key_file_set_string_list (keys, "Ids", key, (const char *const *) texts, ranges->len);
}

static int
format_for (const BzZoneState *state)
{
  if (state->layers->len > 0)
    return FORMAT_LAYERS;
  return state->upper != NULL ? FORMAT_ALONE : FORMAT_PLAIN;
}

static void
set_layers (GKeyFile *keys, const BzZoneState *state)
{
  if (state->upper != NULL)
    g_key_file_set_string (keys, "Storage", "Upper", state->upper);
  if (state->layers->len > 0)
    g_key_file_set_string_list (keys, "Storage", "Layers",
                                (const char *const *) state->layers->pdata, state->layers->len);
}

/* FALSE if it names something that is no layer. */
static gboolean
take_layers (GKeyFile *keys, int format, BzZoneState *state)
{
  g_auto (GStrv) layers = g_key_file_get_string_list (keys, "Storage", "Layers", NULL, NULL);

  state->upper = g_key_file_get_string (keys, "Storage", "Upper", NULL);
  for (char **one = layers; one != NULL && *one != NULL; one++)
    {
      if (!bz_layer_id_valid (*one) || state->layers->len >= BZ_OVERLAY_LAYERS_MAX)
        return FALSE;
      g_ptr_array_add (state->layers, g_strdup (*one));
    }
  return state->upper == NULL
         || (bz_layer_id_valid (state->upper) && (state->layers->len > 0 || format >= FORMAT_ALONE));
}

static void
set_base (GKeyFile *keys, const BzBase *base)
{
  if (base == NULL)
    return;
  if (base->file != NULL)
    g_key_file_set_string (keys, "Base", "File", base->file);
  if (base->digest != NULL)
    g_key_file_set_string (keys, "Base", "Digest", base->digest);
  g_key_file_set_string (keys, "Base", "Options", base->options);
  g_key_file_set_int64 (keys, "Base", "Begun", base->begun);
  g_key_file_set_int64 (keys, "Base", "Made", base->made);
}

static void
take_base (GKeyFile *keys, BzZoneState *state)
{
  g_autofree char *options = g_key_file_get_string (keys, "Base", "Options", NULL);

  if (options == NULL)
    return;
  state->base = g_new0 (BzBase, 1);
  state->base->options = g_steal_pointer (&options);
  state->base->file = g_key_file_get_string (keys, "Base", "File", NULL);
  state->base->digest = g_key_file_get_string (keys, "Base", "Digest", NULL);
  state->base->begun = g_key_file_get_int64 (keys, "Base", "Begun", NULL);
  state->base->made = g_key_file_get_int64 (keys, "Base", "Made", NULL);
}

gboolean
bz_state_write (const char *directory, const BzZoneState *state, GError **error)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (GError) cause = NULL;
  g_autofree char *path = g_build_filename (directory, BZ_STATE_FILE, NULL);

  g_key_file_set_integer (keys, "Zone", "Format", format_for (state));
  g_key_file_set_string (keys, "Zone", "Writer", PACKAGE_VERSION);
  if (state->brand != NULL)
    {
      g_key_file_set_string (keys, "Zone", "Brand", state->brand);
      g_key_file_set_string (keys, "Zone", "Abi", bz_abi_name (state->abi));
    }
  if (state->source != NULL)
    {
      g_autofree char *safe = bz_text_safe (state->source);
      g_key_file_set_string (keys, "Zone", "Source", safe);
    }
  if (state->kind != NULL)
    g_key_file_set_string (keys, "Zone", "Kind", state->kind);
  g_autofree char *when = g_strdup_printf ("%" G_GINT64_FORMAT, state->installed);
  g_key_file_set_string (keys, "Zone", "Installed", when);
  g_key_file_set_uint64 (keys, "Zone", "Files", state->files);
  g_key_file_set_uint64 (keys, "Zone", "Bytes", state->bytes);
  g_key_file_set_string (keys, "Ids", "Storage", storage_names[state->id_storage]);
  set_ranges (keys, "Uids", state->uids);
  set_ranges (keys, "Gids", state->gids);
  set_layers (keys, state);
  set_base (keys, state->base);

  gsize length;
  g_autofree char *data = g_key_file_to_data (keys, &length, NULL);
  if (g_file_set_contents_full (path, data, length,
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                &cause))
    return TRUE;
  return bz_fail_file (error, cause, NULL, "writing %s", path);
}

static gboolean
fill_state (BzZoneState *state, GKeyFile *keys)
{
  g_autofree char *abi = g_key_file_get_string (keys, "Zone", "Abi", NULL);
  g_autofree char *storage = g_key_file_get_string (keys, "Ids", "Storage", NULL);
  g_auto (GStrv) uids = g_key_file_get_string_list (keys, "Ids", "Uids", NULL, NULL);
  g_auto (GStrv) gids = g_key_file_get_string_list (keys, "Ids", "Gids", NULL, NULL);

  int format = g_key_file_get_integer (keys, "Zone", "Format", NULL);

  if (format < FORMAT_PLAIN || format > FORMAT || storage == NULL)
    return FALSE;
  state->brand = g_key_file_get_string (keys, "Zone", "Brand", NULL);
  state->source = g_key_file_get_string (keys, "Zone", "Source", NULL);
  state->kind = g_key_file_get_string (keys, "Zone", "Kind", NULL);
  state->installed = g_key_file_get_int64 (keys, "Zone", "Installed", NULL);
  state->files = g_key_file_get_uint64 (keys, "Zone", "Files", NULL);
  state->bytes = g_key_file_get_uint64 (keys, "Zone", "Bytes", NULL);
  state->id_storage =
      g_str_equal (storage, storage_names[BZ_IDS_MOUNT]) ? BZ_IDS_MOUNT : BZ_IDS_SHIFTED;
  take_base (keys, state);
  if (abi != NULL && !bz_abi_lookup (abi, &state->abi))
    return FALSE;
  return ranges_from_texts (uids, state->uids) && ranges_from_texts (gids, state->gids)
         && (format < FORMAT_LAYERS || take_layers (keys, format, state));
}

/* A record of a newer format is nothing to be mended: whoever reads it wrongly could remove what he
 * does not know. */
static gboolean
check_format (GKeyFile *keys, const char *name, GError **error)
{
  int format = g_key_file_get_integer (keys, "Zone", "Format", NULL);
  g_autofree char *writer = g_key_file_get_string (keys, "Zone", "Writer", NULL);

  if (format <= FORMAT)
    return TRUE;
  g_autofree char *safe = bz_text_safe (writer != NULL ? writer : "a newer version");
  g_autofree char *why =
      g_strdup_printf ("brandzone %s wrote its record in format %d; this one, " PACKAGE_VERSION
                       ", reads up to %d",
                       safe, format, FORMAT);
  return bz_fail (error, BZ_ERROR_STATE, why, "use that version for this zone", "zone %s", name);
}

BzZoneState *
bz_state_read (const char *path, const char *name, GError **error)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (BzZoneState) state = bz_zone_state_new (name);
  g_autoptr (GError) cause = NULL;
  g_autofree char *file = g_build_filename (path, BZ_STATE_FILE, NULL);

  if (!g_key_file_load_from_file (keys, file, G_KEY_FILE_NONE, &cause))
    {
      bz_fail (error, BZ_ERROR_INPUT, cause->message, "remove the zone and install it again",
               "reading the record of zone %s", name);
      return NULL;
    }
  if (!check_format (keys, name, error))
    return NULL;
  if (!fill_state (state, keys))
    {
      bz_fail (error, BZ_ERROR_INPUT, "it is damaged", "remove the zone and install it again",
               "the record %s", file);
      return NULL;
    }
  return g_steal_pointer (&state);
}

void
bz_state_read_ids (const char *path, GArray *uids, GArray *gids)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autofree char *file = g_build_filename (path, BZ_STATE_FILE, NULL);

  if (!g_key_file_load_from_file (keys, file, G_KEY_FILE_NONE, NULL))
    return;
  g_auto (GStrv) uid_texts = g_key_file_get_string_list (keys, "Ids", "Uids", NULL, NULL);
  g_auto (GStrv) gid_texts = g_key_file_get_string_list (keys, "Ids", "Gids", NULL, NULL);
  ranges_from_texts (uid_texts, uids);
  ranges_from_texts (gid_texts, gids);
}
