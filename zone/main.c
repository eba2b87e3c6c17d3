/* brandzone: the command line program. */
#include "config.h"

#include "brand/base/error.h"
#include "loader/shield.h"
#include "zone/context.h"
#include "zone/help.h"
#include "zone/names.h"
#include "zone/output.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* The exit status for an error. */
static int
status_of (const BzVerb *verb, const GError *error)
{
  int code = bz_error_exit_status (error);

  if (verb == NULL || !(verb->flags & BZ_VERB_STATUS))
    return code > 255 ? BZ_ERROR_FAILED : code;
  return code == BZ_ERROR_NOT_FOUND || code == BZ_ERROR_NOT_EXECUTABLE
                 || code == BZ_ERROR_INTERRUPTED
             ? code
             : BZ_EXIT_BRANDZONE;
}

static int
fail (const BzVerb *verb, const GError *error, gboolean json)
{
  g_autofree char *text = bz_error_format (error, json);

  fflush (stdout);
  fputs (text, stderr);
  return status_of (verb, error);
}

/* --json counts wherever it stands: an error of the parser is printed as JSON too. */
static gboolean
wants_json (char **words)
{
  for (; *words != NULL && !g_str_equal (*words, "--"); words++)
    {
      if (g_str_equal (*words, "--json"))
        return TRUE;
    }
  return FALSE;
}

static gboolean
unknown_verb (const char *name, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *safe = bz_text_quoted (name);

  for (const BzVerb *verb = bz_verbs; verb->name != NULL; verb++)
    {
      if (!(verb->flags & BZ_VERB_HIDDEN))
        g_ptr_array_add (names, (gpointer) verb->name);
    }
  g_ptr_array_add (names, NULL);

  const char *nearest = bz_name_nearest (name, (const char *const *) names->pdata);
  g_autofree char *hint = nearest != NULL ? g_strdup_printf ("did you mean %s?", nearest)
                                          : g_strdup ("`brandzone --help` lists them");
  return bz_fail (error, BZ_ERROR_USAGE, "there is no such verb", hint, "brandzone %s", safe);
}

/* A zone's start holds some thirty descriptors at once, one that many programs join more. */
#define DESCRIPTORS 64

static gboolean
check_descriptors (const BzVerb *verb, GError **error)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS)
    return TRUE;
  g_autofree char *why =
      g_strdup_printf ("only %u open files are allowed at once", (guint) limit.rlim_cur);
  g_autofree char *hint = g_strdup_printf ("ulimit -n %d, or more", DESCRIPTORS);
  return bz_fail (error, BZ_ERROR_HOST, why, hint, "brandzone %s", verb->name);
}

static int
run_verb (const BzVerb *verb, const BzArguments *before, char **words, GError **error)
{
  g_autoptr (BzArguments) arguments = bz_arguments_parse (verb, words, error);

  if (arguments == NULL)
    return -1;
  if (bz_arguments_flag (before, "help") || bz_arguments_flag (arguments, "help"))
    {
      bz_help_print_verb (verb);
      return EXIT_SUCCESS;
    }
  if (!check_descriptors (verb, error))
    return -1;
  g_autoptr (BzContext) context = bz_context_new (before, arguments, error);
  return context == NULL ? -1 : verb->run (context, arguments, error);
}

/* Output that could not be written is a failure, not a success with less text. */
static int
finish (int status)
{
  if (fflush (stdout) == 0 && !ferror (stdout))
    return status;
  fputs ("brandzone: writing the output: the disk is full or the reader is gone (look at where the "
         "output goes)\n",
         stderr);
  return status == EXIT_SUCCESS ? EXIT_FAILURE : status;
}

/* A standard stream that the caller has closed gives its number to the first file that is opened, which is then
 * read or written in its stead. What stands here instead fails as a closed one does: with EBADF. */
static void
fill_closed_streams (void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl (fd, F_GETFD) < 0 && errno == EBADF
        && open ("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
      _exit (BZ_EXIT_BRANDZONE); /* there is nobody to tell: the number would be another file's */
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  char **words = argv + (argc > 0);
  gboolean json = wants_json (words);
  const BzVerb *verb = NULL;
  guint rest;
  int status;

  fill_closed_streams ();
  setlocale (LC_ALL, "");
  /* `exec` and `run` become a program of the zone. */
  if ((g_strv_contains ((const char *const *) words, "exec")
       || g_strv_contains ((const char *const *) words, "login")
       || g_strv_contains ((const char *const *) words, "run"))
      && !bz_shield (argv, &error))
    return fail (NULL, error, json);
  g_autoptr (BzArguments) before = bz_arguments_parse_global (words, &rest, &error);
  if (before == NULL)
    return fail (NULL, error, json);
  if (bz_arguments_flag (before, "version"))
    {
      puts (PACKAGE_STRING);
      return finish (EXIT_SUCCESS);
    }
  if (words[rest] == NULL)
    {
      if (bz_arguments_flag (before, "help"))
        {
          bz_help_print ();
          return finish (EXIT_SUCCESS);
        }
      bz_fail (&error, BZ_ERROR_USAGE, "no verb is given", "`brandzone --help` lists them",
               "nothing to do");
      return fail (NULL, error, json);
    }
  verb = bz_verb_lookup (words[rest]);
  if (verb == NULL)
    {
      unknown_verb (words[rest], &error);
      return fail (NULL, error, json);
    }
  status = run_verb (verb, before, words + rest + 1, &error);
  return status < 0 ? fail (verb, error, json) : finish (status);
}
