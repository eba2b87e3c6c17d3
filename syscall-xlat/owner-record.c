#include "config.h"

#include "syscall-xlat/owner-record.h"

#include <string.h>

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

gboolean
bz_owner_parse (const char *text, gsize length, BzOwner *owner)
{
  const char *end = text + length;
  BzOwner found = { .known = TRUE };

  *owner = (BzOwner){ .known = FALSE };
  if (!take_id (&text, end, &found.uid) || text == end || *text != ':')
    return FALSE;
  text++;
  if (!take_id (&text, end, &found.gid) || text != end)
    return FALSE;
  *owner = found;
  return TRUE;
}

gsize
bz_owner_format (const BzOwner *owner, char text[BZ_OWNER_ROOM])
{
  return (gsize) g_snprintf (text, BZ_OWNER_ROOM, "%u:%u", owner->uid, owner->gid);
}
