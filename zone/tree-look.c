#include "config.h"

#include "zone/tree-look.h"

#include "brand/base/error.h"
#include "loader/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <sys/stat.h>
#include <unistd.h>

static void
count (const struct stat *st, GHashTable *seen, BzTreeLook *look)
{
  gint64 changed = (gint64) st->st_ctim.tv_sec * G_GINT64_CONSTANT (1000000000) + st->st_ctim.tv_nsec;

  look->oldest = MIN (look->oldest, changed);
  look->newest = MAX (look->newest, changed);
  if (S_ISDIR (st->st_mode) || st->st_nlink == 1
      || g_hash_table_add (seen, (gpointer) (guintptr) st->st_ino))
    look->bytes += (guint64) st->st_blocks * 512;
}

/* Returns 0 or an errno. */
static int
walk (const char *tree, BzTreeLook *look)
{
  char *const paths[] = { (char *) tree, NULL };
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  FTS *fts = fts_open (paths, FTS_PHYSICAL | FTS_XDEV, NULL);
  int problem = fts == NULL ? errno : 0;

  *look = (BzTreeLook){ .oldest = G_MAXINT64, .newest = G_MININT64 };
  while (problem == 0)
    {
      errno = 0;
      const FTSENT *entry = fts_read (fts);
      if (entry == NULL)
        {
          problem = errno;
          break;
        }
      if (entry->fts_errno == ENOENT && entry->fts_info != FTS_DP && entry->fts_level > 0)
        continue; /* a zone that runs has removed it */
      if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
        problem = entry->fts_errno != 0 ? entry->fts_errno : EIO;
      else if (entry->fts_info != FTS_DP && entry->fts_info != FTS_DC)
        count (entry->fts_statp, seen, look);
    }
  if (fts != NULL)
    fts_close (fts);
  return problem;
}

typedef struct {
  const char *tree;
  int pipe;
} Inside;

static int
walk_inside (gpointer data)
{
  const Inside *inside = data;
  BzTreeLook look;
  int problem = walk (inside->tree, &look);

  return problem != 0 || write (inside->pipe, &look, sizeof look) != (ssize_t) sizeof look;
}

static gboolean
walk_mapped (const char *tree, const GArray *uids, const GArray *gids, BzTreeLook *look,
             GError **error)
{
  int ends[2], status = 1;

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return bz_fail_errno (error, errno, NULL, "looking at %s", tree);
  gboolean ran =
      bz_userns_run (uids, gids, walk_inside, &(Inside){ tree, ends[1] }, &status, error);
  close (ends[1]);
  gboolean good = ran && status == 0 && read (ends[0], look, sizeof *look) == (ssize_t) sizeof *look;
  close (ends[0]);
  return good || !ran
         || bz_fail (error, BZ_ERROR_FAILED, "it can't be read", NULL, "looking at %s", tree);
}

gboolean
bz_tree_look (const char *tree, const GArray *uids, const GArray *gids, BzTreeLook *look,
              GError **error)
{
  if (uids != NULL)
    return walk_mapped (tree, uids, gids, look, error);
  int problem = walk (tree, look);
  return problem == 0 || bz_fail_errno (error, problem, NULL, "looking at %s", tree);
}
