/* The owner that a file should have, where the zone has no such id, and the device node that it should
 * be, where none can be made (catalogue rows S15 and S17, owner-records=keep).
 *
 * It is an extended attribute of the file, "user.brandzone.owner" with the text "UID:GID", or
 * "UID:GID:c:MAJOR:MINOR" (b: a block device) of an empty file in a node's place: it goes
 * where the file goes (rename, hard links, copies with attributes, archives with attributes) and
 * ends with it, and no second list can go out of step with the tree. Files that take no attributes of users
 * (links, devices, sockets, pipes) have none. The zone's programs can write it, as they can write
 * everything there: it is shown, and decides nothing. */
#pragma once

#include <glib.h>

#define BZ_OWNER_ATTRIBUTE "user.brandzone.owner"
#define BZ_OWNER_ROOM 48 /* four numbers of 32 bits, a letter, colons, NUL */

#define BZ_OWNER_UNCHANGED G_MAXUINT32

typedef struct {
  gboolean known; /* else the file's own */
  guint32 uid, gid;
  guint32 type;         /* S_IFCHR, S_IFBLK; 0: what the file itself is */
  guint32 major, minor; /* of a node */
} BzOwner;

/* FALSE, and not known: the text is no record. It need not end in NUL. */
gboolean bz_owner_parse (const char *text, gsize length, BzOwner *owner);
/* Returns the length without the NUL. */
gsize bz_owner_format (const BzOwner *owner, char text[BZ_OWNER_ROOM]);
