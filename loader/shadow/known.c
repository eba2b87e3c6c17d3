/* Problem: a zone may run any number of programs that have a copy: an update, or who builds trees of an old
 * distribution, brings new ones every day. A supervisor that kept the descriptors of all came to its
 * limit, and from then on nothing was put right in the zone.
 *
 * Choice: those that were used longest ago are closed and their files forgotten; who meets one again
 * has it looked at again. What nobody uses is freed: who compiles all day executes a new file each second. As many stay
 * as the limit allows, for who holds the last descriptor of a plain user's copy may take a lease on it (images.c). */
#include "config.h"

#include "loader/shadow/known.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#define KNOWN_MAX 65536
#define OPEN_MAX_FILES 4096
#define OPEN_LEAST 8
/* Twice the cache: what that has evicted stays on the disk while it is open. */
#define OPEN_MOST_BYTES (G_GUINT64_CONSTANT (1) << 30)
#define OTHER_DESCRIPTORS 128 /* what the supervisor needs besides */

struct BzKnownFiles {
  pthread_mutex_t lock;
  GHashTable *by_key; /* BzFileKey (inside the value) -> BzKnownFile */
  GQueue open;        /* of BzKnownFile, that used last at its end */
  guint64 open_bytes; /* of their copies */
  guint most_open;
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

/* Two descriptors a file. */
static guint
files_in_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < OTHER_DESCRIPTORS + 2 * OPEN_LEAST)
    return OPEN_LEAST;
  return (guint) MIN ((limit.rlim_cur - OTHER_DESCRIPTORS) / 2, OPEN_MAX_FILES);
}

BzKnownFiles *
bz_known_files_new (void)
{
  BzKnownFiles *files = g_new0 (BzKnownFiles, 1);

  g_queue_init (&files->open);
  files->most_open = files_in_limit ();
  pthread_mutex_init (&files->lock, NULL);
  files->by_key = g_hash_table_new_full (hash_key, equal_keys, NULL, (GDestroyNotify) bz_known_file_unref);
  return files;
}

BzKnownFile *
bz_known_files_find (BzKnownFiles *files, const BzFileKey *key)
{
  pthread_mutex_lock (&files->lock);
  BzKnownFile *file = bz_known_file_ref (g_hash_table_lookup (files->by_key, key));
  pthread_mutex_unlock (&files->lock);
  return file;
}

static void
close_copies (BzKnownFile *file)
{
  if (file->copy >= 0)
    close (file->copy);
  if (file->shared >= 0)
    close (file->shared);
  file->copy = file->shared = -1;
}

BzKnownFile *
bz_known_file_new (void)
{
  BzKnownFile *file = g_new0 (BzKnownFile, 1);

  g_atomic_ref_count_init (&file->users);
  file->copy = file->shared = -1;
  return file;
}

BzKnownFile *
bz_known_file_ref (BzKnownFile *file)
{
  if (file != NULL)
    g_atomic_ref_count_inc (&file->users);
  return file;
}

void
bz_known_file_unref (BzKnownFile *file)
{
  if (file == NULL || !g_atomic_ref_count_dec (&file->users))
    return;
  close_copies (file);
  g_free (file->edits);
  g_free (file->interpreter);
  g_free (file);
}

/* With the lock held. */
static void
forget_oldest (BzKnownFiles *files)
{
  GList *link = g_queue_pop_head_link (&files->open);
  BzKnownFile *file = link->data;

  files->open_bytes -= file->key.size;
  close_copies (file);
  if (g_hash_table_lookup (files->by_key, &file->key) == file)
    g_hash_table_remove (files->by_key, &file->key);
  bz_known_file_unref (file);
}

/* With the lock held. */
static void
count_open (BzKnownFiles *files, BzKnownFile *file)
{
  if (file->copy < 0)
    return;
  file->open.data = bz_known_file_ref (file);
  g_queue_push_tail_link (&files->open, &file->open);
  files->open_bytes += file->key.size;
  while (files->open.length > files->most_open
         || (files->open.length > 1 && files->open_bytes > OPEN_MOST_BYTES))
    forget_oldest (files);
}

int
bz_known_files_open (BzKnownFiles *files, BzKnownFile *file, gboolean shared)
{
  int fd = -1;

  pthread_mutex_lock (&files->lock);
  if (file->copy >= 0)
    {
      g_queue_unlink (&files->open, &file->open);
      g_queue_push_tail_link (&files->open, &file->open);
      fd = fcntl (shared && file->shared >= 0 ? file->shared : file->copy, F_DUPFD_CLOEXEC, 0);
    }
  pthread_mutex_unlock (&files->lock);
  return fd;
}

BzKnownFile *
bz_known_files_add (BzKnownFiles *files, BzKnownFile *file)
{
  pthread_mutex_lock (&files->lock);
  BzKnownFile *other = g_hash_table_lookup (files->by_key, &file->key);
  if (other != NULL && other->doubtful != 0)
    {
      g_hash_table_remove (files->by_key, &file->key);
      other = NULL;
    }
  bz_known_file_ref (other);
  if (other == NULL && g_hash_table_size (files->by_key) >= KNOWN_MAX)
    g_hash_table_remove_all (files->by_key);
  if (other == NULL)
    {
      g_hash_table_insert (files->by_key, &file->key, bz_known_file_ref (file));
      count_open (files, file);
    }
  pthread_mutex_unlock (&files->lock);
  if (other == NULL)
    return file;
  bz_known_file_unref (file);
  return other;
}
