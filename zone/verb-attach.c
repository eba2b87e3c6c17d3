/* detach and attach: a zone as a directory that can be carried to another host.
 *
 * The tree becomes a tar archive: it then has neither the ids of this host nor layers, and every
 * file system and copying program keeps it whole. */
#include "config.h"

#include "brand/base/error.h"
#include "installer/installer.h"
#include "zone/dirs.h"
#include "zone/installed.h"
#include "zone/manifest.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/save.h"
#include "zone/snapshots.h"
#include "zone/verbs.h"
#include "zone/zone-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- detach --- */

static gboolean
fill (const BzContext *context, const BzZoneState *state, const char *place, GError **error)
{
  g_autofree char *tree = g_build_filename (place, BZ_MANIFEST_TREE, NULL);
  g_autofree char *zone = g_build_filename (place, BZ_MANIFEST_ZONE, NULL);
  g_autofree char *file = bz_dirs_zone_file (context->dirs, state->name);
  BzSave save = { .path = tree, .format = "tar" };
  BzExportResult result;

  if (!bz_save_tree (context, state, &save, &result, error))
    return FALSE;
  if (result.sockets > 0)
    bz_context_note (context, "%u sockets left out", result.sockets);
  g_autofree char *from = bz_dirs_zone (context->dirs, state->name);
  return bz_zone_file_copy (file, zone, error) && bz_installed_copy (from, place, error)
         && bz_manifest_write (place, state, error);
}

static gboolean
sync_place (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean good = fd >= 0 && syncfs (fd) == 0;
  int saved = errno;

  if (fd >= 0)
    close (fd);
  return good || bz_fail_errno (error, saved, NULL, "writing %s", path);
}

/* Under another name until all of it is on the disk. */
static gboolean
save_all (const BzContext *context, const BzZoneState *state, const char *target, GError **error)
{
  g_autofree char *place = g_strconcat (target, ".partial", NULL);
  g_autofree char *parent = g_path_get_dirname (target);
  gboolean good;

  if (!bz_installer_remove (place, NULL, NULL, error))
    return FALSE;
  if (mkdir (place, 0700) != 0)
    return bz_fail_errno (error, errno, NULL, "making %s", place);
  good = fill (context, state, place, error) && sync_place (place, error);
  if (good && renameat2 (AT_FDCWD, place, AT_FDCWD, target, RENAME_NOREPLACE) != 0)
    good = bz_fail_errno (error, errno, NULL, "making %s", target);
  if (!good)
    bz_installer_remove (place, NULL, NULL, NULL);
  return good && sync_place (parent, error);
}

static gboolean
check_snapshots (const BzContext *context, const BzArguments *arguments, const char *name,
                 GError **error)
{
  g_auto (GStrv) snapshots = bz_snapshots_list (context->dirs, name);
  guint count = g_strv_length (snapshots);

  return count == 0 || bz_arguments_flag (arguments, "force")
         || bz_fail (error, BZ_ERROR_STATE, "it has snapshots, which do not come along",
                     "clone what is needed of them, then detach with --force", "zone %s", name);
}

static gboolean
detach (BzContext *context, const char *name, const char *target, GError **error)
{
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, error);
  g_autofree char *file = bz_dirs_zone_file (context->dirs, name);
  g_autofree char *run_dir = bz_dirs_run (context->dirs, name);
  struct stat st;

  if (state == NULL)
    return FALSE;
  if (lstat (target, &st) == 0)
    return bz_fail (error, BZ_ERROR_STATE, "it is there already", "choose another name", "%s",
                    target);
  bz_loader_end_left (name, run_dir);
  return save_all (context, state, target, error) && bz_state_remove (context->dirs, name, error)
         && bz_zone_file_remove (file, error);
}

int
bz_verb_detach (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0);
  g_autofree char *target = bz_path_absolute (bz_arguments_word (arguments, 1));
  g_autoptr (BzZoneState) before = bz_state_load (context->dirs, name, error);

  if (before == NULL || !check_snapshots (context, arguments, name, error))
    return -1;
  bz_state_sweep (context->dirs);
  int lock = bz_state_lock (context->dirs, name, 0, error);
  if (lock < 0)
    return -1;
  gboolean done = detach (context, name, target, error);
  bz_state_forget (context->dirs, name);
  close (lock);
  if (!done)
    return -1;
  if (!context->quiet && !context->json)
    printf ("%s: detached, in %s\n", name, target);
  return 0;
}

/* --- attach --- */

static void
report (const BzContext *context, const char *name, const BzManifest *manifest, GPtrArray *lacks,
        gboolean ready)
{
  if (context->json)
    {
      JsonBuilder *builder = bz_json_begin ();
      g_ptr_array_add (lacks, NULL);
      bz_json_text (builder, "name", name);
      bz_json_text (builder, "brand", manifest->brand);
      bz_json_text (builder, "abi", bz_abi_name (manifest->abi));
      bz_json_number (builder, "files", (gint64) manifest->files);
      bz_json_number (builder, "bytes", (gint64) manifest->bytes);
      bz_json_bool (builder, "ready", ready);
      bz_json_texts (builder, "lacks", (const char *const *) lacks->pdata);
      bz_json_end (builder);
      return;
    }
  for (guint i = 0; i < lacks->len; i++)
    {
      g_autofree char *safe = bz_text_safe (g_ptr_array_index (lacks, i));
      printf ("%s: this host lacks: %s\n", name, safe);
    }
  if (lacks->len == 0 && !context->quiet)
    printf ("%s: this host lacks nothing\n", name);
}

/* What install would be told by hand. */
static gboolean
install (BzContext *context, const BzManifest *manifest, const BzArguments *given,
         const char *directory, const char *name, GError **error)
{
  const char *brand = bz_arguments_string (given, "brand");
  g_autofree char *tree = g_build_filename (directory, BZ_MANIFEST_TREE, NULL);
  BzContext silent = *context;
  char *words[] = { (char *) "--brand", (char *) (brand != NULL ? brand : manifest->brand),
                    (char *) "--abi", (char *) bz_abi_name (manifest->abi),
                    (char *) "--", (char *) name, tree, NULL };
  g_autoptr (BzArguments) arguments =
      bz_arguments_parse (bz_verb_lookup ("install"), words, error);

  silent.quiet = TRUE;
  silent.json = FALSE;
  return arguments != NULL && bz_install_configured (&silent, arguments, directory, error) == 0;
}

int
bz_verb_attach (BzContext *context, const BzArguments *arguments, GError **error)
{
  g_autofree char *directory = bz_path_absolute (bz_arguments_word (arguments, 0));
  const char *given = bz_arguments_word (arguments, 1);
  g_autoptr (BzManifest) manifest = bz_manifest_read (directory, error);
  gboolean fatal, dry = bz_arguments_flag (arguments, "dry-run");
  const char *name = given != NULL || manifest == NULL ? given : manifest->name;

  if (manifest == NULL || !bz_name_check (name, error))
    return -1;
  g_autoptr (GPtrArray) lacks =
      bz_manifest_lacks (context, arguments, directory, manifest, &fatal, error);
  if (lacks == NULL)
    return -1;
  if (dry || lacks->len > 0 || context->json)
    report (context, name, manifest, lacks, !fatal);
  if (dry)
    return fatal ? BZ_ERROR_HOST : 0;
  if (!bz_manifest_check_tree (directory, manifest, error)
      || !install (context, manifest, arguments, directory, name, error))
    return -1;
  if (!context->quiet && !context->json)
    printf ("%s: attached; %s can go\n", name, directory);
  return 0;
}
