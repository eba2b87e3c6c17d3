/* All groups below one. A zone's init may have made any number of them, one in the other, where no path reaches that the
 * kernel takes at once: so it goes from one to the next, down and by "..", with one descriptor and no recursion. */
#include "config.h"

#include "loader/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

typedef struct {
  char *name;
  GPtrArray *below; /* names that were not gone to yet */
} Level;

static void
clear_level (gpointer data)
{
  Level *level = data;

  g_free (level->name);
  g_ptr_array_unref (level->below);
}

static GPtrArray *
names_below (int group)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  int own = openat (group, ".", DIRECTORY);
  DIR *dir = own >= 0 ? fdopendir (own) : NULL;
  struct dirent *entry;

  while (dir != NULL && (entry = readdir (dir)) != NULL)
    if (entry->d_type == DT_DIR && strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      g_ptr_array_add (names, g_strdup (entry->d_name));
  if (dir != NULL)
    closedir (dir);
  else if (own >= 0)
    close (own);
  return names;
}

/* Takes the name; the descriptor of the group that is entered, or -1. */
static int
go_down (GArray *path, int from, char *name, const BzCgroupVisitor *visitor)
{
  int group = openat (from, name, DIRECTORY);

  if (group < 0)
    {
      g_free (name); /* it has gone meanwhile */
      return -1;
    }
  if (visitor->enter != NULL)
    visitor->enter (group, visitor->data);
  Level level = { name, names_below (group) };
  g_array_append_val (path, level);
  return group;
}

static int
go_up (GArray *path, int from, const BzCgroupVisitor *visitor)
{
  const Level *level = &g_array_index (path, Level, path->len - 1);
  int group = path->len > 1 ? openat (from, "..", DIRECTORY) : -1;

  if (group >= 0 && visitor->leave != NULL)
    visitor->leave (group, level->name, visitor->data);
  g_array_set_size (path, path->len - 1);
  return group;
}

void
bz_cgroup_walk (const char *directory, const BzCgroupVisitor *visitor)
{
  g_autoptr (GArray) path = g_array_new (FALSE, FALSE, sizeof (Level));

  g_array_set_clear_func (path, clear_level);
  int group = go_down (path, AT_FDCWD, g_strdup (directory), visitor);
  while (group >= 0)
    {
      GPtrArray *below = g_array_index (path, Level, path->len - 1).below;
      gboolean down = below->len > 0;
      int next = down ? go_down (path, group, g_ptr_array_steal_index (below, below->len - 1), visitor)
                      : go_up (path, group, visitor);
      if (down && next < 0)
        continue;
      close (group);
      group = next;
    }
}
