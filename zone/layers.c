#include "config.h"

#include "zone/layers.h"

#include "brand/base/error.h"
#include "installer/installer.h"
#include "loader/overlay.h"
#include "zone/names.h"
#include "zone/snapshots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define STORE ".layers"
#define ID_LENGTH 16
#define MAKING ".making"
#define REMOVING ".removing"

static char *
store (const BzDirs *dirs)
{
  return g_build_filename (dirs->data, STORE, NULL);
}

char *
bz_layer_directory (const BzDirs *dirs, const char *id)
{
  return g_build_filename (dirs->data, STORE, id, NULL);
}

char *
bz_layer_tree (const BzDirs *dirs, const char *id)
{
  return g_build_filename (dirs->data, STORE, id, BZ_OVERLAY_UPPER, NULL);
}

gboolean
bz_layer_id_valid (const char *id)
{
  return strlen (id) == ID_LENGTH && strspn (id, "0123456789abcdef") == ID_LENGTH;
}

static char *
new_id (void)
{
  return g_strdup_printf ("%08x%08x", g_random_int (), g_random_int ());
}

int
bz_layers_lock (const BzDirs *dirs, GError **error)
{
  g_autofree char *path = store (dirs);

  for (;;)
    {
      struct stat held, found;

      if (!bz_dirs_make (path, error))
        return -1;
      int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      if (fd < 0 && errno == ENOENT)
        continue; /* it was empty and has just been removed */
      while (fd >= 0 && flock (fd, LOCK_EX) != 0)
        if (errno != EINTR)
          {
            int saved = errno;
            close (fd);
            bz_fail_errno (error, saved, NULL, "locking %s", path);
            return -1;
          }
      if (fd < 0)
        {
          bz_fail_errno (error, errno, NULL, "opening %s", path);
          return -1;
        }
      if (fstat (fd, &held) == 0 && stat (path, &found) == 0 && held.st_ino == found.st_ino)
        return fd;
      close (fd);
    }
}

static void
sync_path (const char *path)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd >= 0)
    {
      fsync (fd);
      close (fd);
    }
}

/* Access lists and the user's attributes of a root directory; the rest of its attributes overlayfs
 * keeps for itself. */
static void
copy_attributes (const char *from, const char *to)
{
  char names[4096], value[4096];
  ssize_t size = listxattr (from, names, sizeof names);

  for (ssize_t at = 0; at < size; at += (ssize_t) strlen (names + at) + 1)
    {
      const char *name = names + at;
      if (!g_str_has_prefix (name, "system.posix_acl_")
          && (!g_str_has_prefix (name, "user.") || g_str_has_prefix (name, "user.overlay.")))
        continue;
      ssize_t length = getxattr (from, name, value, sizeof value);
      if (length >= 0)
        (void) !setxattr (to, name, value, (size_t) length, 0);
    }
}

/* The root directory of the changes is the one that the zone sees. */
static gboolean
make_root (const char *path, const char *like, GError **error)
{
  struct stat st;

  if (stat (like, &st) != 0)
    return bz_fail_errno (error, errno, NULL, "looking at %s", like);
  if (mkdir (path, 0700) != 0)
    return bz_fail_errno (error, errno, NULL, "making %s", path);
  (void) !chown (path, st.st_uid, st.st_gid); /* a plain user may not, and owns it already */
  copy_attributes (like, path);
  if (chmod (path, st.st_mode & 07777) != 0)
    return bz_fail_errno (error, errno, NULL, "making %s", path);
  struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, st.st_mtim };
  (void) !utimensat (AT_FDCWD, path, times, 0);
  return TRUE;
}

/* The record of a layer. Where ids on disk are the zones' own, it keeps no range from others. */
static gboolean
write_record (const char *directory, const char *id, const BzZoneState *like, GError **error)
{
  g_autoptr (BzZoneState) state = bz_zone_state_new (id);

  state->brand = g_strdup (like->brand);
  state->abi = like->abi;
  state->installed = g_get_real_time () / G_USEC_PER_SEC;
  state->id_storage = like->id_storage;
  if (like->id_storage == BZ_IDS_SHIFTED)
    {
      g_array_append_vals (state->uids, like->uids->data, like->uids->len);
      g_array_append_vals (state->gids, like->gids->data, like->gids->len);
    }
  return bz_state_write (directory, state, error);
}

static char *
make_directory (const BzDirs *dirs, const BzZoneState *state, GError **error)
{
  g_autofree char *id = new_id ();
  g_autofree char *directory = bz_layer_directory (dirs, id);

  if (mkdir (directory, 0700) != 0)
    {
      bz_fail_errno (error, errno, NULL, "making %s", directory);
      return NULL;
    }
  return write_record (directory, id, state, error) ? g_steal_pointer (&id) : NULL;
}

static void
make_durable (const BzDirs *dirs, const char *id)
{
  g_autofree char *directory = bz_layer_directory (dirs, id);
  g_autofree char *parent = store (dirs);

  sync_path (directory);
  sync_path (parent);
}

char *
bz_layer_make (const BzDirs *dirs, const BzZoneState *state, const char *like, GError **error)
{
  g_autofree char *id = make_directory (dirs, state, error);
  g_autofree char *directory = id != NULL ? bz_layer_directory (dirs, id) : NULL;
  g_autofree char *root = id != NULL ? bz_layer_tree (dirs, id) : NULL;

  if (id == NULL)
    return NULL;
  g_autofree char *work = g_build_filename (directory, BZ_OVERLAY_WORK, NULL);
  if (!make_root (root, like, error))
    return NULL;
  if (mkdir (work, 0755) != 0)
    {
      bz_fail_errno (error, errno, NULL, "making %s", work);
      return NULL;
    }
  make_durable (dirs, id);
  return g_steal_pointer (&id);
}

/* --- layers that are copied --- */

gboolean
bz_layer_begin (const BzDirs *dirs, const BzZoneState *state, BzNewLayer *layer, GError **error)
{
  g_autofree char *place = store (dirs);
  int guard = bz_layers_lock (dirs, error);

  *layer = (BzNewLayer){ .lock = -1 };
  if (guard < 0)
    return FALSE;
  layer->id = new_id ();
  g_autofree char *name = g_strconcat (".", layer->id, MAKING, NULL);
  layer->directory = g_build_filename (place, name, NULL);
  layer->tree = g_build_filename (layer->directory, BZ_OVERLAY_UPPER, NULL);
  /* Under the lock, so that nobody takes it for one whose maker was killed. */
  gboolean good = mkdir (layer->directory, 0700) == 0
                  && (layer->lock = open (layer->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0
                  && flock (layer->lock, LOCK_EX) == 0;
  if (!good)
    bz_fail_errno (error, errno, NULL, "making %s", layer->directory);
  g_autofree char *work = g_build_filename (layer->directory, BZ_OVERLAY_WORK, NULL);
  if (good && mkdir (work, 0755) != 0)
    good = bz_fail_errno (error, errno, NULL, "making %s", work);
  good = good && write_record (layer->directory, layer->id, state, error);
  close (guard);
  return good;
}

gboolean
bz_layer_publish (const BzDirs *dirs, BzNewLayer *layer, GError **error)
{
  g_autofree char *directory = bz_layer_directory (dirs, layer->id);

  if (syncfs (layer->lock) != 0 || rename (layer->directory, directory) != 0)
    return bz_fail_errno (error, errno, NULL, "completing %s", directory);
  make_durable (dirs, layer->id);
  g_clear_pointer (&layer->directory, g_free);
  return TRUE;
}

void
bz_layer_clear (BzNewLayer *layer)
{
  if (layer->lock >= 0)
    close (layer->lock);
  g_free (layer->id);
  g_free (layer->directory);
  g_free (layer->tree);
  *layer = (BzNewLayer){ .lock = -1 };
}

void
bz_layers_retire_tree (const BzDirs *dirs, const BzZoneState *state)
{
  g_autofree char *tree = bz_dirs_zone_root (dirs, state->name);
  struct stat st;

  if (lstat (tree, &st) != 0)
    return;
  if (S_ISLNK (st.st_mode))
    {
      unlink (tree);
      return;
    }
  g_autofree char *id = make_directory (dirs, state, NULL);
  g_autofree char *to = id != NULL ? bz_layer_tree (dirs, id) : NULL;
  if (id != NULL)
    (void) !rename (tree, to);
}

/* The layer that a tree has become although the zone's record does not say so yet: who did that was
 * killed. NULL: it is a tree. Owned by the caller. */
static char *
linked_layer (const char *root)
{
  g_autofree char *target = g_file_read_link (root, NULL);
  g_autofree char *parent = target != NULL ? g_path_get_dirname (target) : NULL;
  g_autofree char *id = parent != NULL ? g_path_get_basename (parent) : NULL;

  return id != NULL && bz_layer_id_valid (id) ? g_steal_pointer (&id) : NULL;
}

char *
bz_layer_take (const BzDirs *dirs, const BzZoneState *state, GError **error)
{
  g_autofree char *tree = bz_dirs_zone_root (dirs, state->name);
  char *linked = linked_layer (tree);
  struct stat st;

  if (linked != NULL)
    return linked;
  g_autofree char *id = make_directory (dirs, state, error);
  g_autofree char *root = id != NULL ? bz_layer_tree (dirs, id) : NULL;
  if (id == NULL)
    return NULL;
  /* The link leads to where it lies itself, until both have changed places. */
  if (lstat (tree, &st) != 0 || symlink (root, root) != 0
      || renameat2 (AT_FDCWD, tree, AT_FDCWD, root, RENAME_EXCHANGE) != 0)
    {
      bz_fail_errno (error, errno, NULL, "making a layer of %s", tree);
      return NULL;
    }
  /* xfs takes a directory for changed that has changed places. */
  struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, st.st_mtim };
  (void) !utimensat (AT_FDCWD, root, times, 0);
  g_autofree char *zone = bz_dirs_zone (dirs, state->name);
  sync_path (zone);
  make_durable (dirs, id);
  return g_steal_pointer (&id);
}

/* --- which are needed --- */

static void
add_record (GHashTable *needed, const BzZoneState *state)
{
  if (state->upper != NULL)
    g_hash_table_add (needed, g_strdup (state->upper));
  for (guint i = 0; i < state->layers->len; i++)
    g_hash_table_add (needed, g_strdup (g_ptr_array_index (state->layers, i)));
}

static void
add_link (GHashTable *needed, const char *directory)
{
  g_autofree char *root = g_build_filename (directory, "root", NULL);
  char *id = linked_layer (root);

  if (id != NULL)
    g_hash_table_add (needed, id);
}

/* FALSE: there is a record that can't be read. */
static gboolean
add_directory (GHashTable *needed, const char *directory)
{
  g_autofree char *record = g_build_filename (directory, BZ_STATE_FILE, NULL);

  if (!g_file_test (record, G_FILE_TEST_EXISTS))
    return TRUE;
  g_autoptr (BzZoneState) state = bz_state_read (directory, "zone", NULL);
  if (state == NULL)
    return FALSE;
  add_record (needed, state);
  if (state->upper == NULL)
    add_link (needed, directory);
  return TRUE;
}

static gboolean
add_snapshots (GHashTable *needed, const char *directory)
{
  g_autofree char *place = g_build_filename (directory, BZ_SNAPSHOTS, NULL);
  g_autoptr (GDir) dir = g_dir_open (place, 0, NULL);

  for (const char *entry; dir != NULL && (entry = g_dir_read_name (dir)) != NULL;)
    {
      g_autofree char *snapshot = g_build_filename (place, entry, NULL);
      if (!add_directory (needed, snapshot))
        return FALSE;
    }
  return TRUE;
}

/* The tree of a zone that was killed when it had just begun to go on from another one. */
static void
retire_left (const BzDirs *dirs, const char *name)
{
  g_autofree char *tree = bz_dirs_zone_root (dirs, name);
  g_autofree char *directory = bz_dirs_zone (dirs, name);
  struct stat st;

  if (lstat (tree, &st) != 0)
    return;
  g_autoptr (BzZoneState) state = bz_state_read (directory, name, NULL);
  if (state != NULL && state->upper != NULL)
    bz_layers_retire_tree (dirs, state);
}

static gboolean
find_needed (const BzDirs *dirs, GHashTable *needed)
{
  g_autoptr (GDir) dir = g_dir_open (dirs->data, 0, NULL);

  if (dir == NULL)
    return FALSE;
  for (const char *entry; (entry = g_dir_read_name (dir)) != NULL;)
    {
      g_autofree char *path = g_build_filename (dirs->data, entry, NULL);

      if (g_str_equal (entry, STORE) || g_str_has_suffix (entry, ".lock")
          || g_str_has_suffix (entry, ".removing"))
        continue;
      if (!add_directory (needed, path) || !add_snapshots (needed, path))
        return FALSE;
      if (bz_name_valid (entry))
        retire_left (dirs, entry);
    }
  return TRUE;
}

/* Nobody fills it: its maker was killed. */
static gboolean
is_abandoned (const char *path)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean free = fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) == 0;

  if (fd >= 0)
    close (fd);
  return free;
}

static void
hide_hidden (const char *place, const char *entry, GPtrArray *hidden)
{
  g_autofree char *path = g_build_filename (place, entry, NULL);

  if (g_str_has_suffix (entry, REMOVING)
      || (g_str_has_suffix (entry, MAKING) && is_abandoned (path)))
    g_ptr_array_add (hidden, g_steal_pointer (&path));
}

/* Under the lock only their names go, so that nobody waits for trees to be removed. */
static void
hide (const char *place, GHashTable *needed, GPtrArray *hidden)
{
  g_autoptr (GDir) dir = g_dir_open (place, 0, NULL);

  for (const char *entry; dir != NULL && (entry = g_dir_read_name (dir)) != NULL;)
    {
      if (entry[0] == '.')
        {
          hide_hidden (place, entry, hidden);
          continue;
        }
      if (!bz_layer_id_valid (entry) || g_hash_table_contains (needed, entry))
        continue;
      g_autofree char *from = g_build_filename (place, entry, NULL);
      g_autofree char *name = g_strconcat (".", entry, REMOVING, NULL);
      g_autofree char *to = g_build_filename (place, name, NULL);
      if (rename (from, to) == 0)
        g_ptr_array_add (hidden, g_steal_pointer (&to));
    }
}

void
bz_layers_collect (const BzDirs *dirs)
{
  g_autofree char *place = store (dirs);
  g_autoptr (GHashTable) needed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) hidden = g_ptr_array_new_with_free_func (g_free);
  int fd = open (place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return;
  if (flock (fd, LOCK_EX | LOCK_NB) == 0 && find_needed (dirs, needed))
    {
      hide (place, needed, hidden);
      rmdir (place); /* stays while it holds something */
    }
  close (fd);
  for (guint i = 0; i < hidden->len; i++)
    bz_state_remove_hidden (g_ptr_array_index (hidden, i), "layer", NULL);
  if (hidden->len > 0)
    rmdir (place);
}
