/* Problem: answering each stat and getdents of a zone costs microseconds; it is needed only where
 * a number can be longer than 32 bits.
 *
 * Facts. ext2 to ext4, and the file systems of the kernel itself, have 32 bits. XFS makes the
 * number from the place on the disk: of a file system of 512 GiB and more (inodes of 256 bytes,
 * places rounded up) it may be longer. btrfs, tmpfs and most others count up from a small number;
 * an overlay gives the numbers of its layers, or with xino puts the layer in front of them. The
 * server of FUSE, NFS, CIFS, 9p chooses.
 *
 * Choice: by type; where it tells too little, the numbers of up to SAMPLE files near the top are
 * looked at. A file system that counts up and has small numbers now would need thousands of
 * millions of new files. Not statfs(2) but /proc/self/mountinfo tells the type: a server that does
 * not answer would keep the start waiting.
 *
 * Limit: what is mounted after the zone has started is not looked at, nor is a file system of
 * which only files deep down have long numbers: fold-inodes=yes. */
#include "config.h"

#include "brand/inodes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SAMPLE 256
#define DEPTH 3
#define MOUNTS 64 /* below one path */
#define XFS_SHORT (G_GUINT64_CONSTANT (512) << 30)
#define LARGEST G_GUINT64_CONSTANT (0x7fffffff) /* with room to count up */

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U
#endif
#define STATX_MNT_ID_AT 0x90 /* stx_mnt_id, which older headers lack */

static gboolean
is_one_of (const char *type, const char *const *types)
{
  for (; *types != NULL; types++)
    {
      gsize length = strlen (*types);

      /* "fuse" and "fuse.sshfs" */
      if (strncmp (type, *types, length) == 0 && (type[length] == '\0' || type[length] == '.'))
        return TRUE;
    }
  return FALSE;
}

BzInodes
bz_inodes_of_type (const char *type, guint64 bytes)
{
  static const char *const short_types[] = {
    "ext2",    "ext3",    "ext4",       "f2fs",    "vfat",   "msdos",  "iso9660", "squashfs",
    "cramfs",  "romfs",   "minix",      "proc",    "sysfs",  "devpts", "mqueue",  "cgroup",
    "cgroup2", "debugfs", "securityfs", "tracefs", "pstore", "bpf",    "autofs",  NULL
  };
  static const char *const long_types[] = { "fuse", "fuseblk", "virtiofs", "nfs",      "nfs4",
                                            "cifs", "smb3",    "9p",       "ceph",     "afs",
                                            "gfs2", "ocfs2",   "lustre",   "bcachefs", NULL };

  if (strcmp (type, "xfs") == 0)
    return bytes < XFS_SHORT ? BZ_INODES_SHORT : BZ_INODES_LONG;
  if (is_one_of (type, short_types))
    return BZ_INODES_SHORT;
  return is_one_of (type, long_types) ? BZ_INODES_LONG : BZ_INODES_COUNT;
}

/* --- mounts --- */

/* \040 and the like. */
static char *
unescape (const char *text)
{
  GString *plain = g_string_new (NULL);

  for (; *text != '\0'; text++)
    {
      if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' && text[2] <= '7'
          && text[3] >= '0' && text[3] <= '7')
        {
          g_string_append_c (plain, (char) ((text[1] - '0') << 6 | (text[2] - '0') << 3
                                            | (text[3] - '0')));
          text += 3;
        }
      else
        g_string_append_c (plain, *text);
    }
  return g_string_free (plain, FALSE);
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" */
gboolean
bz_mount_line_parse (const char *text, BzMountLine *line)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  guint count = g_strv_length (words), dash = 6;

  while (dash < count && strcmp (words[dash], "-") != 0)
    dash++;
  if (dash + 1 >= count || words[4][0] != '/'
      || !g_ascii_string_to_unsigned (words[0], 10, 0, G_MAXUINT64, &line->id, NULL))
    return FALSE;
  line->point = unescape (words[4]);
  line->type = g_strdup (words[dash + 1]);
  return TRUE;
}

void
bz_mount_line_clear (BzMountLine *line)
{
  g_clear_pointer (&line->point, g_free);
  g_clear_pointer (&line->type, g_free);
}

static GArray *
read_mounts (void)
{
  GArray *mounts = g_array_new (FALSE, FALSE, sizeof (BzMountLine));
  g_autofree char *text = NULL;

  g_array_set_clear_func (mounts, (GDestroyNotify) bz_mount_line_clear);
  if (!g_file_get_contents ("/proc/self/mountinfo", &text, NULL, NULL))
    return mounts;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **one = lines; *one != NULL; one++)
    {
      BzMountLine line;

      if (bz_mount_line_parse (*one, &line))
        g_array_append_val (mounts, line);
    }
  return mounts;
}

/* The mount that `fd` lies in. NULL: it is not known. */
static const BzMountLine *
mount_of (const GArray *mounts, int fd)
{
  struct statx status;
  guint64 id;

  if (statx (fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_MNT_ID, &status)
          != 0
      || (status.stx_mask & STATX_MNT_ID) == 0)
    return NULL;
  memcpy (&id, (const guint8 *) &status + STATX_MNT_ID_AT, sizeof id);
  for (guint i = 0; i < mounts->len; i++)
    {
      const BzMountLine *line = &g_array_index (mounts, BzMountLine, i);
      if (line->id == id)
        return line;
    }
  return NULL;
}

/* --- looking --- */

typedef struct {
  guint left;
  dev_t device;
} Sample;

static gboolean has_long (int parent, const char *name, guint depth, Sample *sample);

/* Takes the descriptor. */
static gboolean
list_has_long (int fd, guint depth, Sample *sample)
{
  DIR *list = fdopendir (fd);
  gboolean found = FALSE;

  if (list == NULL)
    {
      close (fd);
      return FALSE;
    }
  for (struct dirent *entry; !found && sample->left > 0 && (entry = readdir (list)) != NULL;)
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      found = has_long (dirfd (list), entry->d_name, depth, sample);
  closedir (list);
  return found;
}

static gboolean
has_long (int parent, const char *name, guint depth, Sample *sample)
{
  struct stat status;

  sample->left--;
  if (fstatat (parent, name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0)
    return errno == EOVERFLOW;
  /* Another file system: its mount is looked at by itself. An overlay's files have many. */
  if (S_ISDIR (status.st_mode) && status.st_dev != sample->device)
    return FALSE;
  if ((guint64) status.st_ino > LARGEST)
    return TRUE;
  if (!S_ISDIR (status.st_mode) || depth == 0 || sample->left == 0)
    return FALSE;
  int fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  return fd >= 0 && list_has_long (fd, depth - 1, sample);
}

static gboolean
sample_has_long (int fd)
{
  Sample sample = { .left = SAMPLE };
  struct stat status;

  if (fstat (fd, &status) != 0)
    return errno == EOVERFLOW;
  sample.device = status.st_dev;
  if ((guint64) status.st_ino > LARGEST)
    return TRUE;
  if (!S_ISDIR (status.st_mode))
    return FALSE;
  int list = openat (fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return list >= 0 && list_has_long (list, DEPTH, &sample);
}

static char *
look_at (const GArray *mounts, const char *path)
{
  int fd = open (path, O_PATH | O_CLOEXEC);
  struct statvfs size = { 0 };
  gboolean found = FALSE;

  if (fd < 0)
    return NULL;
  const BzMountLine *line = mount_of (mounts, fd);
  const char *type = line != NULL ? line->type : "an unknown file system";
  if (strcmp (type, "xfs") == 0)
    fstatvfs (fd, &size);
  switch (bz_inodes_of_type (type, (guint64) size.f_blocks * size.f_frsize))
    {
    case BZ_INODES_SHORT:
      break;
    case BZ_INODES_LONG:
      found = TRUE;
      break;
    case BZ_INODES_COUNT:
      found = sample_has_long (fd);
      break;
    }
  close (fd);
  return found ? g_strdup_printf ("%s is on %s", path, type) : NULL;
}

static gboolean
is_below (const char *point, const char *path)
{
  gsize length = strlen (path);

  if (strcmp (path, "/") == 0)
    return point[1] != '\0';
  return strncmp (point, path, length) == 0 && point[length] == '/';
}

char *
bz_inodes_look (const char *path)
{
  g_autofree char *real = realpath (path, NULL);
  g_autoptr (GArray) mounts = read_mounts ();
  guint looked = 0;

  if (real == NULL)
    return NULL;
  char *reason = look_at (mounts, real);
  for (guint i = 0; reason == NULL && i < mounts->len && looked < MOUNTS; i++)
    {
      const BzMountLine *line = &g_array_index (mounts, BzMountLine, i);

      if (is_below (line->point, real))
        {
          reason = look_at (mounts, line->point);
          looked++;
        }
    }
  return reason;
}
