/* Lists of trees.
 *
 * Facts: mtree(5) writes bytes that are no printable ASCII, and those that mean something to it, as
 * \ooo; a line
 * "/set" gives words to the lines that follow; attributes stand in comments of ours. A zone at work
 * changes much that nobody wants to hear of: logs, databases, caches. Choice: a difference is told
 * with the kind of its place, and a change of time alone is none. A list may have come from
 * elsewhere with a detached zone: it is parsed as text by GLib, with no buffers of fixed size. */
#include "config.h"

#include "zone/tree-list.h"

#include "brand/base/error.h"
#include "zone/output.h"

#include <string.h>

static void
listed_free (gpointer data)
{
  BzListed *listed = data;

  g_free (listed->path);
  g_free (listed->type);
  g_free (listed->target);
  g_free (listed->digest);
  g_clear_pointer (&listed->attributes, g_ptr_array_unref);
  g_free (listed);
}

/* --- reading --- */

/* In place. */
static char *
unescape (char *text)
{
  char *to = text;

  for (const char *from = text; *from != '\0'; to++)
    if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7'
        && from[3] >= '0' && from[3] <= '7' && strncmp (from, "\\000", 4) != 0)
      {
        *to = (char) ((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
        from += 4;
      }
    else
      *to = *from++;
  *to = '\0';
  return text;
}

/* "./bin/ls" as "bin/ls". NULL: it is not below the root. Owned by the caller. */
static char *
take_path (char *word)
{
  unescape (word);
  if (strcmp (word, ".") == 0)
    return g_strdup ("");
  return g_str_has_prefix (word, "./") && word[2] != '\0' ? g_strdup (word + 2) : NULL;
}

static guint64
number (const char *text, guint base)
{
  guint64 value = 0;

  g_ascii_string_to_unsigned (text, base, 0, G_MAXINT64, &value, NULL);
  return value;
}

static void
take_word (BzListed *listed, char *word)
{
  char *value = strchr (word, '=');
  char **text = NULL;

  if (value == NULL)
    return;
  *value++ = '\0';
  if (strcmp (word, "type") == 0)
    text = &listed->type;
  else if (strcmp (word, "link") == 0 || strcmp (word, "device") == 0)
    text = &listed->target;
  else if (strcmp (word, "sha256digest") == 0 || strcmp (word, "sha256") == 0)
    text = &listed->digest;
  else if (strcmp (word, "size") == 0)
    listed->size = number (value, 10);
  else if (strcmp (word, "uid") == 0)
    listed->uid = number (value, 10);
  else if (strcmp (word, "gid") == 0)
    listed->gid = number (value, 10);
  else if (strcmp (word, "mode") == 0)
    listed->mode = (guint) number (value, 8) & 07777;
  if (text != NULL)
    {
      g_free (*text);
      *text = g_strdup (unescape (value));
    }
}

static gboolean
take_attribute (GHashTable *known, char *rest)
{
  char *name = strchr (rest, ' ');

  if (name == NULL)
    return FALSE;
  *name++ = '\0';
  g_autofree char *path = take_path (rest);
  BzListed *listed = path == NULL ? NULL : g_hash_table_lookup (known, path);
  if (listed == NULL || strchr (name, '=') == NULL)
    return FALSE;
  if (listed->attributes == NULL)
    listed->attributes = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (listed->attributes, g_strdup (name));
  return TRUE;
}

static BzListed *
take_line (char *line, const char *set)
{
  g_auto (GStrv) defaults = g_strsplit (set, " ", -1);
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  g_autofree char *path = take_path (words[0]);

  if (path == NULL)
    return NULL;
  BzListed *listed = g_new0 (BzListed, 1);
  listed->path = g_steal_pointer (&path);
  for (char **word = defaults; *word != NULL; word++)
    take_word (listed, *word);
  for (char **word = words + 1; *word != NULL; word++)
    take_word (listed, *word);
  if (listed->type == NULL)
    g_clear_pointer (&listed, listed_free);
  return listed;
}

static int
by_path (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(BzListed *const *) a)->path, (*(BzListed *const *) b)->path);
}

static int
by_text (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* FALSE: the line makes no sense. */
static gboolean
read_line (char *line, GString *set, GPtrArray *list, GHashTable *known)
{
  static const char attribute[] = "#xattr ";
  BzListed *listed;

  if (g_str_has_prefix (line, attribute))
    return take_attribute (known, line + strlen (attribute));
  if (*line == '\0' || *line == '#')
    return TRUE;
  if (g_str_has_prefix (line, "/set "))
    {
      g_string_assign (set, line + strlen ("/set "));
      return TRUE;
    }
  listed = take_line (line, set->str);
  if (listed == NULL)
    return FALSE;
  g_ptr_array_add (list, listed);
  g_hash_table_replace (known, listed->path, listed);
  return TRUE;
}

GPtrArray *
bz_tree_list_parse (const char *text, const char *label, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (listed_free);
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GString) set = g_string_new (NULL);

  if (!g_str_has_prefix (text, "#mtree\n"))
    {
      bz_fail (error, BZ_ERROR_INPUT, "it is no list of a tree", "take it from a backup", "%s",
               label);
      return NULL;
    }
  for (guint at = 1; *text != '\0'; at++)
    {
      gsize length = strcspn (text, "\n");
      g_autofree char *line = g_strndup (text, length);

      if (!read_line (line, set, list, known))
        {
          bz_fail (error, BZ_ERROR_INPUT, "it makes no sense", "take it from a backup",
                   "line %u of %s", at, label);
          return NULL;
        }
      text += length + (text[length] == '\n');
    }
  g_ptr_array_sort (list, by_path);
  for (guint i = 0; i < list->len; i++)
    {
      BzListed *listed = list->pdata[i];
      if (listed->attributes != NULL)
        g_ptr_array_sort (listed->attributes, by_text);
    }
  return g_steal_pointer (&list);
}

/* --- comparing --- */

static const struct {
  const char *prefix;
  BzPlace place;
} places[] = {
  /* the first that fits */
  { "usr/tmp/", BZ_PLACE_DATA },
  { "usr/spool/", BZ_PLACE_DATA },
  { "usr/adm/", BZ_PLACE_DATA },
  { "usr/", BZ_PLACE_PROGRAM },
  { "bin/", BZ_PLACE_PROGRAM },
  { "sbin/", BZ_PLACE_PROGRAM },
  { "lib/", BZ_PLACE_PROGRAM },
  { "lib32/", BZ_PLACE_PROGRAM },
  { "lib64/", BZ_PLACE_PROGRAM },
  { "libx32/", BZ_PLACE_PROGRAM },
  { "opt/", BZ_PLACE_PROGRAM },
  { "boot/", BZ_PLACE_PROGRAM },
  { "etc/mtab/", BZ_PLACE_DATA },
  { "etc/ld.so.cache/", BZ_PLACE_DATA },
  { "etc/utmp/", BZ_PLACE_DATA },
  { "etc/wtmp/", BZ_PLACE_DATA },
  /* What brandzone says to a zone of its own (loader/identity.c, loader/net/resolv.c). */
  { "etc/machine-id/", BZ_PLACE_DATA },
  { "etc/hostid/", BZ_PLACE_DATA },
  { "etc/resolv.conf/", BZ_PLACE_DATA },
  { "etc/adjtime/", BZ_PLACE_DATA },
  { "etc/ioctl.save/", BZ_PLACE_DATA },
  { "etc/", BZ_PLACE_CONFIGURATION },
};

const char *
bz_place_name (BzPlace place)
{
  static const char *const names[] = { "program", "configuration", "data" };

  return names[place];
}

BzPlace
bz_place_of (const char *path)
{
  g_autofree char *whole = g_strconcat (path, "/", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    if (g_str_has_prefix (whole, places[i].prefix))
      return places[i].place;
  return BZ_PLACE_DATA;
}

static gboolean
same_attributes (const GPtrArray *a, const GPtrArray *b)
{
  guint count = a == NULL ? 0 : a->len;

  if (count != (b == NULL ? 0 : b->len))
    return FALSE;
  for (guint i = 0; i < count; i++)
    if (strcmp (a->pdata[i], b->pdata[i]) != 0)
      return FALSE;
  return TRUE;
}

static guint
compare_one (const BzListed *was, const BzListed *is)
{
  guint differs = 0;

  if (strcmp (was->type, is->type) != 0)
    return BZ_DIFFERS_TYPE;
  if (strcmp (was->type, "file") == 0
      && (was->size != is->size || g_strcmp0 (was->digest, is->digest) != 0))
    differs |= BZ_DIFFERS_CONTENTS;
  if (g_strcmp0 (was->target, is->target) != 0)
    differs |= BZ_DIFFERS_TARGET;
  if (was->mode != is->mode && strcmp (was->type, "link") != 0)
    differs |= BZ_DIFFERS_MODE;
  if (was->uid != is->uid || was->gid != is->gid)
    differs |= BZ_DIFFERS_OWNER;
  if (!same_attributes (was->attributes, is->attributes))
    differs |= BZ_DIFFERS_ATTRIBUTES;
  return differs;
}

/* Whether the directory that holds it came or went with it; then it is told already. */
static gboolean
is_told (GHashTable *whole, const BzListed *listed)
{
  const char *slash = strrchr (listed->path, '/');
  g_autofree char *parent =
      slash == NULL ? NULL : g_strndup (listed->path, (gsize) (slash - listed->path));
  gboolean told = parent != NULL && g_hash_table_contains (whole, parent);

  if (strcmp (listed->type, "dir") == 0)
    g_hash_table_add (whole, listed->path);
  return told;
}

static gboolean
holds_nothing (const BzListed *listed)
{
  return strcmp (listed->type, "dir") == 0
         || (strcmp (listed->type, "file") == 0 && listed->size == 0);
}

/* A name that came and holds nothing: mounts lie on such ones, also brandzone's own (loader/view-files.c). */
static gboolean
is_empty (const GPtrArray *list, guint index)
{
  const BzListed *listed = list->pdata[index];
  gsize length = strlen (listed->path);

  if (!holds_nothing (listed))
    return FALSE;
  for (guint i = index + 1; i < list->len; i++)
    {
      const BzListed *next = list->pdata[i];

      if (strncmp (next->path, listed->path, length) != 0)
        break;
      if (next->path[length] == '/' && !holds_nothing (next))
        return FALSE;
    }
  return TRUE;
}

GArray *
bz_tree_list_compare (GPtrArray *then, GPtrArray *now)
{
  GArray *changes = g_array_new (FALSE, FALSE, sizeof (BzTreeChange));
  g_autoptr (GHashTable) gone = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) new = g_hash_table_new (g_str_hash, g_str_equal);
  guint i = 0, j = 0;

  while (i < then->len || j < now->len)
    {
      const BzListed *was = i < then->len ? then->pdata[i] : NULL;
      const BzListed *is = j < now->len ? now->pdata[j] : NULL;
      int order = was == NULL ? 1 : is == NULL ? -1 : strcmp (was->path, is->path);
      BzTreeChange change = { .was = order <= 0 ? was : NULL, .is = order >= 0 ? is : NULL };

      i += order <= 0;
      j += order >= 0;
      if (change.was != NULL && change.is != NULL)
        change.differs = compare_one (change.was, change.is);
      else if (change.was != NULL)
        change.differs = is_told (gone, change.was) ? 0 : BZ_DIFFERS_MISSING;
      else if (change.is != NULL)
        change.differs = is_told (new, change.is) ? 0 : BZ_DIFFERS_ADDED;
      if (change.differs == 0)
        continue;
      change.place = change.differs == BZ_DIFFERS_ADDED && is_empty (now, j - 1)
                         ? BZ_PLACE_DATA
                         : bz_place_of (bz_tree_change_path (&change));
      g_array_append_val (changes, change);
    }
  return changes;
}

/* --- words --- */

char **
bz_differs_words (guint differs)
{
  static const char *const words[] = { "added",  "missing", "type",  "contents",
                                       "target", "mode",    "owner", "attributes" };
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if ((differs & (1U << i)) != 0)
      g_strv_builder_add (builder, words[i]);
  return g_strv_builder_end (builder);
}

static void
add_values (GString *text, guint difference, const BzListed *was, const BzListed *is)
{
  g_autofree char *size = bz_bytes_format (is->size), *old = bz_bytes_format (was->size);

  if (difference == BZ_DIFFERS_TYPE)
    g_string_append_printf (text, " %s (was %s)", is->type, was->type);
  else if (difference == BZ_DIFFERS_CONTENTS && is->size != was->size)
    g_string_append_printf (text, " (%s, was %s)", size, old);
  else if (difference == BZ_DIFFERS_TARGET)
    g_string_append_printf (text, " %s (was %s)", is->target != NULL ? is->target : "none",
                            was->target != NULL ? was->target : "none");
  else if (difference == BZ_DIFFERS_MODE)
    g_string_append_printf (text, " %04o (was %04o)", is->mode, was->mode);
  else if (difference == BZ_DIFFERS_OWNER)
    g_string_append_printf (text,
                            " %" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT " (was %" G_GUINT64_FORMAT
                            ":%" G_GUINT64_FORMAT ")",
                            is->uid, is->gid, was->uid, was->gid);
}

char *
bz_tree_change_text (const BzTreeChange *change)
{
  g_auto (GStrv) words = bz_differs_words (change->differs);
  GString *text = g_string_new (NULL);

  for (guint bit = 0, i = 0; words[i] != NULL; bit++)
    {
      if ((change->differs & (1U << bit)) == 0)
        continue;
      g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", words[i]);
      i++;
      if (change->was != NULL && change->is != NULL)
        add_values (text, 1U << bit, change->was, change->is);
    }
  return g_string_free (text, FALSE);
}
