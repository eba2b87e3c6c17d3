/* From archive entries to a tree.
 *
 * Facts: cpio carries the data of a hard-linked file with its last name; tar gives holes by
 * offsets; zip made on DOS has no modes. A tar that breaks off in compressed data is FATAL to
 * libarchive, after which nothing of the file being read can be trusted. Choice: a file that was
 * cut off is removed again, also with --keep-partial: a half library is worse than a missing one.
 */
#include "config.h"

#include "installer/archive.h"

#include "brand/base/error.h"
#include "brand/base/owner-record.h"

#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Zeros take no room, but time: an image may hold so many bytes. */
#define IMAGE_MAX (G_GUINT64_CONSTANT (1) << 40)

#define ACL_VERSION 2
#define ACL_UNDEFINED_ID G_MAXUINT32

typedef struct {
  BzArchive *archive;
  BzTree *tree;
  const BzArchiveOptions *options;
  gboolean broke_off; /* the error at hand is the source's, not the target's */
  guint64 entries;
} Extraction;

static guint16
acl_tag (int tag)
{
  switch (tag)
    {
    case ARCHIVE_ENTRY_ACL_USER_OBJ:
      return 0x01;
    case ARCHIVE_ENTRY_ACL_USER:
      return 0x02;
    case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
      return 0x04;
    case ARCHIVE_ENTRY_ACL_GROUP:
      return 0x08;
    case ARCHIVE_ENTRY_ACL_MASK:
      return 0x10;
    case ARCHIVE_ENTRY_ACL_OTHER:
      return 0x20;
    default:
      return 0;
    }
}

/* The kernel's form of the entry's POSIX ACL of one type (include/uapi/linux/posix_acl_xattr.h). */
static void
add_acl (struct archive_entry *entry, int wanted, const char *name, BzNode *node)
{
  g_autoptr (GByteArray) acl = g_byte_array_new ();
  guint32 version = GUINT32_TO_LE (ACL_VERSION);
  int type, permset, tag, qualifier;
  const char *who;
  gboolean named = FALSE;

  g_byte_array_append (acl, (const guint8 *) &version, sizeof version);
  if (archive_entry_acl_reset (entry, wanted) == 0)
    return;
  while (archive_entry_acl_next (entry, wanted, &type, &permset, &tag, &qualifier, &who)
         == ARCHIVE_OK)
    {
      struct {
        guint16 tag, permissions;
        guint32 id;
      } item = { GUINT16_TO_LE (acl_tag (tag)), GUINT16_TO_LE ((guint16) (permset & 7)),
                 GUINT32_TO_LE (ACL_UNDEFINED_ID) };

      if (tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP)
        {
          item.id = GUINT32_TO_LE ((guint32) qualifier);
          named = TRUE;
        }
      else if (tag == ARCHIVE_ENTRY_ACL_MASK)
        named = TRUE;
      if (item.tag != 0)
        g_byte_array_append (acl, (const guint8 *) &item, sizeof item);
    }
  /* The three plain entries are the mode over again. */
  if (named || wanted == ARCHIVE_ENTRY_ACL_TYPE_DEFAULT)
    bz_node_add_xattr (node, name, acl->data, acl->len);
}

/* What a zone with one id remembered of the file that it archived: its owner, once more. */
static void
take_record (BzNode *node, const void *value, gsize size)
{
  BzOwner owner;

  if (node->uid != 0 || node->gid != 0 || !bz_owner_parse (value, size, &owner))
    return;
  node->uid = owner.uid;
  node->gid = owner.gid;
}

static void
describe (struct archive_entry *entry, BzNode *node)
{
  const char *name;
  const void *value;
  size_t size;

  bz_node_init (node);
  node->mode = archive_entry_mode (entry);
  node->uid = (guint64) archive_entry_uid (entry);
  node->gid = (guint64) archive_entry_gid (entry);
  if (S_ISCHR (node->mode) || S_ISBLK (node->mode))
    node->device = makedev (archive_entry_rdevmajor (entry), archive_entry_rdevminor (entry));
  if (archive_entry_mtime_is_set (entry))
    node->mtime = (struct timespec){ archive_entry_mtime (entry),
                                     MIN (archive_entry_mtime_nsec (entry), 999999999L) };
  archive_entry_xattr_reset (entry);
  while (archive_entry_xattr_next (entry, &name, &value, &size) == ARCHIVE_OK)
    if (name != NULL && strcmp (name, BZ_OWNER_ATTRIBUTE) == 0)
      take_record (node, value, size);
    else if (name != NULL && !g_str_has_prefix (name, "system."))
      bz_node_add_xattr (node, name, value, size);
  if (archive_entry_acl_types (entry) & ARCHIVE_ENTRY_ACL_TYPE_POSIX1E)
    {
      add_acl (entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access", node);
      add_acl (entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, "system.posix_acl_default", node);
    }
}

/* Fails because the source breaks here; remembers that it is the source's fault. */
static gboolean
fail_source (Extraction *x, const char *path, guint64 at, GError **error)
{
  const char *why = archive_error_string (bz_archive_reader (x->archive));
  g_autofree char *where = path == NULL
                               ? g_strdup_printf ("%s (after %" G_GUINT64_FORMAT " entries)",
                                                  why == NULL ? "it is damaged" : why, x->entries)
                               : g_strdup_printf ("%s (in %s, at its byte %" G_GUINT64_FORMAT ")",
                                                  why == NULL ? "it is damaged" : why, path, at);

  x->broke_off = TRUE;
  return bz_fail (error, BZ_ERROR_INPUT, where,
                  "get it again, or keep what could be read with --keep-partial", "reading %s",
                  bz_archive_label (x->archive));
}

static gboolean
copy_data (Extraction *x, int fd, const char *path, guint64 *end, GError **error)
{
  const void *block;
  size_t size;
  la_int64_t offset;
  int result;

  *end = 0;
  for (;;)
    {
      result = archive_read_data_block (bz_archive_reader (x->archive), &block, &size, &offset);
      if (result == ARCHIVE_EOF)
        return TRUE;
      if (result == ARCHIVE_RETRY)
        continue;
      if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
        return fail_source (x, path, *end, error);
      if (offset < 0)
        return bz_fail (error, BZ_ERROR_INPUT, "a part of it has a negative place", NULL,
                        "file %.200s", path);
      if (size > 0 && !bz_tree_file_write (x->tree, fd, path, block, size, (guint64) offset, error))
        return FALSE;
      *end = (guint64) offset + size;
    }
}

static gboolean
make_file (Extraction *x, struct archive_entry *entry, const char *path, const BzNode *node,
           gboolean again, GError **error)
{
  guint64 end, size = (guint64) MAX (archive_entry_size (entry), 0);
  int fd =
      again ? bz_tree_file_reopen (x->tree, path, error) : bz_tree_file_open (x->tree, path, error);

  if (fd < 0)
    return FALSE;
  if (!copy_data (x, fd, path, &end, error))
    {
      close (fd);
      if (x->broke_off)
        unlinkat (x->tree->parent_fd, x->tree->name, 0);
      return FALSE;
    }
  return bz_tree_file_close (x->tree, fd, path, archive_entry_size_is_set (entry) ? size : end,
                             node, error);
}

static gboolean
make_link (Extraction *x, struct archive_entry *entry, const char *path, const BzNode *node,
           GError **error)
{
  const char *raw = archive_entry_hardlink (entry);
  gboolean absolute, missing;
  g_autofree char *to = bz_tree_clean_path (raw == NULL ? "" : raw, &absolute, error);
  g_autoptr (GError) failure = NULL;

  if (to == NULL)
    return FALSE;
  if (!bz_tree_link (x->tree, path, to, &missing, &failure))
    {
      if (missing && x->options->wanted != NULL)
        return TRUE;
      /* The device that it links to was left out before, and counted. */
      if (missing && x->tree->job->tallies->len > 0 && archive_entry_size (entry) == 0)
        {
          bz_job_tally (x->tree->job, "hard link to something left out, left out too",
                        "hard links to something left out, left out too", path);
          return TRUE;
        }
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (archive_entry_size_is_set (entry) && archive_entry_size (entry) > 0)
    return make_file (x, entry, path, node, TRUE, error);
  return TRUE;
}

/* Whiteouts of a layer. TRUE in *done when the entry was one. */
static gboolean
white_out (Extraction *x, const char *path, gboolean *done, GError **error)
{
  const char *slash = strrchr (path, '/');
  const char *name = slash == NULL ? path : slash + 1;
  g_autofree char *parent =
      slash == NULL ? g_strdup ("") : g_strndup (path, (gsize) (slash - path));

  *done = g_str_has_prefix (name, ".wh.");
  if (!*done)
    return TRUE;
  if (strcmp (name, ".wh..wh..opq") == 0)
    return bz_tree_clear (x->tree, parent, error);
  if (g_str_has_prefix (name, ".wh..wh."))
    return TRUE; /* book-keeping of the storage that made the layer */
  name += strlen (".wh.");
  if (*name == '\0' || strcmp (name, ".") == 0 || strcmp (name, "..") == 0)
    return bz_fail (error, BZ_ERROR_INPUT, "it removes a name that can't be", NULL,
                    "layer entry %.200s", path);

  g_autofree char *victim =
      slash == NULL ? g_strdup (name) : g_strdup_printf ("%s/%s", parent, name);
  return bz_tree_remove (x->tree, victim, error);
}

static gboolean
make_entry (Extraction *x, struct archive_entry *entry, const char *path, GError **error)
{
  g_auto (BzNode) node = { 0 };

  describe (entry, &node);
  if (archive_entry_hardlink (entry) != NULL)
    return make_link (x, entry, path, &node, error);
  switch (node.mode & S_IFMT)
    {
    case S_IFREG:
      return make_file (x, entry, path, &node, FALSE, error);
    case S_IFDIR:
      return bz_tree_directory (x->tree, path, &node, error);
    case S_IFLNK:
      if (archive_entry_symlink (entry) == NULL || *archive_entry_symlink (entry) == '\0')
        return bz_fail (error, BZ_ERROR_INPUT, "it points nowhere", NULL, "symbolic link %.200s",
                        path);
      return bz_tree_symlink (x->tree, path, archive_entry_symlink (entry), &node, error);
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
      return bz_tree_special (x->tree, path, &node, error);
    default:
      bz_job_tally (x->tree->job, "entry of unknown type left out",
                    "entries of unknown type left out", path);
      return TRUE;
    }
}

static gboolean
extract_entry (Extraction *x, struct archive_entry *entry, GError **error)
{
  const char *raw = bz_archive_name (entry);
  gboolean absolute, done = FALSE;
  g_autofree char *path = NULL;

  if (raw == NULL)
    return bz_fail (error, BZ_ERROR_INPUT,
                    "an entry has no name, or none in the encoding that it is said to have", NULL,
                    "reading %s", bz_archive_label (x->archive));
  path = bz_tree_clean_path (raw, &absolute, error);
  if (path == NULL)
    return FALSE;
  if (absolute)
    bz_job_tally (x->tree->job, "name began with / and was taken as below the tree",
                  "names began with / and were taken as below the tree", path);
  if (x->options->wanted != NULL && !x->options->wanted (path))
    return TRUE;
  if (x->options->names != NULL && *path != '\0')
    g_string_append_printf (x->options->names, "%s%s\n", path,
                            archive_entry_filetype (entry) == AE_IFDIR ? "/" : "");
  if (x->options->layer && !white_out (x, path, &done, error))
    return FALSE;
  return done || make_entry (x, entry, path, error);
}

static gboolean
next_entry (Extraction *x, struct archive_entry **entry, GError **error)
{
  g_autoptr (GError) failure = NULL;

  *entry = bz_archive_next (x->archive, &failure);
  if (failure == NULL)
    return TRUE;
  if (!g_error_matches (failure, BZ_ERROR, BZ_ERROR_INPUT))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return fail_source (x, NULL, 0, error);
}

gboolean
bz_archive_extract (BzArchive *archive, BzTree *tree, const BzArchiveOptions *options,
                    GError **error)
{
  Extraction x = { .archive = archive, .tree = tree, .options = options };
  g_autoptr (GError) failure = NULL;
  struct archive_entry *entry = NULL;

  while (next_entry (&x, &entry, &failure) && entry != NULL && extract_entry (&x, entry, &failure))
    x.entries++;
  if (failure == NULL)
    return TRUE;
  if (x.broke_off && options->keep_partial && x.entries > 0)
    {
      bz_job_notice (tree->job,
                     "the source breaks off: %s; %" G_GUINT64_FORMAT
                     " entries before that were kept, the rest is missing",
                     bz_error_parts (failure)->why, x.entries);
      return TRUE;
    }
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

gboolean
bz_archive_save (BzArchive *archive, BzTree *tree, int fd, const char *label, GError **error)
{
  const gsize piece = 4096;
  g_autofree char *buffer = g_malloc (64 * 1024);
  guint64 at = 0;
  gssize size = 0;

  while (at <= IMAGE_MAX && (size = bz_archive_read (archive, buffer, 64 * 1024, error)) > 0)
    for (gsize i = 0; i < (gsize) size; i += piece)
      {
        gsize length = MIN (piece, (gsize) size - i);
        gboolean zero = buffer[i] == 0 && memcmp (buffer + i, buffer + i + 1, length - 1) == 0;

        if (!bz_job_step (tree->job, error)
            || (!zero && !bz_tree_file_write (tree, fd, label, buffer + i, length, at, error)))
          return FALSE;
        at += length;
      }
  if (size < 0)
    return FALSE;
  if (at > IMAGE_MAX)
    return bz_fail (error, BZ_ERROR_INPUT, "it expands to more than 1 TiB",
                    "this source is damaged or hostile: don't use it", "unpacking %s", label);
  if (ftruncate (fd, (off_t) at) < 0)
    return bz_fail (error, BZ_ERROR_SPACE, "its size is more than this file system takes", NULL,
                    "unpacking %s", label);
  return TRUE;
}
