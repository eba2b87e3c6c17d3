#include "config.h"

#include "zone/help.h"

#include "brand/base/error.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/verbs.h"
#include "zone/zone-keys.h"

#include <stdio.h>
#include <string.h>

char *
bz_help_synopsis (const BzVerb *verb)
{
  return g_strconcat ("brandzone ", verb->name, verb->options->name != NULL ? " [OPTION]..." : "",
                      verb->words[0] != '\0' ? " " : "", verb->words, NULL);
}

/* "-u, --user=USER" */
static char *
option_heading (const BzOption *option)
{
  GString *text = g_string_new ("  ");

  if (option->letter != 0)
    g_string_append_printf (text, "-%c, ", option->letter);
  else
    g_string_append (text, "    ");
  g_string_append_printf (text, "--%s", option->name);
  if (option->argument != NULL)
    g_string_append_printf (text, "=%s", option->argument);
  return g_string_free (text, FALSE);
}

static void
print_options (const char *title, const BzOption *options)
{
  g_autoptr (BzTextTable) table = bz_text_table_new (NULL);

  if (options->name == NULL)
    return;
  for (; options->name != NULL; options++)
    {
      g_autofree char *heading = option_heading (options);
      const char *cells[] = { heading, options->help, NULL };
      bz_text_table_add (table, cells);
    }
  printf ("\n%s\n", title);
  bz_text_table_print (table);
}

static void
print_verbs (void)
{
  g_autoptr (BzTextTable) table = bz_text_table_new (NULL);

  for (const BzVerb *verb = bz_verbs; verb->name != NULL; verb++)
    {
      g_autofree char *name = g_strconcat ("  ", verb->name, NULL);
      const char *cells[] = { name, verb->help, NULL };
      if (!(verb->flags & BZ_VERB_HIDDEN))
        bz_text_table_add (table, cells);
    }
  bz_text_table_print (table);
}

void
bz_help_print (void)
{
  puts ("Usage: brandzone [OPTION]... VERB [ARGUMENT]...\n"
        "Runs old and foreign Linux distributions, unchanged, on today's kernel.\n\n"
        "Verbs:");
  print_verbs ();
  print_options ("Options before any verb:", bz_global_options);
  puts ("\n`brandzone help VERB` tells more about a verb, brandzone(1) everything.");
}

void
bz_help_print_verb (const BzVerb *verb)
{
  g_autofree char *synopsis = bz_help_synopsis (verb);

  printf ("Usage: %s\n\n%c%s.\n", synopsis, g_ascii_toupper (verb->help[0]), verb->help + 1);
  print_options ("Options:", verb->options);
  if (verb->flags & BZ_VERB_STATUS)
    puts (
        "\nThe exit status is the command's own, 128 + N if signal N ended it, 126 if it can't be\n"
        "run, 127 if there is no such command, 125 if brandzone itself failed.");
}

static int
no_verb (const char *name, GError **error)
{
  g_autofree char *safe = bz_text_quoted (name);

  bz_fail (error, BZ_ERROR_USAGE, "there is no such verb", "`brandzone --help` lists them",
           "help for %s", safe);
  return -1;
}

int
bz_verb_help (BzContext *context G_GNUC_UNUSED, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0);
  const BzVerb *verb = name != NULL ? bz_verb_lookup (name) : NULL;

  if (name != NULL && verb == NULL)
    return no_verb (name, error);
  if (verb != NULL)
    bz_help_print_verb (verb);
  else
    bz_help_print ();
  return 0;
}

/* Ar takes the words of an argument; bars and brackets stay as they are. */
static void
append_option_mdoc (GString *text, const BzOption *option)
{
  g_string_append (text, ".It");
  if (option->letter != 0)
    g_string_append_printf (text, " Fl %c%s%s ,", option->letter,
                            option->argument != NULL ? " Ar " : "",
                            option->argument != NULL ? option->argument : "");
  g_string_append_printf (text, " Fl -%s", option->name);
  if (option->argument != NULL)
    g_string_append_printf (text, " Ns = Ns Ar %s", option->argument);
  g_string_append_printf (text, "\n%c%s.\n", g_ascii_toupper (option->help[0]), option->help + 1);
}

static void
append_options_mdoc (GString *text, const BzOption *options)
{
  if (options->name == NULL)
    return;
  g_string_append (text, ".Bl -tag -width Ds\n");
  for (; options->name != NULL; options++)
    append_option_mdoc (text, options);
  g_string_append (text, ".El\n");
}

/* "[show BRAND | verify FILE...]" as mdoc: brackets become Oo and Oc, capitals are arguments, other
 * words are typed as they are. */
static void
append_words_mdoc (GString *text, const char *words)
{
  while (*words != '\0')
    {
      gsize length = strcspn (words, " []|.");
      gboolean closed = text->len > 2 && g_str_has_suffix (text->str, "Oc");

      if (words[0] == '[')
        g_string_append (text, " Oo");
      else if (words[0] == ']')
        g_string_append (text, " Oc");
      else if (words[0] == '|')
        g_string_append (text, " |");
      else if (g_str_has_prefix (words, "..."))
        g_string_append (text, words[3] == ']' && !closed ? " ..." : " Ns ...");
      else if (length > 0)
        g_string_append_printf (text, " %s %.*s", g_ascii_isupper (words[0]) ? "Ar" : "Cm",
                                (int) length, words);
      words += g_str_has_prefix (words, "...") ? 3 : MAX (length, 1);
    }
}

char *
bz_manual_block (const BzVerb *verb)
{
  GString *text = g_string_new (NULL);

  if (verb == NULL)
    {
      append_options_mdoc (text, bz_global_options);
      return g_string_free (text, FALSE);
    }
  g_string_append_printf (text, ".It Nm Cm %s%s", verb->name,
                          verb->options->name != NULL ? " Oo Ar option Oc Ns ..." : "");
  append_words_mdoc (text, verb->words);
  g_string_append_printf (text, "\n%c%s.\n", g_ascii_toupper (verb->help[0]), verb->help + 1);
  append_options_mdoc (text, verb->options);
  return g_string_free (text, FALSE);
}

/* All blocks, each between the comment lines that brandzone.1 has; "keys" is brandzone-zone.5's. */
int
bz_verb_manual (BzContext *context G_GNUC_UNUSED, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0);

  if (name != NULL && g_str_equal (name, "keys"))
    {
      g_autofree char *keys = bz_zone_keys_manual ();
      fputs (keys, stdout);
      return 0;
    }
  if (name != NULL && bz_verb_lookup (name) == NULL && !g_str_equal (name, "options"))
    return no_verb (name, error);
  if (name != NULL)
    {
      g_autofree char *block = bz_manual_block (bz_verb_lookup (name));
      fputs (block, stdout);
      return 0;
    }
  puts ("options");
  for (const BzVerb *verb = bz_verbs; verb->name != NULL; verb++)
    {
      if (!(verb->flags & BZ_VERB_HIDDEN))
        puts (verb->name);
    }
  return 0;
}
