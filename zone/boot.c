#include "config.h"

#include "zone/boot.h"

#include "brand/base/error.h"
#include "zone/boot-edits.h"
#include "zone/names.h"
#include "zone/network.h"
#include "zone/storage.h"

#include <signal.h>
#include <unistd.h>

/* What a kernel gives to init; its family's own come before it, because start scripts of Upstart's
 * time read the first variable only (FAILURES B5). */
static const char *const environment[] = { "HOME=/", "TERM=linux",
                                           "PATH=/sbin:/usr/sbin:/bin:/usr/bin", NULL };

char *
bz_boot_console_log (const BzDirs *dirs, const char *name)
{
  g_autofree char *zone = bz_dirs_zone (dirs, name);

  return g_build_filename (zone, "console.log", NULL);
}

static char *const unknown_family[] = { "container=lxc", NULL };

static BzCommand *
init_command (const char *init, char **words, const BzBootFamily *family)
{
  BzCommand *command = bz_command_new ();
  g_autoptr (GStrvBuilder) argv = g_strv_builder_new (), told = g_strv_builder_new ();

  g_strv_builder_add (argv, init);
  g_strv_builder_addv (argv, (const char **) words);
  command->argv = g_strv_builder_end (argv);
  g_strv_builder_addv (told, (const char **) (family != NULL ? family->environment
                                                             : (char **) unknown_family));
  g_strv_builder_addv (told, (const char **) environment);
  command->environment = g_strv_builder_end (told);
  command->directory = g_strdup ("/");
  return command;
}

static void
set_halt (const BzContext *context, const BzBootFamily *family, const char *init,
          BzPartition *partition)
{
  if (family == NULL)
    {
      g_autofree char *safe = bz_text_safe (init);
      bz_context_note (context, "%s is an init of no known family: it gets SIGTERM to halt", safe);
      partition->halt_signal = SIGTERM;
      return;
    }
  partition->halt_signal = family->halt_signal;
  partition->halt_command = g_strdupv (family->halt_command);
  partition->halt_alone = family->alone_sleeps;
}

static void
set_surroundings (const BzBootFamily *family, char **words, BzPartition *partition)
{
  partition->terminals = BZ_TERMINALS_MAX;
  if (family == NULL)
    return;
  const BzBootCgroups *cgroups = bz_boot_family_cgroups (family, words);
  partition->terminals = family->terminals;
  partition->cgroup_view = cgroups->view;
  partition->cgroup_name = g_strdup (cgroups->name);
}

/* mode: what it is to be like, MAKE or UNDO. */
static gboolean
make_edits (const BzContext *context, const BzPlanning *planning, const BzBootFamily *family,
            BzEditsMode mode, GError **error)
{
  int tree = bz_storage_open (context->dirs, planning->state, TRUE, error);
  g_autoptr (GPtrArray) results =
      tree >= 0 ? bz_boot_edits (tree, family, mode, error) : NULL;

  if (tree >= 0)
    close (tree);
  for (guint i = 0; results != NULL && i < results->len; i++)
    {
      const BzEditResult *result = g_ptr_array_index (results, i);
      if (mode == BZ_EDITS_MAKE && result->state == BZ_EDIT_NEEDED)
        bz_context_note (context,
                         "line %u of the zone's %s is edited (see brandzone boot-edits %s)",
                         result->line, result->edit->file, planning->state->name);
    }
  return results != NULL;
}

/* What brandzone configures the tree's scripts leave alone; the rest is theirs again. */
static gboolean
fit_network (const BzContext *context, const BzPlanning *planning, const BzPartition *partition,
             GError **error)
{
  g_autoptr (BzBootFamily) edits = bz_boot_network_edits (error);
  gboolean wanted = bz_network_configures (partition->network, partition->settings->net);
  g_autoptr (GPtrArray) looked =
      edits != NULL ? bz_boot_edits (planning->tree_fd, edits, BZ_EDITS_LOOK, error) : NULL;
  gboolean fits = TRUE;

  for (guint i = 0; looked != NULL && i < looked->len; i++)
    {
      const BzEditResult *result = g_ptr_array_index (looked, i);
      fits &= result->state != (wanted ? BZ_EDIT_NEEDED : BZ_EDIT_MADE);
    }
  return looked != NULL
         && (fits
             || make_edits (context, planning, edits, wanted ? BZ_EDITS_MAKE : BZ_EDITS_UNDO,
                            error));
}

/* What process 1 is given: for one user, then the caller's words, else the zone file's. NULL: its init
 * knows no such way. Owned by the caller. */
static char **
init_words (const BzArguments *arguments, const BzZoneFile *file, const BzBootFamily *family,
            GError **error)
{
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();
  g_auto (GStrv) usual = g_strsplit (file->boot_arguments != NULL ? file->boot_arguments : "", " ", -1);
  char **given = bz_arguments_command (arguments);
  gboolean single = bz_arguments_flag (arguments, "single") || file->boot_single;

  if (single && (family == NULL || family->single == NULL))
    {
      bz_fail (error, BZ_ERROR_HOST,
               family == NULL ? "its init is of no known family"
                              : "its init reads that from the kernel's command line, which is the host's",
               "leave --single out, and run what you need: brandzone run, or start --init /bin/sh",
               "booting for one user");
      return NULL;
    }
  if (single)
    g_strv_builder_add (words, family->single);
  for (char **word = given[0] != NULL ? given : usual; *word != NULL; word++)
    if (**word != '\0')
      g_strv_builder_add (words, *word);
  return g_strv_builder_end (words);
}

gboolean
bz_boot_prepare (const BzContext *context, const BzArguments *arguments, const BzPlanning *planning,
                 BzPartition *partition, GError **error)
{
  g_autoptr (BzBootFamily) family = NULL;
  const char *given = bz_arguments_string (arguments, "init");
  g_autofree char *init = bz_boot_find_init (
      planning->tree_fd, given != NULL ? given : planning->file->boot_init, error);

  if (init == NULL || !bz_boot_family_find (planning->tree_fd, init, &family, error))
    return FALSE;
  g_auto (GStrv) words = init_words (arguments, planning->file, family, error);
  if (words == NULL)
    return FALSE;
  if (!bz_arguments_flag (arguments, "no-edits") && !planning->file->boot_as_it_is
      && ((family != NULL && !make_edits (context, planning, family, BZ_EDITS_MAKE, error))
          || !fit_network (context, planning, partition, error)))
    return FALSE;
  partition->boot = TRUE;
  partition->command = init_command (init, words, family);
  set_surroundings (family, words, partition);
  partition->console_log = bz_boot_console_log (context->dirs, partition->name);
  set_halt (context, family, init, partition);
  return TRUE;
}
