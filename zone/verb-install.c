/* install */
#include "config.h"

#include "zone/install-work.h"

#include "brand/base/error.h"
#include "zone/from-ssh.h"
#include "zone/ids.h"
#include "zone/installed.h"
#include "zone/manifest.h"
#include "zone/names.h"
#include "zone/p2v.h"
#include "zone/planning.h"
#include "zone/registry.h"
#include "zone/second-stage.h"
#include "zone/zone-keys.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The limits that the user sets; 0: the usual ones. */
static gboolean
limits (const BzArguments *arguments, guint64 *max_size, guint64 *max_files, GError **error)
{
  const char *size = bz_arguments_string (arguments, "max-size");
  const char *files = bz_arguments_string (arguments, "max-files");
  const char *why = size == NULL ? NULL : bz_take_bytes (max_size, size);

  if (why != NULL)
    return bz_fail (error, BZ_ERROR_USAGE, why, "write --max-size 20G", "brandzone install: --max-size");
  return files == NULL || g_ascii_string_to_unsigned (files, 10, 1, G_MAXINT64, max_files, NULL)
         || bz_fail (error, BZ_ERROR_USAGE, "it is not a number above zero", NULL,
                     "brandzone install: --max-files");
}

/* Ids for the new zone, written into its record before anybody else can choose the same. */
static gboolean
begin_root (BzInstallWork *install, GError **error)
{
  g_autoptr (BzHost) host = bz_context_host (install->context, install->arguments, error);
  BzIdRange range = { 0, 0, BZ_IDS_COUNT };

  if (host == NULL)
    return FALSE;
  int guard = bz_ids_lock (install->context->dirs, error);
  if (guard < 0)
    return FALSE;
  gboolean done = bz_ids_allocate (install->context->dirs, &range.outside, error);
  if (done)
    {
      g_array_append_val (install->state->uids, range);
      g_array_append_val (install->state->gids, range);
      install->state->id_storage =
          host->has[BZ_FEATURE_IDMAPPED_MOUNTS] ? BZ_IDS_MOUNT : BZ_IDS_SHIFTED;
      done = bz_state_begin (install->context->dirs, install->state, error);
    }
  close (guard);
  return done;
}

static gboolean
begin_user (BzInstallWork *install, GError **error)
{
  g_autoptr (BzHost) host = bz_context_host (install->context, install->arguments, error);
  g_autofree char *why = NULL;

  /* A plain user's tree is unpacked inside a user namespace already. */
  if (host == NULL || (!host->has[BZ_FEATURE_USER_NAMESPACES] && !bz_host_check (host, error)))
    return FALSE;
  install->state->id_storage = BZ_IDS_SHIFTED;
  if (!bz_ids_of_user (host, install->state->uids, install->state->gids, &why, error))
    return FALSE;
  if (why != NULL)
    bz_context_note (
        install->context,
        "the zone gets one user id (%s): chown, su and daemons with users of their own fail in it",
        why);
  return bz_state_begin (install->context->dirs, install->state, error);
}

static gboolean
unpack (BzInstallWork *install, const char *source, GError **error)
{
  g_auto (BzInstallPackages) packages = { 0 };
  g_autofree char *hidden =
      bz_dirs_hidden (install->context->dirs, install->state->name, "installing");
  g_autofree char *target = g_build_filename (hidden, "root", NULL);
  gboolean root = geteuid () == 0;
  BzInstallOptions options = {
    .source = source,
    .target = target,
    .keep_partial = bz_arguments_flag (install->arguments, "keep-partial"),
    .uids = root ? NULL : install->state->uids,
    .gids = root ? NULL : install->state->gids,
    .list = BZ_INSTALLED,
    .progress = bz_install_show_progress,
    .recognised = bz_install_show_recognised,
    .run = bz_install_run,
    .data = install,
    .suite = bz_arguments_string (install->arguments, "suite"),
    .arch = bz_install_packages_arch (install->arguments),
    .allow_expired_key = bz_arguments_flag (install->arguments, "allow-expired-key"),
  };

  if (!bz_install_packages_read (install->arguments, &packages, error)
      || !limits (install->arguments, &options.max_size, &options.max_files, error))
    return FALSE;
  options.wanted = (const char *const *) packages.wanted->pdata;
  options.seed = (const char *const *) packages.seed->pdata;
  options.keys = packages.keys->pdata[0] == NULL ? NULL : (const char *const *) packages.keys->pdata;

  if (root && install->state->id_storage == BZ_IDS_SHIFTED)
    options.id_shift = g_array_index (install->state->uids, BzIdRange, 0).outside;
  install->meter = bz_meter_new (bz_install_meter_kind (install->context, install->arguments), install->state->name);
  install->result = bz_installer_run (&options, error);
  g_clear_pointer (&install->meter, bz_meter_free);
  if (install->result == NULL)
    return FALSE;
  install->state->kind = g_strdup (install->result->source.kind);
  install->state->files = install->result->files;
  install->state->bytes = install->result->bytes;
  return bz_install_packages_finish (install, hidden, &packages, error);
}

/* A running machine's tree comes as a stream, through a pipe with a name. */
static gboolean
unpack_machine (BzInstallWork *install, const char *host, GError **error)
{
  g_autofree char *hidden =
      bz_dirs_hidden (install->context->dirs, install->state->name, "installing");
  g_autofree char *fifo = g_build_filename (hidden, "stream", NULL);
  pid_t ssh = 0;

  if (!bz_from_ssh_start (host, bz_arguments_string (install->arguments, "ssh"), fifo, &ssh, error))
    return FALSE;
  gboolean taken = unpack (install, fifo, error);
  gboolean doubts, good = bz_from_ssh_end (ssh, host, taken, &doubts, error);
  unlink (fifo);
  if (good && doubts)
    bz_context_note (install->context, "its tar says that files changed while they were read, or could "
                                       "not be read");
  return good;
}

/* --from-ssh or --from-disk. */
gboolean
bz_install_is_machine (const BzArguments *arguments)
{
  return bz_arguments_string (arguments, "from-ssh") != NULL
         || bz_arguments_string (arguments, "from-disk") != NULL;
}

static gboolean
look_at_machine (BzInstallWork *install, GError **error)
{
  g_autofree char *hidden =
      bz_dirs_hidden (install->context->dirs, install->state->name, "installing");
  g_autofree char *tree = g_build_filename (hidden, "root", NULL);

  if (!bz_install_is_machine (install->arguments))
    return TRUE;
  int fd = bz_tree_open (tree, error);
  if (fd < 0)
    return FALSE;
  install->left = bz_p2v (fd, bz_arguments_flag (install->arguments, "unconfigure"), error);
  close (fd);
  return install->left != NULL;
}

static gboolean
get_and_unpack (BzInstallWork *install, const char *source, GError **error)
{
  const char *host = bz_arguments_string (install->arguments, "from-ssh");

  if (host != NULL)
    return unpack_machine (install, host, error);
  const BzContext *context = install->context;
  gboolean i386 = g_strcmp0 (bz_arguments_string (install->arguments, "abi"), "i386") == 0;

  if (!bz_registry_is (source))
    return unpack (install, source, error);

  g_autofree char *hidden = bz_dirs_hidden (context->dirs, install->state->name, "installing");
  g_autofree char *file = g_build_filename (hidden, "image.tar", NULL);
  if (!context->quiet && !context->json)
    {
      g_autofree char *safe = bz_text_safe (source);
      printf ("%s: the source is a container image, fetched by skopeo: %s\n", install->state->name, safe);
      fflush (stdout);
    }
  gboolean done = bz_registry_fetch (context, source, i386, file, error) && unpack (install, file, error);
  unlink (file);
  return done;
}

/* The brand of the unpacked tree, unless the user named it. */
static gboolean
find_brand (BzInstallWork *install, GError **error)
{
  const char *brand = bz_arguments_string (install->arguments, "brand");
  g_autofree char *hidden =
      bz_dirs_hidden (install->context->dirs, install->state->name, "installing");
  g_autofree char *tree = install->tree != NULL ? g_strdup (install->tree)
                                                : g_build_filename (hidden, "root", NULL);
  gboolean has_abi, decided;

  bz_abi_option (install->arguments, &has_abi, &install->state->abi);
  decided = brand != NULL && has_abi;
  int fd = bz_tree_open (tree, error);
  if (fd < 0)
    return FALSE;
  install->detection = bz_detect (fd, NULL, decided ? NULL : error);
  close (fd);
  if (install->detection == NULL && !decided)
    return FALSE;
  if (install->detection != NULL && !has_abi)
    {
      if (!bz_detection_check (install->detection, install->state->source,
                               error))
        return FALSE;
      install->state->abi = install->detection->abi;
    }
  install->state->brand = g_strdup (brand != NULL ? brand : install->detection->brand);
  return TRUE;
}

/* The source may have been exported: what was installed is what it was then. */
static gboolean
take_list (const BzInstallWork *install, const char *directory, GError **error)
{
  gboolean other;

  if (!bz_installed_take (install->source, directory, &other, error))
    return FALSE;
  if (other)
    bz_context_note (install->context,
                     "the list of what was installed that lies beside the source is not this archive's: "
                     "it is not taken");
  return TRUE;
}

/* The installer has listed what it unpacked: not what came after it. */
static gboolean
list_again (const BzInstallWork *install, GError **error)
{
  const BzDirs *dirs = install->context->dirs;
  g_autofree char *directory = bz_dirs_hidden (dirs, install->state->name, "installing");

  if (install->result->stage != NULL || install->left != NULL)
    return bz_installed_make (dirs, install->state, error);
  if (install->detached != NULL)
    return bz_installed_copy (install->detached, directory, error);
  return (!install->shared || bz_install_share_list (install, directory, error))
         && take_list (install, directory, error);
}

static gboolean
complete (BzInstallWork *install, GError **error)
{
  g_autofree char *zone_file = install->detached == NULL
                                   ? NULL
                                   : g_build_filename (install->detached, BZ_MANIFEST_ZONE, NULL);
  g_autofree char *file = bz_dirs_zone_file (install->context->dirs, install->state->name);

  if (!list_again (install, error)
      || !bz_state_own_zone_file (install->context->dirs, install->state->name, error))
    return FALSE;
  bz_install_base_end (install);
  return (zone_file != NULL ? bz_zone_file_copy (zone_file, file, error)
                            : bz_zone_file_create (file, install->state->brand, error))
         && bz_state_commit (install->context->dirs, install->state, error);
}

/* What can be wrong is looked at before anything is made. */
static gboolean
check (BzInstallWork *install, const char *name, const char *source, GError **error)
{
  const char *brand = bz_arguments_string (install->arguments, "brand");
  g_autofree char *safe = bz_text_safe (source);

  guint64 size, files;

  if (!bz_name_check (name, error) || !limits (install->arguments, &size, &files, error))
    return FALSE;
  if (strstr (source, "://") == NULL && !bz_registry_is (source) && access (source, R_OK) != 0)
    {
      if (errno == ENOENT || errno == ENOTDIR)
        return bz_fail (error, BZ_ERROR_INPUT, "it does not exist",
                        "name a directory, archive, file-system image or container image",
                        "the source %s", safe);
      return bz_fail_errno (error, errno, NULL, "the source %s", safe);
    }
  if (brand == NULL)
    return TRUE;
  g_autoptr (BzBrand) found = bz_brand_load (NULL, brand, error);
  return found != NULL;
}

static gboolean
exists (const BzInstallWork *install, const char *name, GError **error)
{
  g_autofree char *path = bz_dirs_zone (install->context->dirs, name);

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return FALSE;
  bz_fail (error, BZ_ERROR_STATE, "there is a zone of this name already",
           "remove it first, or choose another name", "zone %s", name);
  return TRUE;
}

/* SIGINT and SIGTERM are held back while a zone is made: the installer reads them, and what comes
 * before, after or beside its work is found here. Replaces the error that came of it. */
static gboolean
interrupted (const sigset_t *held, GError **error)
{
  static const struct timespec now = { 0, 0 };
  gboolean found = FALSE;

  while (sigtimedwait (held, NULL, &now) >= 0)
    found = TRUE;
  if (found)
    {
      g_clear_error (error);
      bz_fail (error, BZ_ERROR_INTERRUPTED, "it was interrupted", "nothing of the zone is left",
               "brandzone install");
    }
  return found;
}

static gboolean
make (BzInstallWork *install, const char *source, const sigset_t *held, GError **error)
{
  const BzDirs *dirs = install->context->dirs;
  BzInstallShare share;

  install->source = source;
  if (exists (install, install->state->name, error)
      || !bz_state_discard (dirs, install->state->name, error))
    return FALSE;
  gboolean begun = bz_install_share_option (install->arguments, &share, error)
                   && (geteuid () == 0 ? begin_root : begin_user) (install, error);
  int guard = begun ? bz_install_share (install, source, share) : -1;
  gboolean done = begun && (guard >= 0 || get_and_unpack (install, source, error))
                  && find_brand (install, error) && look_at_machine (install, error)
                  && !interrupted (held, error) && complete (install, error);
  if (!done)
    bz_state_discard (dirs, install->state->name, NULL);
  if (guard >= 0)
    close (guard);
  if (!done)
    interrupted (held, error);
  if (done)
    bz_install_base_make (install, share);
  return done;
}

static void
install_clear (BzInstallWork *install)
{
  bz_zone_state_free (install->state);
  g_clear_pointer (&install->detection, bz_detection_free);
  g_clear_pointer (&install->result, bz_install_result_free);
  g_clear_pointer (&install->notices, g_ptr_array_unref);
  g_clear_pointer (&install->left, g_ptr_array_unref);
  bz_base_found_clear (&install->found);
  g_free (install->tree);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BzInstallWork, install_clear)

int
bz_verb_install (BzContext *context, const BzArguments *arguments, GError **error)
{
  return bz_install_configured (context, arguments, NULL, error);
}

int
bz_install_configured (BzContext *context, const BzArguments *arguments, const char *detached,
                       GError **error)
{
  const char *name = bz_arguments_word (arguments, 0);
  g_auto (BzInstallWork) install = { .context = context,
                               .arguments = arguments,
                               .detached = detached,
                               .found = { .lock = -1 } };
  g_autofree char *source = NULL, *shown = NULL;
  sigset_t held, old;

  sigemptyset (&held);
  sigaddset (&held, SIGINT);
  sigaddset (&held, SIGTERM);
  sigprocmask (SIG_BLOCK, &held, &old);
  if (bz_name_check (name, error) && !exists (&install, name, error))
    source = bz_install_source (&install, bz_arguments_word (arguments, 1), &shown, error);
  if (source == NULL || interrupted (&held, error))
    {
      while (sigtimedwait (&held, NULL, &(struct timespec){ 0, 0 }) >= 0)
        ;
      sigprocmask (SIG_SETMASK, &old, NULL);
      return -1;
    }
  sigprocmask (SIG_SETMASK, &old, NULL);
  if (!check (&install, name, source, error) || !bz_dirs_make (context->dirs->data, error)
      || !bz_dirs_make (context->dirs->config, error))
    return -1;
  bz_state_sweep (context->dirs);
  int lock = bz_state_lock (context->dirs, name, 0, error);
  if (lock < 0)
    return -1;

  install.state = bz_zone_state_new (name);
  install.state->source = g_steal_pointer (&shown);
  install.state->installed = time (NULL);
  sigprocmask (SIG_BLOCK, &held, &old);
  gboolean done = make (&install, source, &held, error);
  sigprocmask (SIG_SETMASK, &old, NULL);
  if (!done)
    bz_state_forget (context->dirs, name);
  close (lock);
  if (!done)
    return -1;
  bz_install_report (&install);
  return 0;
}
