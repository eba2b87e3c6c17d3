/* From a minix image (version 1, names of 14 or 30 bytes) to a tree.
 *
 * Problem: the disks of Linux 0.01 to 0.96 and the root floppies until 1995 are minix file systems,
 * and no distribution's kernel is built with that driver any more.
 * Facts: blocks of 1 KiB, numbered with 16 bits, so 64 MiB at most; an inode has seven blocks of
 * its own, one block of block numbers, and one of such blocks; block 0 is a hole. A device's number
 * stands where the first block's would. Owners are 16 bits, groups 8, times 32 without a sign.
 * Choice: as for ext images (installer/extfs.c): each directory is entered once, names pass the
 * gate of installer/tree.h, numbers are checked before use, and a directory may not be longer than
 * the file system, since its blocks could all be the same one. The maps of free blocks are not
 * looked at: many floppies were written by dd after a crash. Limits: versions 2 and 3 and zones of
 * more than one block are refused by name. */
#include "config.h"

#include "installer/minix.h"

#include "brand/base/error.h"
#include "installer/recognise.h"

#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define BLOCK 1024
#define NUMBERS 512 /* of 16 bits in a block */
#define OWN 7       /* blocks that the inode names itself */
#define INODE 32
#define ROOT 1
#define LINK_MAX_BYTES 4096
#define RUN_BLOCKS 64

struct BzMinixImage {
  BzDisk *disk;
  guint64 offset;
  char *label;
  guint16 inodes, zones, first_data;
  guint64 inodes_at; /* in blocks */
  gsize entry;       /* bytes of a directory's entry */
};

typedef struct {
  guint16 mode, uid, zone[9];
  guint32 size, time;
  guint8 gid, links;
} Inode;

typedef struct {
  guint16 number;
  char *path;
} Directory;

typedef struct {
  BzMinixImage *image;
  BzTree *tree;
  GArray *todo;        /* of Directory */
  GHashTable *entered; /* numbers of directories */
  GHashTable *links;   /* number -> path */
} Walk;

typedef struct {
  guint16 number;
  char name[31];
} Name;

static guint16
le16 (const guint8 *at)
{
  return (guint16) (at[0] | at[1] << 8);
}

static guint32
le32 (const guint8 *at)
{
  return (guint32) le16 (at) | (guint32) le16 (at + 2) << 16;
}

static gboolean
fail (const BzMinixImage *image, const char *path, const char *why, GError **error)
{
  return bz_fail (error, BZ_ERROR_INPUT, why, "the image is damaged or hostile: don't use it",
                  "reading /%.200s in %s", path, image->label);
}

/* A block; what lies behind the end of a cut image reads as an error. */
static gboolean
read_blocks (const BzMinixImage *image, guint64 block, guint count, guint8 *data, const char *path,
             GError **error)
{
  gsize size = (gsize) count * BLOCK;
  gssize got = bz_disk_read (image->disk, image->offset + block * BLOCK, data, size, error);

  if (got < 0)
    return FALSE;
  return (gsize) got == size || fail (image, path, "it breaks off", error);
}

BzMinixImage *
bz_minix_open (BzDisk *disk, guint64 offset, const char *label, GError **error)
{
  g_autoptr (BzMinixImage) image = g_new0 (BzMinixImage, 1);
  guint8 super[BLOCK];
  guint16 magic;

  image->disk = disk;
  image->offset = offset;
  image->label = g_strdup (label);
  if (!read_blocks (image, 1, 1, super, "", error))
    return NULL;
  magic = le16 (super + 16);
  image->inodes = le16 (super);
  image->zones = le16 (super + 2);
  image->first_data = le16 (super + 8);
  image->inodes_at = 2 + (guint64) le16 (super + 4) + le16 (super + 6);
  image->entry = magic == 0x138f ? 32 : 16;
  if ((magic != 0x137f && magic != 0x138f) || le16 (super + 10) != 0)
    {
      bz_fail (error, BZ_ERROR_INPUT, "it is not of version 1 with blocks of 1 KiB", NULL,
               "the minix file system in %s", label);
      return NULL;
    }
  if (image->inodes == 0 || image->first_data >= image->zones
      || image->inodes_at + ((guint64) image->inodes * INODE + BLOCK - 1) / BLOCK
             > image->first_data)
    {
      fail (image, "", "its super block makes no sense", error);
      return NULL;
    }
  return g_steal_pointer (&image);
}

void
bz_minix_close (BzMinixImage *image)
{
  g_free (image->label);
  g_free (image);
}

static gboolean
read_inode (const BzMinixImage *image, guint16 number, const char *path, Inode *inode,
            GError **error)
{
  guint8 block[BLOCK];
  guint64 at = ((guint64) number - 1) * INODE;
  const guint8 *raw = block + at % BLOCK;

  if (number == 0 || number > image->inodes)
    return fail (image, path, "its inode does not exist", error);
  if (!read_blocks (image, image->inodes_at + at / BLOCK, 1, block, path, error))
    return FALSE;
  *inode = (Inode){ .mode = le16 (raw),
                    .uid = le16 (raw + 2),
                    .size = le32 (raw + 4),
                    .time = le32 (raw + 8),
                    .gid = raw[12],
                    .links = raw[13] };
  for (int i = 0; i < 9; i++)
    inode->zone[i] = le16 (raw + 14 + 2 * i);
  return TRUE;
}

/* Appends `count` numbers of the file's blocks that `zone` leads to over `depth` blocks of numbers.
 */
static gboolean
take_zones (const BzMinixImage *image, guint16 zone, int depth, guint64 *count, GArray *zones,
            const char *path, GError **error)
{
  guint64 spans = depth == 0 ? 1 : depth == 1 ? NUMBERS : NUMBERS * NUMBERS;
  guint8 block[BLOCK];

  if (*count == 0)
    return TRUE;
  if (zone != 0 && (zone < image->first_data || zone >= image->zones))
    return fail (image, path, "one of its blocks is not in the file system", error);
  if (zone == 0 || depth == 0)
    {
      spans = MIN (spans, *count);
      for (guint64 i = 0; i < spans; i++)
        g_array_append_val (zones, zone);
      *count -= spans;
      return TRUE;
    }
  if (!read_blocks (image, zone, 1, block, path, error))
    return FALSE;
  for (int i = 0; i < NUMBERS && *count > 0; i++)
    if (!take_zones (image, le16 (block + 2 * i), depth - 1, count, zones, path, error))
      return FALSE;
  return TRUE;
}

/* The numbers of the file's blocks, 0 for holes. */
static GArray *
zones_of (const BzMinixImage *image, const Inode *inode, const char *path, GError **error)
{
  g_autoptr (GArray) zones = g_array_new (FALSE, FALSE, sizeof (guint16));
  guint64 count = ((guint64) inode->size + BLOCK - 1) / BLOCK;

  for (int i = 0; i < 9; i++)
    if (!take_zones (image, inode->zone[i], i < OWN ? 0 : i - OWN + 1, &count, zones, path, error))
      return NULL;
  if (count > 0)
    {
      fail (image, path, "it is larger than a file can be", error);
      return NULL;
    }
  return g_steal_pointer (&zones);
}

static void
take_names (const BzMinixImage *image, const guint8 *block, gsize size, GArray *names)
{
  for (gsize at = 0; at + image->entry <= size; at += image->entry)
    {
      Name name = { .number = le16 (block + at) };

      memcpy (name.name, block + at + 2, image->entry - 2);
      if (name.number != 0 && strcmp (name.name, ".") != 0 && strcmp (name.name, "..") != 0)
        g_array_append_val (names, name);
    }
}

static GArray *
read_names (const BzMinixImage *image, guint16 number, const char *path, GError **error)
{
  g_autoptr (GArray) names = g_array_new (FALSE, FALSE, sizeof (Name));
  g_autoptr (GArray) zones = NULL;
  guint8 block[BLOCK];
  Inode inode = { 0 };

  if (!read_inode (image, number, path, &inode, error))
    return NULL;
  if (!S_ISDIR (inode.mode) || inode.size > (guint64) image->zones * BLOCK)
    {
      fail (image, path, "it is no directory, or one larger than the file system", error);
      return NULL;
    }
  zones = zones_of (image, &inode, path, error);
  for (guint i = 0; zones != NULL && i < zones->len; i++)
    {
      guint16 zone = g_array_index (zones, guint16, i);

      if (zone == 0)
        continue;
      if (!read_blocks (image, zone, 1, block, path, error))
        return NULL;
      take_names (image, block, MIN (BLOCK, inode.size - (gsize) i * BLOCK), names);
    }
  return zones == NULL ? NULL : g_steal_pointer (&names);
}

guint
bz_minix_userland_names (BzMinixImage *image)
{
  g_autoptr (GArray) names = read_names (image, ROOT, "", NULL);
  guint count = 0;

  for (guint i = 0; names != NULL && i < names->len; i++)
    count += bz_recognise_path (g_array_index (names, Name, i).name) ? 1 : 0;
  return count;
}

static gboolean
copy_data (Walk *walk, const Inode *inode, int to, const char *path, GError **error)
{
  g_autoptr (GArray) zones = zones_of (walk->image, inode, path, error);
  g_autofree guint8 *data = g_malloc (RUN_BLOCKS * BLOCK);
  guint run;

  for (guint i = 0; zones != NULL && i < zones->len; i += run)
    {
      guint16 zone = g_array_index (zones, guint16, i);
      guint64 at = (guint64) i * BLOCK;

      run = 1;
      if (zone == 0)
        continue;
      while (run < RUN_BLOCKS && i + run < zones->len
             && g_array_index (zones, guint16, i + run) == zone + run)
        run++;
      if (!read_blocks (walk->image, zone, run, data, path, error)
          || !bz_tree_file_write (walk->tree, to, path, data,
                                  (gsize) MIN ((guint64) run * BLOCK, inode->size - at), at, error))
        return FALSE;
    }
  return zones != NULL;
}

static gboolean
extract_file (Walk *walk, const Inode *inode, const char *path, const BzNode *node, GError **error)
{
  int to = bz_tree_file_open (walk->tree, path, error);

  if (to < 0)
    return FALSE;
  if (!copy_data (walk, inode, to, path, error))
    {
      close (to);
      return FALSE;
    }
  return bz_tree_file_close (walk->tree, to, path, inode->size, node, error);
}

static gboolean
extract_symlink (Walk *walk, const Inode *inode, const char *path, const BzNode *node,
                 GError **error)
{
  g_autoptr (GArray) zones = NULL;
  char target[LINK_MAX_BYTES + BLOCK] = "";

  if (inode->size == 0 || inode->size >= LINK_MAX_BYTES)
    return fail (walk->image, path, "its target makes no sense", error);
  zones = zones_of (walk->image, inode, path, error);
  for (guint i = 0; zones != NULL && i < zones->len; i++)
    if (!read_blocks (walk->image, g_array_index (zones, guint16, i), 1,
                      (guint8 *) target + (gsize) i * BLOCK, path, error))
      return FALSE;
  target[inode->size] = '\0';
  if (zones == NULL)
    return FALSE;
  return *target == '\0' ? fail (walk->image, path, "its target makes no sense", error)
                         : bz_tree_symlink (walk->tree, path, target, node, error);
}

static gboolean
enter_later (Walk *walk, guint16 number, const char *path, GError **error)
{
  Directory directory = { number, g_strdup (path) };

  g_array_append_val (walk->todo, directory);
  return g_hash_table_add (walk->entered, GUINT_TO_POINTER (number))
         || fail (walk->image, path, "the directory is in the tree twice", error);
}

static void
describe (const Inode *inode, BzNode *node)
{
  bz_node_init (node);
  node->mode = inode->mode;
  node->uid = inode->uid;
  node->gid = inode->gid;
  node->mtime = (struct timespec){ inode->time, 0 };
  if (S_ISCHR (inode->mode) || S_ISBLK (inode->mode))
    node->device = makedev (inode->zone[0] >> 8, inode->zone[0] & 0xff);
}

static gboolean
extract_inode (Walk *walk, guint16 number, const char *path, GError **error)
{
  g_auto (BzNode) node = { 0 };
  gboolean missing;
  Inode inode = { 0 };

  if (!read_inode (walk->image, number, path, &inode, error))
    return FALSE;
  describe (&inode, &node);
  if (S_ISDIR (inode.mode))
    return bz_tree_directory (walk->tree, path, &node, error)
           && enter_later (walk, number, path, error);

  const char *first = g_hash_table_lookup (walk->links, GUINT_TO_POINTER (number));
  if (first != NULL)
    {
      if (bz_tree_link (walk->tree, path, first, &missing, NULL))
        return TRUE;
      /* The first was left out (a device): then this one is told alike. */
    }
  else if (inode.links > 1)
    g_hash_table_insert (walk->links, GUINT_TO_POINTER (number), g_strdup (path));

  switch (inode.mode & S_IFMT)
    {
    case S_IFREG:
      return extract_file (walk, &inode, path, &node, error);
    case S_IFLNK:
      return extract_symlink (walk, &inode, path, &node, error);
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
      return bz_tree_special (walk->tree, path, &node, error);
    default:
      return fail (walk->image, path, "it is of no known type", error);
    }
}

static gboolean
extract_directory (Walk *walk, const Directory *directory, GError **error)
{
  g_autoptr (GArray) names = read_names (walk->image, directory->number, directory->path, error);

  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      const Name *name = &g_array_index (names, Name, i);
      g_autofree char *path = *directory->path == '\0'
                                  ? g_strdup (name->name)
                                  : g_strdup_printf ("%s/%s", directory->path, name->name);

      if (*name->name == '\0' || strchr (name->name, '/') != NULL)
        return fail (walk->image, directory->path, "it holds a name that can't be", error);
      if (!extract_inode (walk, name->number, path, error))
        return FALSE;
    }
  return names != NULL;
}

gboolean
bz_minix_extract (BzMinixImage *image, BzTree *tree, GError **error)
{
  Walk walk = { .image = image, .tree = tree };
  gboolean ok;

  walk.todo = g_array_new (FALSE, FALSE, sizeof (Directory));
  walk.entered = g_hash_table_new (NULL, NULL);
  walk.links = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  ok = extract_inode (&walk, ROOT, "", error);
  while (ok && walk.todo->len > 0)
    {
      Directory directory = g_array_index (walk.todo, Directory, walk.todo->len - 1);

      g_array_set_size (walk.todo, walk.todo->len - 1);
      ok = extract_directory (&walk, &directory, error);
      g_free (directory.path);
    }
  for (guint i = 0; i < walk.todo->len; i++)
    g_free (g_array_index (walk.todo, Directory, i).path);
  g_array_unref (walk.todo);
  g_hash_table_unref (walk.entered);
  g_hash_table_unref (walk.links);
  return ok;
}
