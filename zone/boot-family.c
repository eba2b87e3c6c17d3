/* Which init a tree has is asked of the program itself, as text that it holds: names and links
 * differ (init of BusyBox is a link, of systemd too), and the text is there in every version. Who
 * plants such a text in a tree of his own gains a way to be stopped that does not work; the zone is
 * killed then. */
#include "config.h"

#include "zone/boot-family.h"

#include "brand/base/error.h"
#include "brand/brand-directories.h"
#include "brand/key-lines.h"
#include "brand/tree.h"
#include "zone/names.h"

#include <signal.h>
#include <string.h>

#define SUFFIX ".edits"
#define NETWORK_SUFFIX ".network"
#define INIT_MAX (16 * 1024 * 1024)

static void
edit_free (gpointer data)
{
  BzBootEdit *edit = data;

  g_free (edit->name);
  g_free (edit->file);
  g_free (edit->after);
  g_free (edit->unless);
  g_free (edit->line);
  g_free (edit->replace);
  g_free (edit->reason);
  g_free (edit);
}

static void
argument_free (gpointer data)
{
  BzBootArgument *argument = data;

  g_free (argument->word);
  g_free (argument->cgroups.name);
  g_free (argument);
}

void
bz_boot_family_free (BzBootFamily *family)
{
  if (family == NULL)
    return;
  g_free (family->name);
  g_free (family->title);
  g_free (family->contains);
  g_free (family->lacks);
  g_free (family->needs);
  g_free (family->single);
  g_strfreev (family->halt_command);
  g_strfreev (family->environment);
  g_free (family->cgroups.name);
  g_ptr_array_unref (family->arguments);
  g_ptr_array_unref (family->edits);
  g_free (family);
}

/* --- reading --- */

static int
signal_number (const char *name)
{
  guint64 offset;

  if (g_str_has_prefix (name, "RTMIN+")
      && g_ascii_string_to_unsigned (name + strlen ("RTMIN+"), 10, 0,
                                     (guint64) (SIGRTMAX - SIGRTMIN), &offset, NULL))
    return SIGRTMIN + (int) offset;
  for (int number = 1; number < SIGRTMIN; number++)
    if (g_strcmp0 (sigabbrev_np (number), name) == 0)
      return number;
  return 0;
}

static gboolean
parse_halt (const BzKeyLines *lines, BzBootFamily *family, GError **error)
{
  g_autofree char *value = bz_key_lines_get (lines, "Init", "Halt");
  g_auto (GStrv) words = g_strsplit (value != NULL ? value : "", " ", -1);

  if (g_strcmp0 (words[0], "signal") == 0 && g_strv_length (words) == 2)
    family->halt_signal = signal_number (words[1]);
  else if (g_strcmp0 (words[0], "run") == 0 && words[1] != NULL && words[1][0] == '/')
    family->halt_command = g_strdupv (words + 1);
  return family->halt_signal != 0 || family->halt_command != NULL
         || bz_key_lines_fail (lines, "Init", "Halt", "is neither a signal nor a program",
                               "write: signal USR2, or: run /sbin/init 0", error);
}

/* A name that the kernel takes, and that is one path component. */
static gboolean
is_hierarchy_name (const char *name)
{
  return name[0] != '\0' && name[0] != '.' && strlen (name) < 64
         && strspn (name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_.-") == strlen (name);
}

static gboolean
parse_cgroups (const BzKeyLines *lines, const char *group, BzBootCgroups *cgroups, GError **error)
{
  g_autofree char *value = bz_key_lines_get (lines, group, "Cgroups");

  if (value == NULL || g_str_equal (value, "none"))
    return TRUE;
  if (g_str_equal (value, "unified"))
    cgroups->view = BZ_CGROUPS_UNIFIED;
  else if (g_str_has_prefix (value, "named ") && is_hierarchy_name (value + strlen ("named ")))
    {
      cgroups->view = BZ_CGROUPS_NAMED;
      cgroups->name = g_strdup (value + strlen ("named "));
    }
  else
    return bz_key_lines_fail (lines, group, "Cgroups", "is not a hierarchy",
                              "write: unified, or: named systemd, or: none", error);
  return TRUE;
}

static gboolean
parse_environment (const BzKeyLines *lines, BzBootFamily *family, GError **error)
{
  g_autofree char *value = bz_key_lines_get (lines, "Init", "Environment");

  family->environment = g_strsplit (value != NULL ? value : "", ";", -1);
  for (char **word = family->environment; *word != NULL; word++)
    if (strchr (g_strstrip (*word), '=') == NULL)
      return bz_key_lines_fail (lines, "Init", "Environment", "is not of the form NAME=VALUE", NULL,
                                error);
  return TRUE;
}

static gboolean
parse_terminals (const BzKeyLines *lines, BzBootFamily *family, GError **error)
{
  g_autofree char *value = bz_key_lines_get (lines, "Init", "Terminals");
  guint64 number = BZ_TERMINALS_MAX;

  if (value != NULL
      && !g_ascii_string_to_unsigned (value, 10, 1, BZ_TERMINALS_MAX, &number, NULL))
    return bz_key_lines_fail (lines, "Init", "Terminals", "is not a number from 1 to 6", NULL,
                              error);
  family->terminals = (guint) number;
  return TRUE;
}

static gboolean
parse_init (const BzKeyLines *lines, BzBootFamily *family, GError **error)
{
  g_autofree char *order = bz_key_lines_get (lines, "Init", "Order");
  g_autofree char *alone = bz_key_lines_get (lines, "Init", "Alone");
  guint64 number;

  family->title = bz_key_lines_get (lines, "Init", "Title");
  family->contains = bz_key_lines_get (lines, "Init", "Contains");
  family->lacks = bz_key_lines_get (lines, "Init", "Lacks");
  family->needs = bz_key_lines_get (lines, "Init", "Needs");
  family->single = bz_key_lines_get (lines, "Init", "Single");
  family->alone_sleeps = g_strcmp0 (alone, "sleeps") == 0;
  if (family->title == NULL)
    return bz_key_lines_fail (lines, "Init", "Title", "is missing", NULL, error);
  if (family->contains == NULL || family->contains[0] == '\0')
    return bz_key_lines_fail (lines, "Init", "Contains", "is missing", NULL, error);
  if (order == NULL || !g_ascii_string_to_unsigned (order, 10, 0, 1000, &number, NULL))
    return bz_key_lines_fail (lines, "Init", "Order", "is not a number from 0 to 1000", NULL,
                              error);
  family->order = (guint) number;
  return parse_halt (lines, family, error) && parse_environment (lines, family, error)
         && parse_terminals (lines, family, error)
         && parse_cgroups (lines, "Init", &family->cgroups, error);
}

static gboolean
parse_argument (const BzKeyLines *lines, const char *group, BzBootFamily *family, GError **error)
{
  BzBootArgument *argument = g_new0 (BzBootArgument, 1);

  argument->word = g_strdup (group + strlen ("Argument "));
  g_ptr_array_add (family->arguments, argument);
  return parse_cgroups (lines, group, &argument->cgroups, error);
}

static gboolean
parse_edit (const BzKeyLines *lines, const char *group, BzBootFamily *family, GError **error)
{
  BzBootEdit *edit = g_new0 (BzBootEdit, 1);
  const struct {
    const char *key;
    char **value;
  } wanted[] = { { "File", &edit->file },
                 { "Line", &edit->line },
                 { "Replace", &edit->replace },
                 { "Reason", &edit->reason } };

  g_ptr_array_add (family->edits, edit);
  edit->name = g_strdup (group + strlen ("Edit "));
  edit->after = bz_key_lines_get (lines, group, "After");
  edit->unless = bz_key_lines_get (lines, group, "Unless");
  for (gsize i = 0; i < G_N_ELEMENTS (wanted); i++)
    if ((*wanted[i].value = bz_key_lines_get (lines, group, wanted[i].key)) == NULL)
      return bz_key_lines_fail (lines, group, wanted[i].key, "is missing", NULL, error);
  if (!bz_name_valid (edit->name))
    return bz_key_lines_fail (lines, group, NULL, "has no proper name",
                              "name it in small letters and digits", error);
  return edit->file[0] == '/'
         || bz_key_lines_fail (lines, group, "File", "is not absolute", NULL, error);
}

static BzBootFamily *
family_new (void)
{
  BzBootFamily *family = g_new0 (BzBootFamily, 1);

  family->edits = g_ptr_array_new_with_free_func (edit_free);
  family->arguments = g_ptr_array_new_with_free_func (argument_free);
  return family;
}

static gboolean
parse_edits (const BzKeyLines *lines, BzBootFamily *family, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (lines->keys, NULL);

  for (char **group = groups; *group != NULL; group++)
    if (g_str_has_prefix (*group, "Edit ") && !parse_edit (lines, *group, family, error))
      return FALSE;
  return TRUE;
}

BzBootFamily *
bz_boot_family_read (const char *path, GError **error)
{
  g_autoptr (BzKeyLines) lines = bz_key_lines_read (path, error);
  g_autoptr (BzBootFamily) family = family_new ();
  g_autofree char *base = g_path_get_basename (path);

  if (lines == NULL)
    return NULL;
  family->name = g_strndup (base, strcspn (base, "."));
  if (!parse_init (lines, family, error) || !parse_edits (lines, family, error))
    return NULL;
  g_auto (GStrv) groups = g_key_file_get_groups (lines->keys, NULL);
  for (char **group = groups; *group != NULL; group++)
    if (g_str_has_prefix (*group, "Argument ")
        && !parse_argument (lines, *group, family, error))
      return NULL;
  return g_steal_pointer (&family);
}

const BzBootCgroups *
bz_boot_family_cgroups (const BzBootFamily *family, char **words)
{
  for (guint i = 0; words != NULL && i < family->arguments->len; i++)
    {
      const BzBootArgument *argument = g_ptr_array_index (family->arguments, i);
      if (g_strv_contains ((const char *const *) words, argument->word))
        return &argument->cgroups;
    }
  return &family->cgroups;
}

/* --- finding --- */

char *
bz_boot_find_init (int tree_fd, const char *given, GError **error)
{
  static const char *const usual[] = { "/sbin/init", "/etc/init", "/bin/init" };

  if (given != NULL)
    return g_strdup (given);
  for (gsize i = 0; i < G_N_ELEMENTS (usual); i++)
    if (bz_tree_has_file (tree_fd, usual[i]))
      return g_strdup (usual[i]);
  bz_fail (error, BZ_ERROR_INPUT, "there is neither /sbin/init nor /etc/init nor /bin/init",
           "run a command in it: brandzone run; or name its init with --init",
           "the zone has no init");
  return NULL;
}

static int
by_order (gconstpointer a, gconstpointer b)
{
  const BzBootFamily *first = *(BzBootFamily *const *) a, *second = *(BzBootFamily *const *) b;

  return (int) first->order - (int) second->order;
}

/* The family files lie beside the brands: in a directory `boot` next to each of theirs. One of the
 * administrator's hides one of ours with the same name. */
static gboolean
each_file (const char *suffix, gboolean (*take) (const char *path, gpointer data, GError **error),
           gpointer data, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) brands = bz_brand_directories ();

  for (char **brand = brands; *brand != NULL; brand++)
    {
      g_autofree char *parent = g_path_get_dirname (*brand);
      g_autofree char *place = g_build_filename (parent, "boot", NULL);
      g_autoptr (GDir) dir = g_dir_open (place, 0, NULL);
      const char *base;

      while (dir != NULL && (base = g_dir_read_name (dir)) != NULL)
        {
          g_autofree char *path = g_build_filename (place, base, NULL);
          if (g_str_has_suffix (base, suffix) && g_hash_table_add (seen, g_strdup (base))
              && !take (path, data, error))
            return FALSE;
        }
    }
  return TRUE;
}

static gboolean
add_family (const char *path, gpointer data, GError **error)
{
  BzBootFamily *family = bz_boot_family_read (path, error);

  if (family == NULL)
    return FALSE;
  g_ptr_array_add (data, family);
  return TRUE;
}

static GPtrArray *
read_families (GError **error)
{
  g_autoptr (GPtrArray) families =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bz_boot_family_free);

  if (!each_file (SUFFIX, add_family, families, error))
    return NULL;
  g_ptr_array_sort (families, by_order);
  return g_steal_pointer (&families);
}

static gboolean
add_network (const char *path, gpointer data, GError **error)
{
  g_autoptr (BzKeyLines) lines = bz_key_lines_read (path, error);

  return lines != NULL && parse_edits (lines, data, error);
}

BzBootFamily *
bz_boot_network_edits (GError **error)
{
  g_autoptr (BzBootFamily) family = family_new ();

  family->title = g_strdup ("network");
  return each_file (NETWORK_SUFFIX, add_network, family, error) ? g_steal_pointer (&family) : NULL;
}

static gboolean
fits (const BzBootFamily *family, int tree_fd, GBytes *program)
{
  gsize size;
  const void *data = g_bytes_get_data (program, &size);

  return size > 0 && memmem (data, size, family->contains, strlen (family->contains)) != NULL
         && (family->lacks == NULL
             || memmem (data, size, family->lacks, strlen (family->lacks)) == NULL)
         && (family->needs == NULL || bz_tree_has_file (tree_fd, family->needs));
}

gboolean
bz_boot_family_find (int tree_fd, const char *init, BzBootFamily **family, GError **error)
{
  g_autoptr (GPtrArray) families = read_families (error);
  g_autoptr (GBytes) program = NULL;

  *family = NULL;
  if (families == NULL)
    return FALSE;
  if (!bz_tree_read (tree_fd, init, INIT_MAX, &program))
    return TRUE;
  for (guint i = 0; i < families->len && *family == NULL; i++)
    if (fits (g_ptr_array_index (families, i), tree_fd, program))
      *family = g_ptr_array_steal_index (families, i);
  return TRUE;
}
