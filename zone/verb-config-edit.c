/* config edit: as visudo does it, a copy is edited, and taken when it is right. Nobody waits for an
 * editor: the zone files are locked only while the copy is taken, and one that was changed
 * meanwhile is left as it is. */
#include "config.h"

#include "zone/verb-config.h"

#include "brand/base/error.h"
#include "zone/zone-file.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static gboolean
run_editor (const char *path, GError **error)
{
  const char *editor = g_getenv ("VISUAL") != NULL ? g_getenv ("VISUAL") : g_getenv ("EDITOR");
  g_autofree char *line =
      g_strconcat ("exec ", editor != NULL && editor[0] != '\0' ? editor : "vi", " \"$1\"", NULL);
  const char *argv[] = { "/bin/sh", "-c", line, "sh", path, NULL };
  g_autoptr (GError) cause = NULL;
  int status = 0;

  if (!g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL,
                     NULL, &status, &cause)
      || !g_spawn_check_wait_status (status, &cause))
    return bz_fail (error, BZ_ERROR_FAILED, cause->message,
                    "set EDITOR to the program that you edit with", "the editor");
  return TRUE;
}

static gboolean
asks_again (const GError *problem)
{
  char answer[8] = "";

  fprintf (stderr, "brandzone: %s\nEdit again? [Y/n] ", problem->message);
  fflush (stderr);
  return fgets (answer, sizeof answer, stdin) != NULL && answer[0] != 'n' && answer[0] != 'N';
}

/* Makes the text the zone file, unless that is no longer what was edited. */
static gboolean
take (const BzConfig *config, const GString *text, const GString *before, GError **error)
{
  g_autoptr (GString) now = g_string_new (NULL);
  int lock = bz_config_lock (config, error);
  gboolean missing, done = FALSE;

  if (lock < 0)
    return FALSE;
  if (bz_zone_file_read (config->path, now, &missing, error))
    done = g_string_equal (now, before)
               ? bz_config_put (config, text->str, text->len, error)
               : bz_fail (error, BZ_ERROR_LOCKED, "somebody else has changed it meanwhile",
                          "edit it again", "the zone file %s", config->path);
  close (lock);
  return done;
}

/* Edits the copy until it is right or the user gives up: then it is kept and named. */
static gboolean
edit_copy (const BzConfig *config, const char *copy, const GString *before, GError **error)
{
  for (;;)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (GError) problem = NULL;

      if (!run_editor (copy, error) || !bz_zone_file_read (copy, text, NULL, error))
        return FALSE;
      if (g_string_equal (text, before))
        {
          bz_context_note (config->context, "nothing was changed");
          return TRUE;
        }
      if (take (config, text, before, &problem))
        return TRUE;
      if (!g_error_matches (problem, BZ_ERROR, BZ_ERROR_LOCKED) && isatty (STDIN_FILENO)
          && isatty (STDERR_FILENO) && asks_again (problem))
        continue;
      g_autofree char *hint = g_strdup_printf ("your text is in %s", copy);
      return bz_fail (error, bz_error_exit_status (problem), problem->message, hint,
                      "the zone file is as it was");
    }
}

int
bz_config_edit (const BzConfig *config, GError **error)
{
  g_autoptr (GString) before = g_string_new (NULL);
  g_autofree char *copy = NULL;
  gboolean missing;

  if (bz_arguments_n_words (config->arguments) > 2)
    return bz_config_usage (config, "it takes nothing but a zone's name", error);
  if (!bz_zone_file_read (config->path, before, &missing, error))
    return -1;
  int fd = g_file_open_tmp ("brandzone-XXXXXX.zone", &copy, NULL);
  if (fd < 0)
    {
      bz_fail (error, BZ_ERROR_FAILED, "a temporary file can't be made", "is TMPDIR right?",
               "editing %s", config->path);
      return -1;
    }
  close (fd);
  gboolean done = bz_zone_file_write (copy, before->str, before->len, error)
                  && edit_copy (config, copy, before, error);
  if (done)
    g_unlink (copy);
  return done ? 0 : -1;
}
