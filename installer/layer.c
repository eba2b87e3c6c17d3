/* What a layer takes away from those below it. */
#include "config.h"

#include "installer/tree.h"

#include "brand/base/error.h"
#include "installer/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void
bz_tree_begin_layer (BzTree *tree)
{
  g_clear_pointer (&tree->made, g_hash_table_unref);
  tree->made = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

/* Opens the directory that holds `path`; its name goes to *name. -1: there is none. */
static int
open_parent (BzTree *tree, const char *path, const char **name)
{
  const char *slash = strrchr (path, '/');
  g_autofree char *parent =
      slash == NULL ? g_strdup ("") : g_strndup (path, (gsize) (slash - path));

  *name = slash == NULL ? path : slash + 1;
  return bz_beneath_open (tree->fd, parent, O_PATH | O_DIRECTORY, 0, tree->parents);
}

gboolean
bz_tree_remove (BzTree *tree, const char *path, GError **error)
{
  const char *name;
  int fd;
  gboolean ok;

  /* A layer that both makes a name and takes it away means the lower one. */
  if (*path == '\0' || (tree->made != NULL && g_hash_table_contains (tree->made, path)))
    return TRUE;
  fd = open_parent (tree, path, &name);
  if (fd < 0)
    return TRUE;
  ok = bz_remove_at (fd, name, path, error);
  close (fd);
  g_clear_pointer (&tree->parent_path, g_free);
  if (tree->parent_fd >= 0)
    close (tree->parent_fd);
  tree->parent_fd = -1;
  return ok;
}

/* The names in the directory `path`, read whole because it is changed meanwhile. */
static GPtrArray *
list_names (BzTree *tree, const char *path)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  int fd = bz_beneath_open (tree->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, tree->parents);
  DIR *dir = fd < 0 ? NULL : fdopendir (fd);
  struct dirent *entry;

  if (dir == NULL)
    {
      if (fd >= 0)
        close (fd);
      return names;
    }
  while ((entry = readdir (dir)) != NULL)
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      g_ptr_array_add (names, *path == '\0' ? g_strdup (entry->d_name)
                                            : g_strdup_printf ("%s/%s", path, entry->d_name));
  closedir (dir);
  return names;
}

gboolean
bz_tree_clear (BzTree *tree, const char *path, GError **error)
{
  g_autoptr (GPtrArray) todo = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_add (todo, g_strdup (path));
  while (todo->len > 0)
    {
      g_autofree char *directory = g_ptr_array_steal_index_fast (todo, todo->len - 1);
      g_autoptr (GPtrArray) names = list_names (tree, directory);

      for (guint i = 0; i < names->len; i++)
        {
          const char *name = names->pdata[i];

          /* Made by this layer: stays, but what a lower one put into it goes. */
          if (tree->made != NULL && g_hash_table_contains (tree->made, name))
            g_ptr_array_add (todo, g_strdup (name));
          else if (!bz_tree_remove (tree, name, error))
            return FALSE;
        }
    }
  return TRUE;
}
