/* install */
#include "config.h"

#include "brand/base/error.h"
#include "installer/download.h"
#include "installer/installer.h"
#include "installer/report.h"
#include "zone/base.h"
#include "zone/dirs.h"
#include "zone/ids.h"
#include "zone/installed.h"
#include "zone/manifest.h"
#include "zone/named-source.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/from-ssh.h"
#include "zone/p2v.h"
#include "zone/planning.h"
#include "zone/prepare.h"
#include "zone/program.h"
#include "zone/registry.h"
#include "zone/second-stage.h"
#include "zone/verbs.h"
#include "zone/zone-keys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  BzContext *context;
  const BzArguments *arguments;
  BzZoneState *state;
  BzDetection *detection; /* may stay NULL where --brand and --abi are given */
  BzInstallResult *result;
  BzMeter *meter;
  GPtrArray *notices; /* of the second stage */
  const char *detached;  /* the directory of a zone that comes from elsewhere, or NULL */
  const char *source;
  GPtrArray *left;    /* of a machine: what does not come along; else NULL */
  gboolean ran;       /* something of the source was run: it may not do the same twice */
  BzBaseFound found;  /* of another zone (base.h) */
  gboolean shared;    /* the tree is that one's */
  char *tree;         /* where all of it lies */
} Install;

static void
show_progress (const BzProgress *progress, gpointer data)
{
  const Install *install = data;

  bz_meter_update (install->meter, progress->done, progress->total, progress->files);
}

static const char *
article (const char *kind)
{
  return strchr ("aeioAEIO", kind[0]) != NULL ? "an" : "a";
}

/* What the source is, before anything is done with it. */
static void
show_recognised (const BzSourceInfo *source, gpointer data)
{
  const Install *install = data;
  g_autofree char *safe = bz_text_safe (source->kind);
  g_autofree char *amount = bz_bytes_format (source->bytes);

  bz_meter_recognised (install->meter, source->kind, source->bytes);
  if (install->context->quiet || install->context->json)
    return;
  printf ("%s: the source is %s %s%s%s\n", install->state->name, article (safe), safe,
          source->bytes > 0 ? " of " : "", source->bytes > 0 ? amount : "");
  fflush (stdout);
}

static void
show_printed (const Install *install, const char *what_for, int fd)
{
  char text[4096];
  gssize size = pread (fd, text, sizeof text - 1, 0);

  if (!install->context->verbose || size <= 0)
    return;
  text[size] = '\0';
  g_auto (GStrv) lines = g_strsplit (g_strchomp (text), "\n", 20);
  for (char **line = lines; *line != NULL; line++)
    bz_context_detail (install->context, "%s says: %s", what_for, *line);
}

/* Why the shell of the packages can't be run, in the words that run has for it. */
static void
explain (const BzPrepared *prepared, GError **error)
{
  g_auto (BzProgram) program = { 0 };
  const BzCommand *command = prepared->partition->command;

  bz_program_look (prepared->planning->tree_fd, command->argv[0], bz_command_path (command),
                   &program);
  bz_program_explain_error (&program, prepared->planning->host, error);
}

/* In a child, which ends the zone when we are killed; what the program prints goes to a file. */
static void G_GNUC_NORETURN
live (const BzPrepared *prepared, int printed, int failure)
{
  g_autoptr (GError) error = NULL;
  int nothing = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  BzEnd end = { 0 };

  prctl (PR_SET_PDEATHSIG, SIGTERM);
  dup2 (nothing, STDIN_FILENO);
  dup2 (printed, STDOUT_FILENO);
  dup2 (printed, STDERR_FILENO);
  if (bz_loader_run (prepared->partition, NULL, NULL, &end, &error))
    _exit (bz_end_exit_status (&end));
  g_autofree char *line = bz_report_error_line (error);
  dprintf (failure, "%s", line);
  _exit (1);
}

/* Waits for the end of the child; *line: its error, or NULL. Ends the zone at an interrupt, which the caller
 * holds back and which stays pending. */
static gboolean
wait_for_zone (const BzPrepared *prepared, int failure, char **line)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean interrupted = FALSE;
  sigset_t pending;
  char block[4096];

  for (;;)
    {
      struct pollfd polled = { failure, POLLIN, 0 };
      gssize size;

      if (poll (&polled, 1, 200) <= 0)
        {
          if (!interrupted && sigpending (&pending) == 0
              && (sigismember (&pending, SIGINT) || sigismember (&pending, SIGTERM)))
            {
              interrupted = TRUE;
              bz_loader_stop (prepared->partition->run_dir, 0, NULL);
            }
          continue;
        }
      size = read (failure, block, sizeof block);
      if (size < 0 && errno == EINTR)
        continue;
      if (size <= 0)
        break;
      g_string_append_len (text, block, size);
    }
  *line = text->len > 0 ? g_strdup (g_strchomp (text->str)) : NULL;
  return !interrupted;
}

static gboolean
run_zone (const BzPrepared *prepared, int printed, int *exit_status, GError **error)
{
  g_autofree char *line = NULL;
  int failure[2], status = 0;
  gboolean finished;

  if (pipe2 (failure, O_CLOEXEC) < 0)
    return bz_fail_errno (error, errno, NULL, "starting a zone");
  fflush (NULL);
  pid_t child = fork ();
  if (child == 0)
    live (prepared, printed, failure[1]);
  close (failure[1]);
  if (child < 0)
    {
      close (failure[0]);
      return bz_fail_errno (error, errno, NULL, "starting a zone");
    }
  finished = wait_for_zone (prepared, failure[0], &line);
  close (failure[0]);
  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    ;
  if (!finished)
    return bz_fail (error, BZ_ERROR_INTERRUPTED, "interrupted", NULL, "running a script");
  if (line != NULL)
    {
      bz_report_error_parse (line, error);
      return FALSE;
    }
  *exit_status = WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
  return TRUE;
}

/* A script of a package, in a zone of the tree that grows. */
static gboolean
run_for_installer (const BzInstallRun *run, int *exit_status, gpointer data, GError **error)
{
  Install *install = data;
  BzContext quietly = *install->context; /* what is to be said of the tree is said at the end */
  quietly.quiet = TRUE;
  g_autoptr (BzPrepared) prepared =
      bz_prepare_unfinished (&quietly, install->arguments, install->state, run->tree,
                             (const char *const *) run->argv, error);
  int printed;
  gboolean ran;

  install->ran = TRUE;
  if (prepared == NULL)
    return FALSE;
  printed = memfd_create ("printed", MFD_CLOEXEC);
  if (printed < 0)
    return bz_fail_errno (error, errno, NULL, "running %s", run->argv[0]);
  g_free (prepared->partition->command->directory);
  prepared->partition->command->directory = g_strdup (run->directory);
  ran = run_zone (prepared, printed, exit_status, error);
  show_printed (install, run->what_for, printed);
  close (printed);
  bz_prepared_finish (prepared, install->context);
  if (!ran)
    explain (prepared, error);
  return ran;
}

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

static BzMeterKind
meter_kind (const BzContext *context, const BzArguments *arguments)
{
  const char *given = bz_arguments_string (arguments, "progress");

  if (g_strcmp0 (given, "json") == 0)
    return BZ_METER_JSON;
  if (g_strcmp0 (given, "none") == 0 || context->quiet || context->json || !isatty (STDERR_FILENO))
    return BZ_METER_NONE;
  return BZ_METER_TERMINAL;
}

/* Ids for the new zone, written into its record before anybody else can choose the same. */
static gboolean
begin_root (Install *install, GError **error)
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
begin_user (Install *install, GError **error)
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

static const char *const managers[] = { "rpm", "deb" };

/* What a repository will turn out to be is found by the installer: "rpm:bash" is a name for one
 * kind. */
static void
add_names (GPtrArray *names, const char *manager, char **more)
{
  for (; more != NULL && *more != NULL; more++)
    g_ptr_array_add (names, g_strdup_printf ("%s:%s", manager, *more));
}

typedef struct {
  BzPackageData *data[G_N_ELEMENTS (managers)];
  GPtrArray *wanted, *seed, *keys; /* NULL at the end */
} Packages;

static void
packages_clear (Packages *packages)
{
  for (gsize i = 0; i < G_N_ELEMENTS (managers); i++)
    bz_package_data_free (packages->data[i]);
  g_clear_pointer (&packages->wanted, g_ptr_array_unref);
  g_clear_pointer (&packages->seed, g_ptr_array_unref);
  g_clear_pointer (&packages->keys, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Packages, packages_clear)

/* The profile is minimal unless packages are named. */
static gboolean
read_packages (const BzArguments *arguments, Packages *packages, GError **error)
{
  const char *profile = bz_arguments_string (arguments, "profile");
  g_autofree const char **given = bz_arguments_list (arguments, "packages");

  packages->wanted = g_ptr_array_new_with_free_func (g_free);
  packages->seed = g_ptr_array_new_with_free_func (g_free);
  if (profile == NULL && given[0] == NULL)
    profile = "minimal";
  for (gsize i = 0; i < G_N_ELEMENTS (managers); i++)
    {
      packages->data[i] = bz_package_data_read (managers[i], profile, error);
      if (packages->data[i] == NULL)
        return FALSE;
      add_names (packages->wanted, managers[i], packages->data[i]->profile);
      add_names (packages->seed, managers[i], packages->data[i]->seed);
      for (const char **list = given; *list != NULL; list++)
        {
          g_auto (GStrv) names = g_strsplit (*list, ",", -1);
          add_names (packages->wanted, managers[i], names);
        }
    }
  g_autofree const char **keys = bz_arguments_list (arguments, "key");
  packages->keys = g_ptr_array_new_with_free_func (g_free);
  for (const char **key = keys; *key != NULL; key++)
    g_ptr_array_add (packages->keys, bz_package_key_find (*key));
  g_ptr_array_add (packages->keys, NULL);
  g_ptr_array_add (packages->wanted, NULL);
  g_ptr_array_add (packages->seed, NULL);
  return TRUE;
}

static const char *
package_arch (const BzArguments *arguments)
{
  const char *abi = bz_arguments_string (arguments, "abi");

  return abi == NULL ? NULL : strcmp (abi, "i386") == 0 ? "i686" : abi;
}

/* What was unpacked of a repository is a seed: its package manager does the rest in the zone. */
static gboolean
finish_packages (Install *install, const char *place, const Packages *packages, GError **error)
{
  const BzPackageData *data = NULL;
  g_autoptr (BzMeter) meter = NULL;

  if (install->result->stage == NULL)
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (managers); i++)
    if (strcmp (managers[i], install->result->stage) == 0)
      data = packages->data[i];
  if (data == NULL)
    return bz_fail (error, BZ_ERROR_FAILED, "it is not known", NULL, "package manager %s",
                    install->result->stage);
  meter = bz_meter_new (meter_kind (install->context, install->arguments), install->state->name);
  install->notices = g_ptr_array_new_with_free_func (g_free);
  return bz_second_stage (install->context, install->arguments, install->state, place, data,
                          install->result->packages, meter, install->notices, error);
}

static gboolean
unpack (Install *install, const char *source, GError **error)
{
  g_auto (Packages) packages = { 0 };
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
    .progress = show_progress,
    .recognised = show_recognised,
    .run = run_for_installer,
    .data = install,
    .suite = bz_arguments_string (install->arguments, "suite"),
    .arch = package_arch (install->arguments),
    .allow_expired_key = bz_arguments_flag (install->arguments, "allow-expired-key"),
  };

  if (!read_packages (install->arguments, &packages, error)
      || !limits (install->arguments, &options.max_size, &options.max_files, error))
    return FALSE;
  options.wanted = (const char *const *) packages.wanted->pdata;
  options.seed = (const char *const *) packages.seed->pdata;
  options.keys = packages.keys->pdata[0] == NULL ? NULL : (const char *const *) packages.keys->pdata;

  if (root && install->state->id_storage == BZ_IDS_SHIFTED)
    options.id_shift = g_array_index (install->state->uids, BzIdRange, 0).outside;
  install->meter = bz_meter_new (meter_kind (install->context, install->arguments), install->state->name);
  install->result = bz_installer_run (&options, error);
  g_clear_pointer (&install->meter, bz_meter_free);
  if (install->result == NULL)
    return FALSE;
  install->state->kind = g_strdup (install->result->source.kind);
  install->state->files = install->result->files;
  install->state->bytes = install->result->bytes;
  return finish_packages (install, hidden, &packages, error);
}

/* An image of a registry is fetched to a file of ours first. */
/* A running machine's tree comes as a stream, through a pipe with a name. */
static gboolean
unpack_machine (Install *install, const char *host, GError **error)
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
static gboolean
is_machine (const BzArguments *arguments)
{
  return bz_arguments_string (arguments, "from-ssh") != NULL
         || bz_arguments_string (arguments, "from-disk") != NULL;
}

static gboolean
look_at_machine (Install *install, GError **error)
{
  g_autofree char *hidden =
      bz_dirs_hidden (install->context->dirs, install->state->name, "installing");
  g_autofree char *tree = g_build_filename (hidden, "root", NULL);

  if (!is_machine (install->arguments))
    return TRUE;
  int fd = bz_tree_open (tree, error);
  if (fd < 0)
    return FALSE;
  install->left = bz_p2v (fd, bz_arguments_flag (install->arguments, "unconfigure"), error);
  close (fd);
  return install->left != NULL;
}

static void
tell_left (const Install *install)
{
  for (guint i = 0; install->left != NULL && i < install->left->len; i++)
    {
      const BzLeftBehind *item = install->left->pdata[i];
      g_autofree char *example = item->example == NULL ? NULL : bz_text_safe (item->example);
      g_autofree char *file = bz_text_safe (item->file);

      printf ("%s: %s: %s", install->state->name, file, item->says);
      if (item->lines == 1)
        printf (" (%s)", example);
      else if (item->lines > 1)
        printf (" (%u lines, the first: %s)", item->lines, example);
      printf ("%s%s\n", item->done != NULL ? "; " : "", item->done != NULL ? item->done : "");
    }
}

static void
left_json (JsonBuilder *builder, const GPtrArray *left)
{
  if (left == NULL)
    return;
  json_builder_set_member_name (builder, "left_behind");
  json_builder_begin_array (builder);
  for (guint i = 0; i < left->len; i++)
    {
      const BzLeftBehind *item = left->pdata[i];
      json_builder_begin_object (builder);
      bz_json_text (builder, "check", item->check);
      bz_json_text (builder, "file", item->file);
      bz_json_text (builder, "says", item->says);
      bz_json_number (builder, "lines", item->lines);
      bz_json_text (builder, "example", item->example);
      bz_json_text (builder, "done", item->done);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static gboolean
get_and_unpack (Install *install, const char *source, GError **error)
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

/* --- trees that other zones have --- */

typedef enum { SHARE_AUTO, SHARE_YES, SHARE_NO } Share;

static gboolean
share_option (const BzArguments *arguments, Share *share, GError **error)
{
  static const char *const words[] = { "auto", "yes", "no", NULL };
  const char *given = bz_arguments_string (arguments, "share");

  *share = SHARE_AUTO;
  for (guint i = 0; given != NULL && words[i] != NULL; i++)
    if (g_str_equal (given, words[i]))
      {
        *share = (Share) i;
        return TRUE;
      }
  return given == NULL
         || bz_fail (error, BZ_ERROR_USAGE, "it is auto, yes or no", NULL,
                     "brandzone install: --share");
}

/* What makes another tree of the same source: the version of who unpacks it, what is chosen of it,
 * and the ids that it has on disk. Owned by the caller. */
static char *
tree_options (const Install *install)
{
  const BzZoneState *state = install->state;
  const char *abi = bz_arguments_string (install->arguments, "abi");
  GString *text = g_string_new (PACKAGE_VERSION);

  g_string_append_printf (text, " %s", abi != NULL ? abi : "any");
  if (geteuid () == 0 && state->id_storage == BZ_IDS_MOUNT)
    g_string_append (text, " own-ids");
  else
    for (guint i = 0; i < state->uids->len; i++)
      {
        const BzIdRange *uid = &g_array_index (state->uids, BzIdRange, i);
        g_string_append_printf (text, " %u:%u:%u", uid->inside, uid->outside, uid->count);
      }
  return g_string_free (text, FALSE);
}

static void
begin_base (Install *install, const char *source)
{
  g_autofree char *options = tree_options (install);

  if (!is_machine (install->arguments) && !bz_registry_is (source)
      && !bz_arguments_flag (install->arguments, "keep-partial"))
    install->state->base = bz_base_of_source (source, options);
}

static void
tell_shared (Install *install)
{
  const BzZoneState *from = install->found.state;
  BzZoneState *state = install->state;

  install->shared = TRUE;
  install->result = g_new0 (BzInstallResult, 1);
  install->result->notices = g_new0 (char *, 1);
  state->kind = g_strdup (from->kind);
  state->files = from->files;
  state->bytes = from->bytes;
  state->base->begun = from->base->begun;
  state->base->made = from->base->made;
  if (!install->context->quiet && !install->context->json)
    printf ("%s: the source is %s %s, which is here already\n", state->name, article (state->kind),
            state->kind);
}

/* A plain user's overlay can't rename directories (FAILURES P2): nobody gets one unasked. */
static gboolean
may_overlay (const Install *install, Share share)
{
  g_autoptr (BzHost) host = bz_context_host (install->context, install->arguments, NULL);

  return host != NULL && host->has[BZ_FEATURE_OVERLAY] && (share == SHARE_YES || geteuid () == 0);
}

/* A descriptor to close when the record is written; -1: the tree has to be unpacked. */
static int
try_to_share (Install *install, const char *source, Share share)
{
  g_autoptr (GError) problem = NULL;
  BzZoneState *state = install->state;

  begin_base (install, source);
  if (share == SHARE_NO || state->base == NULL
      || !bz_base_find (install->context->dirs, state->base, source, &install->found))
    return -1;
  int guard = bz_base_share (install->context->dirs, state, &install->found,
                             may_overlay (install, share), &install->tree, &problem);
  if (guard >= 0)
    {
      tell_shared (install);
      return guard;
    }
  if (problem != NULL)
    bz_context_note (install->context, "the tree of another zone is not shared: %s",
                     problem->message);
  bz_storage_adopt (state, NULL, NULL);
  return -1;
}

/* From now on a change of the tree has a later time than its installation. */
static void
end_base (Install *install)
{
  if (install->shared || install->state->base == NULL)
    return;
  if (install->ran || install->result->stage != NULL)
    g_clear_pointer (&install->state->base, bz_base_free);
  else
    bz_base_made (install->state->base);
}

/* The second of its source, while the first has changed; or the first, if that is wanted. */
static void
make_base (Install *install, Share share)
{
  g_autoptr (GError) problem = NULL;
  const BzZoneState *state = install->state;
  g_autofree char *tree = bz_storage_tree (install->context->dirs, state);
  gboolean wanted = share == SHARE_YES || (share == SHARE_AUTO && install->found.other);
  BzCopyWay way;

  if (install->shared || state->base == NULL || !wanted
      || (geteuid () == 0 && state->id_storage == BZ_IDS_SHIFTED)
      || !bz_copy_way_choose (BZ_COPY_AUTO, tree, may_overlay (install, share), &way, NULL)
      || way != BZ_COPY_OVERLAY)
    return;
  if (!bz_base_make (install->context->dirs, install->state, &problem))
    bz_context_note (install->context, "others can't share its tree: %s", problem->message);
}

/* The brand of the unpacked tree, unless the user named it. */
static gboolean
find_brand (Install *install, GError **error)
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
take_list (const Install *install, const char *directory, GError **error)
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

static gboolean
share_list (const Install *install, const char *directory, GError **error)
{
  const BzDirs *dirs = install->context->dirs;
  g_autofree char *from = install->found.layer != NULL
                              ? bz_layer_directory (dirs, install->found.layer)
                              : bz_dirs_zone (dirs, install->found.zone);

  return bz_installed_share (from, directory, error);
}

/* The installer has listed what it unpacked: not what came after it. */
static gboolean
list_again (const Install *install, GError **error)
{
  const BzDirs *dirs = install->context->dirs;
  g_autofree char *directory = bz_dirs_hidden (dirs, install->state->name, "installing");

  if (install->result->stage != NULL || install->left != NULL)
    return bz_installed_make (dirs, install->state, error);
  if (install->detached != NULL)
    return bz_installed_copy (install->detached, directory, error);
  return (!install->shared || share_list (install, directory, error))
         && take_list (install, directory, error);
}

static gboolean
complete (Install *install, GError **error)
{
  g_autofree char *zone_file = install->detached == NULL
                                   ? NULL
                                   : g_build_filename (install->detached, BZ_MANIFEST_ZONE, NULL);
  g_autofree char *file = bz_dirs_zone_file (install->context->dirs, install->state->name);

  if (!list_again (install, error)
      || !bz_state_own_zone_file (install->context->dirs, install->state->name, error))
    return FALSE;
  end_base (install);
  return (zone_file != NULL ? bz_zone_file_copy (zone_file, file, error)
                            : bz_zone_file_create (file, install->state->brand, error))
         && bz_state_commit (install->context->dirs, install->state, error);
}

static void
report_json (const Install *install)
{
  JsonBuilder *builder = bz_json_begin ();

  bz_json_text (builder, "name", install->state->name);
  bz_json_text (builder, "brand", install->state->brand);
  bz_json_text (builder, "abi", bz_abi_name (install->state->abi));
  bz_json_texts (builder, "reasons",
                 install->detection != NULL ? (const char *const *) install->detection->reasons
                                            : NULL);
  bz_json_bool (builder, "nearest", install->detection != NULL && install->detection->nearest);
  bz_json_text (builder, "kind", install->state->kind);
  bz_json_number (builder, "files", install->state->files);
  bz_json_number (builder, "bytes", install->state->bytes);
  bz_json_bool (builder, "shared", install->shared);
  bz_json_text (builder, "shared_with", install->shared ? install->found.zone : NULL);
  bz_json_texts (builder, "notices", (const char *const *) install->result->notices);
  left_json (builder, install->left);
  bz_json_end (builder);
}

static void
report (const Install *install)
{
  const BzZoneState *state = install->state;
  gboolean given = bz_arguments_string (install->arguments, "brand") != NULL;

  if (install->context->json)
    {
      report_json (install);
      return;
    }
  for (char **notice = install->result->notices; *notice != NULL; notice++)
    bz_context_note (install->context, "%s", *notice);
  for (guint i = 0; install->notices != NULL && i < install->notices->len; i++)
    bz_context_note (install->context, "%s", (const char *) install->notices->pdata[i]);
  if (!given && install->detection->nearest)
    bz_context_note (install->context,
                     "no brand is made for this tree: %s is the nearest (choose with --brand; see: "
                     "brandzone brands)",
                     state->brand);
  if (install->context->quiet)
    return;

  g_autofree char *amount = bz_bytes_format (state->bytes);
  if (install->shared)
    printf ("%s: %" G_GUINT64_FORMAT " files, %s, shared with %s\n", state->name, state->files, amount,
            install->found.zone != NULL ? install->found.zone : "other zones of this source");
  else
    printf ("%s: %" G_GUINT64_FORMAT " files, %s, from %s %s\n", state->name, state->files, amount,
            article (state->kind), state->kind);
  printf ("%s: brand %s, %s", state->name, state->brand, bz_abi_name (state->abi));
  if (!given && install->detection->reasons[0] != NULL)
    {
      g_autofree char *reasons = g_strjoinv ("; ", install->detection->reasons);
      g_autofree char *safe = bz_text_safe (reasons);
      printf (" (%s)", safe);
    }
  printf ("\n");
  tell_left (install);
  printf ("Run it: brandzone run -it %s\n", state->name);
}

/* What can be wrong is looked at before anything is made. */
static gboolean
check (Install *install, const char *name, const char *source, GError **error)
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
exists (const Install *install, const char *name, GError **error)
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
make (Install *install, const char *source, const sigset_t *held, GError **error)
{
  const BzDirs *dirs = install->context->dirs;
  Share share;

  install->source = source;
  if (exists (install, install->state->name, error)
      || !bz_state_discard (dirs, install->state->name, error))
    return FALSE;
  gboolean begun = share_option (install->arguments, &share, error)
                   && (geteuid () == 0 ? begin_root : begin_user) (install, error);
  int guard = begun ? try_to_share (install, source, share) : -1;
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
    make_base (install, share);
  return done;
}

static void
install_clear (Install *install)
{
  bz_zone_state_free (install->state);
  g_clear_pointer (&install->detection, bz_detection_free);
  g_clear_pointer (&install->result, bz_install_result_free);
  g_clear_pointer (&install->notices, g_ptr_array_unref);
  g_clear_pointer (&install->left, g_ptr_array_unref);
  bz_base_found_clear (&install->found);
  g_free (install->tree);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Install, install_clear)

/* A path is made absolute; the address of a server stays what it is. */
static char *
source_name (const char *given)
{
  if (bz_registry_is (given) || g_str_has_prefix (given, "http://") || g_str_has_prefix (given, "https://"))
    return g_strdup (given);
  if (g_str_has_prefix (given, "file:///"))
    return g_uri_unescape_string (given + strlen ("file://"), NULL);
  return bz_path_absolute (given);
}

/* --- sources by name --- */

/* Where to take it from instead: --mirror, or BRANDZONE_MIRROR. NULL: its own server. */
static const char *
mirror_of (const BzArguments *arguments)
{
  const char *given = bz_arguments_string (arguments, "mirror"), *usual = g_getenv ("BRANDZONE_MIRROR");

  return given != NULL ? given : usual != NULL && *usual != '\0' ? usual : NULL;
}

static void
show_fetched (const BzProgress *progress, gpointer data)
{
  bz_meter_update (data, progress->done, 0, 0);
}

static char *
download (const Install *install, const BzNamedSource *source, GError **error)
{
  g_autofree char *cache = g_build_filename (install->context->dirs->cache, "downloads", NULL);
  g_autoptr (BzMeter) meter =
      bz_meter_new (meter_kind (install->context, install->arguments), source->name);
  g_autofree char *sha256 = NULL;
  const BzDownload wanted = { .url = source->url,
                              .sha256 = source->sha256,
                              .mirror = mirror_of (install->arguments),
                              .cache = cache,
                              .progress = show_fetched,
                              .data = meter };

  char *path = bz_download (&wanted, &sha256, error);
  if (path != NULL && source->sha256 == NULL)
    bz_context_note (install->context, "nothing says whether %s is what it should be: its SHA-256 is %s",
                     source->name, sha256);
  return path;
}

/* From a name to what the installer takes. NULL: error. *shown: where it came from. */
static char *
take_named (const Install *install, const char *name, char **shown, GError **error)
{
  g_autoptr (GPtrArray) all = bz_named_sources_load (error);
  const BzNamedSource *source;
  gboolean has_abi;
  BzAbi abi = BZ_ABI_X86_64;

  bz_abi_option (install->arguments, &has_abi, &abi);
  if (all == NULL || (source = bz_named_source_find (all, name, has_abi, abi, error)) == NULL)
    return NULL;
  *shown = g_strdup_printf ("%s, %s", source->name, source->url);
  if (g_str_equal (source->kind, "repository"))
    {
      const char *mirror = mirror_of (install->arguments);
      return mirror != NULL ? g_build_path ("/", mirror, strstr (source->url, "://") + 3, NULL)
                            : g_strdup (source->url);
    }
  if (source->sha256 == NULL && !bz_arguments_flag (install->arguments, "unverified"))
    {
      bz_fail (error, BZ_ERROR_INPUT, source->unverified,
               "to take what its server sends all the same: --unverified", "the source %s", name);
      return NULL;
    }
  return download (install, source, error);
}

/* The second word of install, made what the installer takes. */
static char *
take_source (const Install *install, const char *given, char **shown, GError **error)
{
  const char *host = bz_arguments_string (install->arguments, "from-ssh");
  const char *disk = bz_arguments_string (install->arguments, "from-disk");

  if ((given != NULL) + (host != NULL) + (disk != NULL) != 1)
    {
      bz_fail (error, BZ_ERROR_USAGE,
               given == NULL && host == NULL && disk == NULL ? "no source is named"
                                                             : "more than one source is named",
               "write: brandzone install NAME SOURCE, or --from-ssh USER@HOST, or --from-disk PATH",
               "brandzone install");
      return NULL;
    }
  if (host != NULL || disk != NULL)
    {
      *shown = host != NULL ? g_strconcat ("ssh://", host, NULL) : source_name (disk);
      return g_strdup (*shown);
    }
  if (!bz_named_source_like (given) || bz_registry_is (given) || access (given, F_OK) == 0)
    {
      char *source = source_name (given);
      *shown = g_strdup (source);
      return source;
    }
  return take_named (install, given, shown, error);
}

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
  g_auto (Install) install = { .context = context,
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
    source = take_source (&install, bz_arguments_word (arguments, 1), &shown, error);
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
  report (&install);
  return 0;
}
