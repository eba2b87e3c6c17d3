/* Which file system of a disk is meant.
 *
 * Problem: a disk has a partition for booting, one for swapping and one for /home beside the one
 * that is wanted, and nothing in the table says which. Choice: each is opened, and the one whose
 * root has most of the names that a userland's root has is taken; the first of equals. When there
 * is none, what the partitions do hold is told. */
#include "config.h"

#include "installer/file-system.h"

#include "brand/base/error.h"
#include "installer/extfs.h"
#include "installer/minix.h"
#include "installer/partitions.h"
#include "installer/recognise.h"

#define HINT "give an image with an ext2, ext3, ext4 or minix file system, or an archive of the tree"

struct BzFileSystem {
  const char *kind;
  BzExtImage *ext;
  BzMinixImage *minix;
};

/* *name: what it is when it is something; else NULL. */
static BzBytes
look (BzDisk *disk, guint64 offset, const char **name)
{
  g_autofree guint8 *head = g_malloc0 (BZ_RECOGNISE_BYTES);
  gssize size = bz_disk_read (disk, offset, head, BZ_RECOGNISE_BYTES, NULL);

  *name = NULL;
  return size <= 0 ? BZ_BYTES_UNKNOWN : bz_recognise_bytes (head, (gsize) size, name);
}

BzFileSystem *
bz_file_system_open (BzDisk *disk, guint64 offset, const char *label, GError **error)
{
  g_autoptr (BzFileSystem) fs = g_new0 (BzFileSystem, 1);
  const char *name;

  switch (look (disk, offset, &name))
    {
    case BZ_BYTES_EXT:
      fs->ext = bz_ext_open (disk, offset, label, error);
      break;
    case BZ_BYTES_MINIX:
      fs->minix = bz_minix_open (disk, offset, label, error);
      break;
    default:
      bz_fail (error, BZ_ERROR_INPUT,
               name == NULL ? "it holds no file system that brandzone can read" : name, HINT, "%s",
               label);
      return NULL;
    }
  fs->kind = name;
  return fs->ext == NULL && fs->minix == NULL ? NULL : g_steal_pointer (&fs);
}

void
bz_file_system_close (BzFileSystem *fs)
{
  g_clear_pointer (&fs->ext, bz_ext_close);
  g_clear_pointer (&fs->minix, bz_minix_close);
  g_free (fs);
}

const char *
bz_file_system_kind (const BzFileSystem *fs)
{
  return fs->kind;
}

guint
bz_file_system_userland_names (BzFileSystem *fs)
{
  return fs->ext != NULL ? bz_ext_userland_names (fs->ext) : bz_minix_userland_names (fs->minix);
}

gboolean
bz_file_system_extract (BzFileSystem *fs, BzTree *tree, GError **error)
{
  return fs->ext != NULL ? bz_ext_extract (fs->ext, tree, error)
                         : bz_minix_extract (fs->minix, tree, error);
}

/* What the disk holds instead, for the error. */
static gboolean
fail_none (BzDisk *disk, const GArray *places, const char *label, GError **error)
{
  g_autoptr (GString) why = g_string_new ("it holds no file system that brandzone can read");

  for (guint i = 0; places != NULL && i < places->len && i < 8; i++)
    {
      const BzPartitionPlace *place = &g_array_index (places, BzPartitionPlace, i);
      const char *name;

      look (disk, place->offset, &name);
      g_string_append_printf (why, "%s partition %d %s", i == 0 ? ":" : ",", place->number,
                              name == NULL ? "something unknown" : name);
    }
  return bz_fail (error, BZ_ERROR_INPUT, why->str, HINT, "%s", label);
}

/* Takes the file system at `offset` when it is better than what was found. */
static void
consider (BzDisk *disk, guint64 offset, const char *label, guint *best, const char **name,
          BzFoundSystem *found)
{
  g_autoptr (BzFileSystem) fs = bz_file_system_open (disk, offset, label, NULL);
  guint score = fs == NULL ? 0 : 1 + bz_file_system_userland_names (fs);

  found->count += fs != NULL ? 1 : 0;
  if (score <= *best)
    return;
  *best = score;
  *name = fs->kind;
  found->offset = offset;
}

gboolean
bz_file_system_find (BzDisk *disk, int fd, const char *label, BzFoundSystem *found, GError **error)
{
  const char *qcow2 = bz_disk_is_qcow2 (disk) ? "qcow2" : "", *name = NULL, *table = NULL;
  g_autoptr (GArray) places = NULL;
  g_autoptr (GError) failure = NULL;
  guint best = 0;
  int number = 0;

  *found = (BzFoundSystem){ 0 };
  switch (look (disk, 0, &name))
    {
    case BZ_BYTES_EXT:
    case BZ_BYTES_MINIX:
      found->kind = *qcow2 == '\0' ? g_strdup (name) : g_strdup_printf ("%s (%s)", name, qcow2);
      found->count = 1;
      return TRUE;
    default:
      name = NULL;
      break;
    }
  places = bz_partitions_read (disk, fd, &table, &failure);
  for (guint i = 0; places != NULL && i < places->len; i++)
    {
      const BzPartitionPlace *place = &g_array_index (places, BzPartitionPlace, i);
      guint before = best;

      consider (disk, place->offset, label, &best, &name, found);
      if (best > before)
        number = place->number;
    }
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (name == NULL)
    return fail_none (disk, places, label, error);
  found->kind = g_strdup_printf ("%s in partition %d (%s%s%s)", name, number, table,
                                 *qcow2 == '\0' ? "" : ", ", qcow2);
  return TRUE;
}
