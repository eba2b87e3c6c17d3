/* Completion for bash and fish, written out of the command table at build time.
 * Names that change (zones, brands, features, rows) are asked of `brandzone __names`. */
#include "config.h"

#include "brand/base/error.h"
#include "brand/brand.h"
#include "brand/host.h"
#include "zone/help.h"
#include "zone/key-name.h"
#include "zone/state.h"
#include "zone/verbs.h"

#include <stdio.h>
#include <string.h>

/* What completes an argument, by its name in the table. */
static const struct {
  const char *argument, *action;
} actions[] = {
  { "DIR", "files" },      { "TREE", "files" },         { "SRC:DST[:ro]", "files" },
  { "SOURCE", "files" },   { "BRAND", "names brands" }, { "FEATURE", "names features" },
  { "ROW", "names rows" }, { "NAME", "names zones" },   { "VERB", "names verbs" },
};

static const char *
action_for (const char *argument)
{
  for (gsize i = 0; i < G_N_ELEMENTS (actions); i++)
    {
      if (g_str_equal (actions[i].argument, argument))
        return actions[i].action;
    }
  return "nothing";
}

static void
append_words (GString *text, const BzOption *options)
{
  for (; options->name != NULL; options++)
    {
      if (options->letter != 0)
        g_string_append_printf (text, " -%c", options->letter);
      g_string_append_printf (text, " --%s", options->name);
    }
}

/* Cases of a value: "run:--network) _brandzone_words none host ;;" */
static void
append_values (GString *text, const char *verb, const BzOption *options)
{
  for (; options->name != NULL; options++)
    {
      if (options->argument == NULL)
        continue;
      if (options->letter != 0)
        g_string_append_printf (text, "    %s:-%c|", verb, options->letter);
      else
        g_string_append (text, "    ");
      g_string_append_printf (text, "%s:--%s) ", verb, options->name);
      if (strchr (options->argument, '|') != NULL)
        {
          g_auto (GStrv) words = g_strsplit (options->argument, "|", -1);
          g_autofree char *joined = g_strjoinv (" ", words);
          g_string_append_printf (text, "_brandzone_words '%s' ;;\n", joined);
        }
      else
        g_string_append_printf (text, "_brandzone_%s ;;\n", action_for (options->argument));
    }
}

static const char *
first_word_action (const BzVerb *verb)
{
  g_auto (GStrv) words = g_strsplit_set (verb->words, " []|.", 2);

  /* The words of `brands` and `config` are verbs of their own. */
  if (g_str_has_prefix (verb->words, "[show"))
    return "words 'show verify'";
  if (g_str_has_prefix (verb->words, "get|"))
    return "words 'get set unset edit export import'";
  if (g_str_has_prefix (verb->words, "[ZONE:]"))
    return "files_and_zones";
  if (g_str_equal (verb->words, "[NAME]..."))
    return "names zones";
  if (g_str_equal (verb->words, "[VERB]"))
    return "names verbs";
  if (g_str_equal (verb->words, "[NAME]"))
    return "names zones";
  return words[0] != NULL ? action_for (words[0]) : "nothing";
}

/* What completes the words after the first. */
static const char *
later_action (const BzVerb *verb)
{
  if (g_str_has_prefix (verb->words, "get|"))
    return "_brandzone_config";
  if (g_str_has_prefix (verb->words, "[ZONE:]"))
    return "_brandzone_files_and_zones";
  return g_str_has_suffix (verb->words, "NAME...") || g_str_equal (verb->words, "[NAME]...")
             ? "_brandzone_names zones"
             : "_brandzone_files";
}

static const char head[] =
    "# bash completion for brandzone. Made from its command table; do not edit.\n"
    "_brandzone_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }\n"
    "_brandzone_names() { _brandzone_words \"$(brandzone __names \"$1\" 2>/dev/null)\"; }\n"
    "_brandzone_files() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); "
    "}\n"
    "_brandzone_nothing() { COMPREPLY=(); }\n"
    "# cp: ZONE: ends without a space, for its path.\n"
    "_brandzone_files_and_zones() {\n"
    "  compopt -o nospace\n"
    "  mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"; compgen -S : -W \"$(brandzone __names "
    "zones "
    "2>/dev/null)\" -- \"$cur\")\n"
    "}\n"
    "# config ACTION NAME [KEY or FILE]\n"
    "_brandzone_config() {\n"
    "  if ((i + 2 == COMP_CWORD)); then _brandzone_names zones; return; fi\n"
    "  case ${COMP_WORDS[i+1]} in\n"
    "    get|unset) _brandzone_names keys ;;\n"
    "    set) compopt -o nospace; mapfile -t COMPREPLY < <(compgen -S = -W \"$(brandzone __names "
    "keys "
    "2>/dev/null)\" -- \"$cur\") ;;\n"
    "    *) _brandzone_files ;;\n"
    "  esac\n"
    "}\n\n"
    "_brandzone() {\n"
    "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= i\n"
    "  # --option=VALUE arrives as three words.\n"
    "  if [[ $cur == '=' ]]; then cur=\n"
    "  elif [[ $prev == '=' ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
    "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "    case ${COMP_WORDS[i]} in --root) ((i++)) ;; -*) ;; *) verb=${COMP_WORDS[i]}; break ;; "
    "esac\n"
    "  done\n"
    "  if [[ $prev == --root ]]; then _brandzone_files; return; fi\n"
    "  case $verb:$prev in\n";

static void
append_verb (GString *text, const BzVerb *verb)
{
  const char *action = first_word_action (verb);

  g_string_append_printf (text, "    %s) if [[ $cur == -* ]]; then _brandzone_words '", verb->name);
  GString *words = g_string_new (NULL);
  append_words (words, verb->options);
  append_words (words, bz_global_options);
  g_string_append (text, words->str + 1);
  g_string_free (words, TRUE);
  g_string_append_printf (text,
                          "'; elif ((i + 1 == COMP_CWORD)) || [[ $prev == -* ]]; then "
                          "_brandzone_%s; else %s; fi ;;\n",
                          action, later_action (verb));
}

char *
bz_completion_bash (void)
{
  GString *text = g_string_new (head);

  for (const BzVerb *verb = bz_verbs; verb->name != NULL; verb++)
    {
      if (!(verb->flags & BZ_VERB_HIDDEN))
        append_values (text, verb->name, verb->options);
    }
  g_string_append (
      text, "    *) _brandzone_verb ;;\n  esac\n}\n\n_brandzone_verb() {\n  case $verb in\n");
  for (const BzVerb *verb = bz_verbs; verb->name != NULL; verb++)
    {
      if (!(verb->flags & BZ_VERB_HIDDEN))
        append_verb (text, verb);
    }
  g_string_append (text, "    *) _brandzone_words '");
  for (const BzVerb *verb = bz_verbs; verb->name != NULL; verb++)
    {
      if (!(verb->flags & BZ_VERB_HIDDEN))
        g_string_append_printf (text, "%s ", verb->name);
    }
  GString *words = g_string_new (NULL);
  append_words (words, bz_global_options);
  g_string_append (text, words->str + 1);
  g_string_free (words, TRUE);
  g_string_append (text, "' ;;\n  esac\n}\n\ncomplete -F _brandzone brandzone\n");
  return g_string_free (text, FALSE);
}

int
bz_verb_completion (BzContext *context G_GNUC_UNUSED, const BzArguments *arguments,
                    GError **error G_GNUC_UNUSED)
{
  gboolean fish = g_strcmp0 (bz_arguments_word (arguments, 0), "fish") == 0;
  g_autofree char *script = fish ? bz_completion_fish () : bz_completion_bash ();

  fputs (script, stdout);
  return 0;
}

static void
print_all (char **names)
{
  for (char **name = names; name != NULL && *name != NULL; name++)
    puts (*name);
  g_strfreev (names);
}

static void
print_rows (void)
{
  for (int quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    print_all (g_strsplit (bz_quirk_rows ((BzQuirk) quirk), " ", -1));
}

int
bz_verb_names (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *kind = bz_arguments_word (arguments, 0);

  if (g_str_equal (kind, "zones"))
    print_all (bz_state_list (context->dirs, NULL));
  else if (g_str_equal (kind, "brands"))
    print_all (bz_brand_list (NULL));
  else if (g_str_equal (kind, "keys"))
    print_all (bz_key_name_list ());
  else if (g_str_equal (kind, "rows"))
    print_rows ();
  else if (g_str_equal (kind, "features"))
    {
      for (int feature = 0; feature < BZ_FEATURE_COUNT; feature++)
        puts (bz_feature_name ((BzFeature) feature));
    }
  else if (g_str_equal (kind, "verbs"))
    {
      for (const BzVerb *verb = bz_verbs; verb->name != NULL; verb++)
        {
          if (!(verb->flags & BZ_VERB_HIDDEN))
            puts (verb->name);
        }
    }
  else
    {
      bz_fail (error, BZ_ERROR_USAGE, "there are no such names",
               "zones, brands, keys, rows, features or verbs", "names of %s", kind);
      return -1;
    }
  return 0;
}
