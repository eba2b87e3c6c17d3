/* start, restart, console and logs. */
#include "config.h"

#include "brand/base/error.h"
#include "loader/console-log.h"
#include "loader/keeper.h"
#include "zone/boot.h"
#include "zone/notify.h"
#include "zone/verbs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What `console` shows of what was said before. */
#define REPLAY (4 * 1024)

static gboolean
start_zone (BzContext *context, const BzArguments *arguments, const char *name, GError **error)
{
  g_autoptr (BzPrepared) prepared = bz_prepare_boot (context, arguments, name, error);

  if (prepared == NULL)
    return FALSE;
  if (!bz_loader_start (prepared->partition, error))
    {
      /* 126 and 127 are for commands; this is a zone that does not start. */
      if (error != NULL && g_error_matches (*error, BZ_ERROR, BZ_ERROR_NOT_FOUND))
        (*error)->code = BZ_ERROR_FAILED;
      if (error != NULL && g_error_matches (*error, BZ_ERROR, BZ_ERROR_NOT_EXECUTABLE))
        (*error)->code = BZ_ERROR_FAILED;
      return FALSE;
    }
  bz_context_detail (context, "zone %s has started", name);
  return TRUE;
}

gboolean
bz_start_again (BzContext *context, const BzArguments *arguments, const char *name, GError **error)
{
  return start_zone (context, arguments, name, error);
}

/* A keeper that ends takes its socket away; one that was killed could not. */
static gboolean
check_end (const BzContext *context, const char *name, const char *run_dir, GError **error)
{
  g_autofree char *control = g_build_filename (run_dir, BZ_CONTROL_NAME, NULL);

  return !g_file_test (control, G_FILE_TEST_EXISTS)
         || bz_state_condition (context->dirs, name, NULL) == BZ_ZONE_RUNNING /* again */
         || bz_fail (error, BZ_ERROR_FAILED, "its keeper died, and the zone with it",
                     "see the system's log for why", "zone %s", name);
}

/* For a service manager, and for who wants to see it: the zone's life is the command's. */
static gboolean
wait_for_end (BzContext *context, const char *name, GError **error)
{
  g_autofree char *run_dir = bz_dirs_run (context->dirs, name);
  g_autofree char *status = g_strdup_printf ("READY=1\nSTATUS=zone %s runs", name);
  g_autoptr (GError) cause = NULL;
  gboolean told_to_end = FALSE;

  bz_notify (status);
  if (!bz_loader_console (run_dir, 1, 0, TRUE, &told_to_end, &cause))
    {
      /* It may have ended already. */
      if (bz_state_condition (context->dirs, name, NULL) != BZ_ZONE_RUNNING)
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&cause));
      return FALSE;
    }
  if (!told_to_end)
    return check_end (context, name, run_dir, error);
  bz_notify ("STOPPING=1");
  return bz_state_condition (context->dirs, name, NULL) != BZ_ZONE_RUNNING
         || bz_loader_stop (run_dir, BZ_STOP_SECONDS * 1000, error);
}

/* A zone that does not start does not keep the others from it; one that runs already is no news. */
static gboolean
start_those_that_want_it (BzContext *context, const BzArguments *arguments, GError **error)
{
  g_auto (GStrv) names = bz_state_list (context->dirs, error);
  guint failed = 0;

  for (char **name = names; names != NULL && *name != NULL; name++)
    {
      g_autofree char *path = bz_dirs_zone_file (context->dirs, *name);
      g_autoptr (GError) problem = NULL;
      g_autoptr (BzZoneFile) file = bz_zone_file_load (path, &problem);

      if (file != NULL
          && (!file->autostart
              || bz_state_condition (context->dirs, *name, NULL) == BZ_ZONE_RUNNING
              || start_zone (context, arguments, *name, &problem)))
        continue;
      bz_context_note (context, "zone %s: %s", *name, problem->message);
      failed++;
    }
  return names != NULL
         && (failed == 0
             || bz_fail (error, BZ_ERROR_FAILED, "see above",
                         "give the command again when that is mended", "%u zones did not start",
                         failed));
}

int
bz_verb_start (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0);
  gboolean autostart = bz_arguments_flag (arguments, "autostart");

  if ((name != NULL) == autostart || (autostart && bz_arguments_flag (arguments, "wait")))
    {
      bz_fail (error, BZ_ERROR_USAGE, "it takes a zone, or --autostart alone",
               "write: brandzone start NAME", "brandzone start");
      return -1;
    }
  if (autostart)
    return start_those_that_want_it (context, arguments, error) ? 0 : -1;
  return start_zone (context, arguments, name, error)
                 && (!bz_arguments_flag (arguments, "wait") || wait_for_end (context, name, error))
             ? 0
             : -1;
}

int
bz_verb_restart (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0);
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, error);
  g_autofree char *run_dir = bz_dirs_run (context->dirs, name);
  guint grace_ms;

  if (state == NULL || !bz_stop_grace (arguments, &grace_ms, error))
    return -1;
  if (bz_state_condition (context->dirs, name, NULL) == BZ_ZONE_RUNNING
      && !bz_loader_stop (run_dir, grace_ms, error))
    return -1;
  return start_zone (context, arguments, name, error) ? 0 : -1;
}

static gboolean
check_running (const BzContext *context, const char *name, GError **error)
{
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, error);

  if (state == NULL)
    return FALSE;
  if (bz_state_condition (context->dirs, name, NULL) == BZ_ZONE_RUNNING)
    return TRUE;
  g_autofree char *hint = g_strdup_printf ("start it: brandzone start %s", name);
  return bz_fail (error, BZ_ERROR_STATE, "it is not running", hint, "zone %s", name);
}

/* The terminal of a zone that runs a command. */
static int
come_back (const BzContext *context, const char *name, GError **error)
{
  g_autofree char *run_dir = bz_dirs_run (context->dirs, name);
  BzEnd end;

  if (!bz_loader_attach (run_dir, &end, error))
    return -1;
  if (end.how != BZ_END_DETACHED)
    return bz_end_exit_status (&end);
  bz_context_note (context, "detached; zone %s goes on", name);
  return 0;
}

static gboolean
terminal_number (const BzArguments *arguments, guint *number, GError **error)
{
  const char *given = bz_arguments_string (arguments, "terminal");
  guint64 value = 1;

  if (given != NULL
      && !g_ascii_string_to_unsigned (given, 10, 1, BZ_TERMINALS_MAX, &value, NULL))
    return bz_fail (error, BZ_ERROR_USAGE, "it is not a number from 1 to 6", "write --terminal 2",
                    "brandzone console: --terminal");
  *number = (guint) value;
  return TRUE;
}

/* 0: none was asked for. */
static gboolean
session_number (const BzArguments *arguments, guint *number, GError **error)
{
  const char *given = bz_arguments_string (arguments, "session");
  guint64 value = 0;

  if (given != NULL && !g_ascii_string_to_unsigned (given, 10, 1, G_MAXINT, &value, NULL))
    return bz_fail (error, BZ_ERROR_USAGE, "it is not the number of a session",
                    "see brandzone show, Sessions", "brandzone console: --session");
  *number = (guint) value;
  if (given != NULL ? bz_arguments_string (arguments, "terminal") != NULL
                    : bz_arguments_flag (arguments, "hang-up"))
    return bz_fail (error, BZ_ERROR_USAGE, "--session goes with --hang-up, and not with --terminal",
                    "write: brandzone console --session 1 NAME", "brandzone console");
  return TRUE;
}

/* A session of exec or login. */
static int
come_back_to_session (const BzContext *context, const char *name, guint session, gboolean hang_up,
                      GError **error)
{
  g_autofree char *run_dir = bz_dirs_run (context->dirs, name);
  BzEnd end;

  if (hang_up)
    return bz_loader_hang_up_session (run_dir, session, error) ? 0 : -1;
  if (!bz_loader_attach_session (run_dir, session, &end, error))
    return -1;
  if (end.how != BZ_END_DETACHED)
    return bz_end_exit_status (&end);
  bz_context_note (context, "detached; session %u of zone %s goes on", session, name);
  return 0;
}

int
bz_verb_console (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0);
  g_autofree char *run_dir = bz_dirs_run (context->dirs, name);
  gboolean detached = FALSE;
  BzZoneInfo info;
  guint number = 1, session = 0;

  if (!terminal_number (arguments, &number, error) || !session_number (arguments, &session, error)
      || !check_running (context, name, error))
    return -1;
  if (session != 0)
    return come_back_to_session (context, name, session, bz_arguments_flag (arguments, "hang-up"),
                                 error);
  if (bz_state_condition (context->dirs, name, &info) == BZ_ZONE_RUNNING && info.terminal)
    return come_back (context, name, error);
  if (isatty (STDIN_FILENO))
    bz_context_note (context, "%s of %s; ~. at the start of a line leaves it",
                     number == 1 ? "the console" : "a terminal", name);
  if (!bz_loader_console (run_dir, number, REPLAY, FALSE, &detached, error))
    return -1;
  if (isatty (STDIN_FILENO))
    bz_context_note (context, detached ? "detached; zone %s goes on" : "zone %s has ended", name);
  return 0;
}

static void
print_log (const BzContext *context, const char *name)
{
  g_autofree char *path = bz_boot_console_log (context->dirs, name);
  g_autoptr (GString) text = bz_console_log_tail (path, 2 * BZ_CONSOLE_LOG_MAX);

  if (text->len == 0)
    bz_context_note (context, "nothing is kept of the console of %s: it has not been started",
                     name);
  fwrite (text->str, 1, text->len, stdout);
}

int
bz_verb_logs (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0);
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, error);
  g_autofree char *run_dir = bz_dirs_run (context->dirs, name);

  if (state == NULL)
    return -1;
  if (!bz_arguments_flag (arguments, "follow")
      || bz_state_condition (context->dirs, name, NULL) != BZ_ZONE_RUNNING)
    {
      print_log (context, name);
      return 0;
    }
  return bz_loader_console (run_dir, 1, BZ_CONSOLE_LOG_MAX, TRUE, NULL, error) ? 0 : -1;
}
