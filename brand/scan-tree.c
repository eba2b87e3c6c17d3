/* Problem: a tree may hold FIFOs and devices, links that lead out of it, other mounts, sparse
 * files of a terabyte, directories without end; and it may be changed while it is walked.
 *
 * Facts: a name of one component that is opened with O_NOFOLLOW relative to its directory's
 * descriptor cannot lead elsewhere. Opening a device may act on it and opening a FIFO may wait;
 * O_PATH does neither, and /proc/self/fd reopens the very inode that was looked at.
 *
 * Choice: one descriptor for each level, MOST_LEVELS at most. 4 KiB tell whether a file is an
 * image; only then is it read, into memory of our own, up to MOST_BYTES. Names are visited in the
 * order of the directory's index; the report sorts its examples. */
#include "config.h"

#include "brand/scan-tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEAD 4096
#define MOST_BYTES ((gsize) BZ_SCAN_MOST_BYTES)         /* of one image */
#define MOST_TREE_BYTES (G_GUINT64_CONSTANT (16) << 30) /* of all images */
#define MOST_FILES 5000000
#define MOST_LEVELS 128

typedef struct {
  GHashTable *names, *links;
  BzScanFunc func;
  gpointer data;
  BzScanCounts *counts;
  GString *path;
  dev_t device;
  guint64 bytes;
} Walk;

static gboolean
read_at (int fd, guint8 *buffer, gsize from, gsize size, gsize *length)
{
  *length = from;
  while (*length < size)
    {
      gssize got = pread (fd, buffer + *length, size - *length, (off_t) *length);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        return FALSE;
      if (got == 0)
        break;
      *length += (gsize) got;
    }
  return TRUE;
}

static gboolean
is_image (const guint8 *head, gsize size)
{
  guint magic = size >= 32 ? head[0] | (guint) head[1] << 8 : 0;

  return size >= 16
         && (memcmp (head, "\177ELF", 4) == 0 || magic == 0407 || magic == 0410 || magic == 0413
             || magic == 0314);
}

/* The private copy of an image: its head is read already. */
static GBytes *
read_image (int fd, const guint8 *head, gsize length, guint64 size, BzScanCounts *counts)
{
  if (!is_image (head, length) || length < HEAD || size <= HEAD)
    return g_bytes_new (head, length);

  gsize room = (gsize) MIN (size, MOST_BYTES);
  guint8 *buffer = g_malloc (room);
  memcpy (buffer, head, length);
  if (!read_at (fd, buffer, length, room, &length))
    {
      g_free (buffer);
      return NULL;
    }
  counts->cut += size > MOST_BYTES;
  return g_bytes_new_take (buffer, length);
}

static int
open_inode (int at)
{
  char proc[64];

  snprintf (proc, sizeof proc, "/proc/self/fd/%d", at);
  return open (proc, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static gboolean
scan_descriptor (int fd, guint64 size, GHashTable *names, BzScan *scan, BzScanCounts *counts)
{
  guint8 head[HEAD];
  gsize length = 0;

  if (!read_at (fd, head, 0, sizeof head, &length))
    return FALSE;
  g_autoptr (GBytes) bytes = read_image (fd, head, length, size, counts);
  if (bytes == NULL)
    return FALSE;
  bz_scan_read (bytes, names, scan);
  return TRUE;
}

gboolean
bz_scan_file (int dir_fd, const char *name, GHashTable *names, BzScan *scan, struct stat *status,
              BzScanCounts *counts)
{
  int at = openat (dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  int fd = -1;

  *scan = (BzScan){ .kind = BZ_SCAN_NONE };
  if (at < 0)
    return FALSE;
  if (fstat (at, status) != 0 || !S_ISREG (status->st_mode))
    errno = EINVAL;
  else
    fd = open_inode (at);
  int saved = errno;
  close (at);
  gboolean done =
      fd >= 0 && scan_descriptor (fd, (guint64) MAX (status->st_size, 0), names, scan, counts);
  if (fd >= 0)
    {
      saved = errno;
      close (fd);
    }
  errno = saved;
  return done;
}

/* TRUE the first time that a file with several names is met. */
static gboolean
is_new (Walk *walk, const struct stat *status)
{
  if (status->st_nlink < 2)
    return TRUE;
  guint64 *number = g_new (guint64, 1);
  *number = status->st_ino;
  return g_hash_table_add (walk->links, number);
}

static void
visit_file (Walk *walk, int at, const struct stat *status)
{
  g_auto (BzScan) scan = { .kind = BZ_SCAN_NONE };

  if (!is_new (walk, status))
    return;
  walk->counts->files++;
  walk->counts->wide_inodes += (guint64) status->st_ino > G_MAXUINT32;
  if (status->st_size < 4)
    return;
  int fd = open_inode (at);
  gboolean done =
      fd >= 0 && scan_descriptor (fd, (guint64) status->st_size, walk->names, &scan, walk->counts);
  if (fd >= 0)
    close (fd);
  if (!done)
    {
      walk->counts->unreadable++;
      return;
    }
  if (scan.kind == BZ_SCAN_NONE)
    return;
  walk->counts->images++;
  walk->bytes += MIN ((guint64) status->st_size, MOST_BYTES);
  walk->func (walk->path->str, status, &scan, walk->data);
}

static void visit_directory (Walk *walk, int at, guint level);

static void
visit (Walk *walk, int dir, const char *name, guint level)
{
  int at = openat (dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat status;

  if (at < 0 || fstat (at, &status) != 0)
    walk->counts->unreadable += errno != ENOENT;
  else if (status.st_dev != walk->device)
    walk->counts->other_mounts++;
  else if (S_ISDIR (status.st_mode))
    visit_directory (walk, at, level + 1);
  else if (S_ISREG (status.st_mode))
    visit_file (walk, at, &status);
  if (at >= 0)
    close (at);
}

static void
visit_directory (Walk *walk, int at, guint level)
{
  if (level > MOST_LEVELS)
    {
      walk->counts->too_deep++;
      return;
    }
  int fd = openat (at, ".", O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  DIR *dir = fd >= 0 ? fdopendir (fd) : NULL;
  struct dirent *entry;
  gsize length = walk->path->len;

  if (dir == NULL)
    {
      walk->counts->unreadable++;
      if (fd >= 0)
        close (fd);
      return;
    }
  while (!walk->counts->full && (entry = readdir (dir)) != NULL)
    {
      /* Nothing to learn from links, devices and FIFOs. */
      if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0
          || (entry->d_type != DT_REG && entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
        continue;
      if (length > 0)
        g_string_append_c (walk->path, '/');
      g_string_append (walk->path, entry->d_name);
      visit (walk, dirfd (dir), entry->d_name, level);
      g_string_truncate (walk->path, length);
      walk->counts->full = walk->counts->files >= MOST_FILES || walk->bytes >= MOST_TREE_BYTES;
    }
  closedir (dir);
}

void
bz_scan_tree (int tree_fd, GHashTable *names, BzScanFunc func, gpointer data, BzScanCounts *counts)
{
  Walk walk = { .names = names, .func = func, .data = data, .counts = counts };
  struct stat status;

  *counts = (BzScanCounts){ 0 };
  if (fstat (tree_fd, &status) != 0)
    {
      counts->unreadable++;
      return;
    }
  walk.device = status.st_dev;
  walk.path = g_string_new (NULL);
  walk.links = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  visit_directory (&walk, tree_fd, 0);
  g_hash_table_unref (walk.links);
  g_string_free (walk.path, TRUE);
}
