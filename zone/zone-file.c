/* The zone file: GKeyFile does the grammar. It knows no line numbers, so a
 * message finds its line by looking for the key in the text once more. */
#include "config.h"

#include "zone/zone-file.h"

#include "brand/base/error.h"
#include "zone/names.h"
#include "zone/zone-keys.h"

#include <string.h>

static void
free_mount (gpointer data)
{
  BzZoneMount *mount = data;

  g_free (mount->name);
  g_free (mount->source);
  g_free (mount->target);
  g_free (mount);
}

static void
free_device (gpointer data)
{
  BzZoneDevice *device = data;

  g_free (device->name);
  g_free (device->source);
  g_free (device->target);
  g_free (device);
}

BzZoneFile *
bz_zone_file_new (void)
{
  BzZoneFile *file = g_new0 (BzZoneFile, 1);

  file->volumes = g_new0 (char *, 1);
  file->own_mounts = g_new0 (char *, 1);
  bz_net_settings_init (&file->net);
  file->environment = g_new0 (char *, 1);
  file->mounts = g_ptr_array_new_with_free_func (free_mount);
  file->devices = g_ptr_array_new_with_free_func (free_device);
  file->sysctls = g_ptr_array_new_with_free_func (g_free);
  file->warnings = g_ptr_array_new_with_free_func (g_free);
  file->values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  file->order = g_ptr_array_new_with_free_func (g_free);
  return file;
}

void
bz_zone_file_free (BzZoneFile *file)
{
  if (file == NULL)
    return;
  g_free (file->description);
  g_free (file->hostname);
  g_free (file->brand);
  g_free (file->release);
  g_free (file->mac_address);
  g_free (file->processors);
  g_free (file->boot_init);
  g_free (file->boot_arguments);
  bz_net_settings_clear (&file->net);
  g_free (file->machine_id);
  g_strfreev (file->volumes);
  g_strfreev (file->own_mounts);
  g_strfreev (file->environment);
  g_ptr_array_unref (file->mounts);
  g_ptr_array_unref (file->devices);
  g_ptr_array_unref (file->sysctls);
  g_ptr_array_unref (file->warnings);
  g_ptr_array_unref (file->order);
  g_hash_table_unref (file->values);
  g_free (file);
}

/* The last line on which `key` stands in `group` (that is the one that counts); a NULL key finds
 * the group's own line. 0 when there is none. */
static guint
line_of (const char *data, gsize length, const char *group, const char *key)
{
  g_autofree char *text = g_strndup (data, length);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  gboolean inside = FALSE;
  guint found = 0;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *line = g_strstrip (lines[i]);
      gsize end = strlen (line);

      if (line[0] == '[' && line[end - 1] == ']')
        {
          line[end - 1] = '\0';
          inside = g_str_equal (line + 1, group);
          if (inside && key == NULL)
            found = i + 1;
          continue;
        }
      char *equals = strchr (line, '=');
      if (!inside || key == NULL || equals == NULL || line[0] == '#')
        continue;
      *equals = '\0';
      if (g_str_equal (g_strchomp (line), key))
        found = i + 1;
    }
  return found;
}

typedef struct {
  BzZoneFile *file;
  const char *data, *path;
  gsize length;
  GKeyFile *keys;
} Source;

/* "Mount data" is the group Mount and the name data; a plain group has no name. *group is owned by
 * the caller, *name borrowed from text (NULL: none). */
static void
split_group (const char *text, char **group, const char **name)
{
  const char *space = strchr (text, ' ');

  *group = space != NULL ? g_strndup (text, space - text) : g_strdup (text);
  *name = space != NULL ? space + strspn (space, " ") : NULL;
}

static gboolean
is_group (const char *text)
{
  g_autofree char *group = NULL;
  const char *name;

  split_group (text, &group, &name);
  return bz_zone_group_known (group)
         && (bz_zone_named_group (group) != NULL) == (name != NULL && name[0] != '\0');
}

static void
warn_unknown (const Source *source, const char *group, const char *key)
{
  g_autofree char *kind = NULL;
  const char *unused;

  split_group (group, &kind, &unused);
  const char *nearest = key != NULL && is_group (group) ? bz_zone_key_nearest (kind, key) : NULL;
  gboolean unnamed = key == NULL && bz_zone_named_group (group) != NULL;
  guint line = line_of (source->data, source->length, group, key);
  g_autofree char *name = key != NULL ? g_strdup_printf ("key %s in [%s]", key, group)
                                      : g_strdup_printf ("group [%s]", group);
  g_autofree char *warning =
      g_strdup_printf ("%s:%u: unknown %s is ignored%s%s%s%s", source->path, line, name,
                       nearest != NULL ? " (did you mean " : "", nearest != NULL ? nearest : "",
                       nearest != NULL ? "?)" : "", unnamed ? " (it needs a name)" : "");

  g_ptr_array_add (source->file->warnings, bz_text_safe (warning));
}

/* The structure that the fields of `group` are in: the file's own, or that of the name. */
static gpointer
base_of (BzZoneFile *file, const char *group, const char *name)
{
  const BzZoneNamedGroup *named = bz_zone_named_group (group);

  if (named == NULL)
    return file;
  GPtrArray *list = G_STRUCT_MEMBER (GPtrArray *, file, named->list);
  for (guint i = 0; i < list->len; i++)
    {
      gpointer entry = g_ptr_array_index (list, i);
      if (g_strcmp0 (*(char **) entry, name) == 0)
        return entry;
    }
  gpointer entry = named->make ();
  *(char **) entry = g_strdup (name);
  g_ptr_array_add (list, entry);
  return entry;
}

/* Values that keep their names. An empty one takes the name out again. */
static const char *
take_sysctl (GPtrArray *list, const char *key, const char *value)
{
  const char *why = bz_sysctl_check (key, TRUE);
  g_autofree char *prefix = g_strconcat (key, "=", NULL);

  if (why != NULL)
    return why;
  if (strpbrk (value, "\n") != NULL)
    return "it has more than one line";
  for (guint i = 0; i < list->len; i++)
    {
      if (g_str_has_prefix (g_ptr_array_index (list, i), prefix))
        g_ptr_array_remove_index (list, i--);
    }
  if (value[0] != '\0')
    g_ptr_array_add (list, g_strconcat (prefix, value, NULL));
  return NULL;
}

static void
remember (BzZoneFile *file, const char *group, const char *key, const char *value)
{
  g_autofree char *name = g_strconcat (group, "\n", key, NULL);

  if (!g_hash_table_contains (file->values, name))
    g_ptr_array_add (file->order, g_strdup (name));
  g_hash_table_replace (file->values, g_steal_pointer (&name), g_strdup (value));
}

static const char *
take (BzZoneFile *file, const char *group, const BzZoneKey *row, const char *key, const char *value)
{
  g_autofree char *kind = NULL;
  const char *name, *why;

  split_group (group, &kind, &name);
  gpointer base = base_of (file, kind, name);
  if (row->take != NULL)
    why = row->take (G_STRUCT_MEMBER_P (base, row->offset), value);
  else
    why = take_sysctl (G_STRUCT_MEMBER (GPtrArray *, base, row->offset), key, value);
  if (why == NULL)
    remember (file, group, key, value);
  return why;
}

static gboolean
parse_key (const Source *source, const char *group, const char *key, GError **error)
{
  g_autofree char *kind = NULL;
  const char *name;

  split_group (group, &kind, &name);
  const BzZoneKey *row = bz_zone_key_lookup (kind, key);
  if (row == NULL)
    {
      warn_unknown (source, group, key);
      return TRUE;
    }
  g_autoptr (GError) cause = NULL;
  g_autofree char *value = g_key_file_get_string (source->keys, group, key, &cause);
  const char *complaint = cause != NULL || value == NULL
                              ? "the value holds a bad escape or is not UTF-8"
                              : take (source->file, group, row, key, value);
  if (complaint == NULL)
    return TRUE;
  g_autofree char *safe = bz_text_safe (value != NULL ? value : "");
  g_autofree char *safe_key = bz_text_safe (key);
  return bz_fail (error, BZ_ERROR_INPUT, complaint, "mend that line", "%s:%u: %s=%s", source->path,
                  line_of (source->data, source->length, group, key), safe_key, safe);
}

static gboolean
parse_group (const Source *source, const char *group, GError **error)
{
  g_auto (GStrv) names = g_key_file_get_keys (source->keys, group, NULL, NULL);

  if (!is_group (group))
    {
      warn_unknown (source, group, NULL);
      return TRUE;
    }
  for (char **key = names; key != NULL && *key != NULL; key++)
    {
      if (!parse_key (source, group, *key, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
bz_zone_file_parse (BzZoneFile *file, const char *data, gsize length, const char *path,
                    GError **error)
{
  g_autoptr (GKeyFile) parsed = g_key_file_new ();
  g_autoptr (GError) cause = NULL;
  Source source = { file, data, path, length, parsed };

  if (length == 0)
    return TRUE;
  if (length > BZ_ZONE_FILE_MAX)
    return bz_fail (error, BZ_ERROR_INPUT, "it is larger than 64 KiB", "a zone file is a few lines",
                    "%s", path);
  if (memchr (data, '\0', length) != NULL)
    return bz_fail (error, BZ_ERROR_INPUT, "it holds a NUL byte", "a zone file is plain text", "%s",
                    path);
  if (!g_key_file_load_from_data (parsed, data, length, G_KEY_FILE_NONE, &cause))
    {
      g_autofree char *why = bz_text_safe (cause->message);
      return bz_fail (error, BZ_ERROR_INPUT, why,
                      "a zone file has [Group] lines and Key=value lines", "%s", path);
    }

  g_auto (GStrv) groups = g_key_file_get_groups (parsed, NULL);
  for (char **group = groups; *group != NULL; group++)
    {
      if (!parse_group (&source, *group, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_named (const char *path, const char *group, const char *name, const char *key,
             const char *value, GError **error)
{
  g_autofree char *safe = bz_text_safe (name);
  g_autofree char *why = g_strdup_printf ("it has no %s=", key);

  return value != NULL
         || bz_fail (error, BZ_ERROR_INPUT, why, "add the line", "%s: [%s %s]", path, group, safe);
}

gboolean
bz_zone_file_check (const BzZoneFile *file, const char *path, GError **error)
{
  gboolean on_host = file->network.set && file->network.value == BZ_NETWORK_HOST;

  for (guint i = 0; i < file->mounts->len; i++)
    {
      const BzZoneMount *mount = g_ptr_array_index (file->mounts, i);
      if (!check_named (path, "Mount", mount->name, "Source", mount->source, error)
          || !check_named (path, "Mount", mount->name, "Target", mount->target, error))
        return FALSE;
    }
  for (guint i = 0; i < file->devices->len; i++)
    {
      const BzZoneDevice *device = g_ptr_array_index (file->devices, i);
      if (!check_named (path, "Device", device->name, "Source", device->source, error))
        return FALSE;
      if (device->target == NULL && !bz_device_target_valid (device->source))
        return bz_fail (error, BZ_ERROR_INPUT, "its source is not below /dev",
                        "add a line Target=", "%s: [Device %s]", path, device->name);
    }
  for (guint i = 0; i < file->sysctls->len; i++)
    {
      g_auto (GStrv) parts = g_strsplit (g_ptr_array_index (file->sysctls, i), "=", 2);
      const char *why = bz_sysctl_check (parts[0], !on_host);
      if (why != NULL)
        return bz_fail (error, BZ_ERROR_INPUT, why, "take the line out, or set another Mode=",
                        "%s: %s in [Sysctl]", path, parts[0]);
    }
  return bz_network_check (file, path, error)
         && (file->mac_address == NULL || !on_host
         || bz_fail (error, BZ_ERROR_INPUT, "the host's interfaces keep their addresses",
                     "set another Mode=, or take the line out", "%s: MacAddress in [Network]", path));
}
