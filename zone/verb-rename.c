/* rename.
 *
 * Problem: a zone is a directory, a zone file and drop-ins, and a rename can be killed between
 * them. Choice: the configuration is copied first, then the zone is renamed in one step, then the
 * old configuration goes. A zone thus has its configuration at any moment. Meanwhile both names
 * have what a removal leaves when it is killed, a hidden directory: the next command that sweeps
 * takes the configuration of the name that has no zone. Else a zone that is installed under that
 * name later would come up with the mounts and devices of another. */
#include "config.h"

#include "brand/base/error.h"
#include "zone/names.h"
#include "zone/state.h"
#include "zone/verbs.h"
#include "zone/zone-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
has_configuration (const char *file)
{
  g_autofree char *directory = g_strconcat (file, ".d", NULL);

  return g_file_test (file, G_FILE_TEST_EXISTS) || g_file_test (directory, G_FILE_TEST_EXISTS);
}

static gboolean
make_mark (const char *mark, GError **error)
{
  return mkdir (mark, 0700) == 0 || bz_fail_errno (error, errno, NULL, "making %s", mark);
}

/* Owns the configuration of the new name unless there was one: that is somebody's work. */
static gboolean
rename_marked (const char *from, const char *to, const char *from_file, const char *to_file,
               gboolean owns, GError **error)
{
  gboolean copied = bz_zone_file_copy (from_file, to_file, error);

  if (copied && renameat2 (AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
    return bz_zone_file_remove (from_file, error);
  if (copied)
    bz_fail_errno (error, errno, NULL, "renaming zone %s to %s", from, to);
  if (owns)
    bz_zone_file_remove (to_file, NULL);
  return FALSE;
}

static gboolean
rename_locked (const BzDirs *dirs, const char *name, const char *new_name, GError **error)
{
  g_autofree char *from = bz_dirs_zone (dirs, name);
  g_autofree char *to = bz_dirs_zone (dirs, new_name);
  g_autofree char *from_file = bz_dirs_zone_file (dirs, name);
  g_autofree char *to_file = bz_dirs_zone_file (dirs, new_name);

  g_autofree char *from_mark = bz_dirs_hidden (dirs, name, "removing");
  g_autofree char *to_mark = bz_dirs_hidden (dirs, new_name, "removing");

  if (!bz_state_discard (dirs, name, error) || !bz_state_discard (dirs, new_name, error))
    return FALSE;
  if (g_file_test (to, G_FILE_TEST_EXISTS))
    return bz_fail (error, BZ_ERROR_STATE, "there is a zone of this name already",
                    "remove it first, or choose another name", "zone %s", new_name);
  gboolean owns = !has_configuration (to_file);
  gboolean done = make_mark (from_mark, error) && (!owns || make_mark (to_mark, error))
                  && rename_marked (from, to, from_file, to_file, owns, error);
  rmdir (to_mark);
  rmdir (from_mark);
  return done;
}

int
bz_verb_rename (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0), *new_name = bz_arguments_word (arguments, 1);
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, error);

  if (state == NULL || !bz_name_check (new_name, error))
    return -1;
  if (g_str_equal (name, new_name))
    {
      bz_fail (error, BZ_ERROR_USAGE, "this is its name already", "choose another name", "zone %s",
               name);
      return -1;
    }
  bz_state_sweep (context->dirs);
  int lock = bz_state_lock (context->dirs, name, 0, error);
  int other = lock >= 0 ? bz_state_lock (context->dirs, new_name, 0, error) : -1;
  g_autofree char *run_dir = bz_dirs_run (context->dirs, name);
  if (other >= 0)
    bz_loader_end_left (name, run_dir); /* its cgroup has the old name */
  gboolean done = other >= 0 && rename_locked (context->dirs, name, new_name, error);
  if (lock >= 0)
    bz_state_forget (context->dirs, name);
  if (other >= 0)
    {
      bz_state_forget (context->dirs, new_name);
      close (other);
    }
  if (lock >= 0)
    close (lock);
  if (!done)
    return -1;
  bz_context_detail (context, "zone %s is %s now", name, new_name);
  return 0;
}
