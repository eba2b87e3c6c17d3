#include "config.h"

#include "brand/detect-rule.h"
#include "brand/tree-facts.h"

#include <stddef.h>
#include <string.h>

typedef enum { STRING, RANGE, REGEX } Kind;

/* Every clause of a rule; Priority, Nearest and Source are none. `needs` names the key without which it makes no sense. */
static const struct {
  const char *key;
  Kind kind;
  gsize offset;
  gboolean of_libc; /* allowed in a profile */
  const char *needs;
} clauses[] = {
  { "File", STRING, offsetof (BzDetectRule, file), FALSE, NULL },
  { "Match", REGEX, offsetof (BzDetectRule, match), FALSE, "File" },
  { "Version", RANGE, offsetof (BzDetectRule, version), FALSE, "Match" },
  { "Os-Id", STRING, offsetof (BzDetectRule, os_id), FALSE, NULL },
  { "Os-Version", RANGE, offsetof (BzDetectRule, os_version), FALSE, "Os-Id" },
  { "Os-Like", STRING, offsetof (BzDetectRule, os_like), FALSE, NULL },
  { "Libc", STRING, offsetof (BzDetectRule, libc), TRUE, NULL },
  { "Libc-Version", RANGE, offsetof (BzDetectRule, libc_version), TRUE, "Libc" },
  { "Libc-Text", REGEX, offsetof (BzDetectRule, libc_text), TRUE, "Libc" },
  { "Libc-Kernel", RANGE, offsetof (BzDetectRule, libc_kernel), TRUE, NULL },
  { "Abi", STRING, offsetof (BzDetectRule, abi), TRUE, NULL },
};

gboolean
bz_detect_rule_is_group (const char *group)
{
  return g_strcmp0 (group, BZ_DETECT_GROUP) == 0 || g_str_has_prefix (group, BZ_DETECT_GROUP " ");
}

const char *const *
bz_detect_rule_keys (void)
{
  static const char *keys[G_N_ELEMENTS (clauses) + 4];
  static gsize done;

  if (g_once_init_enter (&done))
    {
      for (guint i = 0; i < G_N_ELEMENTS (clauses); i++)
        keys[i] = clauses[i].key;
      keys[G_N_ELEMENTS (clauses)] = "Priority";
      keys[G_N_ELEMENTS (clauses) + 1] = "Nearest";
      keys[G_N_ELEMENTS (clauses) + 2] = "Source";
      g_once_init_leave (&done, 1);
    }
  return keys;
}

static void
rule_free (BzDetectRule *rule)
{
  g_free (rule->file);
  g_free (rule->os_id);
  g_free (rule->os_like);
  g_free (rule->libc);
  g_free (rule->abi);
  g_clear_pointer (&rule->match, g_regex_unref);
  g_clear_pointer (&rule->libc_text, g_regex_unref);
  g_free (rule);
}

void
bz_detect_rules_free (BzDetectRule *rules)
{
  while (rules != NULL)
    {
      BzDetectRule *next = rules->next;
      rule_free (rules);
      rules = next;
    }
}

/* The text that a rule matches is hostile bytes, not UTF-8: G_REGEX_RAW. */
static GRegex *
compile (const BzKeyLines *lines, const char *group, const char *key, const char *text,
         GError **error)
{
  g_autoptr (GError) problem = NULL;
  GRegex *regex = g_regex_new (text, G_REGEX_RAW | G_REGEX_MULTILINE, 0, &problem);

  if (regex == NULL)
    bz_key_lines_fail (lines, group, key, problem->message, NULL, error);
  return regex;
}

static gboolean
read_clause (const BzKeyLines *lines, const char *group, guint clause, BzDetectRule *rule,
             GError **error)
{
  const char *key = clauses[clause].key;
  g_autofree char *value = bz_key_lines_get (lines, group, key);
  gpointer field = G_STRUCT_MEMBER_P (rule, clauses[clause].offset);

  if (value == NULL)
    return TRUE;
  if (*value == '\0')
    return bz_key_lines_fail (lines, group, key, "is empty", "leave the line out", error);
  if (clauses[clause].needs != NULL && bz_key_lines_line (lines, group, clauses[clause].needs) == 0)
    {
      g_autofree char *why = g_strdup_printf ("stands without %s", clauses[clause].needs);
      return bz_key_lines_fail (lines, group, key, why, NULL, error);
    }
  switch (clauses[clause].kind)
    {
    case STRING:
      *(char **) field = g_steal_pointer (&value);
      return TRUE;
    case RANGE:
      return bz_range_parse (value, field)
             || bz_key_lines_fail (lines, group, key, "is no range of versions",
                                   "write A..B, A.., ..B or A", error);
    case REGEX:
      *(GRegex **) field = compile (lines, group, key, value, error);
      return *(GRegex **) field != NULL;
    }
  g_assert_not_reached ();
}

static gboolean
read_priority (const BzKeyLines *lines, const char *group, BzDetectRule *rule, GError **error)
{
  g_autofree char *value = bz_key_lines_get (lines, group, "Priority");
  guint64 number = BZ_PRIORITY_DEFAULT;

  if (value != NULL && !g_ascii_string_to_unsigned (value, 10, 0, 100, &number, NULL))
    return bz_key_lines_fail (lines, group, "Priority", "is no number from 0 to 100", NULL, error);
  rule->priority = (guint) number;
  return TRUE;
}

static gboolean
read_nearest (const BzKeyLines *lines, const char *group, gboolean profile, BzDetectRule *rule,
              GError **error)
{
  g_autofree char *value = bz_key_lines_get (lines, group, "Nearest");

  if (value == NULL)
    return TRUE;
  if (profile)
    return bz_key_lines_fail (lines, group, "Nearest", "a profile is never more than the nearest",
                              "leave the line out", error);
  if (strcmp (value, "true") != 0 && strcmp (value, "false") != 0)
    return bz_key_lines_fail (lines, group, "Nearest", "is neither true nor false", NULL, error);
  rule->nearest = strcmp (value, "true") == 0;
  return TRUE;
}

/* What a clause's value may be, beyond its form. */
static gboolean
check_values (const BzKeyLines *lines, const char *group, const BzDetectRule *rule, GError **error)
{
  BzAbi abi;
  BzLibcKind kind;

  if (rule->file != NULL && (*rule->file == '/' || strstr (rule->file, "..") != NULL))
    return bz_key_lines_fail (lines, group, "File", "leads out of the tree",
                              "write a path relative to the tree's root, as etc/issue", error);
  if (rule->version.set && g_regex_get_capture_count (rule->match) < 1)
    return bz_key_lines_fail (lines, group, "Version", "Match captures no group to compare with",
                              "put the version's place in Match into parentheses", error);
  if (rule->libc != NULL && !bz_libc_lookup (rule->libc, &kind))
    return bz_key_lines_fail (lines, group, "Libc", "is no libc that brandzone knows",
                              "one of " BZ_LIBC_NAMES, error);
  if (rule->abi != NULL && !bz_abi_lookup (rule->abi, &abi))
    return bz_key_lines_fail (lines, group, "Abi", "is neither i386 nor x86_64", NULL, error);
  return TRUE;
}

static gboolean
read_rule (const BzKeyLines *lines, const char *group, gboolean profile, BzDetectRule *rule,
           GError **error)
{
  guint count = 0;

  for (guint i = 0; i < G_N_ELEMENTS (clauses); i++)
    {
      gboolean present = bz_key_lines_line (lines, group, clauses[i].key) != 0;

      if (present && profile && !clauses[i].of_libc)
        return bz_key_lines_fail (lines, group, clauses[i].key,
                                  "a profile is chosen by the libc alone",
                                  "make it a brand: leave Profile=true out", error);
      if (!read_clause (lines, group, i, rule, error))
        return FALSE;
      count += present;
    }
  if (count == 0)
    return bz_key_lines_fail (lines, group, NULL, "a rule without a clause would match every tree",
                              "add File, Os-Id or Libc, or remove the group", error);
  return read_priority (lines, group, rule, error)
         && read_nearest (lines, group, profile, rule, error)
         && check_values (lines, group, rule, error);
}

gboolean
bz_detect_rules_read (const BzKeyLines *lines, gboolean profile, BzDetectRule **rules,
                      GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (lines->keys, NULL);
  BzDetectRule *first = NULL, **last = &first;

  for (guint i = 0; groups[i] != NULL; i++)
    {
      if (!bz_detect_rule_is_group (groups[i]))
        continue;
      *last = g_new0 (BzDetectRule, 1);
      if (!read_rule (lines, groups[i], profile, *last, error))
        {
          bz_detect_rules_free (first);
          return FALSE;
        }
      last = &(*last)->next;
    }
  *rules = first;
  return TRUE;
}
