#include "config.h"

#include "loader/shadow/known.h"

#include <pthread.h>
#include <unistd.h>

#define KNOWN_MAX 65536

struct BzKnownFiles {
  pthread_mutex_t lock;
  GHashTable *by_key; /* BzFileKey (inside the value) -> BzKnownFile */
};

void
bz_file_key (const struct stat *st, BzFileKey *key)
{
  *key = (BzFileKey){ .device = st->st_dev,
                      .inode = st->st_ino,
                      .size = (guint64) st->st_size,
                      .changed = (gint64) st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec };
}

static guint
hash_key (gconstpointer data)
{
  const BzFileKey *key = data;
  guint64 mix = key->inode * 0x9e3779b97f4a7c15u ^ key->device ^ (guint64) key->changed;

  return (guint) (mix ^ mix >> 32);
}

static gboolean
equal_keys (gconstpointer left, gconstpointer right)
{
  const BzFileKey *a = left, *b = right;

  return a->inode == b->inode && a->device == b->device && a->changed == b->changed
         && a->size == b->size;
}

BzKnownFiles *
bz_known_files_new (void)
{
  BzKnownFiles *files = g_new0 (BzKnownFiles, 1);

  pthread_mutex_init (&files->lock, NULL);
  files->by_key = g_hash_table_new (hash_key, equal_keys);
  return files;
}

const BzKnownFile *
bz_known_files_find (BzKnownFiles *files, const BzFileKey *key)
{
  pthread_mutex_lock (&files->lock);
  const BzKnownFile *file = g_hash_table_lookup (files->by_key, key);
  pthread_mutex_unlock (&files->lock);
  return file;
}

void
bz_known_file_free (BzKnownFile *file)
{
  if (file->copy >= 0)
    close (file->copy);
  if (file->shared >= 0)
    close (file->shared);
  g_free (file->edits);
  g_free (file->interpreter);
  g_free (file);
}

const BzKnownFile *
bz_known_files_add (BzKnownFiles *files, BzKnownFile *file)
{
  pthread_mutex_lock (&files->lock);
  BzKnownFile *other = g_hash_table_lookup (files->by_key, &file->key);
  if (other != NULL && other->doubtful != 0)
    {
      g_hash_table_remove (files->by_key, &file->key); /* not freed: see below */
      other = NULL;
    }
  /* Entries may be in use by another thread: a full table forgets by dropping references, not
   * memory. */
  if (other == NULL && g_hash_table_size (files->by_key) >= KNOWN_MAX)
    g_hash_table_remove_all (files->by_key);
  if (other == NULL)
    g_hash_table_insert (files->by_key, &file->key, file);
  pthread_mutex_unlock (&files->lock);
  if (other == NULL)
    return file;
  bz_known_file_free (file);
  return other;
}
