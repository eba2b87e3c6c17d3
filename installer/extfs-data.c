/* The data of a file in an ext image.
 *
 * Facts: a size of 2^60 with one block is legal (a hole), so data is found by its blocks and never
 * by reading up to the size. Extents that are allocated and not written hold old bytes of the disk
 * and read as zero: libext2fs's block iterator gives them like any other, so extents are walked
 * here. A hostile tree of indirect blocks or extents can name one block billions of times: the
 * job's limit on bytes ends that, and a limit on extents those that bring no bytes. Limits:
 * encrypted files can't be read; their directory entries can't either. */
#include "config.h"

#include "installer/extfs.h"

#include "brand/base/error.h"

#define RUN_BYTES (256 * 1024)

typedef struct {
  ext2_filsys fs;
  BzTree *tree;
  int to;
  const char *path;
  guint64 size;
  guint64 logical, physical, count; /* the run that was collected */
  char *buffer;
  GError *failure;
} Data;

gboolean
bz_ext_fail (errcode_t code, const char *path, GError **error)
{
  return bz_fail (error, BZ_ERROR_INPUT, error_message (code), "check the image with e2fsck",
                  "reading %.200s in the image", path);
}

/* Writes the collected run. */
static gboolean
flush (Data *data)
{
  guint64 block = data->fs->blocksize, most = RUN_BYTES / block;

  while (data->count > 0)
    {
      guint64 count = MIN (data->count, most), at = data->logical * block;
      errcode_t code;

      if (at >= data->size)
        break;
      code = io_channel_read_blk64 (data->fs->io, data->physical, (int) count, data->buffer);
      if (code != 0)
        return bz_ext_fail (code, data->path, &data->failure);
      if (!bz_tree_file_write (data->tree, data->to, data->path, data->buffer,
                               (gsize) MIN (count * block, data->size - at), at, &data->failure))
        return FALSE;
      data->logical += count;
      data->physical += count;
      data->count -= count;
    }
  data->count = 0;
  return TRUE;
}

static gboolean
collect (Data *data, guint64 logical, guint64 physical, guint64 count)
{
  if (physical + count > ext2fs_blocks_count (data->fs->super) || physical == 0)
    return bz_ext_fail (EXT2_ET_BAD_BLOCK_NUM, data->path, &data->failure);
  if (data->count > 0 && data->logical + data->count == logical
      && data->physical + data->count == physical && data->count < 1024)
    {
      data->count += count;
      return TRUE;
    }
  if (!flush (data))
    return FALSE;
  data->logical = logical;
  data->physical = physical;
  data->count = count;
  return TRUE;
}

static int
take_block (ext2_filsys fs G_GNUC_UNUSED, blk64_t *block, e2_blkcnt_t logical,
            blk64_t ref_block G_GNUC_UNUSED, int ref_offset G_GNUC_UNUSED, void *user)
{
  if (logical < 0 || *block == 0)
    return 0;
  return collect (user, (guint64) logical, *block, 1) ? 0 : BLOCK_ABORT;
}

static gboolean
copy_extents (Data *data, ext2_ino_t ino, struct ext2_inode *inode)
{
  guint64 left = ext2fs_blocks_count (data->fs->super) + 16;
  int op = EXT2_EXTENT_ROOT;
  ext2_extent_handle_t handle;
  struct ext2fs_extent extent;
  errcode_t code = ext2fs_extent_open2 (data->fs, ino, inode, &handle);
  gboolean ok = TRUE;

  if (code != 0)
    return bz_ext_fail (code, data->path, &data->failure);
  while (ok && (code = ext2fs_extent_get (handle, op, &extent)) == 0)
    {
      op = EXT2_EXTENT_NEXT;
      if (left-- == 0)
        code = EXT2_ET_EXTENT_INVALID_LENGTH;
      ok = code == 0 && bz_job_step (data->tree->job, &data->failure);
      if (ok && (extent.e_flags & EXT2_EXTENT_FLAGS_LEAF) != 0
          && (extent.e_flags & (EXT2_EXTENT_FLAGS_UNINIT | EXT2_EXTENT_FLAGS_SECOND_VISIT)) == 0)
        ok = collect (data, extent.e_lblk, extent.e_pblk, extent.e_len);
    }
  ext2fs_extent_free (handle);
  if (data->failure == NULL && code != 0 && code != EXT2_ET_EXTENT_NO_NEXT
      && code != EXT2_ET_NO_CURRENT_NODE)
    return bz_ext_fail (code, data->path, &data->failure);
  return ok;
}

/* Small files that live in their inode. */
static gboolean
copy_inline (Data *data, ext2_ino_t ino)
{
  size_t size = 0;
  errcode_t code = ext2fs_inline_data_size (data->fs, ino, &size);

  if (code == 0 && size <= RUN_BYTES)
    code = ext2fs_inline_data_get (data->fs, ino, NULL, data->buffer, &size);
  if (code != 0 || size > RUN_BYTES)
    return bz_ext_fail (code != 0 ? code : EXT2_ET_INLINE_DATA_CANT_ITERATE, data->path,
                        &data->failure);
  return bz_tree_file_write (data->tree, data->to, data->path, data->buffer, MIN (size, data->size),
                             0, &data->failure);
}

gboolean
bz_ext_copy_data (ext2_filsys fs, ext2_ino_t ino, struct ext2_inode *inode, BzTree *tree, int to,
                  const char *path, GError **error)
{
  g_autofree char *buffer = g_malloc (RUN_BYTES);
  Data data = {
    .fs = fs, .tree = tree, .to = to, .path = path, .size = EXT2_I_SIZE (inode), .buffer = buffer
  };
  gboolean ok;

  if (inode->i_flags & EXT4_INLINE_DATA_FL)
    ok = copy_inline (&data, ino);
  else if (inode->i_flags & EXT4_EXTENTS_FL)
    ok = copy_extents (&data, ino, inode) && flush (&data);
  else
    {
      errcode_t code = ext2fs_block_iterate3 (fs, ino, BLOCK_FLAG_READ_ONLY | BLOCK_FLAG_DATA_ONLY,
                                              NULL, take_block, &data);

      ok = data.failure == NULL && (code == 0 || bz_ext_fail (code, path, &data.failure))
           && flush (&data);
    }
  if (!ok)
    g_propagate_error (error, data.failure);
  return ok;
}
