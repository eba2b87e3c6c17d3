/* From an ext image to a tree.
 *
 * Problem: an image is a hostile data structure: directories that contain themselves, names with
 * "/", links that say one and are many. Choice: each directory inode is entered once; directories
 * wait in a list, so depth costs no stack; every name passes the same gate as an archive's
 * (installer/tree.h). Limits: a journal that was not replayed is told, not replayed: the image is
 * only read. */
#include "config.h"

#include "installer/extfs.h"

#include "brand/base/error.h"
#include "installer/install.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct BzExtImage {
  ext2_filsys fs;
  char *label;
};

typedef struct {
  ext2_ino_t ino;
  char *path;
} Directory;

typedef struct {
  BzExtImage *image;
  BzTree *tree;
  GArray *todo;        /* of Directory */
  GHashTable *entered; /* inode numbers */
  GHashTable *links;   /* inode number -> path */
} Walk;

typedef struct {
  ext2_ino_t ino;
  char name[EXT2_NAME_LEN + 1];
} Name;

BzExtImage *
bz_ext_open (BzDisk *disk, guint64 offset, const char *label, GError **error)
{
  BzExtImage *image = g_new0 (BzExtImage, 1);
  errcode_t code;

  initialize_ext2_error_table ();
  image->label = g_strdup (label);
  code = bz_ext_open_disk (disk, offset, &image->fs);
  if (code != 0)
    {
      image->fs = NULL;
      bz_fail (error, BZ_ERROR_INPUT, error_message (code), "check the image with e2fsck",
               "reading the file system in %s", label);
      bz_ext_close (image);
      return NULL;
    }
  return image;
}

void
bz_ext_close (BzExtImage *image)
{
  if (image->fs != NULL)
    ext2fs_free (image->fs);
  g_free (image->label);
  g_free (image);
}

static int
take_name (ext2_ino_t dir G_GNUC_UNUSED, int entry G_GNUC_UNUSED, struct ext2_dir_entry *dirent,
           int offset G_GNUC_UNUSED, int blocksize G_GNUC_UNUSED, char *buf G_GNUC_UNUSED,
           void *user)
{
  GArray *names = user;
  Name name = { .ino = dirent->inode };
  gsize length = (gsize) ext2fs_dirent_name_len (dirent);

  memcpy (name.name, dirent->name, MIN (length, (gsize) EXT2_NAME_LEN));
  if (strcmp (name.name, ".") != 0 && strcmp (name.name, "..") != 0)
    g_array_append_val (names, name);
  /* A name with a NUL inside is cut and then found not to be the length it says. */
  return 0;
}

static GArray *
read_names (BzExtImage *image, ext2_ino_t ino, const char *path, GError **error)
{
  GArray *names = g_array_new (FALSE, FALSE, sizeof (Name));
  errcode_t code = ext2fs_dir_iterate2 (image->fs, ino, 0, NULL, take_name, names);

  if (code == 0)
    return names;
  bz_ext_fail (code, path, error);
  g_array_unref (names);
  return NULL;
}

guint
bz_ext_userland_names (BzExtImage *image)
{
  g_autoptr (GArray) names = read_names (image, EXT2_ROOT_INO, "/", NULL);
  guint count = 0;

  for (guint i = 0; names != NULL && i < names->len; i++)
    count += bz_recognise_path (g_array_index (names, Name, i).name) ? 1 : 0;
  return count;
}

static int
take_xattr (char *name, char *value, size_t size, void *user)
{
  if (name != NULL && *name != '\0')
    bz_node_add_xattr (user, name, value, size);
  return 0;
}

static void
take_xattrs (BzExtImage *image, ext2_ino_t ino, BzNode *node)
{
  struct ext2_xattr_handle *handle;

  if (ext2fs_xattrs_open (image->fs, ino, &handle) != 0)
    return;
  if (ext2fs_xattrs_read (handle) == 0)
    ext2fs_xattrs_iterate (handle, take_xattr, node);
  ext2fs_xattrs_close (&handle);
}

static void
describe (Walk *walk, ext2_ino_t ino, const struct ext2_inode_large *inode, gsize size,
          BzNode *node)
{
  gint64 seconds = (gint32) inode->i_mtime;
  long nanoseconds = 0;

  if (size >= 128 + 28 && inode->i_extra_isize >= 16)
    {
      seconds += (gint64) (inode->i_mtime_extra & 3) << 32;
      nanoseconds = (long) (inode->i_mtime_extra >> 2);
    }
  bz_node_init (node);
  node->mode = inode->i_mode;
  node->uid = inode_uid (*inode);
  node->gid = inode_gid (*inode);
  node->mtime = (struct timespec){ seconds, MIN (nanoseconds, 999999999L) };
  if (S_ISCHR (inode->i_mode) || S_ISBLK (inode->i_mode))
    {
      guint32 old = inode->i_block[0], new = inode->i_block[1];

      /* The 16-bit form, or the 32-bit one with 12 bits of major and 20 of minor. */
      node->device = old != 0
                         ? makedev ((old >> 8) & 0xff, old & 0xff)
                         : makedev ((new >> 8) & 0xfff, (new & 0xff) | ((new >> 12) & 0xfff00));
    }
  take_xattrs (walk->image, ino, node);
}

static gboolean
extract_file (Walk *walk, ext2_ino_t ino, struct ext2_inode *inode, const char *path,
              const BzNode *node, GError **error)
{
  int to;

  if (inode->i_flags & EXT4_ENCRYPT_FL)
    {
      bz_job_tally (walk->tree->job, "encrypted file left out", "encrypted files left out", path);
      return TRUE;
    }
  to = bz_tree_file_open (walk->tree, path, error);
  if (to < 0)
    return FALSE;
  if (!bz_ext_copy_data (walk->image->fs, ino, inode, walk->tree, to, path, error))
    {
      close (to);
      return FALSE;
    }
  return bz_tree_file_close (walk->tree, to, path, EXT2_I_SIZE (inode), node, error);
}

static gboolean
extract_symlink (Walk *walk, ext2_ino_t ino, struct ext2_inode *inode, const char *path,
                 const BzNode *node, GError **error)
{
  char target[4096] = "";
  guint64 size = EXT2_I_SIZE (inode);
  errcode_t code = 0;

  if (size == 0 || size >= sizeof target)
    return bz_ext_fail (EXT2_ET_BAD_INODE_NUM, path, error);
  if (ext2fs_is_fast_symlink (inode))
    {
      if (size > sizeof inode->i_block)
        return bz_ext_fail (EXT2_ET_BAD_INODE_NUM, path, error);
      memcpy (target, inode->i_block, size);
    }
  else
    {
      ext2_file_t file;
      unsigned int got = 0;

      code = ext2fs_file_open2 (walk->image->fs, ino, inode, 0, &file);
      if (code == 0)
        {
          code = ext2fs_file_read (file, target, (unsigned) size, &got);
          ext2fs_file_close (file);
        }
    }
  target[size] = '\0';
  if (code != 0 || *target == '\0')
    return bz_ext_fail (code != 0 ? code : EXT2_ET_BAD_INODE_NUM, path, error);
  return bz_tree_symlink (walk->tree, path, target, node, error);
}

static gboolean
enter_later (Walk *walk, ext2_ino_t ino, const char *path, GError **error)
{
  Directory directory = { ino, g_strdup (path) };

  g_array_append_val (walk->todo, directory);
  if (g_hash_table_add (walk->entered, GUINT_TO_POINTER (ino)))
    return TRUE;
  return bz_ext_fail (EXT2_ET_DIR_CORRUPTED, path, error);
}

static gboolean
extract_inode (Walk *walk, ext2_ino_t ino, const char *path, GError **error)
{
  gsize size =
      MAX ((gsize) EXT2_INODE_SIZE (walk->image->fs->super), sizeof (struct ext2_inode_large));
  g_autofree struct ext2_inode_large *inode = g_malloc0 (size);
  errcode_t code =
      ext2fs_read_inode_full (walk->image->fs, ino, (struct ext2_inode *) inode, (int) size);
  g_auto (BzNode) node = { 0 };
  gboolean missing;

  if (code != 0)
    return bz_ext_fail (code, path, error);
  describe (walk, ino, inode, EXT2_INODE_SIZE (walk->image->fs->super), &node);
  if (S_ISDIR (inode->i_mode))
    return bz_tree_directory (walk->tree, path, &node, error)
           && enter_later (walk, ino, path, error);

  const char *first =
      inode->i_links_count > 1 ? g_hash_table_lookup (walk->links, GUINT_TO_POINTER (ino)) : NULL;
  if (first != NULL)
    {
      if (bz_tree_link (walk->tree, path, first, &missing, NULL))
        return TRUE;
      /* The first was left out (a device): then this one is told alike. */
    }
  else if (inode->i_links_count > 1)
    g_hash_table_insert (walk->links, GUINT_TO_POINTER (ino), g_strdup (path));

  if (S_ISREG (inode->i_mode))
    return extract_file (walk, ino, (struct ext2_inode *) inode, path, &node, error);
  if (S_ISLNK (inode->i_mode))
    return extract_symlink (walk, ino, (struct ext2_inode *) inode, path, &node, error);
  if (S_ISCHR (inode->i_mode) || S_ISBLK (inode->i_mode) || S_ISFIFO (inode->i_mode)
      || S_ISSOCK (inode->i_mode))
    return bz_tree_special (walk->tree, path, &node, error);
  return bz_ext_fail (EXT2_ET_BAD_INODE_NUM, path, error);
}

static gboolean
extract_directory (Walk *walk, const Directory *directory, GError **error)
{
  g_autoptr (GArray) names = read_names (walk->image, directory->ino, directory->path, error);

  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      const Name *name = &g_array_index (names, Name, i);
      g_autofree char *path = *directory->path == '\0'
                                  ? g_strdup (name->name)
                                  : g_strdup_printf ("%s/%s", directory->path, name->name);

      if (*name->name == '\0' || strchr (name->name, '/') != NULL)
        return bz_ext_fail (EXT2_ET_DIR_CORRUPTED, directory->path, error);
      if (!extract_inode (walk, name->ino, path, error))
        return FALSE;
    }
  return names != NULL;
}

gboolean
bz_ext_extract (BzExtImage *image, BzTree *tree, GError **error)
{
  Walk walk = { .image = image, .tree = tree };
  gboolean ok;

  if (ext2fs_has_feature_journal_needs_recovery (image->fs->super))
    bz_job_notice (tree->job,
                   "the image was not unmounted cleanly: its last changes may be missing");
  walk.todo = g_array_new (FALSE, FALSE, sizeof (Directory));
  walk.entered = g_hash_table_new (NULL, NULL);
  walk.links = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  ok = extract_inode (&walk, EXT2_ROOT_INO, "", error);
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
