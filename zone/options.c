/* The parser of the command line. See options.h for what it takes. */
#include "config.h"

#include "zone/options.h"

#include "brand/base/error.h"
#include "zone/names.h"

#include <string.h>

typedef struct {
  const BzOption *option;
  const char *value;
} Given;

struct BzArguments {
  const BzVerb *verb; /* NULL: the global options */
  GArray *given;      /* of Given */
  GPtrArray *words;   /* borrowed strings */
  char **command;
  char **next; /* of the words being parsed */
};

const BzVerb *
bz_verb_lookup (const char *name)
{
  for (const BzVerb *verb = bz_verbs; verb->name != NULL; verb++)
    {
      if (g_str_equal (verb->name, name))
        return verb;
    }
  return NULL;
}

void
bz_arguments_free (BzArguments *arguments)
{
  if (arguments == NULL)
    return;
  g_array_unref (arguments->given);
  g_ptr_array_unref (arguments->words);
  g_free (arguments);
}

static BzArguments *
arguments_new (const BzVerb *verb, char **words)
{
  static char *none[] = { NULL };
  BzArguments *arguments = g_new0 (BzArguments, 1);

  arguments->verb = verb;
  arguments->given = g_array_new (FALSE, FALSE, sizeof (Given));
  arguments->words = g_ptr_array_new ();
  arguments->command = none;
  arguments->next = words;
  return arguments;
}

/* "brandzone" or "brandzone run", for messages. Owned by the caller. */
static char *
subject (const BzArguments *arguments)
{
  return arguments->verb == NULL ? g_strdup ("brandzone")
                                 : g_strconcat ("brandzone ", arguments->verb->name, NULL);
}

static const BzOption *
find_in (const BzOption *options, const char *name, gsize length, char letter)
{
  for (; options != NULL && options->name != NULL; options++)
    {
      if (letter != 0
              ? options->letter == letter
              : strlen (options->name) == length && memcmp (options->name, name, length) == 0)
        return options;
    }
  return NULL;
}

static const BzOption *
find (const BzArguments *arguments, const char *name, gsize length, char letter)
{
  const BzOption *own =
      arguments->verb != NULL ? find_in (arguments->verb->options, name, length, letter) : NULL;

  return own != NULL ? own : find_in (bz_global_options, name, length, letter);
}

/* What to do about an option that does not exist. Owned by the caller. */
static char *
suggest_option (const BzArguments *arguments, const char *name)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (const BzOption *o = arguments->verb != NULL ? arguments->verb->options : NULL;
       o != NULL && o->name != NULL; o++)
    g_ptr_array_add (names, (gpointer) o->name);
  for (const BzOption *o = bz_global_options; o->name != NULL; o++)
    g_ptr_array_add (names, (gpointer) o->name);
  g_ptr_array_add (names, NULL);

  const char *nearest = bz_name_nearest (name, (const char *const *) names->pdata);
  if (nearest != NULL)
    return g_strdup_printf ("did you mean --%s?", nearest);
  return arguments->verb == NULL
             ? g_strdup ("see: brandzone --help")
             : g_strdup_printf ("see: brandzone help %s", arguments->verb->name);
}

static gboolean
unknown_option (const BzArguments *arguments, const char *shown, const char *name, GError **error)
{
  g_autofree char *whose = subject (arguments);
  g_autofree char *hint = suggest_option (arguments, name);
  g_autofree char *safe = bz_text_safe (shown);

  return bz_fail (error, BZ_ERROR_USAGE, "there is no such option", hint, "%s: %s", whose, safe);
}

/* Options whose value is one of a few words. */
static gboolean
check_value (const BzArguments *arguments, const BzOption *option, const char *value,
             GError **error)
{
  if (strchr (option->argument, '|') == NULL)
    return TRUE;

  g_auto (GStrv) words = g_strsplit (option->argument, "|", -1);
  if (g_strv_contains ((const char *const *) words, value))
    return TRUE;

  g_autofree char *whose = subject (arguments);
  g_autofree char *safe = bz_text_safe (value);
  const char *nearest = bz_name_nearest (value, (const char *const *) words);
  g_autofree char *all = g_strjoinv (", ", words);
  g_autofree char *hint = nearest != NULL
                              ? g_strdup_printf ("did you mean %s? It takes: %s", nearest, all)
                              : g_strdup_printf ("it takes: %s", all);
  return bz_fail (error, BZ_ERROR_USAGE, "the option does not take this value", hint, "%s: --%s=%s",
                  whose, option->name, safe);
}

/* Notes the option; `attached` is the value in the same word, or NULL. */
static gboolean
take (BzArguments *arguments, const BzOption *option, const char *attached, GError **error)
{
  Given given = { option, attached };
  g_autofree char *whose = subject (arguments);

  if (option->kind == BZ_OPTION_FLAG && attached != NULL)
    return bz_fail (error, BZ_ERROR_USAGE, "the option takes no value", "leave the value out",
                    "%s: --%s", whose, option->name);
  if (option->kind != BZ_OPTION_FLAG)
    {
      if (given.value == NULL && *arguments->next != NULL)
        given.value = *arguments->next++;
      if (given.value == NULL)
        {
          g_autofree char *hint = g_strdup_printf ("write --%s %s", option->name, option->argument);
          return bz_fail (error, BZ_ERROR_USAGE, "its value is missing", hint, "%s: --%s", whose,
                          option->name);
        }
      if (!check_value (arguments, option, given.value, error))
        return FALSE;
    }
  g_array_append_val (arguments->given, given);
  return TRUE;
}

static gboolean
take_long (BzArguments *arguments, const char *word, GError **error)
{
  const char *name = word + 2;
  const char *equals = strchr (name, '=');
  gsize length = equals != NULL ? (gsize) (equals - name) : strlen (name);
  const BzOption *option = find (arguments, name, length, 0);

  if (option == NULL)
    {
      g_autofree char *bare = g_strndup (name, length);
      g_autofree char *shown = g_strndup (word, length + 2);
      return unknown_option (arguments, shown, bare, error);
    }
  return take (arguments, option, equals != NULL ? equals + 1 : NULL, error);
}

static gboolean
take_short (BzArguments *arguments, const char *word, GError **error)
{
  for (const char *p = word + 1; *p != '\0'; p++)
    {
      const BzOption *option = find (arguments, "", 0, *p);

      if (option == NULL)
        {
          const char shown[] = { '-', *p, '\0' };
          /* -net for --net is a frequent slip: look the whole word up for the hint. */
          return unknown_option (arguments, p == word + 1 ? word : shown, word + 1, error);
        }
      if (option->kind != BZ_OPTION_FLAG)
        return take (arguments, option, p[1] != '\0' ? p + 1 : NULL, error);
      if (!take (arguments, option, NULL, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
take_option (BzArguments *arguments, GError **error)
{
  const char *word = *arguments->next++;

  return word[1] == '-' ? take_long (arguments, word, error) : take_short (arguments, word, error);
}

BzArguments *
bz_arguments_parse_global (char **words, guint *rest, GError **error)
{
  g_autoptr (BzArguments) arguments = arguments_new (NULL, words);

  while (*arguments->next != NULL && (*arguments->next)[0] == '-' && (*arguments->next)[1] != '\0')
    {
      if (g_str_equal (*arguments->next, "--"))
        {
          arguments->next++;
          break;
        }
      if (!take_option (arguments, error))
        return NULL;
    }
  *rest = arguments->next - words;
  return g_steal_pointer (&arguments);
}

/* run --image TREE takes no NAME: the tree is named by the option. */
static gboolean
wants_word (const BzArguments *arguments)
{
  if (arguments->words->len >= arguments->verb->max)
    return FALSE;
  return !((arguments->verb->flags & BZ_VERB_COMMAND)
           && bz_arguments_string (arguments, "image") != NULL);
}

/* What follows the words of run and exec belongs to the zone. */
static gboolean
take_command (BzArguments *arguments, GError **error)
{
  const char *word = *arguments->next;
  const char *name = bz_arguments_word (arguments, 0);

  /* All that follows a program is the program's. */
  if (name != NULL && strchr (name, '/') != NULL)
    ;
  else if (word != NULL && g_str_equal (word, "--"))
    arguments->next++;
  else if (word != NULL && word[0] == '-' && arguments->words->len > 0)
    {
      g_autofree char *whose = subject (arguments);
      g_autofree char *safe = bz_text_safe (word);
      return bz_fail (
          error, BZ_ERROR_USAGE, "it stands after the zone's name",
          "put options before the name, and -- before a command that begins with a dash", "%s: %s",
          whose, safe);
    }
  arguments->command = arguments->next;
  return TRUE;
}

static gboolean
check_words (const BzArguments *arguments, GError **error)
{
  const BzVerb *verb = arguments->verb;
  gboolean image =
      (verb->flags & BZ_VERB_COMMAND) && bz_arguments_string (arguments, "image") != NULL;

  if (arguments->words->len >= verb->min || image)
    return TRUE;
  g_autofree char *hint = g_strdup_printf ("write: brandzone %s %s", verb->name, verb->words);
  return bz_fail (error, BZ_ERROR_USAGE, "words are missing", hint, "brandzone %s", verb->name);
}

static gboolean
too_many (const BzArguments *arguments, const char *word, GError **error)
{
  g_autofree char *safe = bz_text_quoted (word);
  g_autofree char *hint =
      g_strdup_printf ("write: brandzone %s%s%s", arguments->verb->name,
                       arguments->verb->words[0] ? " " : "", arguments->verb->words);
  return bz_fail (error, BZ_ERROR_USAGE, "this is one word too many", hint, "brandzone %s: %s",
                  arguments->verb->name, safe);
}

BzArguments *
bz_arguments_parse (const BzVerb *verb, char **words, GError **error)
{
  g_autoptr (BzArguments) arguments = arguments_new (verb, words);
  gboolean tail = (verb->flags & BZ_VERB_COMMAND) != 0, only_words = FALSE;

  while (*arguments->next != NULL)
    {
      const char *word = *arguments->next;
      gboolean is_option = !only_words && word[0] == '-' && word[1] != '\0';

      if (is_option && g_str_equal (word, "--"))
        {
          if (tail && !wants_word (arguments))
            break;
          arguments->next++;
          only_words = TRUE;
        }
      else if (is_option)
        {
          if (!take_option (arguments, error))
            return NULL;
        }
      else if (wants_word (arguments))
        {
          g_ptr_array_add (arguments->words, *arguments->next++);
          if (tail && !wants_word (arguments))
            break;
        }
      else if (tail)
        break;
      else
        {
          too_many (arguments, word, error);
          return NULL;
        }
    }
  if (bz_arguments_flag (arguments, "help"))
    return g_steal_pointer (&arguments);
  if ((tail && !take_command (arguments, error)) || !check_words (arguments, error))
    return NULL;
  return g_steal_pointer (&arguments);
}

const char *
bz_arguments_string (const BzArguments *arguments, const char *name)
{
  for (guint i = arguments->given->len; i > 0; i--)
    {
      const Given *given = &g_array_index (arguments->given, Given, i - 1);
      if (g_str_equal (given->option->name, name) && given->option->kind != BZ_OPTION_FLAG)
        return given->value;
    }
  return NULL;
}

gboolean
bz_arguments_flag (const BzArguments *arguments, const char *name)
{
  for (guint i = 0; i < arguments->given->len; i++)
    {
      const Given *given = &g_array_index (arguments->given, Given, i);
      if (g_str_equal (given->option->name, name) && given->option->kind == BZ_OPTION_FLAG)
        return TRUE;
    }
  return FALSE;
}

const char **
bz_arguments_list (const BzArguments *arguments, const char *name)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new ();

  for (guint i = 0; i < arguments->given->len; i++)
    {
      const Given *given = &g_array_index (arguments->given, Given, i);
      if (g_str_equal (given->option->name, name))
        g_ptr_array_add (values, (gpointer) given->value);
    }
  g_ptr_array_add (values, NULL);
  return (const char **) g_ptr_array_free (g_steal_pointer (&values), FALSE);
}

guint
bz_arguments_n_words (const BzArguments *arguments)
{
  return arguments->words->len;
}

const char *
bz_arguments_word (const BzArguments *arguments, guint index)
{
  return index < arguments->words->len ? g_ptr_array_index (arguments->words, index) : NULL;
}

char **
bz_arguments_command (const BzArguments *arguments)
{
  return arguments->command;
}
