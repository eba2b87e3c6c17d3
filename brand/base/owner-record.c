#include "config.h"

#include "brand/base/owner-record.h"

#include <sys/stat.h>

/* Moves *at behind a number; FALSE: there is none, or none that is an id. */
static gboolean
take_id (const char **at, const char *end, guint32 *id)
{
  guint64 number = 0;
  const char *first = *at;

  while (*at < end && g_ascii_isdigit (**at) && *at - first < 10)
    number = number * 10 + (guint64) (*(*at)++ - '0');
  *id = (guint32) number;
  return *at > first && number < BZ_OWNER_UNCHANGED;
}

/* What follows the owner: ":c:MAJOR:MINOR". */
static gboolean
take_node (const char *at, const char *end, BzOwner *owner)
{
  if (end - at < 3 || at[0] != ':' || (at[1] != 'c' && at[1] != 'b') || at[2] != ':')
    return FALSE;
  owner->type = at[1] == 'c' ? S_IFCHR : S_IFBLK;
  at += 3;
  if (!take_id (&at, end, &owner->major) || at == end || *at != ':')
    return FALSE;
  at++;
  return take_id (&at, end, &owner->minor) && at == end;
}

gboolean
bz_owner_parse (const char *text, gsize length, BzOwner *owner)
{
  const char *end = text + length;
  BzOwner found = { .known = TRUE };

  *owner = (BzOwner){ .known = FALSE };
  if (!take_id (&text, end, &found.uid) || text == end || *text != ':')
    return FALSE;
  text++;
  if (!take_id (&text, end, &found.gid) || (text != end && !take_node (text, end, &found)))
    return FALSE;
  *owner = found;
  return TRUE;
}

gsize
bz_owner_format (const BzOwner *owner, char text[BZ_OWNER_ROOM])
{
  if (owner->type == 0)
    return (gsize) g_snprintf (text, BZ_OWNER_ROOM, "%u:%u", owner->uid, owner->gid);
  return (gsize) g_snprintf (text, BZ_OWNER_ROOM, "%u:%u:%c:%u:%u", owner->uid, owner->gid,
                             owner->type == S_IFCHR ? 'c' : 'b', owner->major, owner->minor);
}
