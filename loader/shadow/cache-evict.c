/* Room in the cache.
 *
 * Problem: zones share it, and one of them can fill it in less than a minute with copies of programs that it makes
 * up; a thousand small ones take more of the disk than their bytes, and of each look at the list.
 *
 * Choice: what was used within the last minute stays, but for entries of owners that have more than a quarter of the cache:
 * as long as there is room anybody may have all of it. Each counts as 64 KiB at least. Entries made before there
 * were owners have none, and are nobody's share. */
#include "config.h"

#include "loader/shadow/cache-private.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define IN_USE 60 /* seconds */
#define SHARES 4
#define LEAST_BYTES (64 * 1024) /* of an entry: links, directory, and a part of a block */
#define LEFT_BEHIND \
  (60 * 60) /* seconds after which nobody works on a temporary directory any more */

typedef struct {
  char name[BZ_CACHE_KEY_LENGTH + 1];
  guint64 bytes;
  gint64 used; /* seconds since the epoch */
} Entry;

char *
bz_cache_temporary_name (void)
{
  guint64 number = 0;

  if (getrandom (&number, sizeof number, 0) != sizeof number)
    number = (guint64) g_get_monotonic_time () << 22 ^ (guint64) getpid ();
  return g_strdup_printf (BZ_CACHE_TEMPORARY "%016" G_GINT64_MODIFIER "x", number);
}

static DIR *
open_directory (int dir_fd, const char *name)
{
  int fd = openat (dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *dir = fd >= 0 ? fdopendir (fd) : NULL;

  if (dir == NULL && fd >= 0)
    close (fd);
  return dir;
}

void
bz_cache_remove_directory (const BzShadowCache *cache, const char *name)
{
  DIR *dir = open_directory (cache->dir_fd, name);
  struct dirent *entry;

  while (dir != NULL && (entry = readdir (dir)) != NULL)
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      unlinkat (dirfd (dir), entry->d_name, 0);
  if (dir != NULL)
    closedir (dir);
  if (unlinkat (cache->dir_fd, name, AT_REMOVEDIR) < 0)
    unlinkat (cache->dir_fd, name, 0); /* damage: a file under a key's name */
}

static void
remove_left_behind (const BzShadowCache *cache, const char *name, gint64 now)
{
  struct stat st;

  if (fstatat (cache->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0
      && st.st_mtim.tv_sec < now - LEFT_BEHIND)
    bz_cache_remove_directory (cache, name);
}

static gboolean
is_key (const char *name)
{
  return strlen (name) == BZ_CACHE_KEY_LENGTH
         && strspn (name, "0123456789abcdef") == BZ_CACHE_KEY_LENGTH;
}

static void
measure (const BzShadowCache *cache, const char *name, Entry *entry)
{
  g_autofree char *copy = g_strdup_printf ("%s/" BZ_CACHE_COPY, name);
  g_autofree char *facts = g_strdup_printf ("%s/" BZ_CACHE_FACTS, name);
  struct stat st;

  g_strlcpy (entry->name, name, sizeof entry->name);
  entry->bytes = 0;
  entry->used = 0; /* an entry without facts is no entry: the first to go */
  if (fstatat (cache->dir_fd, copy, &st, AT_SYMLINK_NOFOLLOW) == 0)
    entry->bytes = (guint64) st.st_size;
  if (fstatat (cache->dir_fd, facts, &st, AT_SYMLINK_NOFOLLOW) == 0)
    {
      entry->bytes += (guint64) st.st_size;
      entry->used = st.st_mtim.tv_sec;
    }
  entry->bytes = MAX (entry->bytes, LEAST_BYTES);
}

static gint
compare_use (gconstpointer a, gconstpointer b)
{
  const Entry *one = a, *other = b;

  if (one->used != other->used)
    return one->used < other->used ? -1 : 1;
  return strcmp (one->name, other->name);
}

/* All entries, the one unused for longest first; adds their bytes up. */
static GArray *
list (const BzShadowCache *cache, gint64 now, guint64 *total)
{
  GArray *entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  DIR *dir = open_directory (cache->dir_fd, ".");
  struct dirent *found;

  *total = 0;
  while (dir != NULL && (found = readdir (dir)) != NULL)
    {
      Entry entry;

      if (g_str_has_prefix (found->d_name, BZ_CACHE_TEMPORARY))
        remove_left_behind (cache, found->d_name, now);
      else if (is_key (found->d_name))
        {
          measure (cache, found->d_name, &entry);
          *total += entry.bytes;
          g_array_append_val (entries, entry);
        }
    }
  if (dir != NULL)
    closedir (dir);
  g_array_sort (entries, compare_use);
  return entries;
}

static void
evict (const BzShadowCache *cache, const Entry *entry, guint64 *total)
{
  bz_cache_entry_remove (cache, entry->name);
  *total -= entry->bytes;
}

/* "": nobody's. */
static void
read_owner (const BzShadowCache *cache, const char *name, char owner[PATH_MAX])
{
  g_autofree char *link = g_strdup_printf ("%s/" BZ_CACHE_OWNER, name);
  ssize_t length = readlinkat (cache->dir_fd, link, owner, PATH_MAX - 1);

  owner[MAX (length, 0)] = '\0';
}

static guint64 *
bytes_of_owner (GHashTable *owners, const char *owner)
{
  guint64 *bytes = g_hash_table_lookup (owners, owner);

  if (bytes == NULL)
    g_hash_table_insert (owners, g_strdup (owner), bytes = g_new0 (guint64, 1));
  return bytes;
}

/* From the entry `first` on: all are in use. */
static void
evict_greedy (const BzShadowCache *cache, const GArray *entries, guint first, guint64 most, guint64 *total)
{
  g_autoptr (GHashTable) owners = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  char owner[PATH_MAX];

  for (guint i = first; i < entries->len; i++)
    {
      const Entry *entry = &g_array_index (entries, Entry, i);
      read_owner (cache, entry->name, owner);
      *bytes_of_owner (owners, owner) += entry->bytes;
    }
  for (guint i = first; i < entries->len && *total > most; i++)
    {
      const Entry *entry = &g_array_index (entries, Entry, i);
      read_owner (cache, entry->name, owner);
      guint64 *bytes = bytes_of_owner (owners, owner);
      if (owner[0] == '\0' || *bytes <= cache->limit / SHARES)
        continue;
      *bytes -= MIN (*bytes, entry->bytes);
      evict (cache, entry, total);
    }
}

gboolean
bz_cache_make_room (const BzShadowCache *cache, guint64 needed)
{
  gint64 now = (gint64) time (NULL);
  guint64 total;
  guint i = 0;

  if (needed > cache->limit)
    return FALSE;
  g_autoptr (GArray) entries = list (cache, now, &total);
  guint64 most = cache->limit - needed;
  while (i < entries->len && total > most && g_array_index (entries, Entry, i).used <= now - IN_USE)
    evict (cache, &g_array_index (entries, Entry, i++), &total);
  if (total > most)
    evict_greedy (cache, entries, i, most, &total);
  return total <= most;
}
