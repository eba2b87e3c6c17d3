/* mount, umount: files of the host for a zone that runs, remembered in its zone file or not.
 *
 * The zone file is changed last: what could not be mounted is not remembered. A zone that does not run
 * can only be told to remember. */
#include "config.h"

#include "brand/base/error.h"
#include "zone/inodes.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/state.h"
#include "zone/verb-config.h"
#include "zone/verbs.h"
#include "zone/zone-file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  BzContext *context;
  const char *name;
  gboolean remember, running;
} Target;

static gboolean
look (BzContext *context, const BzArguments *arguments, Target *target, GError **error)
{
  *target = (Target){ .context = context, .name = bz_arguments_word (arguments, 0) };
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, target->name, error);

  if (state == NULL)
    return FALSE;
  target->remember = bz_arguments_flag (arguments, "remember");
  target->running = bz_state_condition (context->dirs, target->name, NULL) == BZ_ZONE_RUNNING;
  return target->running || target->remember
         || bz_fail (error, BZ_ERROR_STATE, "it is not running", "--remember is for its next start",
                     "zone %s", target->name);
}

/* --- the zone file --- */

typedef char *(*Edit) (const BzZoneFile *file, const GString *text, const BzVolume *volume);

/* The group [Mount NAME] of a target, or NULL. Owned by the caller. */
static char *
group_of (const BzZoneFile *file, const char *target)
{
  for (guint i = 0; i < file->mounts->len; i++)
    {
      const BzZoneMount *mount = g_ptr_array_index (file->mounts, i);
      if (g_strcmp0 (mount->target, target) == 0)
        return g_strconcat ("Mount ", mount->name, NULL);
    }
  return NULL;
}

/* A name that the file has not, of the target's: /srv/data is "srv-data". */
static char *
new_group (const BzZoneFile *file, const char *target)
{
  g_autofree char *base = g_strdup (target + strspn (target, "/"));

  g_strcanon (base, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "._-", '-');
  for (guint number = 1;; number++)
    {
      g_autofree char *group = number == 1 ? g_strconcat ("Mount ", base, NULL)
                                           : g_strdup_printf ("Mount %s-%u", base, number);
      if (bz_zone_file_value (file, group, "Target") == NULL)
        return g_steal_pointer (&group);
    }
}

static char *
edit_keys (const GString *text, const char *group, const char *const keys[][2])
{
  char *now = g_strndup (text->str, text->len);

  for (guint i = 0; keys[i][0] != NULL; i++)
    {
      g_autofree char *before = now;
      now = bz_zone_file_edit (before, strlen (before), group, keys[i][0], keys[i][1]);
    }
  return now;
}

static char *
add (const BzZoneFile *file, const GString *text, const BzVolume *volume)
{
  g_autofree char *there = group_of (file, volume->target);
  g_autofree char *group = there != NULL ? g_strdup (there) : new_group (file, volume->target);
  const char *const keys[][2] = { { "Source", volume->source },
                                  { "Target", volume->target },
                                  { "ReadOnly", volume->read_only ? "yes" : NULL },
                                  { NULL, NULL } };

  return edit_keys (text, group, keys);
}

static char *
drop (const BzZoneFile *file, const GString *text, const BzVolume *volume)
{
  static const char *const keys[][2] = {
    { "Source", NULL }, { "Target", NULL }, { "ReadOnly", NULL }, { NULL, NULL }
  };
  g_autofree char *group = group_of (file, volume->target);

  return group != NULL ? edit_keys (text, group, keys) : g_strndup (text->str, text->len);
}

static gboolean
remember (const Target *target, Edit edit, const BzVolume *volume, GError **error)
{
  g_autofree char *path = bz_dirs_zone_file (target->context->dirs, target->name);
  BzConfig config = { target->context, NULL, "set", target->name, path };
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean missing;
  int lock = bz_config_lock (&config, error);

  if (lock < 0)
    return FALSE;
  g_autoptr (BzZoneFile) file = bz_zone_file_load (path, error);
  gboolean good = file != NULL && bz_zone_file_read (path, text, &missing, error);
  if (good)
    {
      g_autofree char *changed = edit (file, text, volume);
      g_autoptr (BzZoneFile) checked =
          bz_zone_file_load_with (path, changed, strlen (changed), error);
      good = checked != NULL && bz_zone_file_write (path, changed, strlen (changed), error);
    }
  close (lock);
  return good;
}

/* --- what comes too late --- */

/* Whether inode numbers are folded is decided when a zone starts. */
static void
tell_of_inodes (const Target *target, const BzArguments *arguments, const char *source)
{
  BzContext silent = *target->context;

  silent.quiet = TRUE;
  g_autoptr (BzPlanning) planning = bz_planning_zone (&silent, arguments, target->name, NULL);
  g_autofree char *why = planning != NULL ? bz_planning_would_fold (planning, source) : NULL;
  if (why == NULL)
    return;
  g_autofree char *safe = bz_text_safe (why);
  bz_context_note (target->context,
                     "%s, whose inode numbers i386 programs of a zone that runs may not be able to hold (O1) "
                     "(`brandzone config set %s Storage.FoldInodes=yes` and a restart, or give it with --remember and restart)",
                     safe, target->name);
}

/* --- the verbs --- */

int
bz_verb_mount (BzContext *context, const BzArguments *arguments, GError **error)
{
  g_autofree char *source = NULL;
  g_autofree char *place = NULL;
  gboolean read_only;
  Target target;

  if (!bz_volume_parse (bz_arguments_word (arguments, 1), &source, &place, &read_only, error)
      || !look (context, arguments, &target, error))
    return -1;
  if (access (source, F_OK) != 0)
    {
      g_autofree char *safe = bz_text_safe (source);
      bz_fail_errno (error, errno, "name a file or directory of the host", "mounting %s", safe);
      return -1;
    }
  g_autofree char *run_dir = bz_dirs_run (context->dirs, target.name);
  BzVolume volume = { source, place, read_only };
  if (target.running && !bz_loader_mount (run_dir, &volume, error))
    return -1;
  if (target.running)
    tell_of_inodes (&target, arguments, source);
  return !target.remember || remember (&target, add, &volume, error) ? 0 : -1;
}

int
bz_verb_umount (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *place = bz_arguments_word (arguments, 1);
  Target target;

  if (place[0] != '/')
    {
      bz_fail (error, BZ_ERROR_USAGE, "a path of the zone is absolute",
               "write: brandzone umount NAME /TARGET", "brandzone umount");
      return -1;
    }
  if (!look (context, arguments, &target, error))
    return -1;
  g_autofree char *run_dir = bz_dirs_run (context->dirs, target.name);
  BzVolume volume = { NULL, (char *) place, FALSE };
  if (target.running && !bz_loader_umount (run_dir, place, error))
    return -1;
  return !target.remember || remember (&target, drop, &volume, error) ? 0 : -1;
}
