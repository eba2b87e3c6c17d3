/* The cache of rewritten copies.
 *
 * Problem: finding takes milliseconds, and zones and reboots repeat it. Several supervisors use the
 * cache at once, and may die at any moment; disks fill and flip bits; names come from guests.
 *
 * Choice: an entry is a directory named by the SHA-256 of the original's bytes, of the
 * rewriter's version, and of where the kernel's vDSO has its functions (vdso-calls.c): content never changes under a key, so a file changed in place is another
 * entry, and an old rewriter's entries are never found again. It is built under a name of its own,
 * synced, and renamed: rename fails when another was faster, whose entry is as good. No lock. It
 * holds the copy (.copy, 0555, with a hard link for every name under which it is mapped) and the
 * facts with a checksum (.edits), whose modification time is that of the last use. Every look-up
 * compares the whole copy with the original and its edits; the key's SHA-256 costs most of a
 * look-up (8 to 10 ms for a libc): a supervisor keeps what it learnt by device, inode, ctime and
 * size.
 * Directories are 0711: a supervisor in a user namespace reaches an entry whose key it knows,
 * and nobody lists them; a key is known only to who has the original's bytes.
 * Limits: a result
 * without edits isn't stored. Between two processes both may keep to the limit and pass it
 * together. */
#include "config.h"

#include "loader/shadow/cache-private.h"

#include "brand/base/error.h"
#include "loader/shadow/image-copy.h"
#include "loader/shadow/rewriter-client.h"
#include "loader/shadow/vdso.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONGEST_NAME 64
#define ATTEMPTS 3

static gboolean
check_owner (int fd, const char *dir, GError **error)
{
  struct stat st;

  if (fstat (fd, &st) < 0)
    return bz_fail_errno (error, errno, NULL, "looking at %s", dir);
  if (st.st_uid != geteuid () || (st.st_mode & (S_IWGRP | S_IWOTH)))
    return bz_fail (error, BZ_ERROR_PERMISSION, "somebody else could write there",
                    "chown and chmod 0711 it", "using the cache %s", dir);
  return TRUE;
}

BzShadowCache *
bz_shadow_cache_open (const char *dir, guint64 limit, const char *owner, GError **error)
{
  if (g_mkdir_with_parents (dir, 0711) < 0)
    {
      bz_fail_errno (error, errno, NULL, "making %s", dir);
      return NULL;
    }
  int fd = open (dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    {
      bz_fail_errno (error, errno, NULL, "opening %s", dir);
      return NULL;
    }
  if (!check_owner (fd, dir, error))
    {
      close (fd);
      return NULL;
    }
  BzShadowCache *cache = g_new0 (BzShadowCache, 1);
  cache->dir_fd = fd;
  cache->limit = limit != 0 ? limit : BZ_SHADOW_CACHE_LIMIT;
  cache->owner = g_strdup (owner);
  bz_cache_make_room (cache, 0);
  return cache;
}

void
bz_shadow_cache_close (BzShadowCache *cache)
{
  close (cache->dir_fd);
  g_free (cache->owner);
  g_free (cache);
}

char *
bz_shadow_cache_name (const char *base_name)
{
  const char *slash = strrchr (base_name, '/');
  char *name = g_strndup (slash != NULL ? slash + 1 : base_name, LONGEST_NAME);

  for (char *at = name; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && strchr ("._+-", *at) == NULL)
      *at = '_';
  if (name[0] == '.')
    name[0] = '_';
  if (name[0] != '\0')
    return name;
  g_free (name);
  return g_strdup ("image");
}

/* Makes the missing entry. FALSE with an error; FALSE without one: there is nothing to make. */
static gboolean
make (BzShadowCache *cache, const char *key, int image_memfd, BzRewrite *edits, GError **error)
{
  if (!bz_rewriter_run (image_memfd, edits, error))
    return FALSE;
  if (edits->n == 0)
    return FALSE;
  if (bz_cache_entry_make (cache, key, image_memfd, edits, error))
    return TRUE;
  bz_rewrite_clear (edits);
  return FALSE;
}

/* Finds or makes the entry. FALSE as of make(). */
static gboolean
find_or_make (BzShadowCache *cache, const char *key, int image_memfd, BzRewrite *edits,
              GError **error)
{
  for (guint attempt = 0; attempt < ATTEMPTS; attempt++)
    {
      BzEntryState state = bz_cache_entry_read (cache, key, image_memfd, edits);

      if (state == BZ_ENTRY_GOOD)
        return TRUE;
      if (state == BZ_ENTRY_DAMAGED)
        bz_cache_entry_remove (cache, key);
      if (!make (cache, key, image_memfd, edits, error))
        return FALSE;
      bz_rewrite_clear (edits); /* and is read back: what counts is what is stored */
    }
  return bz_fail (error, BZ_ERROR_FAILED,
                  "the entry is damaged as soon as it is written, or evicted", "look at the disk",
                  "storing a rewritten image");
}

/* What the result depends on beside the image: who makes it, and this kernel's vDSO. */
static char *
key_salt (void)
{
  BzVdso vdso;

  bz_vdso_read (&vdso);
  return g_strdup_printf ("brandzone-rewriter %d %x %x %x", BZ_REWRITE_VERSION, vdso.offset[BZ_VSYSCALL_GETTIMEOFDAY],
                          vdso.offset[BZ_VSYSCALL_TIME], vdso.offset[BZ_VSYSCALL_GETCPU]);
}

gboolean
bz_shadow_cache_get (BzShadowCache *cache, int image_memfd, const char *base_name,
                     char **entry_path, BzRewrite *edits, GError **error)
{
  g_autoptr (GError) failure = NULL;

  *entry_path = NULL;
  memset (edits, 0, sizeof *edits);
  if (!bz_image_may_call_vsyscall (image_memfd))
    return TRUE;
  g_autofree char *salt = key_salt ();
  g_autofree char *key = bz_image_checksum (image_memfd, salt, error);
  if (key == NULL)
    return FALSE;
  if (!find_or_make (cache, key, image_memfd, edits, &failure))
    {
      if (failure == NULL)
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  *entry_path = bz_cache_entry_name (cache, key, base_name, error);
  if (*entry_path != NULL)
    return TRUE;
  bz_rewrite_clear (edits);
  return FALSE;
}
