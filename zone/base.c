/* Bases.
 *
 * Problem: ten zones of one image should not take its space ten times, and a zone that is the only
 * one of its image should not pay for it. Choice: the first zone of a source has its tree for
 * itself. When a second one is to be installed, the first one's tree becomes a layer that both lie
 * on, if nobody has changed it; else the new zone's does, for the third. Such a layer says in its
 * record what it was made of, and lives, as every layer, while a record names it: there is nothing
 * to prune.
 *
 * Whether a tree was changed its ctimes tell, which nobody can set: all lie between the begin and the
 * end of its installation. What a source is, is told by its file (device, inode, size, times), or
 * where another file has the same size, by the SHA-256 of both; so that the first installation
 * reads nothing twice. Options that make another tree of the same source, and the ids that the tree
 * has on disk, must be the same. A machine's tree, a repository's, a directory's, and what
 * --keep-partial may have left incomplete, are never shared. */
#include "config.h"

#include "zone/base.h"

#include "brand/base/error.h"
#include "zone/installed.h"
#include "zone/names.h"
#include "zone/tree-look.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECOND G_GINT64_CONSTANT (1000000000)

static gint64
nanoseconds (const struct timespec *time)
{
  return (gint64) time->tv_sec * SECOND + time->tv_nsec;
}

static gint64
now (clockid_t clock)
{
  struct timespec time;

  clock_gettime (clock, &time);
  return nanoseconds (&time);
}

void
bz_base_made (BzBase *base)
{
  base->made = now (CLOCK_REALTIME);
  /* The kernel's stamps are of its last tick. */
  while (now (CLOCK_REALTIME_COARSE) <= base->made)
    g_usleep (500);
}

/* --- what a source is --- */

static char *
identity (const struct stat *st)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT ":%" G_GINT64_FORMAT
                          ":%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT,
                          (guint64) st->st_dev, (guint64) st->st_ino, (gint64) st->st_size,
                          nanoseconds (&st->st_mtim), nanoseconds (&st->st_ctim));
}

static char *
size_of (const char *file)
{
  g_auto (GStrv) parts = g_strsplit (file, ":", -1);

  return g_strv_length (parts) == 5 ? g_strdup (parts[2]) : NULL;
}

/* NULL: it can't be read, or is not the file that `file` says. Owned by the caller. */
static char *
digest_of (const char *path, const char *file)
{
  int fd = open (path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guchar *block = g_malloc (1 << 20);
  g_autofree char *is = NULL;
  gssize got = -1;
  struct stat st;

  if (fd >= 0 && fstat (fd, &st) == 0 && S_ISREG (st.st_mode))
    is = identity (&st);
  if (is != NULL && (file == NULL || g_str_equal (is, file)))
    while ((got = read (fd, block, 1 << 20)) > 0)
      g_checksum_update (sum, block, got);
  if (fd >= 0)
    close (fd);
  return got == 0 ? g_strdup (g_checksum_get_string (sum)) : NULL;
}

/* The index names manifests by their digests, and those all that is in them. */
static char *
digest_of_layout (const char *directory)
{
  g_autofree char *mark = g_build_filename (directory, "oci-layout", NULL);
  g_autofree char *index = g_build_filename (directory, "index.json", NULL);

  return g_file_test (mark, G_FILE_TEST_IS_REGULAR) ? digest_of (index, NULL) : NULL;
}

BzBase *
bz_base_of_source (const char *source, const char *options)
{
  g_autoptr (BzBase) base = g_new0 (BzBase, 1);
  struct stat st;

  if (strstr (source, "://") != NULL || stat (source, &st) != 0)
    return NULL;
  if (S_ISREG (st.st_mode))
    base->file = identity (&st);
  else if (!S_ISDIR (st.st_mode) || (base->digest = digest_of_layout (source)) == NULL)
    return NULL;
  base->options = g_strdup (options);
  base->begun = now (CLOCK_REALTIME) - 2 * SECOND; /* some file systems count in two of them */
  return g_steal_pointer (&base);
}

/* Reads no file unless one of this size was installed before. */
static gboolean
is_same (BzBase *base, const char *source, const BzZoneState *other)
{
  const BzBase *its = other->base;

  if (its == NULL || g_strcmp0 (its->options, base->options) != 0)
    return FALSE;
  if (base->file != NULL && g_strcmp0 (base->file, its->file) == 0)
    return TRUE;
  if (base->file != NULL)
    {
      g_autofree char *size = size_of (base->file);
      g_autofree char *its_size = its->file != NULL ? size_of (its->file) : NULL;
      if (size == NULL || g_strcmp0 (size, its_size) != 0)
        return FALSE;
      if (base->digest == NULL)
        base->digest = digest_of (source, base->file);
    }
  if (base->digest == NULL)
    return FALSE;
  if (its->digest != NULL)
    return g_str_equal (base->digest, its->digest);
  g_autofree char *digest =
      other->source != NULL && its->file != NULL ? digest_of (other->source, its->file) : NULL;
  return g_strcmp0 (base->digest, digest) == 0;
}

/* --- looking for one --- */

void
bz_base_found_clear (BzBaseFound *found)
{
  g_free (found->zone);
  g_free (found->layer);
  bz_zone_state_free (found->state);
  if (found->lock >= 0)
    close (found->lock);
  *found = (BzBaseFound){ .lock = -1 };
}

static gboolean
find_layer (const BzDirs *dirs, BzBase *base, const char *source, BzBaseFound *found)
{
  g_autofree char *place = bz_layer_directory (dirs, NULL);
  g_autoptr (GDir) dir = g_dir_open (place, 0, NULL);

  for (const char *id; dir != NULL && (id = g_dir_read_name (dir)) != NULL;)
    {
      g_autofree char *directory = g_build_filename (place, id, NULL);
      g_autoptr (BzZoneState) state =
          bz_layer_id_valid (id) ? bz_state_read (directory, id, NULL) : NULL;
      if (state == NULL || !is_same (base, source, state))
        continue;
      found->layer = g_strdup (id);
      found->state = g_steal_pointer (&state);
      return TRUE;
    }
  return FALSE;
}

static gboolean
is_untouched (const BzDirs *dirs, const BzZoneState *state)
{
  g_autofree char *tree = bz_storage_tree (dirs, state);
  gboolean user = geteuid () != 0;
  BzTreeLook look;

  return state->upper == NULL
         && bz_tree_look (tree, user ? state->uids : NULL, user ? state->gids : NULL, &look, NULL)
         && look.oldest >= state->base->begun && look.newest <= state->base->made;
}

/* A zone that runs, or that somebody works on, is as good as one that was changed. */
static gboolean
try_zone (const BzDirs *dirs, BzBase *base, const char *source, const char *name,
          BzBaseFound *found)
{
  g_autoptr (BzZoneState) state = bz_state_load (dirs, name, NULL);

  if (state == NULL || !is_same (base, source, state))
    return FALSE;
  found->other = TRUE;
  int lock = bz_state_lock (dirs, name, 0, NULL);
  g_autoptr (BzZoneState) again = lock >= 0 ? bz_state_load (dirs, name, NULL) : NULL;
  if (again != NULL && is_same (base, source, again) && is_untouched (dirs, again))
    {
      found->zone = g_strdup (name);
      found->state = g_steal_pointer (&again);
      found->lock = lock;
      return TRUE;
    }
  if (lock >= 0)
    close (lock);
  return FALSE;
}

gboolean
bz_base_find (const BzDirs *dirs, BzBase *base, const char *source, BzBaseFound *found)
{
  g_auto (GStrv) names = NULL;

  if (find_layer (dirs, base, source, found))
    return TRUE;
  names = bz_state_list (dirs, NULL);
  for (char **name = names; name != NULL && *name != NULL; name++)
    if (try_zone (dirs, base, source, *name, found))
      return TRUE;
  return FALSE;
}

/* --- sharing it --- */

/* What others look for when they are installed. */
static gboolean
mark (const BzDirs *dirs, const char *id, const BzZoneState *like, GError **error)
{
  g_autofree char *directory = bz_layer_directory (dirs, id);
  g_autofree char *zone = bz_dirs_zone (dirs, like->name);
  g_autoptr (BzZoneState) layer = bz_state_read (directory, id, error);

  if (layer == NULL)
    return FALSE;
  layer->source = g_strdup (like->source);
  layer->kind = g_strdup (like->kind);
  layer->files = like->files;
  layer->bytes = like->bytes;
  layer->base = bz_base_copy (like->base);
  /* The list of what was installed goes along, so that `verify` can look at each zone of it. */
  return bz_installed_share (zone, directory, error) && bz_state_write (directory, layer, error);
}

/* The zone's whole tree becomes a layer, with an empty one over it. */
static gboolean
advance (const BzDirs *dirs, BzZoneState *state, GError **error)
{
  if (!bz_storage_advance (dirs, state, error))
    return FALSE;
  return mark (dirs, g_ptr_array_index (state->layers, state->layers->len - 1), state, error);
}

static gboolean
share_overlay (const BzDirs *dirs, BzZoneState *state, BzBaseFound *found, char **tree,
               GError **error)
{
  g_autoptr (BzZoneState) base = bz_zone_state_new ("base");

  if (found->zone != NULL && !advance (dirs, found->state, error))
    return FALSE;
  const char *id = found->layer != NULL
                       ? found->layer
                       : g_ptr_array_index (found->state->layers, found->state->layers->len - 1);
  g_ptr_array_add (base->layers, g_strdup (id));
  *tree = bz_layer_tree (dirs, id);
  return bz_storage_share (dirs, state, base, error);
}

static gboolean
share_copy (const BzDirs *dirs, BzZoneState *state, BzNewLayer *layer, char **tree, GError **error)
{
  if (!bz_layer_publish (dirs, layer, error))
    return FALSE;
  bz_storage_adopt (state, layer->id, NULL);
  *tree = bz_layer_tree (dirs, layer->id);
  return TRUE;
}

/* The tree that was found, as a snapshot or zone that lies on it alone. */
static char *
tree_found (const BzDirs *dirs, const BzBaseFound *found)
{
  return found->layer != NULL ? bz_layer_tree (dirs, found->layer)
                              : bz_storage_tree (dirs, found->state);
}

static gboolean
layer_is_there (const BzDirs *dirs, const BzBaseFound *found)
{
  g_autofree char *tree = tree_found (dirs, found);

  return g_file_test (tree, G_FILE_TEST_IS_DIR);
}

int
bz_base_share (const BzDirs *dirs, BzZoneState *state, BzBaseFound *found, gboolean overlay,
               char **tree, GError **error)
{
  g_autofree char *from = tree_found (dirs, found);
  g_auto (BzNewLayer) layer = { .lock = -1 };
  BzTreeCopied copied;
  BzCopyWay way;

  if (!bz_copy_way_choose (BZ_COPY_AUTO, from, overlay, &way, NULL) || way == BZ_COPY_PLAIN)
    return -1;
  if (way != BZ_COPY_OVERLAY
      && !bz_storage_copy_tree (dirs, state, from, way, &layer, &copied, error))
    return -1;
  int guard = bz_layers_lock (dirs, error);
  if (guard < 0)
    return -1;
  /* Nobody holds a layer that was found; it may have been the last zone's. */
  gboolean done = layer_is_there (dirs, found)
                  && (way == BZ_COPY_OVERLAY ? share_overlay (dirs, state, found, tree, error)
                                             : share_copy (dirs, state, &layer, tree, error));
  if (done)
    return guard;
  close (guard);
  return -1;
}

gboolean
bz_base_make (const BzDirs *dirs, BzZoneState *state, GError **error)
{
  int guard = bz_layers_lock (dirs, error);

  if (guard < 0)
    return FALSE;
  gboolean done = advance (dirs, state, error);
  close (guard);
  return done;
}
