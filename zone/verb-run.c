/* run, exec and stop. */
#include "config.h"

#include "brand/base/error.h"
#include "brand/tree.h"
#include "syscall-xlat/table.h"
#include "zone/apply.h"
#include "zone/counts.h"
#include "zone/names.h"
#include "zone/one-program.h"
#include "zone/prepare.h"
#include "zone/program.h"
#include "zone/storage.h"
#include "zone/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>


typedef struct {
  const BzContext *context;
  gboolean stats;
  gboolean stopped; /* set: strict has killed a program */
} Ending;

/* The call by which `strict` killed a program. */
static gboolean
tell_stopped (BzJournal *journal)
{
  BzStopped stopped;

  if (!bz_journal_stopped (journal, &stopped))
    return FALSE;
  const BzRow *row = bz_table_row (stopped.abi, stopped.nr);
  g_autofree char *program = bz_text_safe (stopped.program);
  fprintf (stderr, "brandzone: %s was killed: it called %s (%s), which the host's kernel lacks (strict) [%s]\n",
           program, row != NULL ? row->name : "?", bz_abi_name (stopped.abi),
           row != NULL && *row->rows != '\0' ? row->rows : "S5");
  return TRUE;
}

static void
print_stats (const BzContext *context, BzJournal *journal)
{
  g_autoptr (GArray) counts = bz_journal_counts (journal);
  fflush (stdout);
  if (context->json)
    {
      JsonBuilder *builder = bz_json_begin ();
      bz_counts_json (builder, counts, bz_journal_successions (journal), 0);
      g_autofree char *line = bz_json_end_line (builder);
      fprintf (stderr, "%s\n", line);
      return;
    }
  g_autofree char *line = bz_counts_line (counts);
  fprintf (stderr, "brandzone: %s\n", line);
}

/* While the journal is still there. */
static void
look_at_journal (int journal_fd, gpointer data)
{
  Ending *ending = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (BzJournal) journal = bz_journal_map (journal_fd, &error);

  if (journal == NULL)
    {
      bz_context_note (ending->context, "no counts: %s", error->message);
      return;
    }
  ending->stopped = tell_stopped (journal);
  if (ending->stats)
    print_stats (ending->context, journal);
}

static void
look_at_program (const BzPlanning *planning, const BzCommand *command, BzProgram *program)
{
  bz_program_look (planning->tree_fd,
                   planning->program != NULL ? planning->program : command->argv[0],
                   bz_command_path (command), program);
}

/* Who leaves a terminal of exec or login can come back to it, unless the zone had no room for one more
 * session, or is kept by a brandzone that knows none: it is hung up then. */
static int
tell_left (const BzContext *context, const char *name, const BzEnd *end)
{
  if (end->session != 0)
    bz_context_note (context, "detached; session %u of zone %s goes on (brandzone console --session %u %s comes back)",
                     end->session, name, end->session, name);
  else
    bz_context_note (context, "left: what ran on that terminal was hung up, zone %s goes on", name);
  return 0;
}

/* What the end of a command is worth telling, and its exit status. */
static int
tell_end (const BzContext *context, const BzPlanning *planning, const BzPlan *plan,
          const BzCommand *command, const char *name, const BzEnd *end)
{
  g_auto (BzProgram) program = { 0 };
  const char *row;

  if (end->how == BZ_END_DETACHED)
    {
      bz_context_note (context, "detached; zone %s goes on (brandzone console %s comes back, brandzone stop %s ends it)", name,
                       name, name);
      return 0;
    }
  if (context->quiet || end->how != BZ_END_COMMAND || !WIFSIGNALED (end->wait_status))
    return bz_end_exit_status (end);

  if (end->stopped)
    {
      bz_context_note (context, "zone %s was stopped", name);
      return bz_end_exit_status (end);
    }
  look_at_program (planning, command, &program);
  g_autofree char *line = bz_program_explain_death (planning->tree_fd, &program, planning->host,
                                                    plan, end->wait_status, &row);
  if (line != NULL)
    bz_context_note (context, "%s%s%s%s", line, row != NULL ? " [" : "", row != NULL ? row : "",
                     row != NULL ? "]" : "");
  return bz_end_exit_status (end);
}

static void
explain (const BzPlanning *planning, const BzCommand *command, GError **error)
{
  g_auto (BzProgram) program = { 0 };

  look_at_program (planning, command, &program);
  bz_program_explain_error (&program, planning->host, error);
}

/* The caller's parent sees the program's death, not an exit status that stands for it. No core of
 * ours: it would replace the program's. */
static void
die_of (int number)
{
  const struct rlimit none = { 0, 0 };
  sigset_t one;

  fflush (NULL);
  setrlimit (RLIMIT_CORE, &none);
  prctl (PR_SET_DUMPABLE, 0);
  signal (number, SIG_DFL);
  sigemptyset (&one);
  sigaddset (&one, number);
  sigprocmask (SIG_UNBLOCK, &one, NULL);
  raise (number);
}

static BzPrepared *
prepare (const BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *image = bz_arguments_string (arguments, "image");

  if (bz_one_program_given (arguments))
    return bz_one_program_prepare (context, arguments, error);
  if (image != NULL)
    return bz_prepare_image (context, arguments, image, error);
  return bz_prepare_zone (context, arguments, bz_arguments_word (arguments, 0), error);
}

int
bz_verb_run (BzContext *context, const BzArguments *arguments, GError **error)
{
  g_autoptr (BzPrepared) prepared = prepare (context, arguments, error);
  g_autoptr (GError) cause = NULL;
  BzEnd end = { 0 };

  if (prepared == NULL)
    return -1;

  const BzPartition *partition = prepared->partition;
  gboolean direct = partition->idle;
  Ending ending = { .context = context, .stats = bz_arguments_flag (arguments, "stats") };
  gboolean look = ending.stats || partition->plan->quirk[BZ_QUIRK_GONE] == BZ_GONE_STOP;
  fflush (stdout);
  BzJournalFunc on_end = look ? look_at_journal : NULL;
  gboolean ran = direct ? bz_loader_run_direct (partition, partition->command, on_end, &ending,
                                                &end, &cause)
                        : bz_loader_run (partition, on_end, &ending, &end, &cause);
  if (end.how != BZ_END_DETACHED)
    bz_prepared_finish (prepared, context);
  if (!ran)
    {
      explain (prepared->planning, partition->command, &cause);
      g_propagate_error (error, g_steal_pointer (&cause));
      return -1;
    }
  int status = ending.stopped && end.how == BZ_END_COMMAND
                   ? bz_end_exit_status (&end)
                   : tell_end (context, prepared->planning, prepared->planning->plan,
                               partition->command, partition->name, &end);
  if (direct && WIFSIGNALED (end.wait_status))
    {
      bz_prepared_free (g_steal_pointer (&prepared));
      die_of (WTERMSIG (end.wait_status));
    }
  return status;
}

static gboolean
not_running (const char *name, const char *hint, GError **error)
{
  return bz_fail (error, BZ_ERROR_STATE, "it is not running", hint, "zone %s", name);
}

/* exec needs no plan: what it knows of the zone is for messages and the environment. */
static BzPlanning *
look_at_zone (const BzContext *context, const char *name, GError **error)
{
  g_autoptr (BzPlanning) planning = g_new0 (BzPlanning, 1);
  g_autofree char *file = bz_dirs_zone_file (context->dirs, name);

  planning->tree_fd = -1;
  planning->state = bz_state_load (context->dirs, name, error);
  if (planning->state == NULL)
    return NULL;
  planning->file = bz_zone_file_load (file, error);
  if (planning->file == NULL)
    return NULL;
  planning->tree = bz_storage_tree (context->dirs, planning->state);
  planning->tree_fd = bz_storage_open (context->dirs, planning->state, FALSE, error);
  if (planning->tree_fd < 0)
    return NULL;
  planning->host = bz_context_host (context, NULL, NULL);
  return g_steal_pointer (&planning);
}

/* Nobody can type what detaches where there is no terminal, and what is given by a pipe ends with it. */
static gboolean
can_be_left (const BzArguments *arguments, const BzCommand *command)
{
  return !bz_arguments_flag (arguments, "hang-up") && command->terminal && command->interactive && isatty (STDIN_FILENO);
}

static gboolean
check_exec_command (const BzArguments *arguments, const char *name, GError **error)
{
  if (bz_arguments_command (arguments)[0] != NULL
      || (isatty (STDIN_FILENO) && isatty (STDOUT_FILENO)))
    return TRUE;
  g_autofree char *hint = g_strdup_printf ("write: brandzone exec %s -- COMMAND", name);
  return bz_fail (error, BZ_ERROR_USAGE, "no command is given", hint, "brandzone exec %s", name);
}

int
bz_verb_exec (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0);
  g_autoptr (GError) cause = NULL;
  BzEnd end = { 0 };

  if (!check_exec_command (arguments, name, error))
    return -1;
  g_autoptr (BzPlanning) planning = look_at_zone (context, name, error);
  if (planning == NULL)
    return -1;
  if (bz_state_condition (context->dirs, name, NULL) != BZ_ZONE_RUNNING)
    {
      g_autofree char *hint = g_strdup_printf ("start it: brandzone run %s -- COMMAND", name);
      not_running (name, hint, error);
      return -1;
    }
  g_autoptr (BzCommand) command = bz_prepare_command (arguments, planning->tree_fd, error);
  if (command == NULL)
    return -1;
  bz_apply_environment (command, planning->file, arguments);
  command->kept = can_be_left (arguments, command);

  g_autofree char *run_dir = bz_dirs_run (context->dirs, name);
  if (!bz_loader_exec (run_dir, command, &end, &cause))
    {
      explain (planning, command, &cause);
      g_propagate_error (error, g_steal_pointer (&cause));
      return -1;
    }

  /* The plan that the zone was probably started with, only for a word about a death. */
  g_autoptr (BzPlanning) full = NULL;
  if (end.how == BZ_END_COMMAND && WIFSIGNALED (end.wait_status) && !context->quiet)
    full = bz_planning_zone (context, arguments, name, NULL);
  if (end.how == BZ_END_DETACHED)
    return tell_left (context, name, &end);
  return tell_end (context, planning, full != NULL ? full->plan : NULL, command, name, &end);
}

gboolean
bz_stop_grace (const BzArguments *arguments, guint *grace_ms, GError **error)
{
  const char *given = bz_arguments_string (arguments, "time");
  guint64 seconds = BZ_STOP_SECONDS;

  if (given != NULL && !g_ascii_string_to_unsigned (given, 10, 0, 3600, &seconds, NULL))
    return bz_fail (error, BZ_ERROR_USAGE, "it is not a number of seconds from 0 to 3600",
                    "write --time 10", "brandzone stop: --time");
  *grace_ms = seconds * 1000;
  return TRUE;
}

/* All at once: each may take as long as its init does. A child's errors are told by itself. */
static gboolean
stop_all (const BzContext *context, guint grace_ms, GError **error)
{
  g_auto (GStrv) names = bz_state_list (context->dirs, error);
  g_autoptr (GArray) children = g_array_new (FALSE, FALSE, sizeof (pid_t));
  guint failed = 0;

  for (char **name = names; names != NULL && *name != NULL; name++)
    {
      g_autofree char *run_dir = bz_dirs_run (context->dirs, *name);
      g_autoptr (GError) problem = NULL;

      if (bz_state_condition (context->dirs, *name, NULL) != BZ_ZONE_RUNNING)
        continue;
      pid_t child = fork ();
      if (child == 0)
        {
          gboolean good = bz_loader_stop (run_dir, grace_ms, &problem);
          bz_context_note (context, good ? "zone %s was stopped" : "zone %s: %s", *name,
                           good ? "" : problem->message);
          _exit (good ? 0 : 1);
        }
      if (child > 0)
        g_array_append_val (children, child);
      else
        failed++;
    }
  for (guint i = 0; i < children->len; i++)
    {
      int status = 1;
      while (waitpid (g_array_index (children, pid_t, i), &status, 0) < 0 && errno == EINTR)
        ;
      failed += status != 0;
    }
  return names != NULL
         && (failed == 0
             || bz_fail (error, BZ_ERROR_FAILED, "see above", "brandzone list tells which run",
                         "%u zones could not be stopped", failed));
}

int
bz_verb_stop (BzContext *context, const BzArguments *arguments, GError **error)
{
  gboolean all = bz_arguments_flag (arguments, "all");
  guint grace_ms = 0;

  if (!bz_stop_grace (arguments, &grace_ms, error))
    return -1;
  if (all == (bz_arguments_n_words (arguments) > 0))
    {
      bz_fail (error, BZ_ERROR_USAGE, "it takes zones, or --all alone",
               "write: brandzone stop NAME", "brandzone stop");
      return -1;
    }
  if (all)
    return stop_all (context, grace_ms, error) ? 0 : -1;
  for (guint i = 0; i < bz_arguments_n_words (arguments); i++)
    {
      const char *name = bz_arguments_word (arguments, i);
      g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, error);
      g_autofree char *run_dir = bz_dirs_run (context->dirs, name);

      if (state == NULL)
        return -1;
      if (bz_state_condition (context->dirs, name, NULL) != BZ_ZONE_RUNNING)
        {
          not_running (name, "nothing is left to stop", error);
          return -1;
        }
      if (!bz_loader_stop (run_dir, grace_ms, error))
        return -1;
      bz_context_note (context, "zone %s was stopped", name);
    }
  return 0;
}

/* --- login --- */

/* The first of those programs that the tree has, as a path of the zone; NULL: none. */
static char *
find_program (int tree_fd, const char *const *places)
{
  for (; *places != NULL; places++)
    if (bz_tree_has_file (tree_fd, *places))
      return g_strconcat ("/", *places, NULL);
  return NULL;
}

/* What logs a user in without a password, as zlogin(1) does: the distribution's su makes a login shell
 * as it has one, with profile, mail and groups. Without it the user's shell is run as a login shell. */
static char **
login_command (int tree_fd, const char *user)
{
  static const char *const places[] = { "bin/su", "usr/bin/su", NULL };
  const char *shell[] = { "/bin/sh", "-l", NULL };
  g_autofree char *su = find_program (tree_fd, places);
  const char *command[] = { su, "-", user, NULL };

  return g_strdupv ((char **) (su != NULL ? command : shell));
}

/* What a getty would start: it asks, has its say on who may (securetty, nologin, PAM), and keeps utmp. */
static char **
own_login_command (int tree_fd, const char *user, GError **error)
{
  static const char *const places[] = { "bin/login", "usr/bin/login", NULL };
  g_autofree char *login = find_program (tree_fd, places);
  const char *command[] = { login, user, NULL };

  if (login == NULL)
    bz_fail (error, BZ_ERROR_STATE, "the zone has no /bin/login", "leave --own out",
             "cannot log in by the distribution's own way");
  else if (!isatty (STDIN_FILENO) || !isatty (STDOUT_FILENO))
    bz_fail (error, BZ_ERROR_USAGE, "it asks on a terminal, and this is none",
             "leave --own out, or give the command on a terminal", "brandzone login --own");
  else
    return g_strdupv ((char **) command);
  return NULL;
}

static gboolean
login_user (const BzArguments *arguments, const char **user, GError **error)
{
  const char *option = bz_arguments_string (arguments, "login");
  const char *word = bz_arguments_word (arguments, 1);

  *user = option != NULL ? option : word;
  /* A name that is an option to su or login is no name. */
  if ((option != NULL && word != NULL) || (*user != NULL && (**user == '-' || **user == '\0')))
    return bz_fail (error, BZ_ERROR_USAGE, "it takes one user", "write: brandzone login NAME USER",
                    "brandzone login");
  return TRUE;
}

static BzCommand *
prepare_login (const BzArguments *arguments, int tree_fd, const char *user, GError **error)
{
  gboolean own = bz_arguments_flag (arguments, "own");
  g_autoptr (BzCommand) command = bz_prepare_command (arguments, tree_fd, error);

  if (command == NULL)
    return NULL;
  g_strfreev (command->argv);
  command->argv = own ? own_login_command (tree_fd, user, error)
                      : login_command (tree_fd, user != NULL ? user : "root");
  if (command->argv == NULL)
    return NULL;
  command->interactive = TRUE;
  if (strcmp (command->argv[0], "/bin/sh") == 0)
    command->user = g_strdup (user);
  return g_steal_pointer (&command);
}

int
bz_verb_login (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0), *user;
  g_autoptr (GError) cause = NULL;
  BzEnd end = { 0 };

  if (!login_user (arguments, &user, error))
    return -1;
  g_autoptr (BzPlanning) planning = look_at_zone (context, name, error);
  if (planning == NULL)
    return -1;
  if (bz_state_condition (context->dirs, name, NULL) != BZ_ZONE_RUNNING)
    {
      g_autofree char *hint = g_strdup_printf ("start it: brandzone start %s", name);
      not_running (name, hint, error);
      return -1;
    }
  g_autoptr (BzCommand) command = prepare_login (arguments, planning->tree_fd, user, error);
  if (command == NULL)
    return -1;
  command->kept = can_be_left (arguments, command);

  g_autofree char *run_dir = bz_dirs_run (context->dirs, name);
  if (!bz_loader_exec (run_dir, command, &end, &cause))
    {
      explain (planning, command, &cause);
      g_propagate_error (error, g_steal_pointer (&cause));
      return -1;
    }
  if (end.how == BZ_END_DETACHED)
    return tell_left (context, name, &end);
  return tell_end (context, planning, NULL, command, name, &end);
}
