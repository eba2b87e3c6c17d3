/* cp: which side is the zone, and as whom the work is done.
 *
 * It is the installed tree that is copied from and to, running or not: what is mounted over it in a
 * running zone (volumes, /proc, /dev, a throw-away copy) is not in it, and is refused by name.
 * A plain user's tree belongs to his subordinate ids: there it is done in a user namespace. */
#include "config.h"

#include "brand/base/error.h"
#include "installer/beneath.h"
#include "loader/message.h"
#include "zone/cp.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/planning.h"
#include "zone/storage.h"
#include "zone/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOCK_WAIT_MS 3000

/* "NAME:/PATH": the path; NULL when the word is a path of the host. *name is owned by the caller.
 */
static const char *
zone_path (const char *word, char **name)
{
  const char *colon = strchr (word, ':');
  g_autofree char *before = colon != NULL ? g_strndup (word, colon - word) : NULL;

  if (colon == NULL || colon[1] != '/' || !bz_name_valid (before))
    return NULL;
  *name = g_steal_pointer (&before);
  return colon + 1;
}

static gboolean
is_below (const char *path, const char *directory)
{
  gsize length = strlen (directory);

  return strncmp (path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static gboolean
not_of_the_tree (const char *name, const char *path, const char *place, GError **error)
{
  g_autofree char *safe = bz_text_safe (path);
  g_autofree char *why =
      g_strdup_printf ("in the zone something is mounted on %s, which is not in its tree", place);

  return bz_fail (error, BZ_ERROR_STATE, why, "copy the mount's source, or use brandzone exec",
                  "%s:%s", name, safe);
}

/* Places that are mounts in every zone, and those that the zone file names. */
static gboolean
check_mounts (const char *name, const char *path, const char *resolved, const BzZoneFile *file,
              GError **error)
{
  static const char *const always[] = { "/proc", "/sys", "/dev" };

  for (guint i = 0; i < G_N_ELEMENTS (always); i++)
    {
      if (is_below (resolved, always[i]))
        return not_of_the_tree (name, path, always[i], error);
    }
  for (guint i = 0; i < file->mounts->len; i++)
    {
      const BzZoneMount *mount = g_ptr_array_index (file->mounts, i);
      if (is_below (resolved, mount->target))
        return not_of_the_tree (name, path, mount->target, error);
    }
  for (char **one = file->volumes; *one != NULL; one++)
    {
      g_autofree char *source = NULL;
      g_autofree char *target = NULL;
      gboolean read_only;

      if (bz_volume_parse (*one, &source, &target, &read_only, NULL) && is_below (resolved, target))
        return not_of_the_tree (name, path, target, error);
    }
  return TRUE;
}

/* Of a line of mountinfo. A throw-away copy has the tree itself below it. */
static gboolean
is_throw_away (const char *line, const BzZoneState *state)
{
  const char *overlay = strstr (line, " - overlay "), *option = strstr (line, ",lowerdir=");
  guint lowers = 1;

  if (overlay == NULL || option == NULL)
    return overlay != NULL;
  for (const char *at = option + 1; *at != '\0' && *at != ','; at++)
    if (*at == ':')
      lowers++;
  return lowers != state->layers->len;
}

/* A running zone's own mounts, as far as the caller may see them: volumes of run -v, and whether
 * its root is a throw-away copy. */
static gboolean
check_running (const BzContext *context, const BzZoneState *state, gboolean write, const char *path,
               const char *resolved, GError **error)
{
  const char *name = state->name;
  BzZoneInfo info = { 0 };
  char line[8192], place[4096];

  if (bz_state_condition (context->dirs, name, &info) != BZ_ZONE_RUNNING || info.init <= 0)
    return TRUE;
  if (write && bz_storage_is_layered (state))
    return bz_fail (error, BZ_ERROR_STATE, "it is running, and its tree lies on layers",
                    "stop it, or use brandzone exec -i", "writing into zone %s", name);
  g_autofree char *mounts = g_strdup_printf ("/proc/%d/mountinfo", (int) info.init);
  FILE *stream = fopen (mounts, "re");
  gboolean good = TRUE;
  while (good && stream != NULL && fgets (line, sizeof line, stream) != NULL)
    {
      if (sscanf (line, "%*s %*s %*s %*s %4095s", place) != 1)
        continue;
      g_autofree char *plain = g_strcompress (place); /* \040 is a space */
      if (g_str_equal (plain, "/"))
        good = !is_throw_away (line, state)
               || bz_fail (error, BZ_ERROR_STATE, "it runs on a throw-away copy of its tree",
                           "use brandzone exec, with a volume", "zone %s", name);
      else if (is_below (resolved, plain))
        good = not_of_the_tree (name, path, plain, error);
    }
  if (stream != NULL)
    fclose (stream);
  return good;
}

/* What `path` is inside the tree, links followed as far as there is something. Owned by the caller.
 */
static char *
resolve (int root, const char *tree, const char *path)
{
  g_autofree char *left = g_canonicalize_filename (path, "/");

  for (;;)
    {
      int fd = bz_beneath_open (root, left, O_PATH, 0, BZ_BENEATH_AS_ROOT);
      if (fd >= 0)
        {
          g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
          g_autofree char *whole = g_file_read_link (link, NULL);
          close (fd);
          if (whole == NULL || !is_below (whole, tree))
            return g_strdup (left);
          const char *inner = whole + strlen (tree);
          return g_strdup (*inner != '\0' ? inner : "/");
        }
      if (g_str_equal (left, "/"))
        return g_strdup ("/");
      char *parent = g_path_get_dirname (left);
      g_free (left);
      left = parent;
    }
}

typedef struct {
  BzCopy copy;
  int socket;
} Inside;

static int
copy_inside (gpointer data)
{
  Inside *inside = data;
  g_autoptr (GError) error = NULL;

  if (!bz_copy (&inside->copy, &error))
    {
      bz_message_send_error (inside->socket, error, NULL);
      return 1;
    }
  GVariantDict body;
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "files", "t", inside->copy.files);
  g_variant_dict_insert (&body, "bytes", "t", inside->copy.bytes);
  g_variant_dict_insert (&body, "left-out", "u", inside->copy.left_out);
  return bz_message_send (inside->socket, "copied", g_variant_dict_end (&body), NULL, 0, NULL) ? 0
                                                                                               : 1;
}

static gboolean
run_inside (BzCopy *copy, const BzZoneState *state, GError **error)
{
  Inside inside = { .copy = *copy };
  g_autoptr (BzMessage) answer = NULL;
  int pair[2], status = 0;

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make a socket pair");
  inside.socket = pair[1];
  gboolean ran = bz_userns_run (state->uids, state->gids, copy_inside, &inside, &status, error);
  close (pair[1]);
  if (ran)
    answer = bz_message_receive (pair[0], NULL, error);
  close (pair[0]);
  if (answer == NULL || !bz_message_check (answer, error))
    return FALSE;
  g_variant_dict_lookup (answer->body, "files", "t", &copy->files);
  g_variant_dict_lookup (answer->body, "bytes", "t", &copy->bytes);
  g_variant_dict_lookup (answer->body, "left-out", "u", &copy->left_out);
  return TRUE;
}

static gboolean
do_copy (BzCopy *copy, const BzZoneState *state, GError **error)
{
  if (geteuid () != 0 && state->uids->len > 0)
    return run_inside (copy, state, error);
  /* Into a tree of root's zones that is stored with shifted ids. */
  if (geteuid () == 0 && copy->to.root >= 0)
    {
      gboolean shifted = state->id_storage == BZ_IDS_SHIFTED && state->uids->len > 0;
      copy->uid = shifted ? g_array_index (state->uids, BzIdRange, 0).outside : 0;
      copy->gid = shifted ? g_array_index (state->gids, BzIdRange, 0).outside : 0;
    }
  return bz_copy (copy, error);
}

static void
report (const BzContext *context, const BzCopy *copy)
{
  if (copy->left_out > 0)
    bz_context_note (context, "%u left out: sockets, FIFOs and devices are not copied",
                     copy->left_out);
  if (context->json)
    {
      JsonBuilder *builder = bz_json_begin ();
      bz_json_number (builder, "files", (gint64) copy->files);
      bz_json_number (builder, "bytes", (gint64) copy->bytes);
      bz_json_number (builder, "left_out", copy->left_out);
      bz_json_end (builder);
    }
  bz_context_detail (context, "%" G_GUINT64_FORMAT " files, %" G_GUINT64_FORMAT " bytes",
                     copy->files, copy->bytes);
}

/* Nobody else may write to a tree in layers meanwhile: the zone must not start. *lock: to be closed
 * after the tree, or -1. */
static int
open_tree_of (const BzContext *context, const BzZoneState *state, gboolean write, int *lock,
              GError **error)
{
  gboolean alone = write && bz_storage_is_layered (state)
                   && bz_state_condition (context->dirs, state->name, NULL) != BZ_ZONE_RUNNING;

  *lock = -1;
  if (alone && (*lock = bz_state_lock (context->dirs, state->name, LOCK_WAIT_MS, error)) < 0)
    return -1;
  int root = bz_storage_open (context->dirs, state, alone, error);
  if (root < 0 && *lock >= 0)
    close (*lock);
  return root;
}

int
bz_verb_cp (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *source = bz_arguments_word (arguments, 0), *target = bz_arguments_word (arguments, 1);
  g_autofree char *name = NULL;
  g_autofree char *other = NULL;
  const char *from = zone_path (source, &name), *to = zone_path (target, from ? &other : &name);

  if ((from == NULL) == (to == NULL))
    {
      bz_fail (error, BZ_ERROR_USAGE,
               from == NULL ? "neither side is a zone" : "both sides are zones",
               from == NULL ? "write ZONE:/PATH for the zone's side"
                            : "copy to the host in between",
               "brandzone cp");
      return -1;
    }
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, error);
  g_autofree char *path = bz_dirs_zone_file (context->dirs, name);
  g_autoptr (BzZoneFile) file = state != NULL ? bz_zone_file_load (path, error) : NULL;
  if (file == NULL)
    return -1;
  int lock = -1, root = open_tree_of (context, state, to != NULL, &lock, error);
  if (root < 0)
    return -1;
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", root);
  g_autofree char *tree = g_file_read_link (link, NULL);
  BzCopy copy = { .from = { from != NULL ? root : -1, from != NULL ? from : source },
                  .to = { to != NULL ? root : -1, to != NULL ? to : target },
                  .uid = (uid_t) -1,
                  .gid = (gid_t) -1 };
  g_autofree char *resolved = resolve (root, tree != NULL && !g_str_equal (tree, "/") ? tree : "", from != NULL ? from : to);
  gboolean done = check_mounts (name, from != NULL ? from : to, resolved, file, error)
                  && check_running (context, state, to != NULL, from != NULL ? from : to, resolved,
                                     error)
                  && do_copy (&copy, state, error);
  close (root);
  if (lock >= 0)
    close (lock);
  if (!done)
    return -1;
  report (context, &copy);
  return 0;
}
