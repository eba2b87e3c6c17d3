/* Ranges of ids for root's zones.
 *
 * Each zone has 65536 ids of its own from 0x80000 (524288) up to 0x6fff0000,
 * so that a process of one zone owns nothing of another's or of the host's users.
 * Taken are the ranges in the zones' records, in /etc/subuid and /etc/subgid, and
 * those of running zones without a record (run --image), which hold a lock on
 * run/.ids/BASE for as long as they live. Limits: users that the host has in that range without a
 * line in /etc/subuid (a directory service) are not seen; places of state chosen by --root do not
 * know of each other.
 */
#include "config.h"

#include "zone/ids.h"

#include "brand/base/error.h"
#include "loader/loader.h"
#include "zone/layers.h"
#include "zone/names.h"
#include "zone/state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* The end of the first span that meets [base, base + COUNT), or 0. */
static guint64
obstacle (const GArray *used, guint64 base)
{
  for (guint i = 0; i < used->len; i++)
    {
      const BzIdSpan *span = &g_array_index (used, BzIdSpan, i);
      if (span->first < base + BZ_IDS_COUNT && base < span->first + span->count)
        return span->first + span->count;
    }
  return 0;
}

gboolean
bz_ids_choose (const GArray *used, guint32 *base)
{
  guint64 candidate = BZ_IDS_FIRST, end;

  while (candidate <= BZ_IDS_LAST && (end = obstacle (used, candidate)) != 0)
    candidate = (end + BZ_IDS_COUNT - 1) / BZ_IDS_COUNT * BZ_IDS_COUNT;
  if (candidate > BZ_IDS_LAST)
    return FALSE;
  *base = candidate;
  return TRUE;
}

gboolean
bz_ids_in_map (const char *map, guint32 base)
{
  g_auto (GStrv) lines = g_strsplit (map, "\n", -1);

  for (char **line = lines; *line != NULL; line++)
    {
      char *rest = NULL;
      guint64 inside = g_ascii_strtoull (*line, &rest, 10);
      g_ascii_strtoull (rest, &rest, 10); /* what they are outside */
      guint64 count = g_ascii_strtoull (rest, NULL, 10);

      if (inside <= base && inside + count >= (guint64) base + BZ_IDS_COUNT)
        return TRUE;
    }
  return FALSE;
}

gboolean
bz_ids_check_own (guint32 base, GError **error)
{
  g_autofree char *map = NULL;

  if (!g_file_get_contents ("/proc/self/uid_map", &map, NULL, NULL) || bz_ids_in_map (map, base))
    return TRUE;
  return bz_fail (error, BZ_ERROR_HOST,
                  "you are root of a user namespace that has no ids to give to zones",
                  "run brandzone outside of it, as yourself: not under unshare -r, not in a container",
                  "choosing ids for a zone");
}

void
bz_ids_add_subordinate (GArray *used, const char *data)
{
  g_auto (GStrv) lines = g_strsplit (data, "\n", -1);

  for (char **line = lines; *line != NULL; line++)
    {
      g_auto (GStrv) parts = g_strsplit (*line, ":", -1);
      BzIdSpan span;

      if (g_strv_length (parts) == 3
          && g_ascii_string_to_unsigned (g_strstrip (parts[1]), 10, 0, G_MAXUINT32, &span.first,
                                         NULL)
          && g_ascii_string_to_unsigned (g_strstrip (parts[2]), 10, 1, G_MAXUINT32, &span.count,
                                         NULL))
        g_array_append_val (used, span);
    }
}

static void
add_ranges (GArray *used, const GArray *ranges)
{
  for (guint i = 0; i < ranges->len; i++)
    {
      const BzIdRange *range = &g_array_index (ranges, BzIdRange, i);
      BzIdSpan span = { range->outside, range->count };
      g_array_append_val (used, span);
    }
}

/* Every directory with a record counts, also those of zones that come or go, and layers. */
static void
add_records (GArray *used, const char *directory)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);

  for (const char *entry; dir != NULL && (entry = g_dir_read_name (dir)) != NULL;)
    {
      if (g_str_has_suffix (entry, ".lock") && entry[0] == '.')
        continue;
      g_autofree char *path = g_build_filename (directory, entry, NULL);
      g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (BzIdRange));

      bz_state_read_ids (path, ranges, ranges);
      add_ranges (used, ranges);
    }
}

static void
add_file (GArray *used, const char *path)
{
  g_autofree char *data = NULL;

  if (g_file_get_contents (path, &data, NULL, NULL))
    bz_ids_add_subordinate (used, data);
}

static void
add_claims (GArray *used, const char *claims)
{
  g_autoptr (GDir) dir = g_dir_open (claims, 0, NULL);

  for (const char *entry; dir != NULL && (entry = g_dir_read_name (dir)) != NULL;)
    {
      BzIdSpan span = { 0, BZ_IDS_COUNT };
      g_autofree char *path = g_build_filename (claims, entry, NULL);
      int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

      if (fd < 0)
        continue;
      if (flock (fd, LOCK_SH | LOCK_NB) != 0
          && g_ascii_string_to_unsigned (entry, 10, 0, G_MAXUINT32, &span.first, NULL))
        g_array_append_val (used, span);
      close (fd);
    }
}

/* The directory itself is the lock's file: nothing is left lying in it. */
int
bz_ids_lock (const BzDirs *dirs, GError **error)
{
  int fd;

  if (!bz_dirs_make (dirs->data, error))
    return -1;
  fd = open (dirs->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  /* Held for microseconds by others: waiting is fine. */
  while (fd >= 0 && flock (fd, LOCK_EX) != 0)
    {
      if (errno == EINTR)
        continue;
      int saved = errno;
      close (fd);
      errno = saved;
      fd = -1;
    }
  if (fd < 0)
    bz_fail_errno (error, errno, NULL, "locking %s", dirs->data);
  return fd;
}

gboolean
bz_ids_allocate (const BzDirs *dirs, guint32 *base, GError **error)
{
  g_autoptr (GArray) used = g_array_new (FALSE, FALSE, sizeof (BzIdSpan));
  g_autofree char *claims = g_build_filename (dirs->run, ".ids", NULL);
  g_autofree char *layers = bz_layer_directory (dirs, NULL);

  add_records (used, dirs->data);
  add_records (used, layers);
  add_file (used, "/etc/subuid");
  add_file (used, "/etc/subgid");
  add_claims (used, claims);
  if (bz_ids_choose (used, base))
    return bz_ids_check_own (*base, error);
  return bz_fail (error, BZ_ERROR_FAILED, "all ranges of 65536 ids are taken",
                  "remove zones that are not needed, or lines of /etc/subuid",
                  "choosing ids for a zone");
}

gboolean
bz_ids_of_user (const BzHost *host, GArray *uids, GArray *gids, char **why, GError **error)
{
  if (!bz_userns_subordinate (uids, gids, why, error))
    return FALSE;
  if (*why != NULL || host->has[BZ_FEATURE_SUBORDINATE_IDS])
    return TRUE;
  g_array_set_size (uids, 0);
  g_array_set_size (gids, 0);
  *why = g_strdup_printf ("subordinate-ids: %s", host->detail[BZ_FEATURE_SUBORDINATE_IDS]);
  return TRUE;
}

int
bz_ids_claim (const BzDirs *dirs, guint32 *base, GError **error)
{
  g_autofree char *claims = g_build_filename (dirs->run, ".ids", NULL);
  int guard = -1, fd = -1;

  if (!bz_dirs_make (claims, error) || (guard = bz_ids_lock (dirs, error)) < 0)
    return -1;
  if (bz_ids_allocate (dirs, base, error))
    {
      g_autofree char *name = g_strdup_printf ("%u", *base);
      g_autofree char *path = g_build_filename (claims, name, NULL);

      fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
      if (fd < 0 || flock (fd, LOCK_EX | LOCK_NB) != 0)
        {
          bz_fail_errno (error, errno, "try again", "claiming the ids from %s on", name);
          if (fd >= 0)
            close (fd);
          fd = -1;
        }
    }
  close (guard);
  return fd;
}
