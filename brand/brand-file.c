#include "config.h"

#include "brand/brand-file.h"
#include "brand/detect-rule.h"

#include <string.h>

/* struct utsname has 65 bytes for each field, with the NUL. */
#define UTS_LONGEST 64
#define COMPILER_LONGEST 256
#define CALLS_LARGEST 1024

#define BZ_BRAND_SOURCE "Source"

static const struct {
  const char *name;
  guint64 value;
} personality_flags[] = {
#define BZ_PERSONALITY(name, value) { #name, value },
#include "brand/personality.def"
#undef BZ_PERSONALITY
};

/* [Brand] */

char *
bz_brand_file_parent (const BzKeyLines *lines, GError **error)
{
  g_autofree char *parent = bz_key_lines_get (lines, "Brand", "Inherits");

  if (parent != NULL && !bz_brand_name_valid (parent))
    {
      bz_key_lines_fail (lines, "Brand", "Inherits", "is no name of a brand", NULL, error);
      return NULL;
    }
  return g_steal_pointer (&parent);
}

static gboolean
apply_brand (const BzKeyLines *lines, BzBrand *brand, GError **error)
{
  g_autofree char *format = bz_key_lines_get (lines, "Brand", "Format");
  g_autofree char *name = bz_key_lines_get (lines, "Brand", "Name");
  g_autofree char *title = bz_key_lines_get (lines, "Brand", "Title");
  g_autofree char *profile = bz_key_lines_get (lines, "Brand", "Profile");

  if (format == NULL)
    return bz_fail (error, BZ_ERROR_INPUT, "says no Format", "begin it with [Brand] and Format=1",
                    "%s", lines->file);
  if (strcmp (format, "1") != 0)
    return bz_key_lines_fail (lines, "Brand", "Format", "this brandzone knows Format 1 only",
                              "install a newer brandzone", error);
  if (name != NULL && strcmp (name, brand->name) != 0)
    return bz_key_lines_fail (lines, "Brand", "Name", "is not the file's name", NULL, error);
  g_free (brand->title);
  brand->title = g_steal_pointer (&title);
  if (profile != NULL && strcmp (profile, "true") != 0 && strcmp (profile, "false") != 0)
    return bz_key_lines_fail (lines, "Brand", "Profile", "is neither true nor false", NULL, error);
  brand->profile = g_strcmp0 (profile, "true") == 0;

  g_autofree char *init = bz_key_lines_get (lines, "Brand", "Init");
  if (init != NULL && !bz_brand_name_valid (init))
    return bz_key_lines_fail (lines, "Brand", "Init", "is no name of a family of inits",
                              "one of brand/boot, such as sysvinit", error);
  if (init != NULL)
    {
      g_free (brand->init);
      brand->init = g_steal_pointer (&init);
    }
  g_free (brand->source);
  brand->source = bz_key_lines_get (lines, "Brand", BZ_BRAND_SOURCE);
  return TRUE;
}

/* [Kernel] */

/* Sets one field from KEY (all ABIs), then from KEY-ABI. */
static gboolean
apply_uts (const BzKeyLines *lines, const char *key, gboolean blanks, char **field, GError **error)
{
  for (int abi = -1; abi < BZ_ABI_COUNT; abi++)
    {
      g_autofree char *full =
          abi < 0 ? g_strdup (key) : g_strdup_printf ("%s-%s", key, bz_abi_name ((BzAbi) abi));
      g_autofree char *value = bz_key_lines_get (lines, "Kernel", full);
      BzRelease release;

      if (value == NULL)
        continue;
      if (!(blanks ? bz_brand_text_valid : bz_brand_word_valid) (value, UTS_LONGEST))
        return bz_key_lines_fail (lines, "Kernel", full,
                                  "is empty, longer than 64 characters, or holds odd characters",
                                  NULL, error);
      if (strcmp (key, "Release") == 0 && !bz_release_parse (value, &release))
        return bz_key_lines_fail (lines, "Kernel", full, "does not start like a release (2.6.32)",
                                  NULL, error);
      for (int i = 0; i < BZ_ABI_COUNT; i++)
        if (abi < 0 || abi == i)
          {
            g_free (field[i]);
            field[i] = g_strdup (value);
          }
    }
  return TRUE;
}

static gboolean
apply_kernel (const BzKeyLines *lines, BzBrand *brand, GError **error)
{
  g_autofree char *compiler = bz_key_lines_get (lines, "Kernel", "Compiler");

  if (compiler != NULL && (!bz_brand_text_valid (compiler, COMPILER_LONGEST) || *compiler != '('))
    return bz_key_lines_fail (lines, "Kernel", "Compiler",
                              "is not \"(USER@HOST) (COMPILER)\" in at most 256 characters", NULL,
                              error);
  if (compiler != NULL)
    {
      g_free (brand->compiler);
      brand->compiler = g_steal_pointer (&compiler);
    }
  return apply_uts (lines, "Release", FALSE, brand->release, error)
         && apply_uts (lines, "Version", TRUE, brand->version, error)
         && apply_uts (lines, "Machine", FALSE, brand->machine, error);
}

/* [Calls] */

/* Adds `name` to *list, in order; nothing when it is there. */
static void
add_call (char ***list, const char *name)
{
  gsize count = g_strv_length (*list), at = 0;

  while (at < count && strcmp ((*list)[at], name) < 0)
    at++;
  if (at < count && strcmp ((*list)[at], name) == 0)
    return;
  *list = g_renew (char *, *list, count + 2);
  memmove (*list + at + 1, *list + at, (count + 1 - at) * sizeof (char *));
  (*list)[at] = g_strdup (name);
}

static void
remove_call (char **list, const char *name)
{
  for (; *list != NULL; list++)
    if (strcmp (*list, name) == 0)
      {
        g_free (*list);
        for (; *list != NULL; list++)
          list[0] = list[1];
        return;
      }
}

/* Names go into *to and out of `from`, where an ancestor may have put them. */
static gboolean
apply_calls (const BzKeyLines *lines, const char *key, char ***to, char **from, GError **error)
{
  g_autofree char *value = bz_key_lines_get (lines, "Calls", key);
  if (value == NULL)
    return TRUE;

  g_auto (GStrv) names = g_strsplit_set (value, "; ,", -1);
  for (guint i = 0; names[i] != NULL; i++)
    {
      if (*names[i] == '\0')
        continue;
      if (!bz_brand_call_valid (names[i]) || g_strv_length (*to) >= CALLS_LARGEST)
        return bz_key_lines_fail (lines, "Calls", key, "is no list of system calls",
                                  "names with ; between them", error);
      remove_call (from, names[i]);
      add_call (to, names[i]);
    }
  return TRUE;
}

/* [Quirks] */

static gboolean
apply_quirks (const BzKeyLines *lines, BzBrand *brand, GError **error)
{
  for (guint quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    {
      const char *key = bz_quirk_name ((BzQuirk) quirk);
      g_autofree char *value = bz_key_lines_get (lines, "Quirks", key);
      guint number;

      if (value == NULL)
        continue;
      if (!bz_quirk_lookup_value ((BzQuirk) quirk, value, &number))
        {
          g_autoptr (GString) hint = g_string_new ("one of");
          for (guint i = 0; bz_quirk_value_name ((BzQuirk) quirk, i) != NULL; i++)
            g_string_append_printf (hint, " %s", bz_quirk_value_name ((BzQuirk) quirk, i));
          return bz_key_lines_fail (lines, "Quirks", key, "the quirk has no such value", hint->str,
                                    error);
        }
      brand->quirk[quirk] = (guint8) number;
    }
  return TRUE;
}

/* [Limits] */

static gboolean
read_limit (const char *text, guint64 *limit)
{
  if (strcmp (text, "unlimited") == 0)
    {
      *limit = G_MAXUINT64;
      return TRUE;
    }
  return g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64 - 1, limit, NULL);
}

static gboolean
apply_limits (const BzKeyLines *lines, BzBrand *brand, GError **error)
{
  for (guint kind = 0; kind < BZ_LIMIT_COUNT; kind++)
    {
      const char *key = bz_limit_name ((BzLimitKind) kind);
      g_autofree char *value = bz_key_lines_get (lines, "Limits", key);
      BzLimit limit = { .set = TRUE };

      if (value == NULL)
        continue;
      g_auto (GStrv) parts = g_strsplit (value, ":", -1);
      if (g_strv_length (parts) != 2 || !read_limit (parts[0], &limit.soft)
          || !read_limit (parts[1], &limit.hard) || limit.soft > limit.hard)
        return bz_key_lines_fail (lines, "Limits", key, "is no limit",
                                  "SOFT:HARD, numbers or unlimited, SOFT at most HARD", error);
      brand->limits[kind] = limit;
    }
  return TRUE;
}

/* [Personality] */

static gboolean
apply_personality (const BzKeyLines *lines, BzBrand *brand, GError **error)
{
  g_autofree char *value = bz_key_lines_get (lines, "Personality", "Flags");
  if (value == NULL)
    return TRUE;

  g_auto (GStrv) names = g_strsplit_set (value, "; ,", -1);
  guint64 flags = 0;

  for (guint i = 0; names[i] != NULL; i++)
    {
      guint at = 0;

      if (*names[i] == '\0')
        continue;
      while (at < G_N_ELEMENTS (personality_flags)
             && strcmp (names[i], personality_flags[at].name) != 0)
        at++;
      if (at == G_N_ELEMENTS (personality_flags))
        return bz_key_lines_fail (lines, "Personality", "Flags",
                                  "names a flag that brandzone does not set",
                                  "brandzone-brand(5) lists them", error);
      flags |= personality_flags[at].value;
    }
  brand->personality = flags;
  return TRUE;
}

/* What the format knows; anything else is a warning, so that older programs read newer files. */

static gboolean
known_key (const char *group, const char *key)
{
  static const char *const of_brand[] = { "Format",  "Name",   "Title", "Inherits",
                                          "Profile", "Source", "Init",  NULL };
  static const char *const of_kernel[] = { "Compiler",       "Release", "Release-i386",
                                           "Release-x86_64", "Version", "Version-i386",
                                           "Version-x86_64", "Machine", "Machine-i386",
                                           "Machine-x86_64", "Source", NULL };
  static const char *const of_calls[] = { "Present", "Absent", "Source", NULL };
  static const char *const of_personality[] = { "Flags", "Source", NULL };
  static const struct {
    const char *group;
    const char *const *keys;
  } groups[] = { { "Brand", of_brand },
                 { "Kernel", of_kernel },
                 { "Calls", of_calls },
                 { "Personality", of_personality } };
  BzQuirk quirk;

  if (g_strcmp0 (key, BZ_BRAND_SOURCE) == 0
      && (strcmp (group, "Quirks") == 0 || strcmp (group, "Limits") == 0))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (groups); i++)
    if (strcmp (group, groups[i].group) == 0)
      return key == NULL || g_strv_contains (groups[i].keys, key);
  if (strcmp (group, "Quirks") == 0)
    return key == NULL || bz_quirk_lookup (key, &quirk);
  if (strcmp (group, "Limits") == 0)
    {
      for (guint kind = 0; key != NULL && kind < BZ_LIMIT_COUNT; kind++)
        if (strcmp (key, bz_limit_name ((BzLimitKind) kind)) == 0)
          return TRUE;
      return key == NULL;
    }
  if (bz_file_is_group (group))
    return key == NULL || g_strv_contains (bz_file_keys (), key);
  return bz_detect_rule_is_group (group)
         && (key == NULL || g_strv_contains (bz_detect_rule_keys (), key));
}

/* Appends a line to a list of them. Takes it. */
static void
append (char ***list, char *line)
{
  gsize count = g_strv_length (*list);

  *list = g_renew (char *, *list, count + 2);
  (*list)[count] = line;
  (*list)[count + 1] = NULL;
}

/* Facts without a word on where they were read. What the kernel says of itself is covered by
 * [Brand]; a quirk by the row of the catalogue of failures that it answers. */
static void
note_unsourced (const BzKeyLines *lines, BzBrand *brand)
{
  g_auto (GStrv) groups = g_key_file_get_groups (lines->keys, NULL);

  g_strfreev (brand->unsourced);
  brand->unsourced = g_new0 (char *, 1);
  for (guint i = 0; groups[i] != NULL; i++)
    {
      if (strcmp (groups[i], "Kernel") == 0 || strcmp (groups[i], "Quirks") == 0
          || !known_key (groups[i], NULL))
        continue;
      g_autofree char *source = bz_key_lines_get (lines, groups[i], BZ_BRAND_SOURCE);
      if (source == NULL || *source == '\0')
        append (&brand->unsourced,
                g_strdup_printf ("%s:%u: [%s] names no Source", lines->file,
                                 bz_key_lines_line (lines, groups[i], NULL), groups[i]));
    }
}

static void
warn (const BzKeyLines *lines, const char *group, const char *key, BzBrand *brand)
{
  append (&brand->warnings,
          key != NULL
              ? g_strdup_printf ("%s:%u: unknown key %s in [%s] is ignored", lines->file,
                                 bz_key_lines_line (lines, group, key), key, group)
              : g_strdup_printf ("%s:%u: unknown group [%s] is ignored", lines->file,
                                 bz_key_lines_line (lines, group, NULL), group));
}

static void
warn_of_unknown (const BzKeyLines *lines, BzBrand *brand)
{
  g_auto (GStrv) groups = g_key_file_get_groups (lines->keys, NULL);

  for (guint i = 0; groups[i] != NULL; i++)
    {
      if (!known_key (groups[i], NULL))
        {
          warn (lines, groups[i], NULL, brand);
          continue;
        }
      g_auto (GStrv) keys = g_key_file_get_keys (lines->keys, groups[i], NULL, NULL);
      for (guint j = 0; keys != NULL && keys[j] != NULL; j++)
        if (!known_key (groups[i], keys[j]))
          warn (lines, groups[i], keys[j], brand);
    }
}

gboolean
bz_brand_file_apply (const BzKeyLines *lines, const char *name, BzBrand *brand, GError **error)
{
  g_free (brand->name);
  brand->name = g_strdup (name);
  g_free (brand->file);
  brand->file = g_strdup (lines->file);
  g_free (brand->inherits);
  brand->inherits = bz_key_lines_get (lines, "Brand", "Inherits");
  bz_detect_rules_free (g_steal_pointer (&brand->detect));

  warn_of_unknown (lines, brand);
  note_unsourced (lines, brand);
  return apply_brand (lines, brand, error) && apply_kernel (lines, brand, error)
         && apply_calls (lines, "Present", &brand->calls_present, brand->calls_absent, error)
         && apply_calls (lines, "Absent", &brand->calls_absent, brand->calls_present, error)
         && apply_quirks (lines, brand, error) && apply_limits (lines, brand, error)
         && apply_personality (lines, brand, error) && bz_files_read (lines, brand->files, error)
         && bz_detect_rules_read (lines, brand->profile, &brand->detect, error);
}
