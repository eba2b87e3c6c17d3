#include "config.h"

#include "loader/user.h"

#include "brand/base/error.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATABASE_BYTES (4 * 1024 * 1024)

/* A small regular file's text, or "". O_NONBLOCK: it may be a FIFO that nobody writes. */
static char *
read_text (const char *path)
{
  int fd = open (path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat st;
  char *text = NULL;

  if (fd >= 0 && fstat (fd, &st) == 0 && S_ISREG (st.st_mode) && st.st_size <= DATABASE_BYTES)
    {
      text = g_malloc ((gsize) st.st_size + 1);
      ssize_t got = read (fd, text, (gsize) st.st_size);
      text[MAX (got, 0)] = '\0';
    }
  if (fd >= 0)
    close (fd);
  return text != NULL ? text : g_strdup ("");
}

static gboolean
parse_id (const char *text, guint32 *id)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32 - 1, &value, NULL))
    return FALSE;
  *id = (guint32) value;
  return TRUE;
}

/* The passwd line of the user given by name or, when name is NULL, by uid. */
static gboolean
find_user (const char *passwd, const char *name, uid_t uid, BzUser *user)
{
  g_auto (GStrv) lines = g_strsplit (passwd, "\n", -1);

  for (char **line = lines; *line != NULL; line++)
    {
      g_auto (GStrv) field = g_strsplit (*line, ":", 8);
      guint32 line_uid, line_gid;

      if (g_strv_length (field) < 7 || !parse_id (field[2], &line_uid)
          || !parse_id (field[3], &line_gid))
        continue;
      if (name != NULL ? strcmp (field[0], name) != 0 : line_uid != uid)
        continue;
      user->uid = line_uid;
      user->gid = line_gid;
      user->name = g_strdup (field[0]);
      user->home = g_strdup (field[5]);
      user->shell = g_strdup (field[6]);
      return TRUE;
    }
  return FALSE;
}

static void
find_groups (const char *group, BzUser *user)
{
  g_auto (GStrv) lines = g_strsplit (group, "\n", -1);

  user->groups[user->group_count++] = user->gid;
  for (char **line = lines; *line != NULL && user->group_count < BZ_USER_GROUPS; line++)
    {
      g_auto (GStrv) field = g_strsplit (*line, ":", 5);
      guint32 gid;

      if (user->name == NULL || g_strv_length (field) < 4 || !parse_id (field[2], &gid)
          || gid == user->gid)
        continue;
      g_auto (GStrv) members = g_strsplit (field[3], ",", -1);
      if (g_strv_contains ((const char *const *) members, user->name))
        user->groups[user->group_count++] = gid;
    }
}

static gboolean
find_group (const char *group, const char *text, gid_t *gid, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (group, "\n", -1);

  if (parse_id (text, gid))
    return TRUE;
  for (char **line = lines; *line != NULL; line++)
    {
      g_auto (GStrv) field = g_strsplit (*line, ":", 5);
      if (g_strv_length (field) >= 3 && strcmp (field[0], text) == 0 && parse_id (field[2], gid))
        return TRUE;
    }
  return bz_fail (error, BZ_ERROR_FAILED, "the zone's /etc/group does not know it", "give a number",
                  "cannot use the group \"%s\"", text);
}

gboolean
bz_user_find (const char *spec, const char *passwd, const char *group, BzUser *user, GError **error)
{
  g_auto (GStrv) part = g_strsplit (spec != NULL ? spec : "0", ":", 2);
  guint32 uid;

  *user = (BzUser){ 0 };
  if (part[0] == NULL || part[0][0] == '\0')
    return bz_fail (error, BZ_ERROR_USAGE, "it is empty", "give a name or a number",
                    "cannot use the user \"%s\"", spec);
  if (parse_id (part[0], &uid))
    {
      if (!find_user (passwd, NULL, uid, user))
        *user = (BzUser){ .uid = uid, .gid = uid };
    }
  else if (!find_user (passwd, part[0], 0, user))
    return bz_fail (error, BZ_ERROR_FAILED, "the zone's /etc/passwd does not know it",
                    "give a number, or add the user in the zone", "cannot use the user \"%s\"",
                    part[0]);
  if (part[1] == NULL)
    {
      find_groups (group, user);
      return TRUE;
    }
  if (!find_group (group, part[1], &user->gid, error))
    return FALSE;
  user->groups[user->group_count++] = user->gid;
  return TRUE;
}

gboolean
bz_user_lookup (const char *spec, BzUser *user, GError **error)
{
  g_autofree char *passwd = read_text ("/etc/passwd");
  g_autofree char *group = read_text ("/etc/group");

  return bz_user_find (spec, passwd, group, user, error);
}

void
bz_user_clear (BzUser *user)
{
  g_clear_pointer (&user->name, g_free);
  g_clear_pointer (&user->home, g_free);
  g_clear_pointer (&user->shell, g_free);
}
