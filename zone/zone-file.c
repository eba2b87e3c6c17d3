/* The zone file: GKeyFile does the grammar. It knows no line numbers, so a
 * message finds its line by looking for the key in the text once more. */
#include "config.h"

#include "zone/zone-file.h"

#include "brand/base/error.h"
#include "brand/release.h"
#include "zone/names.h"

#include <string.h>

#define HOSTNAME_MAX_LENGTH 64

/* Takes a value; returns NULL, or why it is no good (a constant, followed by what to write). */
typedef const char *(*Setter) (BzZoneFile *file, const char *value);

BzZoneFile *
bz_zone_file_new (void)
{
  BzZoneFile *file = g_new0 (BzZoneFile, 1);

  file->volumes = g_new0 (char *, 1);
  file->warnings = g_ptr_array_new_with_free_func (g_free);
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
  g_strfreev (file->volumes);
  g_ptr_array_unref (file->warnings);
  g_free (file);
}

static void
set_text (char **where, const char *value)
{
  g_free (*where);
  *where = value[0] != '\0' ? g_strdup (value) : NULL;
}

static const char *
set_format (BzZoneFile *file G_GNUC_UNUSED, const char *value)
{
  return g_str_equal (value, "1") ? NULL : "this brandzone reads Format=1 only";
}

static const char *
set_description (BzZoneFile *file, const char *value)
{
  set_text (&file->description, value);
  return NULL;
}

static gboolean
is_hostname (const char *text)
{
  gsize length = strlen (text);

  return length <= HOSTNAME_MAX_LENGTH && text[0] != '-' && text[0] != '.'
         && strspn (text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-._") == length;
}

static const char *
set_hostname (BzZoneFile *file, const char *value)
{
  if (!is_hostname (value))
    return "a host name has letters, digits, '-' and '.', at most 64";
  set_text (&file->hostname, value);
  return NULL;
}

static const char *
set_brand (BzZoneFile *file, const char *value)
{
  if (value[0] != '\0' && !bz_name_valid (value))
    return "this is not a brand's name; `brandzone brands` lists them";
  set_text (&file->brand, value);
  return NULL;
}

static const char *
set_release (BzZoneFile *file, const char *value)
{
  BzRelease release;

  if (value[0] != '\0' && (!bz_release_parse (value, &release) || strlen (value) > 64))
    return "a release looks like 2.6.32-754.el6, at most 64 characters";
  set_text (&file->release, value);
  return NULL;
}

static const char *
set_abi (BzZoneFile *file, const char *value)
{
  file->has_abi = bz_abi_lookup (value, &file->abi);
  return file->has_abi ? NULL : "the ABIs are i386 and x86_64";
}

static const char *
set_volumes (BzZoneFile *file, const char *value)
{
  g_auto (GStrv) all = g_strsplit (value, ";", -1);
  g_autoptr (GPtrArray) kept = g_ptr_array_new_with_free_func (g_free);

  for (char **one = all; *one != NULL; one++)
    {
      g_autofree char *source = NULL;
      g_autofree char *target = NULL;
      gboolean read_only;

      g_strstrip (*one);
      if (**one == '\0')
        continue;
      if (**one != '/' || !bz_volume_parse (*one, &source, &target, &read_only, NULL))
        return "a volume is /SOURCE:/TARGET or /SOURCE:/TARGET:ro; ';' separates several";
      g_ptr_array_add (kept, g_strdup (*one));
    }
  g_ptr_array_add (kept, NULL);
  g_strfreev (file->volumes);
  file->volumes = (char **) g_ptr_array_free (g_steal_pointer (&kept), FALSE);
  return NULL;
}

static const char *
set_network (BzZoneFile *file, const char *value)
{
  file->has_network = bz_network_lookup (value, &file->network);
  return file->has_network ? NULL : "the networks are none and host";
}

static const char *
set_strict (BzZoneFile *file, const char *value)
{
  file->strict = strcmp (value, "yes") == 0;
  return file->strict || strcmp (value, "no") == 0 ? NULL : "it is yes or no";
}

static const struct {
  const char *group, *key;
  Setter set;
} keys[] = {
  { "Zone", "Format", set_format },      { "Zone", "Description", set_description },
  { "Zone", "Hostname", set_hostname },  { "Brand", "Name", set_brand },
  { "Brand", "Release", set_release },   { "Brand", "Abi", set_abi },
  { "Storage", "Volumes", set_volumes }, { "Network", "Mode", set_network },
  { "Brand", "Strict", set_strict },
};

static Setter
find_setter (const char *group, const char *key)
{
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      if (g_str_equal (keys[i].group, group) && g_str_equal (keys[i].key, key))
        return keys[i].set;
    }
  return NULL;
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

/* Nearest known key, or NULL. */
static const char *
nearest_key (const char *group, const char *key)
{
  const char *candidates[G_N_ELEMENTS (keys) + 1] = { NULL };
  guint count = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      if (g_str_equal (keys[i].group, group))
        candidates[count++] = keys[i].key;
    }
  return bz_name_nearest (key, candidates);
}

static gboolean
is_group (const char *group)
{
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      if (g_str_equal (keys[i].group, group))
        return TRUE;
    }
  return FALSE;
}

static void
warn_unknown (const Source *source, const char *group, const char *key)
{
  const char *nearest = key != NULL && is_group (group) ? nearest_key (group, key) : NULL;
  guint line = line_of (source->data, source->length, group, key);
  g_autofree char *name = key != NULL ? g_strdup_printf ("key %s in [%s]", key, group)
                                      : g_strdup_printf ("group [%s]", group);
  g_autofree char *warning =
      g_strdup_printf ("%s:%u: unknown %s is ignored%s%s%s", source->path, line, name,
                       nearest != NULL ? " (did you mean " : "", nearest != NULL ? nearest : "",
                       nearest != NULL ? "?)" : "");

  g_ptr_array_add (source->file->warnings, bz_text_safe (warning));
}

static gboolean
parse_key (const Source *source, const char *group, const char *key, GError **error)
{
  Setter set = find_setter (group, key);

  if (set == NULL)
    {
      warn_unknown (source, group, key);
      return TRUE;
    }
  g_autoptr (GError) cause = NULL;
  g_autofree char *value = g_key_file_get_string (source->keys, group, key, &cause);
  const char *complaint = cause != NULL || value == NULL
                              ? "the value holds a bad escape or is not UTF-8"
                              : set (source->file, value);
  if (complaint == NULL)
    return TRUE;
  g_autofree char *safe = bz_text_safe (value != NULL ? value : "");
  return bz_fail (error, BZ_ERROR_INPUT, complaint, "mend that line", "%s:%u: %s=%s", source->path,
                  line_of (source->data, source->length, group, key), key, safe);
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
