/* Problem: name the brand of a tree that may lie, be damaged, or be of a
 * distribution that nobody wrote a brand for.
 *
 * Choice: every brand's rules (data) are tried on the tree's facts. Of the rules that
 * hold the one with the highest priority decides, then the one with more clauses, then the brand's
 * name. A brand whose release is older than what the tree's C library demands is passed over: with
 * it every program would say "FATAL: kernel too old" (E5). When no brand is left, rules for relatives
 * (Nearest=true: a family by os-release's ID_LIKE or a release file's words, and the C library of its
 * time) are asked the same way, then profiles, whose rules look at the C library alone; the answer
 * is marked `nearest`. It is so too where a brand was found by its C library alone in a tree whose
 * os-release names another distribution.
 *
 * Limits: what a release file says is believed; it only chooses among brands. */
#include "config.h"

#include "brand/detect.h"
#include "brand/base/error.h"
#include "brand/detect-rule.h"
#include "brand/tree-facts.h"
#include "brand/tree.h"

#include <string.h>

#define RELEASE_FILE_BYTES (64 * 1024)

typedef struct {
  int tree_fd;
  BzTreeFacts facts;
  char *os_id, *os_like, *os_version;
  const char *os_file;
  GHashTable *texts;  /* path -> GBytes of its start */
  gboolean any_brand; /* there are definitions at all */
  GPtrArray *passed;  /* reasons why brands were passed over */
} Tree;

typedef struct {
  char *brand;
  guint priority, clauses;
  gboolean by_libc; /* nothing but the C library spoke for it */
  GPtrArray *reasons;
} Match;

static GBytes *
text_of (Tree *tree, const char *path)
{
  GBytes *bytes = g_hash_table_lookup (tree->texts, path);

  if (bytes == NULL)
    {
      if (!bz_tree_read (tree->tree_fd, path, RELEASE_FILE_BYTES, &bytes))
        return NULL;
      g_hash_table_insert (tree->texts, g_strdup (path), bytes);
    }
  return bytes;
}

/* What is shown of a tree's text: one line, printable, not long. */
static char *
shown (const char *text, gsize length)
{
  GString *line = g_string_new (NULL);

  for (gsize i = 0; i < length && text[i] != '\n' && text[i] != '\0' && line->len < 120; i++)
    g_string_append_c (line, g_ascii_isprint (text[i]) ? text[i] : '?');
  return g_string_free (line, FALSE);
}

static char *
release_text (BzRelease release)
{
  guint patch = (guint) (release & 0xffff);

  return patch != 0
             ? g_strdup_printf ("%u.%u.%u", (guint) (release >> 32),
                                (guint) (release >> 16 & 0xffff), patch)
             : g_strdup_printf ("%u.%u", (guint) (release >> 32), (guint) (release >> 16 & 0xffff));
}

/* os-release */

/* A value of os-release(5) without its quotes, or NULL. */
static char *
os_release_value (const char *text, const char *key)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", 1000);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (!g_str_has_prefix (lines[i], key) || lines[i][strlen (key)] != '=')
        continue;
      char *value = g_strstrip (g_strdup (lines[i] + strlen (key) + 1));
      gsize length = strlen (value);
      if (length >= 2 && (value[0] == '"' || value[0] == '\'') && value[length - 1] == value[0])
        {
          memmove (value, value + 1, length - 2);
          value[length - 2] = '\0';
        }
      return value;
    }
  return NULL;
}

static void
read_os_release (Tree *tree)
{
  static const char *const files[] = { "etc/os-release", "usr/lib/os-release",
                                       "etc/initrd-release" };

  for (guint i = 0; i < G_N_ELEMENTS (files) && tree->os_id == NULL; i++)
    {
      GBytes *bytes = text_of (tree, files[i]);
      if (bytes == NULL)
        continue;
      g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
      tree->os_id = os_release_value (text, "ID");
      tree->os_version = os_release_value (text, "VERSION_ID");
      tree->os_like = os_release_value (text, "ID_LIKE");
      tree->os_file = files[i];
    }
}

/* Clauses: each returns FALSE, or TRUE and adds its reason. */

static gboolean
file_holds (Tree *tree, const BzDetectRule *rule, GPtrArray *reasons)
{
  if (rule->match == NULL)
    {
      if (!bz_tree_has_file (tree->tree_fd, rule->file))
        return FALSE;
      g_ptr_array_add (reasons, g_strdup_printf ("%s is there", rule->file));
      return TRUE;
    }

  GBytes *bytes = text_of (tree, rule->file);
  g_autoptr (GMatchInfo) info = NULL;
  gsize length = 0;
  const char *text = bytes != NULL ? g_bytes_get_data (bytes, &length) : NULL;
  BzRelease version;

  if (text == NULL || !g_regex_match_full (rule->match, text, (gssize) length, 0, 0, &info, NULL))
    return FALSE;
  if (rule->version.set)
    {
      g_autofree char *captured = g_match_info_fetch (info, 1);
      if (!bz_version_parse (captured, &version) || !bz_range_holds (&rule->version, version))
        return FALSE;
    }
  int from = 0, to = 0;
  if (!g_match_info_fetch_pos (info, 0, &from, &to) || from < 0)
    return FALSE;
  while (from > 0 && text[from - 1] != '\n')
    from--;
  g_autofree char *line = shown (text + from, length - (gsize) from);
  g_ptr_array_add (reasons, g_strdup_printf ("%s says \"%s\"", rule->file, line));
  return TRUE;
}

static gboolean
os_holds (Tree *tree, const BzDetectRule *rule, GPtrArray *reasons)
{
  BzRelease version;

  if (g_strcmp0 (tree->os_id, rule->os_id) != 0)
    return FALSE;
  if (rule->os_version.set
      && (tree->os_version == NULL || !bz_version_parse (tree->os_version, &version)
          || !bz_range_holds (&rule->os_version, version)))
    return FALSE;
  g_autofree char *seen =
      tree->os_version != NULL ? shown (tree->os_version, strlen (tree->os_version)) : NULL;
  g_ptr_array_add (reasons, g_strdup_printf ("%s says %s%s%s", tree->os_file, rule->os_id,
                                             seen != NULL ? " " : "", seen != NULL ? seen : ""));
  return TRUE;
}

static gboolean
like_holds (Tree *tree, const BzDetectRule *rule, GPtrArray *reasons)
{
  g_auto (GStrv) words = g_strsplit_set (tree->os_like != NULL ? tree->os_like : "", " \t", 100);
  gboolean itself = g_strcmp0 (tree->os_id, rule->os_like) == 0;

  if (!itself && !g_strv_contains ((const char *const *) words, rule->os_like))
    return FALSE;
  g_autofree char *id = tree->os_id != NULL ? shown (tree->os_id, strlen (tree->os_id)) : NULL;
  g_ptr_array_add (reasons,
                   itself ? g_strdup_printf ("%s says %s", tree->os_file, rule->os_like)
                          : g_strdup_printf ("%s says that %s is like %s", tree->os_file,
                                             id != NULL ? id : "it", rule->os_like));
  return TRUE;
}

static gboolean
libc_holds (Tree *tree, const BzDetectRule *rule)
{
  const BzTreeFacts *facts = &tree->facts;

  if (rule->libc != NULL && strcmp (rule->libc, bz_libc_name (facts->libc)) != 0)
    return FALSE;
  if (rule->libc_version.set
      && (!facts->has_version || !bz_range_holds (&rule->libc_version, facts->version)))
    return FALSE;
  if (rule->libc_kernel.set
      && (!facts->has_kernel || !bz_range_holds (&rule->libc_kernel, facts->kernel)))
    return FALSE;
  if (rule->libc_text != NULL
      && (facts->text == NULL || !g_regex_match (rule->libc_text, facts->text, 0, NULL)))
    return FALSE;
  return rule->abi == NULL
         || (!facts->foreign && strcmp (rule->abi, bz_abi_name (facts->abi)) == 0);
}

static guint
clauses_of (const BzDetectRule *rule)
{
  return (rule->file != NULL) + (rule->match != NULL) + rule->version.set + (rule->os_id != NULL)
         + rule->os_version.set + (rule->os_like != NULL) + (rule->libc != NULL) + rule->libc_version.set
         + (rule->libc_text != NULL) + rule->libc_kernel.set + (rule->abi != NULL);
}

/* What the C library says, for the reasons of every detection. */
static void
add_libc_reasons (const Tree *tree, GPtrArray *reasons)
{
  const BzTreeFacts *facts = &tree->facts;
  g_autofree char *version = facts->has_version ? release_text (facts->version) : NULL;
  g_autofree char *kernel = facts->has_kernel ? release_text (facts->kernel) : NULL;
  g_autofree char *text = facts->text != NULL ? shown (facts->text, strlen (facts->text)) : NULL;

  if (facts->program != NULL)
    g_ptr_array_add (reasons, g_strdup (facts->program));
  if (facts->libc_file != NULL && text != NULL)
    g_ptr_array_add (reasons, g_strdup_printf ("%s says \"%s\"", facts->libc_file, text));
  else if (facts->libc_file != NULL)
    g_ptr_array_add (reasons,
                     g_strdup_printf ("%s is %s%s%s", facts->libc_file, bz_libc_name (facts->libc),
                                      version != NULL ? " " : "", version != NULL ? version : ""));
  else if (facts->libc != BZ_LIBC_NONE)
    g_ptr_array_add (reasons, g_strdup_printf ("its programs want %s, which is not in the tree",
                                               bz_libc_name (facts->libc)));
  if (kernel != NULL)
    g_ptr_array_add (reasons, g_strdup_printf ("its ABI notes want Linux %s or later", kernel));
}

static void
match_clear (Match *match)
{
  g_clear_pointer (&match->brand, g_free);
  g_clear_pointer (&match->reasons, g_ptr_array_unref);
}

/* Whether the brand can be taken with what it inherits, and programs of the tree would start under it;
 * a reason why not is noted. */
static gboolean
takeable (Tree *tree, const char *const *dirs, const char *name)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (BzBrand) brand = bz_brand_load (dirs, name, &problem);
  BzRelease release;

  if (brand == NULL)
    {
      g_ptr_array_add (tree->passed,
                       g_strdup_printf ("brand %s was passed over: %s", name, problem->message));
      return FALSE;
    }
  const char *claimed = brand->release[tree->facts.abi];
  if (brand->quirk[BZ_QUIRK_RELEASE] == 0 || !tree->facts.has_kernel
      || !bz_release_parse (claimed, &release) || release >= tree->facts.kernel)
    return TRUE;
  g_ptr_array_add (
      tree->passed,
      g_strdup_printf ("brand %s was passed over: its Linux %s is older than the programs want", name,
                       claimed));
  return FALSE;
}

static void
try_rule (Tree *tree, const char *const *dirs, const char *name, const BzDetectRule *rule,
          Match *best)
{
  g_autoptr (GPtrArray) reasons = g_ptr_array_new_with_free_func (g_free);
  guint clauses = clauses_of (rule);

  if (best->brand != NULL
      && (rule->priority < best->priority
          || (rule->priority == best->priority && clauses <= best->clauses)))
    return;
  if ((rule->file != NULL && !file_holds (tree, rule, reasons))
      || (rule->os_id != NULL && !os_holds (tree, rule, reasons))
      || (rule->os_like != NULL && !like_holds (tree, rule, reasons)) || !libc_holds (tree, rule)
      || !takeable (tree, dirs, name))
    return;
  match_clear (best);
  *best = (Match){ .brand = g_strdup (name),
                   .priority = rule->priority,
                   .clauses = clauses,
                   .by_libc = rule->file == NULL && rule->os_id == NULL && rule->os_like == NULL,
                   .reasons = g_steal_pointer (&reasons) };
}

static char **
steal_reasons (GPtrArray *reasons)
{
  g_ptr_array_set_free_func (reasons, NULL);
  g_ptr_array_add (reasons, NULL);
  return (char **) g_ptr_array_free (reasons, FALSE);
}

/* The best of each kind: of brands made for the tree, of relatives', of profiles. */
typedef struct {
  Match named, kin, profile;
} Found;

/* Tries all brands; those that can't be read are passed over with a reason. */
static void
try_brands (Tree *tree, const char *const *dirs, Found *found)
{
  g_auto (GStrv) names = bz_brand_list (dirs);

  tree->any_brand = names[0] != NULL;
  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autoptr (GError) problem = NULL;
      g_autoptr (BzBrand) brand = bz_brand_load_alone (dirs, names[i], &problem);

      if (brand == NULL)
        {
          g_ptr_array_add (tree->passed, g_strdup_printf ("brand %s was passed over: %s", names[i],
                                                          problem->message));
          continue;
        }
      for (const BzDetectRule *rule = brand->detect; rule != NULL; rule = rule->next)
        try_rule (tree, dirs, names[i], rule,
                  brand->profile  ? &found->profile
                  : rule->nearest ? &found->kin
                                  : &found->named);
    }
}

static void
tree_clear (Tree *tree)
{
  bz_tree_facts_clear (&tree->facts);
  g_free (tree->os_id);
  g_free (tree->os_version);
  g_free (tree->os_like);
  g_hash_table_unref (tree->texts);
  g_ptr_array_unref (tree->passed);
}

/* Why the answer is only the nearest; NULL: it is more. Owned by the caller. */
static char *
nearest_reason (const Tree *tree, const Found *found, const Match *match)
{
  if (match == &found->profile)
    return g_strdup_printf ("no brand is known for it: %s is the nearest profile", match->brand);
  if (match == &found->kin)
    return g_strdup_printf ("no brand is known for it: %s is the nearest", match->brand);
  if (match->by_libc && tree->os_id != NULL)
    {
      g_autofree char *id = shown (tree->os_id, strlen (tree->os_id));
      return g_strdup_printf ("%s names %s, which no brand is known for: %s, whose C library it "
                              "has, is the nearest",
                              tree->os_file, id, match->brand);
    }
  return NULL;
}

static gboolean
check_found (const Tree *tree, const Found *found, const Match *match, GError **error)
{
  if (found->named.brand == NULL && found->kin.brand == NULL && !tree->facts.found)
    return bz_fail (error, BZ_ERROR_INPUT,
                    "no Linux program, no C library and no release file is where distributions have them",
                    "give the directory that holds bin, lib and etc; with --brand and --abi any is taken", "no userland found");
  if (match->brand == NULL && !tree->any_brand)
    return bz_fail (error, BZ_ERROR_HOST, "no brand is installed",
                    "install brandzone completely, or set BRANDZONE_BRAND_PATH",
                    "unknown userland");
  if (match->brand == NULL)
    return bz_fail (error, BZ_ERROR_INPUT, "no brand and no profile fits it",
                    "choose one with --brand; `brandzone brands` lists them", "unknown userland");
  return TRUE;
}

static BzDetection *
conclude (Tree *tree, Found *found, GError **error)
{
  /* A C library alone says less than a release file, though that be a relative's. */
  Match *match = found->named.brand != NULL && !(found->named.by_libc && found->kin.brand != NULL)
                     ? &found->named
                 : found->kin.brand != NULL ? &found->kin
                                            : &found->profile;

  if (!check_found (tree, found, match, error))
    return NULL;

  BzDetection *detection = g_new0 (BzDetection, 1);
  g_autofree char *nearest = nearest_reason (tree, found, match);
  g_autoptr (GPtrArray) reasons = g_steal_pointer (&match->reasons);

  detection->abi = tree->facts.abi;
  detection->foreign = tree->facts.foreign;
  detection->nearest = nearest != NULL;
  add_libc_reasons (tree, reasons);
  if (!tree->facts.found)
    g_ptr_array_add (reasons, g_strdup ("no program was found: taken for x86_64"));
  if (nearest != NULL)
    g_ptr_array_add (reasons, g_steal_pointer (&nearest));
  if (reasons->len == 0)
    g_ptr_array_add (reasons, g_strdup_printf ("the rules of %s fit it", match->brand));
  detection->brand = g_steal_pointer (&match->brand);
  for (guint i = 0; i < tree->passed->len; i++)
    g_ptr_array_add (reasons, g_strdup (tree->passed->pdata[i]));
  detection->reasons = steal_reasons (g_steal_pointer (&reasons));
  return detection;
}

/* Takes the facts over. */
static BzDetection *
detect (Tree *tree, const char *const *dirs, GError **error)
{
  Found found = { 0 };

  tree->texts =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  tree->passed = g_ptr_array_new_with_free_func (g_free);
  read_os_release (tree);
  try_brands (tree, dirs, &found);

  BzDetection *detection = conclude (tree, &found, error);
  match_clear (&found.named);
  match_clear (&found.kin);
  match_clear (&found.profile);
  tree_clear (tree);
  return detection;
}

BzDetection *
bz_detect (int tree_fd, const char *const *dirs, GError **error)
{
  Tree tree = { .tree_fd = tree_fd };

  bz_tree_facts_read (tree_fd, &tree.facts);
  return detect (&tree, dirs, error);
}

BzDetection *
bz_detect_program (GBytes *program, const char *path, int libraries_fd, const char *const *dirs,
                   GError **error)
{
  Tree tree = { .tree_fd = libraries_fd };

  bz_tree_facts_of_program (program, path, libraries_fd, &tree.facts);
  return detect (&tree, dirs, error);
}

void
bz_detection_free (BzDetection *detection)
{
  if (detection == NULL)
    return;
  g_free (detection->brand);
  g_strfreev (detection->reasons);
  g_free (detection);
}
