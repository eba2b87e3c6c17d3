/* The command line: what a verb takes, as data, and the parser that follows it.
 *
 * One table (commands.c) gives parsing, help, completion and the manual's
 * synopsis. Long options may be written --name=value or --name value, short
 * ones -u value or -uvalue, and short flags combine (-it). A verb's own option
 * hides a global one of the same name or letter: `run -v` is a volume.
 */
#pragma once

#include <glib.h>

typedef enum {
  BZ_OPTION_FLAG,
  BZ_OPTION_STRING, /* the last one counts */
  BZ_OPTION_LIST    /* may be repeated */
} BzOptionKind;

/* A row of an option table; the last one has no name. */
typedef struct {
  const char *name;
  char letter; /* 0: none */
  BzOptionKind kind;
  const char *argument; /* NULL for flags; "USER"; words between bars ("none|host") are the only
                           ones taken */
  const char *help;     /* one line, no full stop */
} BzOption;

typedef struct BzArguments BzArguments;
struct BzContext;

/* A verb's work. Returns the exit status; negative: *error is set. */
typedef int (*BzVerbFunc) (struct BzContext *context, const BzArguments *arguments, GError **error);

typedef enum {
  BZ_VERB_COMMAND = 1 << 0, /* after its words comes a command of the zone, with or without "--" */
  BZ_VERB_STATUS = 1 << 1,  /* its exit status is the command's; brandzone's own failures are 125 */
  BZ_VERB_HIDDEN = 1 << 2   /* for completion and the build */
} BzVerbFlags;

/* A row of the command table; the last one has no name. */
typedef struct {
  const char *name;
  const char *words; /* what follows the options: "NAME SOURCE", "[NAME]", "NAME..." */
  guint min, max;    /* how many words; max G_MAXUINT: any number */
  BzVerbFlags flags;
  const char *help; /* one line, no full stop */
  const BzOption *options;
  BzVerbFunc run;
} BzVerb;

extern const BzVerb bz_verbs[];
extern const BzOption bz_global_options[];

const BzVerb *bz_verb_lookup (const char *name);

/* Splits `words` after the program's name into global options and the rest. *rest is the index of
 * the verb, or the number of words when there is none. */
BzArguments *bz_arguments_parse_global (char **words, guint *rest, GError **error);

/* Parses what follows a verb. `words` (NULL-terminated) is borrowed for the result's life. */
BzArguments *bz_arguments_parse (const BzVerb *verb, char **words, GError **error);
void bz_arguments_free (BzArguments *arguments);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzArguments, bz_arguments_free)

gboolean bz_arguments_flag (const BzArguments *arguments, const char *name);
/* The option's value, or NULL when it was not given. */
const char *bz_arguments_string (const BzArguments *arguments, const char *name);
/* All values of an option in their order, NULL-terminated, never NULL. The array is owned by the
 * caller, the strings are not. */
const char **bz_arguments_list (const BzArguments *arguments, const char *name);
guint bz_arguments_n_words (const BzArguments *arguments);
const char *bz_arguments_word (const BzArguments *arguments, guint index); /* NULL past the end */
/* The command of the zone, possibly empty, never NULL. Borrowed. */
char **bz_arguments_command (const BzArguments *arguments);
