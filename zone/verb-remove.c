/* remove: one zone, or all that brandzone keeps.
 *
 * --all is what to call before the package goes: packages remove their own files and leave what
 * users made. Each zone is removed as if it were named; one that can't be does not keep the others
 * from going. Brands that an administrator wrote stay: they are nobody else's work. */
#include "config.h"

#include "brand/base/error.h"
#include "installer/installer.h"
#include "zone/ids.h"
#include "zone/output.h"
#include "zone/state.h"
#include "zone/verbs.h"
#include "zone/zone-file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_WAIT_MS 3000
#define STOP_GRACE_MS 10000

static gboolean
remove_one (BzContext *context, const char *name, gboolean force, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, &cause);
  g_autofree char *file = bz_dirs_zone_file (context->dirs, name);
  g_autofree char *run_dir = bz_dirs_run (context->dirs, name);

  /* A record that is damaged must not keep its zone from being removed. */
  if (state == NULL && !g_error_matches (cause, BZ_ERROR, BZ_ERROR_INPUT))
    {
      g_propagate_error (error, g_steal_pointer (&cause));
      return FALSE;
    }
  if (force && bz_state_condition (context->dirs, name, NULL) == BZ_ZONE_RUNNING
      && !bz_loader_stop (run_dir, STOP_GRACE_MS, error))
    return FALSE;
  int lock = bz_state_lock (context->dirs, name, force ? LOCK_WAIT_MS : 0, error);
  if (lock < 0)
    return FALSE;
  bz_loader_end_left (name, run_dir);
  gboolean done = bz_state_remove (context->dirs, name, error) && bz_zone_file_remove (file, error);
  close (lock);
  return done;
}

/* The ids of a throw-away zone (ids.c), unless it runs. The caller holds bz_ids_lock. */
static void
remove_claim (const char *claims, const char *name)
{
  g_autofree char *path = g_build_filename (claims, name, NULL);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

  if (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) == 0)
    unlink (path);
  if (fd >= 0)
    close (fd);
}

/* What is left when the last zone has gone: the cache, and directories that are empty now. */
static gboolean
remove_places (const BzDirs *dirs, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (dirs->data);
  const char *const places[] = { dirs->data, dirs->config, dirs->run, parent };

  if (g_file_test (dirs->cache, G_FILE_TEST_IS_DIR)
      && !bz_installer_remove (dirs->cache, NULL, NULL, error))
    return FALSE;
  int guard = bz_ids_lock (dirs, error);
  if (guard < 0)
    return FALSE;
  g_autofree char *claims = g_build_filename (dirs->run, ".ids", NULL);
  g_autoptr (GDir) dir = g_dir_open (claims, 0, NULL);
  for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
    remove_claim (claims, name);
  rmdir (claims);
  close (guard);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    rmdir (places[i]); /* one that holds something is somebody's */
  return TRUE;
}

typedef struct {
  BzContext *context;
  gboolean force;
  GPtrArray *removed; /* of names, borrowed */
} Removal;

static gboolean
remove_and_tell (Removal *removal, const char *name, GError **error)
{
  if (!remove_one (removal->context, name, removal->force, error))
    return FALSE;
  g_ptr_array_add (removal->removed, (gpointer) name);
  if (!removal->context->quiet && !removal->context->json)
    printf ("%s: removed\n", name);
  return TRUE;
}

/* The first failure is the verb's; the others are told. */
static gboolean
remove_all (Removal *removal, char **names, GError **error)
{
  g_autoptr (GError) first = NULL;

  for (char **name = names; *name != NULL; name++)
    {
      g_autoptr (GError) problem = NULL;

      if (remove_and_tell (removal, *name, &problem))
        continue;
      if (first == NULL)
        first = g_steal_pointer (&problem);
      else
        bz_context_note (removal->context, "%s", problem->message);
    }
  if (first != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&first));
      return FALSE;
    }
  return remove_places (removal->context->dirs, error);
}

static gboolean
remove_named (Removal *removal, const BzArguments *arguments, GError **error)
{
  for (guint i = 0; i < bz_arguments_n_words (arguments); i++)
    {
      if (!remove_and_tell (removal, bz_arguments_word (arguments, i), error))
        return FALSE;
    }
  return TRUE;
}

int
bz_verb_remove (BzContext *context, const BzArguments *arguments, GError **error)
{
  g_autoptr (GPtrArray) removed = g_ptr_array_new ();
  Removal removal = { context, bz_arguments_flag (arguments, "force"), removed };
  gboolean all = bz_arguments_flag (arguments, "all");
  g_auto (GStrv) names = NULL;

  if (all != (bz_arguments_n_words (arguments) == 0))
    {
      bz_fail (error, BZ_ERROR_USAGE, all ? "--all leaves no names to name" : "no zone is named",
               "write: brandzone remove NAME, or: brandzone remove --all", "brandzone remove");
      return -1;
    }
  bz_state_sweep (context->dirs);
  if (all && (names = bz_state_list (context->dirs, error)) == NULL)
    return -1;
  if (!(all ? remove_all (&removal, names, error) : remove_named (&removal, arguments, error)))
    return -1;
  if (context->json)
    {
      JsonBuilder *builder = bz_json_begin ();
      g_ptr_array_add (removed, NULL);
      bz_json_texts (builder, "removed", (const char *const *) removed->pdata);
      bz_json_end (builder);
    }
  return 0;
}
