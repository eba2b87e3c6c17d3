/* A tree as a tar archive, or as a list.
 *
 * What must survive: owners, modes, times to the nanosecond, hard links, holes, devices, extended
 * attributes, access lists, capabilities of files. pax has a form for each. Facts: libarchive takes
 * the whole of a sparse file and leaves the holes out itself; access lists are not attributes to it.
 * A capability that the kernel keeps with the id of a namespace's root (revision 3) becomes one
 * without when it is that of the tree. Names are written in the order of bytes, so that the same
 * tree gives the same archive. Limits: sockets have no form in tar and are left out; attributes of
 * symbolic links are not written. What a zone with one id remembers (owner-record.h) is written as what
 * it stands for, and listed as it is. The tree may change meanwhile: a file that becomes shorter is
 * filled up with zeros, as tar does. In a list a file with several names is told, and read, once for each; of a file with
 * holes of more than 1 GiB the digest is that of what is between them. */
#include "config.h"

#include "installer/export.h"

#include "brand/base/error.h"
#include "brand/base/owner-record.h"
#include "installer/beneath.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PIECE (1024 * 1024)
/* A list does not read larger holes: a file of no size on the disk would keep it busy for hours. */
#define LIST_HOLES_MAX (1024 * 1024 * 1024)

typedef struct {
  BzExport *export;
  BzArchiveWriter *writer;
  GHashTable *links; /* "device:inode" -> name in the archive */
  GPtrArray *todo;   /* of paths of directories, the next last */
  char *piece, *zeros;
} Walk;

static gboolean
fail_writer (BzArchiveWriter *writer, GError **error)
{
  int saved = archive_errno (writer);
  const char *why = archive_error_string (writer);

  if (saved > 0)
    return bz_fail_errno (error, saved, saved == ENOSPC ? "make room, or write it elsewhere" : NULL,
                          "writing the archive");
  return bz_fail (error, BZ_ERROR_FAILED, why != NULL ? why : "unknown", NULL,
                  "writing the archive");
}

/* Everything that mtree(5) gives another meaning, and what is no printable ASCII. */
static void
append_escaped (GString *line, const char *text)
{
  for (; *text != '\0'; text++)
    {
      unsigned char byte = (unsigned char) *text;

      if (byte <= ' ' || byte >= 0x7f || strchr ("#\\=*?[", byte) != NULL)
        g_string_append_printf (line, "\\%03o", byte);
      else
        g_string_append_c (line, (char) byte);
    }
}

BzArchiveWriter *
bz_export_open (int fd, const char *filter, GError **error)
{
  BzArchiveWriter *writer = archive_write_new ();
  int result = archive_write_set_format_pax (writer);

  if (filter != NULL && strcmp (filter, "gzip") == 0)
    result = MIN (result, archive_write_add_filter_gzip (writer));
  else if (filter != NULL && strcmp (filter, "xz") == 0)
    result = MIN (result, archive_write_add_filter_xz (writer));
  else if (filter != NULL && strcmp (filter, "zstd") == 0)
    result = MIN (result, archive_write_add_filter_zstd (writer));
  archive_write_set_bytes_in_last_block (writer, 1);
  if (result >= ARCHIVE_WARN && archive_write_open_fd (writer, fd) == ARCHIVE_OK)
    return writer;
  fail_writer (writer, error);
  archive_write_free (writer);
  return NULL;
}

gboolean
bz_export_close (BzArchiveWriter *writer, GError **error)
{
  gboolean good = archive_write_close (writer) == ARCHIVE_OK || fail_writer (writer, error);

  archive_write_free (writer);
  return good;
}

gboolean
bz_export_data (BzArchiveWriter *writer, const char *name, const void *data, gsize size,
                GError **error)
{
  struct archive_entry *entry = archive_entry_new ();
  gboolean good;

  archive_entry_set_pathname (entry, name);
  archive_entry_set_filetype (entry, AE_IFREG);
  archive_entry_set_perm (entry, 0644);
  archive_entry_set_size (entry, (la_int64_t) size);
  good = (archive_write_header (writer, entry) >= ARCHIVE_WARN
          && archive_write_data (writer, data, size) == (la_ssize_t) size)
         || fail_writer (writer, error);
  archive_entry_free (entry);
  return good;
}

/* --- attributes --- */

static guint32
plain_id (const BzExport *export, guint32 id)
{
  return id >= export->id_shift ? id - export->id_shift : id;
}

/* Into the list, in the form that does not depend on the ids of this host. */
static void
list_attribute (const BzExport *export, const char *path, const char *name, const guint8 *value,
                gsize size)
{
  g_autofree char *text = g_base64_encode (value, size);

  g_string_append (export->list, "#xattr ./");
  append_escaped (export->list, path);
  g_string_append_c (export->list, ' ');
  append_escaped (export->list, name);
  g_string_append_printf (export->list, "=%s\n", text);
}

static void
list_acl (const BzExport *export, const char *path, const char *name, guint8 *acl, gsize size)
{
  for (gsize at = 4; at + 8 <= size; at += 8)
    {
      guint16 tag;
      guint32 id;

      memcpy (&tag, acl + at, sizeof tag);
      memcpy (&id, acl + at + 4, sizeof id);
      if (GUINT16_FROM_LE (tag) != 0x02 && GUINT16_FROM_LE (tag) != 0x08)
        continue;
      id = GUINT32_TO_LE (plain_id (export, GUINT32_FROM_LE (id)));
      memcpy (acl + at + 4, &id, sizeof id);
    }
  list_attribute (export, path, name, acl, size);
}

static void
add_acl (const BzExport *export, struct archive_entry *entry, int type, const guint8 *acl,
         gsize size)
{
  static const struct {
    guint16 kernel;
    int archive;
  } tags[] = { { 0x01, ARCHIVE_ENTRY_ACL_USER_OBJ },  { 0x02, ARCHIVE_ENTRY_ACL_USER },
               { 0x04, ARCHIVE_ENTRY_ACL_GROUP_OBJ }, { 0x08, ARCHIVE_ENTRY_ACL_GROUP },
               { 0x10, ARCHIVE_ENTRY_ACL_MASK },      { 0x20, ARCHIVE_ENTRY_ACL_OTHER } };

  for (gsize at = 4; at + 8 <= size; at += 8)
    {
      guint16 tag, permissions;
      guint32 id;

      memcpy (&tag, acl + at, sizeof tag);
      memcpy (&permissions, acl + at + 2, sizeof permissions);
      memcpy (&id, acl + at + 4, sizeof id);
      for (gsize i = 0; i < G_N_ELEMENTS (tags); i++)
        if (tags[i].kernel == GUINT16_FROM_LE (tag))
          {
            gboolean named = tags[i].kernel == 0x02 || tags[i].kernel == 0x08;
            archive_entry_acl_add_entry (
                entry, type, GUINT16_FROM_LE (permissions) & 7, tags[i].archive,
                named ? (int) plain_id (export, GUINT32_FROM_LE (id)) : -1, NULL);
          }
    }
}

static void
add_capability (const BzExport *export, struct archive_entry *entry, const char *path,
                const guint8 *value, gsize size)
{
  struct vfs_ns_cap_data data = { 0 };
  guint32 magic;

  if (size < XATTR_CAPS_SZ_2 || size > sizeof data)
    return;
  memcpy (&data, value, size);
  magic = GUINT32_FROM_LE (data.magic_etc);
  if ((magic & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_3
      && GUINT32_FROM_LE (data.rootid) == export->id_shift)
    {
      data.magic_etc = GUINT32_TO_LE ((magic & VFS_CAP_FLAGS_MASK) | VFS_CAP_REVISION_2);
      size = XATTR_CAPS_SZ_2;
    }
  if (export->list != NULL)
    list_attribute (export, path, "security.capability", (const guint8 *) &data, size);
  else
    archive_entry_xattr_add_entry (entry, "security.capability", &data, size);
}

/* Only a file of the zone's root has one that still holds: any other got its owner since. */
static void
show_record (struct archive_entry *entry, const guint8 *value, gsize size)
{
  BzOwner owner;

  if (archive_entry_uid (entry) != 0 || archive_entry_gid (entry) != 0
      || !bz_owner_parse ((const char *) value, size, &owner))
    return;
  archive_entry_set_uid (entry, owner.uid);
  archive_entry_set_gid (entry, owner.gid);
  if (owner.type == 0 || archive_entry_filetype (entry) != AE_IFREG
      || archive_entry_size (entry) != 0)
    return;
  archive_entry_set_filetype (entry, owner.type);
  archive_entry_set_rdevmajor (entry, owner.major);
  archive_entry_set_rdevminor (entry, owner.minor);
}

static void
add_attribute (const BzExport *export, struct archive_entry *entry, const char *path,
               const char *name, guint8 *value, gsize size)
{
  if (g_str_has_prefix (name, "system.posix_acl_") && export->list != NULL)
    list_acl (export, path, name, value, size);
  else if (strcmp (name, "system.posix_acl_access") == 0)
    add_acl (export, entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, value, size);
  else if (strcmp (name, "system.posix_acl_default") == 0)
    add_acl (export, entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, value, size);
  else if (export->list == NULL && strcmp (name, BZ_OWNER_ATTRIBUTE) == 0)
    show_record (entry, value, size);
  else if (strcmp (name, "security.capability") == 0)
    add_capability (export, entry, path, value, size);
  else if (!g_str_has_prefix (name, "user.") || g_str_has_prefix (name, "user.overlay."))
    return;
  else if (export->list != NULL)
    list_attribute (export, path, name, value, size);
  else
    archive_entry_xattr_add_entry (entry, name, value, size);
}

/* Of a file or directory that is open; other kinds have none that the installer would take. */
static void
add_attributes (const BzExport *export, struct archive_entry *entry, const char *path, int fd)
{
  ssize_t size = flistxattr (fd, NULL, 0);

  if (size <= 0)
    return;
  g_autofree char *names = g_malloc (XATTR_LIST_MAX);
  g_autofree guint8 *value = g_malloc (XATTR_SIZE_MAX);
  size = flistxattr (fd, names, XATTR_LIST_MAX);

  for (ssize_t at = 0; at < size; at += (ssize_t) strlen (names + at) + 1)
    {
      ssize_t length = fgetxattr (fd, names + at, value, XATTR_SIZE_MAX);
      if (length >= 0)
        add_attribute (export, entry, path, names + at, value, (gsize) length);
    }
}

/* --- contents --- */

static void
add_holes (struct archive_entry *entry, int fd, off_t size)
{
  off_t data = 0;

  if (size == 0 || lseek (fd, 0, SEEK_HOLE) >= size)
    return;
  while (data < size)
    {
      off_t hole;

      data = lseek (fd, data, SEEK_DATA);
      if (data < 0)
        break;
      hole = lseek (fd, data, SEEK_HOLE);
      if (hole < 0 || hole > size)
        hole = size;
      archive_entry_sparse_add_entry (entry, data, hole - data);
      data = hole;
    }
  /* A hole at the end; and a file that is nothing else has one piece without length. */
  archive_entry_sparse_add_entry (entry, size, 0);
  lseek (fd, 0, SEEK_SET);
}

static gboolean
write_piece (Walk *walk, const char *piece, gsize size, GError **error)
{
  while (size > 0)
    {
      la_ssize_t done = archive_write_data (walk->writer, piece, size);
      if (done <= 0)
        return fail_writer (walk->writer, error);
      piece += done;
      size -= (gsize) done;
    }
  return TRUE;
}

static gboolean
write_contents (Walk *walk, int fd, const struct stat *st, const char *path, GError **error)
{
  gboolean skip = walk->export->list != NULL && st->st_size / 512 - st->st_blocks > LIST_HOLES_MAX / 512;
  off_t size = st->st_size;
  off_t at = 0;

  while (at < size)
    {
      off_t data = lseek (fd, at, SEEK_DATA);
      gboolean hole = data > at || (data < 0 && errno == ENXIO);
      off_t end = hole ? (data < 0 ? size : MIN (data, size)) : size;
      gsize want = (gsize) MIN (end - at, PIECE);

      if (hole)
        {
          if (!skip && !write_piece (walk, walk->zeros, want, error))
            return FALSE;
          at = skip ? end : at + (off_t) want;
          continue;
        }
      ssize_t got = pread (fd, walk->piece, want, at);
      if (got < 0)
        return bz_fail_errno (error, errno, NULL, "reading %s", path);
      if (got == 0)
        {
          memset (walk->piece, 0, want);
          got = (ssize_t) want;
        }
      if (!write_piece (walk, walk->piece, (gsize) got, error))
        return FALSE;
      at += got;
      walk->export->bytes += (guint64) got;
    }
  return TRUE;
}

/* --- names --- */

static struct archive_entry *
entry_of (const Walk *walk, const char *path, const struct stat *st)
{
  struct archive_entry *entry = archive_entry_new ();
  g_autofree char *name = g_strconcat (
      walk->export->prefix, *path != '\0' ? path : (*walk->export->prefix != '\0' ? "" : "."), NULL);

  archive_entry_copy_stat (entry, st);
  archive_entry_set_pathname (entry, name);
  archive_entry_set_uid (entry, plain_id (walk->export, st->st_uid));
  archive_entry_set_gid (entry, plain_id (walk->export, st->st_gid));
  archive_entry_unset_atime (entry);
  archive_entry_unset_ctime (entry);
  archive_entry_unset_birthtime (entry);
  if (!S_ISREG (st->st_mode))
    archive_entry_set_size (entry, 0);
  return entry;
}

static gboolean
write_header (Walk *walk, struct archive_entry *entry, GError **error)
{
  walk->export->files++;
  return archive_write_header (walk->writer, entry) >= ARCHIVE_WARN
         || fail_writer (walk->writer, error);
}

static gboolean
write_file (Walk *walk, int dir, const char *name, const char *path, GError **error)
{
  int fd = openat (dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat st;
  gboolean good;

  if (fd < 0 && errno == ENOENT)
    return TRUE;
  if (fd < 0 || fstat (fd, &st) != 0 || !S_ISREG (st.st_mode))
    {
      int saved = fd < 0 ? errno : ESTALE;
      if (fd >= 0)
        close (fd);
      return bz_fail_errno (error, saved, NULL, "reading %s", path);
    }
  struct archive_entry *entry = entry_of (walk, path, &st);
  add_attributes (walk->export, entry, path, fd);
  if (walk->export->list == NULL)
    add_holes (entry, fd, st.st_size);
  good = write_header (walk, entry, error) && write_contents (walk, fd, &st, path, error);
  archive_entry_free (entry);
  close (fd);
  return good;
}

/* The name that the archive has for this file already; else it is kept for later ones. */
static const char *
known_link (Walk *walk, const char *path, const struct stat *st)
{
  g_autofree char *key = g_strdup_printf ("%" G_GINT64_MODIFIER "x:%" G_GINT64_MODIFIER "x",
                                          (guint64) st->st_dev, (guint64) st->st_ino);
  const char *known = g_hash_table_lookup (walk->links, key);

  if (known == NULL)
    g_hash_table_insert (walk->links, g_steal_pointer (&key),
                         g_strconcat (walk->export->prefix, path, NULL));
  return known;
}

static gboolean
write_other (Walk *walk, int dir, const char *name, const char *path, const struct stat *st,
             const char *hardlink, GError **error)
{
  struct archive_entry *entry = entry_of (walk, path, st);
  char target[PATH_MAX + 1];
  gboolean good = TRUE;

  if (hardlink != NULL)
    {
      archive_entry_set_size (entry, 0);
      archive_entry_set_hardlink (entry, hardlink);
    }
  else if (S_ISLNK (st->st_mode))
    {
      ssize_t size = readlinkat (dir, name, target, PATH_MAX);
      good = size >= 0 || bz_fail_errno (error, errno, NULL, "reading %s", path);
      target[MAX (size, 0)] = '\0';
      archive_entry_set_symlink (entry, target);
    }
  good = good && write_header (walk, entry, error);
  archive_entry_free (entry);
  return good;
}

static gboolean
write_name (Walk *walk, int dir, const char *directory, const char *name, GPtrArray *below,
            GError **error)
{
  g_autofree char *path =
      *directory != '\0' ? g_strconcat (directory, "/", name, NULL) : g_strdup (name);
  const char *known = NULL;
  struct stat st;

  if (walk->export->step != NULL && !walk->export->step (walk->export->data, error))
    return FALSE;
  if (fstatat (dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT || bz_fail_errno (error, errno, NULL, "reading %s", path);
  if (S_ISDIR (st.st_mode))
    {
      g_ptr_array_add (below, g_steal_pointer (&path));
      return TRUE;
    }
  if (S_ISSOCK (st.st_mode))
    {
      walk->export->sockets++;
      return TRUE;
    }
  if (st.st_nlink > 1 && walk->export->list == NULL)
    known = known_link (walk, path, &st);
  if (known != NULL || !S_ISREG (st.st_mode))
    return write_other (walk, dir, name, path, &st, known, error);
  return write_file (walk, dir, name, path, error);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Takes `fd`. */
static GPtrArray *
names_in (int fd, const char *path, GError **error)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  DIR *dir = fdopendir (fd);
  struct dirent *entry;

  if (dir == NULL)
    {
      bz_fail_errno (error, errno, NULL, "reading %s", path);
      g_ptr_array_unref (names);
      close (fd);
      return NULL;
    }
  while ((entry = readdir (dir)) != NULL)
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      g_ptr_array_add (names, g_strdup (entry->d_name));
  closedir (dir);
  g_ptr_array_sort (names, compare_names);
  return names;
}

static gboolean
write_directory (Walk *walk, const char *path, GError **error)
{
  int fd = bz_beneath_open (walk->export->tree_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                            BZ_BENEATH_NO_LINKS);
  g_autoptr (GPtrArray) below = g_ptr_array_new ();
  struct stat st;

  if (fd < 0 && *path != '\0' && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
    return TRUE; /* changed meanwhile */
  if (fd < 0 || fstat (fd, &st) != 0)
    return bz_fail_errno (error, errno, NULL, "reading /%s", path);
  struct archive_entry *entry = entry_of (walk, path, &st);
  add_attributes (walk->export, entry, path, fd);
  gboolean good = write_header (walk, entry, error);
  archive_entry_free (entry);
  int copy = openat (fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_autoptr (GPtrArray) names = good ? names_in (copy, path, error) : NULL;
  for (guint i = 0; names != NULL && good && i < names->len; i++)
    good = write_name (walk, fd, path, g_ptr_array_index (names, i), below, error);
  close (fd);
  while (below->len > 0)
    g_ptr_array_add (walk->todo, g_ptr_array_steal_index (below, below->len - 1));
  return names != NULL && good;
}

gboolean
bz_export_tree (BzExport *export, BzArchiveWriter *writer, GError **error)
{
  g_autoptr (GHashTable) links = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GPtrArray) todo = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *piece = g_malloc (PIECE);
  g_autofree char *zeros = g_malloc0 (PIECE);
  Walk walk = { export, writer, links, todo, piece, zeros };
  gboolean good = TRUE;

  g_ptr_array_add (todo, g_strdup (""));
  while (good && todo->len > 0)
    {
      g_autofree char *path = g_ptr_array_steal_index (todo, todo->len - 1);
      good = write_directory (&walk, path, error);
    }
  return good;
}

/* --- lists --- */

static BzArchiveWriter *
open_list (int fd, GError **error)
{
  static const char *const words[] = { "type", "uid",  "gid",    "mode",  "size",
                                       "time", "link", "device", "sha256" };
  BzArchiveWriter *writer = archive_write_new ();
  int result = archive_write_set_format_mtree (writer);

  result = MIN (result, archive_write_set_format_option (writer, "mtree", "all", NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    result = MIN (result, archive_write_set_format_option (writer, "mtree", words[i], "1"));
  archive_write_set_bytes_in_last_block (writer, 1);
  if (result >= ARCHIVE_WARN && archive_write_open_fd (writer, fd) == ARCHIVE_OK)
    return writer;
  fail_writer (writer, error);
  archive_write_free (writer);
  return NULL;
}

static gboolean
write_all (int fd, const char *text, gsize size, GError **error)
{
  while (size > 0)
    {
      gssize written = write (fd, text, size);

      if (written < 0 && errno == EINTR)
        continue;
      if (written < 0)
        return bz_fail_errno (error, errno, errno == ENOSPC ? "make room" : NULL,
                              "writing the list of the tree");
      text += written;
      size -= (gsize) written;
    }
  return TRUE;
}

gboolean
bz_export_list (BzExport *export, int fd, GError **error)
{
  g_autoptr (GString) attributes = g_string_new (NULL);
  BzArchiveWriter *writer = open_list (fd, error);

  if (writer == NULL)
    return FALSE;
  export->list = attributes;
  gboolean good = bz_export_tree (export, writer, error);
  good = bz_export_close (writer, good ? error : NULL) && good
         && write_all (fd, attributes->str, attributes->len, error);
  export->list = NULL;
  return good;
}
