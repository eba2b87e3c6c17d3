#include "config.h"

#include "zone/context.h"

#include "brand/base/error.h"
#include "zone/names.h"

#include <stdio.h>
#include <unistd.h>

static gboolean
given (const BzArguments *before, const BzArguments *after, const char *name)
{
  return bz_arguments_flag (before, name) || (after != NULL && bz_arguments_flag (after, name));
}

static BzDirs *
choose_dirs (const BzArguments *before, const BzArguments *after, GError **error)
{
  const char *root = after != NULL ? bz_arguments_string (after, "root") : NULL;
  gboolean user = given (before, after, "user"), system = given (before, after, "system");

  if (root == NULL)
    root = bz_arguments_string (before, "root");
  if (user && system)
    {
      bz_fail (error, BZ_ERROR_USAGE, "they contradict each other", "leave one of them out",
               "--user and --system");
      return NULL;
    }
  if (root != NULL)
    return bz_dirs_under (root);
  return system || (!user && geteuid () == 0) ? bz_dirs_system () : bz_dirs_user ();
}

BzContext *
bz_context_new (const BzArguments *before, const BzArguments *after, GError **error)
{
  g_autoptr (BzContext) context = g_new0 (BzContext, 1);

  context->dirs = choose_dirs (before, after, error);
  if (context->dirs == NULL)
    return NULL;
  context->json = given (before, after, "json");
  context->quiet = given (before, after, "quiet");
  context->verbose = given (before, after, "verbose");
  return g_steal_pointer (&context);
}

void
bz_context_free (BzContext *context)
{
  if (context == NULL)
    return;
  bz_dirs_free (context->dirs);
  g_free (context);
}

/* For the tests: what `--without` names, for every verb. */
static gboolean
mask_by_environment (BzHost *host, GError **error)
{
  const char *names = g_getenv ("BRANDZONE_WITHOUT");
  g_auto (GStrv) words = g_strsplit_set (names != NULL ? names : "", " \t\n", -1);

  for (char **word = words; *word != NULL; word++)
    {
      BzFeature feature;

      if (**word == '\0')
        continue;
      if (!bz_feature_lookup (*word, &feature))
        {
          g_autofree char *safe = bz_text_safe (*word);
          return bz_fail (error, BZ_ERROR_USAGE, "there is no such feature",
                          "`brandzone doctor` lists them", "BRANDZONE_WITHOUT %s", safe);
        }
      bz_host_mask (host, *word, NULL);
    }
  return TRUE;
}

BzHost *
bz_context_host (const BzContext *context, const BzArguments *arguments, GError **error)
{
  g_autofree const char **without =
      arguments != NULL ? bz_arguments_list (arguments, "without") : NULL;

  /* The probe's cache is a convenience: nothing is said when its directory can't be made. */
  bz_dirs_make (context->dirs->cache, NULL);
  g_autoptr (BzHost) host = bz_host_probe (context->dirs->cache, error);
  if (host == NULL || !mask_by_environment (host, error))
    return NULL;
  for (guint i = 0; without != NULL && without[i] != NULL; i++)
    {
      if (!bz_host_mask (host, without[i], error))
        return NULL;
    }
  return g_steal_pointer (&host);
}

static void G_GNUC_PRINTF (1, 0) note (const char *format, va_list args)
{
  g_autofree char *text = g_strdup_vprintf (format, args);
  g_autofree char *safe = bz_text_safe (text);

  fflush (stdout);
  fprintf (stderr, "brandzone: %s\n", safe);
}

void
bz_context_note (const BzContext *context, const char *format, ...)
{
  va_list args;

  if (context->quiet)
    return;
  va_start (args, format);
  note (format, args);
  va_end (args);
}

void
bz_context_detail (const BzContext *context, const char *format, ...)
{
  va_list args;

  if (!context->verbose)
    return;
  va_start (args, format);
  note (format, args);
  va_end (args);
}
