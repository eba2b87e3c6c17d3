/* Completion for fish, out of the same table. fish does the words; names are asked of
 * `brandzone __names`. */
#include "config.h"

#include "zone/help.h"
#include "zone/options.h"

#include <string.h>

#define ACTIONS "get set unset edit export import"

/* Between single quotes fish knows \' and \\ alone. */
static char *
quoted (const char *text)
{
  GString *result = g_string_new ("'");

  for (; *text != '\0'; text++)
    {
      if (*text == '\'' || *text == '\\')
        g_string_append_c (result, '\\');
      g_string_append_c (result, *text);
    }
  g_string_append_c (result, '\'');
  return g_string_free (result, FALSE);
}

static void
append_option (GString *text, const char *condition, const BzOption *option)
{
  g_autofree char *help = quoted (option->help);

  g_string_append_printf (text, "complete -c brandzone%s -l %s", condition, option->name);
  if (option->letter != 0)
    g_string_append_printf (text, " -s %c", option->letter);
  if (option->argument != NULL && strchr (option->argument, '|') != NULL)
    {
      g_auto (GStrv) words = g_strsplit (option->argument, "|", -1);
      g_autofree char *joined = g_strjoinv (" ", words);
      g_string_append_printf (text, " -x -a '%s'", joined);
    }
  else if (g_strcmp0 (option->argument, "BRAND") == 0)
    g_string_append (text, " -x -a '(brandzone __names brands)'");
  else if (g_strcmp0 (option->argument, "FEATURE") == 0)
    g_string_append (text, " -x -a '(brandzone __names features)'");
  else if (g_strcmp0 (option->argument, "ROW") == 0)
    g_string_append (text, " -x -a '(brandzone __names rows)'");
  else if (option->argument != NULL)
    g_string_append (text, " -r");
  g_string_append_printf (text, " -d %s\n", help);
}

static void
append_verb (GString *text, const BzVerb *verb)
{
  g_autofree char *help = quoted (verb->help);
  g_autofree char *condition = g_strdup_printf (" -n '__fish_seen_subcommand_from %s'", verb->name);
  gboolean actions = g_str_has_prefix (verb->words, "get|");

  g_string_append_printf (text, "complete -c brandzone -f -n __fish_use_subcommand -a %s -d %s\n",
                          verb->name, help);
  if (actions)
    g_string_append_printf (text,
                            "complete -c brandzone -f -n '__fish_seen_subcommand_from %s; and not "
                            "__fish_seen_subcommand_from " ACTIONS "' -a '" ACTIONS "'\n",
                            verb->name);
  if (actions || g_str_has_prefix (verb->words, "NAME") || g_str_has_prefix (verb->words, "[NAME]")
      || g_str_has_prefix (verb->words, "FILE|TREE|NAME"))
    g_string_append_printf (text, "complete -c brandzone%s -a '(brandzone __names zones)'\n",
                            condition);
  for (const BzOption *option = verb->options; option->name != NULL; option++)
    append_option (text, condition, option);
}

char *
bz_completion_fish (void)
{
  GString *text =
      g_string_new ("# fish completion for brandzone. Made from its command table; do not edit.\n");

  for (const BzOption *option = bz_global_options; option->name != NULL; option++)
    append_option (text, " -n __fish_use_subcommand", option);
  for (const BzVerb *verb = bz_verbs; verb->name != NULL; verb++)
    {
      if (!(verb->flags & BZ_VERB_HIDDEN))
        append_verb (text, verb);
    }
  return g_string_free (text, FALSE);
}
