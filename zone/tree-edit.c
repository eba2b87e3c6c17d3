/* The tree is hostile: a directory on the way may be a link out of it, the file a link, a FIFO or
 * huge. It may change while we look: what is opened stays what it was, and a new file is put in its
 * place in one step. */
#include "config.h"

#include "zone/tree-edit.h"

#include "brand/base/error.h"
#include "loader/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (1024 * 1024)
#define NEW_NAME ".brandzone-edit"

void
bz_tree_file_done (BzTreeFile *file)
{
  if (file->dir >= 0)
    close (file->dir);
  if (file->fd >= 0)
    close (file->fd);
  g_free (file->base);
}

gboolean
bz_tree_file_find (int tree_fd, const char *path, BzTreeFile *file)
{
  g_autofree char *parent = g_path_get_dirname (path);

  *file = (BzTreeFile){ .dir = -1, .fd = -1, .base = g_path_get_basename (path) };
  file->dir = bz_openat2 (tree_fd, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
                           BZ_RESOLVE_IN_ROOT | BZ_RESOLVE_NO_MAGICLINKS);
  if (file->dir >= 0)
    file->fd = openat (file->dir, file->base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  return file->fd >= 0 && fstat (file->fd, &file->st) == 0 && S_ISREG (file->st.st_mode)
         && file->st.st_size <= FILE_MAX;
}

char *
bz_tree_file_text (const BzTreeFile *file)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char bytes[8192];
  ssize_t got;

  while (text->len <= FILE_MAX && (got = read (file->fd, bytes, sizeof bytes)) > 0)
    g_string_append_len (text, bytes, got);
  /* A file with NUL bytes is no script. */
  if (text->len > FILE_MAX || strlen (text->str) != text->len)
    return NULL;
  return g_string_free (g_steal_pointer (&text), FALSE);
}

gboolean
bz_tree_file_replace (const BzTreeFile *file, const char *text, const char *path,
                      const char *hint, GError **error)
{
  const struct timespec times[] = { file->st.st_atim, file->st.st_mtim };
  gsize length = strlen (text);

  unlinkat (file->dir, NEW_NAME, 0); /* of a run that was killed */
  int fd =
      openat (file->dir, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  gboolean good = fd >= 0 && write (fd, text, length) == (ssize_t) length
                  && fchown (fd, file->st.st_uid, file->st.st_gid) == 0
                  && fchmod (fd, file->st.st_mode & 07777) == 0 && futimens (fd, times) == 0
                  && fsync (fd) == 0
                  && renameat (file->dir, NEW_NAME, file->dir, file->base) == 0;
  int saved = errno;
  if (fd >= 0)
    close (fd);
  if (good)
    return TRUE;
  unlinkat (file->dir, NEW_NAME, 0);
  return bz_fail_errno (error, saved, hint, "cannot edit %s of the zone", path);
}
