/* Stopping all of a zone at once, and letting it go on.
 *
 * Facts: a frozen task answers no signal but SIGKILL, and needs no stop that its parent would see. A
 * task whose call waits for its supervisor's answer can't be frozen from when the supervisor has
 * taken the call (WAIT_KILLABLE_RECV) until it is answered. The supervisor is in none of the zone's
 * cgroups and goes on: the calls that it has taken are answered, those that it has not are given
 * back to the kernel and made again after the thaw. So the zone is frozen some moments after it was
 * told, and whoever needs it frozen looks until it is. v1 has a hierarchy for it. */
#include "config.h"

#include "loader/cgroup.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static gboolean
write_file (const char *directory, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gboolean good = fd >= 0 && write (fd, text, strlen (text)) == (ssize_t) strlen (text);

  if (fd >= 0)
    close (fd);
  return good;
}

static char *
read_file (const char *directory, const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  return text != NULL ? text : g_strdup ("");
}

/* A host may refuse a group to the zone's tasks: one that nobody is in would be frozen at once. */
static gboolean
has_tasks (const char *directory, gboolean unified)
{
  g_autofree char *text = read_file (directory, unified ? "cgroup.events" : "cgroup.procs");

  return unified ? strstr (text, "populated 1") != NULL : text[0] != '\0';
}

static gboolean
can_freeze (const char *directory, gboolean unified)
{
  g_autofree char *path =
      g_build_filename (directory, unified ? "cgroup.freeze" : "freezer.state", NULL);

  return access (path, W_OK) == 0 && has_tasks (directory, unified);
}

/* The group that does it: the unified hierarchy's, in which what is frozen can still be killed. NULL:
 * there is none. Borrowed. */
static const char *
find_group (const BzCgroup *cgroup, gboolean *unified)
{
  const char *found = NULL;
  gboolean here;

  *unified = FALSE;
  for (guint i = 0; i < bz_cgroup_count (cgroup) && !*unified; i++)
    {
      const char *path = bz_cgroup_path (cgroup, i, &here);
      if (!can_freeze (path, here))
        continue;
      found = path;
      *unified = here;
    }
  return found;
}

gboolean
bz_cgroup_freeze (const BzCgroup *cgroup, gboolean freeze)
{
  gboolean unified;
  const char *path = find_group (cgroup, &unified);

  if (path == NULL)
    return FALSE;
  return unified ? write_file (path, "cgroup.freeze", freeze ? "1" : "0")
                 : write_file (path, "freezer.state", freeze ? "FROZEN" : "THAWED");
}

gboolean
bz_cgroup_is_frozen (const BzCgroup *cgroup)
{
  gboolean unified;
  const char *path = find_group (cgroup, &unified);
  g_autofree char *text =
      path != NULL ? read_file (path, unified ? "cgroup.events" : "freezer.state") : NULL;

  return text != NULL && strstr (text, unified ? "frozen 1" : "FROZEN") != NULL;
}
