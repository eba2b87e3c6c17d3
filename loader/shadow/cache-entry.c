#include "config.h"

#include "brand/base/error.h"
#include "loader/shadow/cache-private.h"
#include "loader/shadow/image-copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* .edits: size of the copy, checksum of the facts, the facts. */
#define FACTS_VARIANT "(ts" BZ_REWRITE_VARIANT ")"
#define CHUNK ((gsize) 256 * 1024)
#define MOST_FACTS (8 * 1024 * 1024)
#define MOST_NAMES 64

static char *
facts_checksum (GVariant *facts)
{
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, g_variant_get_data (facts),
                                      g_variant_get_size (facts));
}

/* --- reading --- */

/* A file of ours, or -1. */
static int
open_own (int dir_fd, const char *name, struct stat *st)
{
  int fd = openat (dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

  if (fd < 0)
    return -1;
  if (fstat (fd, st) == 0 && S_ISREG (st->st_mode) && st->st_uid == geteuid ()
      && !(st->st_mode & (S_IWGRP | S_IWOTH)))
    return fd;
  close (fd);
  return -1;
}

static GVariant *
read_facts (int dir_fd)
{
  struct stat st;
  int fd = open_own (dir_fd, BZ_CACHE_FACTS, &st);
  GVariant *facts = NULL;

  if (fd < 0)
    return NULL;
  if (st.st_size > 0 && st.st_size <= MOST_FACTS)
    {
      guint8 *data = g_malloc ((gsize) st.st_size);

      if (pread (fd, data, (gsize) st.st_size, 0) == st.st_size)
        facts =
            g_variant_ref_sink (g_variant_new_from_data (G_VARIANT_TYPE (FACTS_VARIANT), data,
                                                         (gsize) st.st_size, FALSE, g_free, data));
      else
        g_free (data);
    }
  close (fd);
  return facts;
}

/* Puts the new bytes of edits into a part of the original. */
static void
edit_part (const BzRewrite *edits, guint64 at, gsize size, guint8 *part)
{
  for (guint i = 0; i < edits->n; i++)
    for (guint k = 0; k < edits->edits[i].length; k++)
      {
        guint64 offset = edits->edits[i].offset + k;

        if (offset >= at && offset - at < size)
          part[offset - at] = edits->edits[i].new_bytes[k];
      }
}

/* Whether the copy is the original with its edits: every byte, which costs less than a checksum and
 * says more. */
static gboolean
is_edited_original (int copy_fd, int image_memfd, guint64 size, const BzRewrite *edits)
{
  g_autofree guint8 *original = g_malloc (CHUNK);
  g_autofree guint8 *copy = g_malloc (CHUNK);

  for (guint64 at = 0; at < size; at += CHUNK)
    {
      gsize part = MIN (CHUNK, size - at);

      if (pread (image_memfd, original, part, (off_t) at) != (gssize) part
          || pread (copy_fd, copy, part, (off_t) at) != (gssize) part)
        return FALSE;
      edit_part (edits, at, part, original);
      if (memcmp (original, copy, part) != 0)
        return FALSE;
    }
  return TRUE;
}

static gboolean
copy_is_good (int dir_fd, int image_memfd, guint64 size, const BzRewrite *edits)
{
  struct stat st;
  int fd = open_own (dir_fd, BZ_CACHE_COPY, &st);

  if (fd < 0)
    return FALSE;
  gboolean good = (guint64) st.st_size == size && (st.st_mode & 07777) == 0555
                  && is_edited_original (fd, image_memfd, size, edits);
  close (fd);
  return good;
}

static gboolean
verify (int dir_fd, int image_memfd, BzRewrite *edits)
{
  g_autoptr (GVariant) all = read_facts (dir_fd);
  g_autoptr (GVariant) facts = NULL;
  g_autofree char *stored_sum = NULL;
  struct stat st;
  guint64 size;

  if (all == NULL || !g_variant_is_normal_form (all) || fstat (image_memfd, &st) < 0)
    return FALSE;
  g_variant_get (all, "(ts@" BZ_REWRITE_VARIANT ")", &size, &stored_sum, &facts);
  g_autofree char *found_sum = facts_checksum (facts);
  if (size != (guint64) st.st_size || strcmp (found_sum, stored_sum) != 0)
    return FALSE;
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (facts);
  if (!bz_rewrite_from_bytes (bytes, size, edits, NULL))
    return FALSE;
  if (edits->n > 0 && bz_rewrite_matches (edits, image_memfd, NULL)
      && copy_is_good (dir_fd, image_memfd, size, edits))
    return TRUE;
  bz_rewrite_clear (edits);
  return FALSE;
}

BzEntryState
bz_cache_entry_read (const BzShadowCache *cache, const char *key, int image_memfd, BzRewrite *edits)
{
  int dir_fd = openat (cache->dir_fd, key, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat st;

  if (dir_fd < 0)
    return errno == ENOENT ? BZ_ENTRY_MISSING : BZ_ENTRY_DAMAGED;
  /* Marked before it is looked at, so that nobody evicts it meanwhile. */
  gboolean good = fstat (dir_fd, &st) == 0 && st.st_uid == geteuid ()
                  && !(st.st_mode & (S_IWGRP | S_IWOTH))
                  && utimensat (dir_fd, BZ_CACHE_FACTS, NULL, AT_SYMLINK_NOFOLLOW) == 0
                  && verify (dir_fd, image_memfd, edits);
  close (dir_fd);
  return good ? BZ_ENTRY_GOOD : BZ_ENTRY_DAMAGED;
}

/* --- names --- */

/* Makes `name` a link to the copy; returns 0 or an errno value. */
static int
link_name (int dir_fd, const char *name)
{
  struct stat copy, other;

  if (linkat (dir_fd, BZ_CACHE_COPY, dir_fd, name, 0) == 0)
    return 0;
  if (errno != EEXIST || fstatat (dir_fd, BZ_CACHE_COPY, &copy, AT_SYMLINK_NOFOLLOW) < 0
      || fstatat (dir_fd, name, &other, AT_SYMLINK_NOFOLLOW) < 0)
    return errno;
  if (other.st_ino == copy.st_ino && other.st_dev == copy.st_dev)
    return 0;
  if (unlinkat (dir_fd, name, 0) < 0 || linkat (dir_fd, BZ_CACHE_COPY, dir_fd, name, 0) < 0)
    return errno;
  return 0;
}

/* A guest can ask under any number of names: the first ones get a link. */
static gboolean
is_full_of_names (int dir_fd, const char *name)
{
  struct stat st;

  if (fstatat (dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
    return FALSE;
  return fstatat (dir_fd, BZ_CACHE_COPY, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink > MOST_NAMES;
}

char *
bz_cache_entry_name (const BzShadowCache *cache, const char *key, const char *base_name,
                     GError **error)
{
  g_autofree char *name = bz_shadow_cache_name (base_name);
  int dir_fd = openat (cache->dir_fd, key, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int failed = dir_fd < 0 ? errno : 0;

  if (failed == 0 && is_full_of_names (dir_fd, name))
    {
      g_free (name);
      name = g_strdup ("image");
    }
  if (failed == 0)
    failed = link_name (dir_fd, name);
  if (dir_fd >= 0)
    close (dir_fd);
  if (failed == 0)
    return g_strdup_printf ("%s/%s", key, name);
  bz_fail_errno (error, failed, NULL, "naming a rewritten image %s", name);
  return NULL;
}

/* --- making --- */

static gboolean
apply (const BzRewrite *edits, int fd)
{
  for (guint i = 0; i < edits->n; i++)
    {
      const BzEdit *edit = &edits->edits[i];

      if (pwrite (fd, edit->new_bytes, edit->length, (off_t) edit->offset) != edit->length)
        return FALSE;
    }
  return TRUE;
}

static gboolean
make_copy (int dir_fd, int image_memfd, guint64 size, const BzRewrite *edits, GError **error)
{
  int fd =
      openat (dir_fd, BZ_CACHE_COPY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

  if (fd < 0)
    return bz_fail_errno (error, errno, NULL, "making a rewritten image");
  gboolean made = bz_image_transfer (image_memfd, fd, size, TRUE, error);
  if (made && (!apply (edits, fd) || fchmod (fd, 0555) < 0 || fsync (fd) < 0))
    made = bz_fail_errno (error, errno, NULL, "writing a rewritten image");
  close (fd);
  return made;
}

static gboolean
make_facts (int dir_fd, guint64 size, const BzRewrite *edits, GError **error)
{
  g_autoptr (GVariant) facts = g_variant_ref_sink (bz_rewrite_to_variant (edits));
  g_autofree char *facts_sum = facts_checksum (facts);
  g_autoptr (GVariant) all =
      g_variant_ref_sink (g_variant_new ("(ts@" BZ_REWRITE_VARIANT ")", size, facts_sum, facts));
  int fd =
      openat (dir_fd, BZ_CACHE_FACTS, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

  if (fd < 0)
    return bz_fail_errno (error, errno, NULL, "making the list of edits of an image");
  gsize length = g_variant_get_size (all);
  gssize put = write (fd, g_variant_get_data (all), length);
  int saved = put < 0 || fsync (fd) < 0 ? errno : put == (gssize) length ? 0 : ENOSPC;
  close (fd);
  return saved == 0 || bz_fail_errno (error, saved, NULL, "writing the list of edits of an image");
}

static gboolean
fill (int dir_fd, int image_memfd, guint64 size, const BzRewrite *edits, const char *owner, GError **error)
{
  if (!make_copy (dir_fd, image_memfd, size, edits, error)
      || !make_facts (dir_fd, size, edits, error))
    return FALSE;
  if (owner != NULL && symlinkat (owner, dir_fd, BZ_CACHE_OWNER) < 0)
    return bz_fail_errno (error, errno, NULL, "writing an entry of the cache");
  if (fchmod (dir_fd, 0711) < 0 || fsync (dir_fd) < 0)
    return bz_fail_errno (error, errno, NULL, "writing an entry of the cache");
  return TRUE;
}

static gboolean
put_in_place (const BzShadowCache *cache, const char *temporary, const char *key, GError **error)
{
  if (renameat (cache->dir_fd, temporary, cache->dir_fd, key) == 0)
    {
      fsync (cache->dir_fd);
      return TRUE;
    }
  if (errno == EEXIST || errno == ENOTEMPTY)
    {
      bz_cache_remove_directory (cache, temporary); /* another process was faster */
      return TRUE;
    }
  return bz_fail_errno (error, errno, NULL, "storing a rewritten image");
}

gboolean
bz_cache_entry_make (const BzShadowCache *cache, const char *key, int image_memfd,
                     const BzRewrite *edits, GError **error)
{
  g_autofree char *temporary = bz_cache_temporary_name ();
  struct stat st;

  if (fstat (image_memfd, &st) < 0)
    return bz_fail_errno (error, errno, NULL, "asking the size of an image");
  if (!bz_cache_make_room (cache, (guint64) st.st_size))
    return bz_fail (error, BZ_ERROR_SPACE,
                    "the cache is full of what was used within the last minute", "raise its limit",
                    "storing a rewritten image");
  if (mkdirat (cache->dir_fd, temporary, 0700) < 0)
    return bz_fail_errno (error, errno, NULL, "making an entry of the cache");
  int dir_fd = openat (cache->dir_fd, temporary, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  gboolean made = dir_fd < 0 ? bz_fail_errno (error, errno, NULL, "opening an entry of the cache")
                             : fill (dir_fd, image_memfd, (guint64) st.st_size, edits, cache->owner, error)
                                   && put_in_place (cache, temporary, key, error);
  if (dir_fd >= 0)
    close (dir_fd);
  if (!made)
    bz_cache_remove_directory (cache, temporary);
  return made;
}

void
bz_cache_entry_remove (const BzShadowCache *cache, const char *key)
{
  g_autofree char *temporary = bz_cache_temporary_name ();

  if (renameat (cache->dir_fd, key, cache->dir_fd, temporary) == 0)
    bz_cache_remove_directory (cache, temporary);
}
