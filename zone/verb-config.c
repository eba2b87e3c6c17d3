/* config: reading and changing zone files.
 *
 * A change is checked as a whole, drop-ins included, before the file is replaced in one step. Two
 * changes at once wait for each other: the directory of zone files is locked. */
#include "config.h"

#include "brand/base/error.h"
#include "brand/brand.h"
#include "zone/key-name.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/state.h"
#include "zone/verb-config.h"
#include "zone/verbs.h"
#include "zone/zone-file.h"
#include "zone/zone-keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/file.h>
#include <unistd.h>

int
bz_config_usage (const BzConfig *config, const char *why, GError **error)
{
  g_autofree char *hint = g_strdup_printf (g_str_equal (config->action, "set")
                                               ? "write: brandzone config set %s KEY=VALUE"
                                           : g_str_equal (config->action, "unset")
                                               ? "write: brandzone config unset %s KEY"
                                           : g_str_equal (config->action, "import")
                                               ? "write: brandzone config import %s FILE"
                                               : "write: brandzone config %2$s %1$s",
                                           config->name, config->action);

  bz_fail (error, BZ_ERROR_USAGE, why, hint, "brandzone config %s", config->action);
  return -1;
}

static void
tell_warnings (const BzContext *context, const BzZoneFile *file)
{
  for (guint i = 0; i < file->warnings->len; i++)
    bz_context_note (context, "%s", (char *) g_ptr_array_index (file->warnings, i));
}

/* --- get, export --- */

static int
get_one (const BzConfig *config, const BzZoneFile *file, const char *text, GError **error)
{
  g_autofree char *group = NULL;
  g_autofree char *key = NULL;

  if (!bz_key_name_parse (text, &group, &key, error))
    return -1;
  const char *value = bz_zone_file_value (file, group, key);
  g_autofree char *kind = g_strndup (group, strcspn (group, " "));
  const BzZoneKey *row = bz_zone_key_lookup (kind, key);
  if (value == NULL)
    {
      g_autofree char *name = bz_key_name (group, key);
      g_autofree char *hint =
          row->fallback != NULL ? g_strdup_printf ("without it: %s", row->fallback) : NULL;
      bz_fail (error, BZ_ERROR_FAILED, "it is not set", hint, "%s of zone %s", name, config->name);
      return -1;
    }
  if (config->context->json)
    {
      JsonBuilder *builder = bz_json_begin ();
      g_autofree char *name = bz_key_name (group, key);
      bz_json_text (builder, "key", name);
      bz_json_text (builder, "value", value);
      bz_json_end (builder);
      return 0;
    }
  g_autofree char *safe = bz_text_safe (value);
  puts (safe);
  return 0;
}

static void
get_all (const BzConfig *config, const BzZoneFile *file)
{
  JsonBuilder *builder = config->context->json ? bz_json_begin () : NULL;

  if (builder != NULL)
    {
      bz_json_text (builder, "name", config->name);
      bz_json_text (builder, "zone_file", config->path);
      json_builder_set_member_name (builder, "values");
      json_builder_begin_object (builder);
    }
  for (guint i = 0; i < file->order->len; i++)
    {
      const char *both = g_ptr_array_index (file->order, i);
      g_auto (GStrv) parts = g_strsplit (both, "\n", 2);
      const char *value = g_hash_table_lookup (file->values, both);
      g_autofree char *name = bz_key_name (parts[0], parts[1]);
      if (builder != NULL)
        {
          bz_json_text (builder, name, value);
          continue;
        }
      g_autofree char *line = g_strconcat (name, "=", value, NULL);
      g_autofree char *safe = bz_text_safe (line);
      puts (safe);
    }
  if (builder != NULL)
    {
      json_builder_end_object (builder);
      bz_json_end (builder);
    }
}

static int
config_get (const BzConfig *config, GError **error)
{
  const char *key = bz_arguments_word (config->arguments, 2);

  if (bz_arguments_n_words (config->arguments) > 3)
    return bz_config_usage (config, "it takes one key, or none for all", error);
  g_autoptr (BzZoneFile) file = bz_zone_file_load (config->path, error);
  if (file == NULL)
    return -1;
  tell_warnings (config->context, file);
  if (key != NULL)
    return get_one (config, file, key, error);
  get_all (config, file);
  return 0;
}

/* What replaces a file would replace /dev/null or a pipe, too. */
static gboolean
is_place_for_file (const char *target, GError **error)
{
  struct stat st;

  return stat (target, &st) != 0 || S_ISREG (st.st_mode)
         || bz_fail (error, BZ_ERROR_STATE, "there is something of this name that is no regular file",
                     "choose another name; without one it is printed", "%s", target);
}

static int
config_export (const BzConfig *config, GError **error)
{
  const char *target = bz_arguments_word (config->arguments, 2);

  if (bz_arguments_n_words (config->arguments) > 3)
    return bz_config_usage (config, "it takes one file, or none for standard output", error);
  g_autoptr (BzZoneFile) file = bz_zone_file_load (config->path, error);
  if (file == NULL)
    return -1;
  tell_warnings (config->context, file);
  g_autofree char *text = bz_zone_file_text (file);
  if (target != NULL && !g_str_equal (target, "-"))
    return is_place_for_file (target, error)
                   && bz_zone_file_write (target, text, strlen (text), error)
               ? 0
               : -1;
  fputs (text, stdout);
  return 0;
}

/* --- changes --- */

int
bz_config_lock (const BzConfig *config, GError **error)
{
  if (!bz_dirs_make (config->context->dirs->config, error))
    return -1;
  int fd = open (config->context->dirs->config, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0 && flock (fd, LOCK_EX) == 0)
    return fd;
  bz_fail_errno (error, errno, NULL, "locking %s", config->context->dirs->config);
  if (fd >= 0)
    close (fd);
  return -1;
}

/* A brand that there is not would stop the next start. */
static gboolean
check_brand (const BzZoneFile *file, GError **error)
{
  if (file->brand == NULL)
    return TRUE;
  g_autoptr (BzBrand) brand = bz_brand_load (NULL, file->brand, error);
  return brand != NULL;
}

gboolean
bz_config_put (const BzConfig *config, const char *data, gsize length, GError **error)
{
  g_autoptr (BzZoneFile) file = bz_zone_file_load_with (config->path, data, length, error);

  if (file == NULL || !check_brand (file, error)
      || !bz_zone_file_write (config->path, data, length, error))
    return FALSE;
  tell_warnings (config->context, file);
  if (bz_state_condition (config->context->dirs, config->name, NULL) == BZ_ZONE_RUNNING)
    bz_context_note (config->context, "zone %s is running: it changes with its next start",
                     config->name);
  return TRUE;
}

/* Drop-ins are laid over the file that was changed. */
static void
tell_overridden (const BzConfig *config, const char *group, const char *key, const char *value)
{
  g_autoptr (BzZoneFile) file = bz_zone_file_load (config->path, NULL);
  const char *now = file != NULL ? bz_zone_file_value (file, group, key) : value;

  if (g_strcmp0 (now, value) != 0)
    bz_context_note (config->context, "%s.d has another value for %s, which counts: %s",
                     config->path, key, now);
}

/* One KEY=VALUE (value NULL: KEY alone) in the text. */
static gboolean
edit_one (const BzConfig *config, GString *text, const char *name, const char *value,
          GError **error)
{
  g_autofree char *group = NULL;
  g_autofree char *key = NULL;

  if (!bz_key_name_parse (name, &group, &key, error))
    return FALSE;
  if (value == NULL)
    {
      g_autoptr (BzZoneFile) file = bz_zone_file_new ();
      if (bz_zone_file_parse (file, text->str, text->len, config->path, NULL)
          && bz_zone_file_value (file, group, key) == NULL)
        return bz_fail (error, BZ_ERROR_FAILED, "it is not set there",
                        "drop-ins are changed by hand", "%s in %s", name, config->path);
    }
  g_autofree char *changed = bz_zone_file_edit (text->str, text->len, group, key, value);
  g_string_assign (text, changed);
  return TRUE;
}

/* The halves of KEY=VALUE. Both owned by the caller. */
static gboolean
split_setting (const BzConfig *config, const char *text, char **name, char **value, GError **error)
{
  const char *equals = strchr (text, '=');

  if (equals == NULL || equals == text)
    return bz_config_usage (config, "a word is no KEY=VALUE", error) == 0;
  *name = g_strndup (text, equals - text);
  *value = g_strdup (equals + 1);
  return TRUE;
}

static gboolean
change (const BzConfig *config, gboolean set, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint count = bz_arguments_n_words (config->arguments);
  gboolean missing;

  if (!bz_zone_file_read (config->path, text, &missing, error))
    return FALSE;
  for (guint i = 2; i < count; i++)
    {
      const char *word = bz_arguments_word (config->arguments, i);
      g_autofree char *name = NULL;
      g_autofree char *value = NULL;

      if (set && !split_setting (config, word, &name, &value, error))
        return FALSE;
      if (!edit_one (config, text, set ? name : word, value, error))
        return FALSE;
    }
  if (!bz_config_put (config, text->str, text->len, error))
    return FALSE;
  for (guint i = 2; set && i < count; i++)
    {
      g_autofree char *name = NULL;
      g_autofree char *value = NULL;
      g_autofree char *group = NULL;
      g_autofree char *key = NULL;

      if (split_setting (config, bz_arguments_word (config->arguments, i), &name, &value, NULL)
          && bz_key_name_parse (name, &group, &key, NULL))
        tell_overridden (config, group, key, value);
    }
  return TRUE;
}

static int
config_change (const BzConfig *config, gboolean set, GError **error)
{
  if (bz_arguments_n_words (config->arguments) < 3)
    return bz_config_usage (config, set ? "no KEY=VALUE is given" : "no KEY is given", error);
  int lock = bz_config_lock (config, error);
  if (lock < 0)
    return -1;
  gboolean done = change (config, set, error);
  close (lock);
  return done ? 0 : -1;
}

/* Standard input may be a pipe, which no zone file is. One byte more than the most tells that it is
 * too long. */
static gboolean
read_standard_input (GString *text, GError **error)
{
  char bytes[4096];
  gssize got = 0;

  while (text->len <= BZ_ZONE_FILE_MAX
         && ((got = read (STDIN_FILENO, bytes, sizeof bytes)) > 0 || (got < 0 && errno == EINTR)))
    if (got > 0)
      g_string_append_len (text, bytes, got);
  return text->len > BZ_ZONE_FILE_MAX || got == 0
         || bz_fail_errno (error, errno, NULL, "reading standard input");
}

static int
config_import (const BzConfig *config, GError **error)
{
  const char *source = bz_arguments_word (config->arguments, 2);
  g_autoptr (GString) text = g_string_new (NULL);

  if (bz_arguments_n_words (config->arguments) != 3)
    return bz_config_usage (config, "it takes one file, - for standard input", error);
  if (!(g_str_equal (source, "-") ? read_standard_input (text, error)
                                  : bz_zone_file_read (source, text, NULL, error)))
    return -1;
  int lock = bz_config_lock (config, error);
  if (lock < 0)
    return -1;
  gboolean done = bz_config_put (config, text->str, text->len, error);
  close (lock);
  if (!done)
    return -1;
  g_autoptr (GPtrArray) drop_ins = bz_zone_file_drop_ins (config->path);
  if (drop_ins->len > 0)
    bz_context_note (config->context, "the drop-ins of %s.d stay and count over it", config->path);
  return 0;
}

int
bz_verb_config (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 1);
  g_autoptr (BzZoneState) state = NULL;
  g_autofree char *path = bz_dirs_zone_file (context->dirs, name);
  BzConfig config = { context, arguments, bz_arguments_word (arguments, 0), name, path };
  static const char *const actions[] = { "get", "set", "unset", "edit", "export", "import", NULL };

  if (!g_strv_contains (actions, config.action))
    {
      g_autofree char *safe = bz_text_safe (config.action);
      const char *nearest = bz_name_nearest (config.action, actions);
      g_autofree char *hint = nearest != NULL
                                  ? g_strdup_printf ("did you mean %s?", nearest)
                                  : g_strdup ("get, set, unset, edit, export or import");
      bz_fail (error, BZ_ERROR_USAGE, "there is no such action", hint, "brandzone config %s", safe);
      return -1;
    }
  state = bz_state_load (context->dirs, name, error);
  if (state == NULL)
    return -1;
  switch (config.action[0])
    {
    case 'g':
      return config_get (&config, error);
    case 's':
      return config_change (&config, TRUE, error);
    case 'u':
      return config_change (&config, FALSE, error);
    case 'i':
      return config_import (&config, error);
    default:
      return g_str_equal (config.action, "edit") ? bz_config_edit (&config, error)
                                                 : config_export (&config, error);
    }
}
