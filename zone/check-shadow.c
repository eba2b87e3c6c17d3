/* Which calls of the vsyscall page can be rewritten: the search by bytes foretells, the finder of
 * shadow text knows. It runs in its own sandboxed process for each image that the search has hit:
 * few of a tree.
 *
 * Where it can't be asked (not installed, a damaged image, more than MOST_IMAGES) the search's
 * word stands. */
#include "config.h"

#include "zone/check-private.h"

#include "loader/shadow/image-copy.h"
#include "loader/shadow/rewriter-client.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST_IMAGES 64

static int
copy_of (int tree_fd, const char *path)
{
  struct open_how how = { .flags = O_PATH | O_CLOEXEC,
                          .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
  int fd = path[0] == '/' ? open (path, O_PATH | O_NOFOLLOW | O_CLOEXEC)
                          : (int) syscall (SYS_openat2, tree_fd, path, &how, sizeof how);

  if (fd < 0)
    return -1;
  int copy = bz_image_copy (fd, BZ_REWRITE_MAX_IMAGE, NULL);
  close (fd);
  return copy;
}

static void
tell_refused (BzCheck *check, const char *path, const BzRewrite *rewrite)
{
  const BzPlace *place = &rewrite->refused[0];

  bz_check_add (check, BZ_FINDING_VSYSCALL, NULL, path, BZ_PERHAPS,
                g_strdup_printf ("%u place%s can't be rewritten, the first at 0x%" G_GINT64_MODIFIER
                                 "x (%s: %s): its programs run under brandzone's own tracer, and "
                                 "can't be debugged",
                                 rewrite->n_refused, rewrite->n_refused == 1 ? "" : "s",
                                 place->address, place->text, place->reason),
                path);
}

static void
keep_reasons (BzCheck *check, const char *path, const BzRewrite *rewrite)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < rewrite->n; i++)
    g_ptr_array_add (lines, g_strdup_printf ("0x%" G_GINT64_MODIFIER "x, %u byte%s: %s", rewrite->edits[i].address,
                                             rewrite->edits[i].length, rewrite->edits[i].length == 1 ? "" : "s",
                                             rewrite->edits[i].reason));
  for (guint i = 0; i < rewrite->n_refused; i++)
    g_ptr_array_add (lines, g_strdup_printf ("0x%" G_GINT64_MODIFIER "x, stays (%s): %s", rewrite->refused[i].address,
                                             rewrite->refused[i].text, rewrite->refused[i].reason));
  for (guint i = 0; i < rewrite->n_left; i++)
    g_ptr_array_add (lines, g_strdup_printf ("0x%" G_GINT64_MODIFIER "x, left alone (%s): %s", rewrite->left[i].address,
                                             rewrite->left[i].text, rewrite->left[i].reason));
  g_hash_table_insert (check->rewrites, g_strdup (path), lines);
}

/* TRUE: the file belongs to what is rewritten. */
static gboolean
ask (BzCheck *check, const char *path)
{
  g_auto (BzRewrite) rewrite = { 0 };
  int copy = copy_of (check->tree_fd, path);
  gboolean done = copy >= 0 && bz_rewriter_run (copy, &rewrite, NULL);

  if (copy >= 0)
    close (copy);
  if (!done)
    return TRUE;
  keep_reasons (check, path, &rewrite);
  if (rewrite.n_refused > 0)
    tell_refused (check, path, &rewrite);
  return rewrite.n > 0;
}

void
bz_check_refine (BzCheck *check)
{
  guint asked = 0;

  if (check->plan == NULL || check->plan->quirk[BZ_QUIRK_VSYSCALL] == 0)
    return;
  for (guint i = check->troubles->len; i-- > 0;)
    {
      BzTrouble *trouble = g_ptr_array_index (check->troubles, i);

      if (trouble->finding != BZ_FINDING_VSYSCALL || trouble->detail != NULL)
        continue;
      for (guint j = trouble->paths->len; j-- > 0 && asked < MOST_IMAGES; asked++)
        if (!ask (check, g_ptr_array_index (trouble->paths, j)))
          g_ptr_array_remove_index (trouble->paths, j);
      if (trouble->paths->len == 0)
        g_ptr_array_remove_index (check->troubles, i);
    }
}
