#include "config.h"

#include "loader/shadow/broker.h"

#include "brand/base/error.h"
#include "loader/kernel.h"
#include "loader/shadow/cache.h"
#include "loader/shadow/rewrite.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define ANSWER_SECONDS 15

/* --- the supervisor's side --- */

static void
take_edits (GVariant *edits, BzKnownFile *file)
{
  GVariantIter iter;
  GVariant *before, *after;
  guint64 address;

  file->edits = g_new0 (BzTextEdit, g_variant_n_children (edits));
  g_variant_iter_init (&iter, edits);
  while (g_variant_iter_next (&iter, "(t@ay@ay)", &address, &before, &after))
    {
      BzTextEdit *edit = &file->edits[file->edit_count];
      gsize old_length, new_length;
      gconstpointer old_bytes = g_variant_get_fixed_array (before, &old_length, 1);
      gconstpointer new_bytes = g_variant_get_fixed_array (after, &new_length, 1);

      if (old_length == new_length && old_length > 0 && old_length <= sizeof edit->before)
        {
          edit->address = address;
          edit->length = (guint8) old_length;
          memcpy (edit->before, old_bytes, old_length);
          memcpy (edit->after, new_bytes, new_length);
          file->edit_count++;
        }
      g_variant_unref (before);
      g_variant_unref (after);
    }
}

static int
open_again (int copy)
{
  char path[48];

  g_snprintf (path, sizeof path, "/proc/self/fd/%d", copy);
  return open (path, O_RDONLY | O_CLOEXEC);
}

gboolean
bz_broker_ask (int socket, int copy, const char *name, BzKnownFile *file)
{
  struct timeval limit = { .tv_sec = ANSWER_SECONDS };
  g_autoptr (BzMessage) answer = NULL;
  GVariantDict body;
  int pair[2];

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return FALSE;
  setsockopt (pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  int fds[] = { copy, pair[1] };
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert_value (&body, "name", g_variant_new_bytestring (name));
  gboolean sent = bz_message_send (socket, "image", g_variant_dict_end (&body), fds, 2, NULL);
  close (pair[1]);
  if (sent)
    answer = bz_message_receive (pair[0], NULL, NULL);
  close (pair[0]);
  g_autoptr (GVariant) edits =
      answer != NULL
          ? g_variant_dict_lookup_value (answer->body, "edits", G_VARIANT_TYPE ("a(tayay)"))
          : NULL;
  if (edits == NULL)
    return FALSE;
  g_variant_dict_lookup (answer->body, "refused", "b", &file->refused);
  file->copy = bz_message_take_fd (answer, 0);
  if (file->copy >= 0)
    {
      file->copied = TRUE;
      file->shared = open_again (file->copy);
      take_edits (edits, file);
    }
  return TRUE;
}

/* --- the keeper's side --- */

/* The entry's directory as a detached read-only mount: a descriptor opened below it can't be
 * reopened for writing, by nobody and from nowhere. A plain user may make mounts only inside a user
 * namespace of its own. */
static int
open_read_only (const char *cache_dir, const char *entry, int user_namespace)
{
  g_autofree char *path = g_build_filename (cache_dir, entry, NULL);
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  struct bz_mount_attr attr = { .attr_set = BZ_MOUNT_ATTR_RDONLY | BZ_MOUNT_ATTR_NOSUID
                                            | BZ_MOUNT_ATTR_NODEV };

  if (geteuid () != 0
      && (setns (user_namespace, CLONE_NEWUSER) != 0 || unshare (CLONE_NEWNS) != 0
          || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0))
    return -1;
  int tree = bz_open_tree (AT_FDCWD, directory, BZ_OPEN_TREE_CLONE | O_CLOEXEC);
  if (tree < 0 || bz_mount_setattr (tree, "", AT_EMPTY_PATH, &attr) != 0)
    return -1;
  return openat (tree, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static GVariant *
edits_to_variant (const BzRewrite *rewrite)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(tayay)"));
  for (guint i = 0; i < rewrite->n; i++)
    {
      const BzEdit *edit = &rewrite->edits[i];
      g_variant_builder_add (&builder, "(t@ay@ay)", edit->address,
                             g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, edit->old_bytes,
                                                        edit->length, 1),
                             g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, edit->new_bytes,
                                                        edit->length, 1));
    }
  return g_variant_builder_end (&builder);
}

static gboolean
examine (int copy, const char *name, int reply, const BzPartition *zone, int user_namespace,
         GError **error)
{
  g_autoptr (BzShadowCache) cache = bz_shadow_cache_open (zone->shadow_dir, 0, zone->run_dir, error);
  g_auto (BzRewrite) rewrite = { 0 };
  g_autofree char *entry = NULL;
  GVariantDict body;
  int fd = -1;

  if (cache == NULL || !bz_shadow_cache_get (cache, copy, name, &entry, &rewrite, error))
    return FALSE;
  if (entry != NULL && (fd = open_read_only (zone->shadow_dir, entry, user_namespace)) < 0)
    return bz_fail_errno (error, errno, NULL, "cannot mount the rewritten copy of %s", name);
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert_value (&body, "edits", edits_to_variant (&rewrite));
  g_variant_dict_insert (&body, "refused", "b", rewrite.n_refused > 0);
  g_autofree char *shown = g_strescape (name, NULL); /* the zone has chosen it */
  for (guint i = 0; i < rewrite.n_refused; i++)
    g_printerr ("brandzone: %s: can't rewrite 0x%" G_GINT64_MODIFIER "x, %s: %s (E1)\n", shown,
                rewrite.refused[i].address, rewrite.refused[i].text, rewrite.refused[i].reason);
  return bz_message_send (reply, "image", g_variant_dict_end (&body), &fd, fd >= 0 ? 1 : 0, error);
}

static G_GNUC_NORETURN void
serve_in_child (BzMessage *message, const BzPartition *zone, int user_namespace)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;
  int copy = bz_message_take_fd (message, 0), reply = bz_message_take_fd (message, 1);

  g_variant_dict_lookup (message->body, "name", "^ay", &name);
  if (copy < 0 || reply < 0 || name == NULL)
    _exit (1);
  if (!examine (copy, name, reply, zone, user_namespace, &error))
    {
      g_printerr ("brandzone: %s\n", error->message);
      bz_message_send_error (reply, error, NULL);
      _exit (1);
    }
  _exit (0);
}

void
bz_broker_serve (BzMessage *message, const BzPartition *zone, int user_namespace)
{
  /* Twice: the keeper waits for nobody. */
  pid_t middle = fork ();

  if (middle == 0)
    {
      if (fork () == 0)
        serve_in_child (message, zone, user_namespace);
      _exit (0);
    }
  while (middle > 0 && waitpid (middle, NULL, 0) < 0 && errno == EINTR)
    ;
}
